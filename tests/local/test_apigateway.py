"""The rules of a REST API."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from local.sources.apigateway import find, from_answer, own, to_event
from local.stack import Api, GatewayResponse, Route
from local.wire import Request

ROUTES = (
    Route("POST", "/v1.0/logs", "Ingest"),
    Route("ANY", "/v1.0/logs", "Api"),
    Route("ANY", "/{proxy+}", "Api"),
    Route("GET", "/v1.0/events/{id}", "One"),
)
BUSY = GatewayResponse(429, {"Retry-After": "2"}, '{"error":{"message":$context.error.messageString}}')
API = Api("prod", ROUTES, {"DEFAULT_5XX": BUSY}, ("*~1*",))
EVENTS = Path(__file__).parent.parent.parent / "events"


def request(method: str = "POST", path: str = "/v1.0/logs", query: str = "", body: bytes = b"[]", **headers: str) -> Request:
    return Request(method, path, query, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


def event(sent: Request, api: Api = API) -> dict[str, Any]:
    match = find(api.routes, sent.method, sent.path)
    assert match is not None
    return to_event(api, match, sent, request_id="id", now=1795615387.214)


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("POST", "/v1.0/logs", "Ingest"),
        ("PUT", "/v1.0/logs", "Api"),
        ("GET", "/v1.0/events/7", "One"),
        ("GET", "/v1.0/events/7/logs", "Api"),
        ("POST", "/v1.0/logs/", "Api"),
    ],
)
def test_the_most_exact_route_wins(method: str, path: str, function: str) -> None:
    match = find(ROUTES, method, path)
    assert match is not None
    assert match.route.function == function


def test_no_route_is_the_gateways_own_answer() -> None:
    assert find(ROUTES, "GET", "/") is None
    assert own(API, "MISSING_AUTHENTICATION_TOKEN").status == 403


def test_variables_of_the_path_are_decoded() -> None:
    match = find(ROUTES, "GET", "/v1.0/events/a%2Fb")
    assert match is not None
    assert match.variables == {"id": "a/b"}


@pytest.mark.parametrize("name", ["api-post-logs", "api-get-policies"])
def test_an_event_has_the_fields_of_a_real_one(name: str) -> None:
    real = json.loads((EVENTS / f"{name}.json").read_text())
    body = base64.b64decode(real["body"]) if real["body"] else b""
    made = event(request(real["httpMethod"], real["path"], "", body, content_type="application/json"))
    assert made.keys() == real.keys()
    for field in ("resource", "path", "httpMethod", "pathParameters", "queryStringParameters", "body", "isBase64Encoded"):
        assert made[field] == real[field], field
    assert made["requestContext"].keys() <= real["requestContext"].keys()


def test_headers_and_queries_come_once_and_many_times() -> None:
    made = event(Request("GET", "/x", "a=1&a=2&b=", (("X-A", "1"), ("X-A", "2")), b""))
    assert made["headers"]["X-A"] == "2"
    assert made["multiValueHeaders"]["X-A"] == ["1", "2"]
    assert made["queryStringParameters"] == {"a": "2", "b": ""}
    assert made["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert made["body"] is None
    assert made["isBase64Encoded"] is False


def test_a_body_of_a_binary_type_arrives_untouched() -> None:
    body = b"\x1f\x8b\x08\x00\xff"
    assert base64.b64decode(event(request(body=body))["body"]) == body


def test_a_body_of_another_type_arrives_as_text() -> None:
    made = event(request(body="ü".encode(), content_type="application/json"), Api("prod", ROUTES, {}, ("image/png",)))
    assert (made["body"], made["isBase64Encoded"]) == ("ü", False)


def test_an_answer_becomes_a_response() -> None:
    payload = {"statusCode": 201, "headers": {"A": 1}, "multiValueHeaders": {"B": ["x", "y"]}, "body": "ü"}
    found = from_answer(API, json.dumps(payload).encode())
    assert found.status == 201
    assert found.headers == {"A": "1", "B": ["x", "y"], "Content-Type": "application/json"}
    assert found.body == "ü".encode()


def test_an_answer_in_base64_is_decoded() -> None:
    payload = {"statusCode": 200, "body": base64.b64encode(b"\x00\x01").decode(), "isBase64Encoded": True}
    assert from_answer(API, json.dumps(payload).encode()).body == b"\x00\x01"


@pytest.mark.parametrize("payload", [b"null", b"{}", b'"text"', b'{"statusCode":"no"}', b'{"statusCode":200,"body":{}}', b'{"statusCode":200,"headers":[]}x'])
def test_an_answer_that_is_none_is_the_gateways_fault_and_so_a_429(payload: bytes) -> None:
    found = from_answer(API, payload)
    assert (found.status, found.headers["Retry-After"]) == (429, "2")
    assert json.loads(found.body) == {"error": {"message": "Internal server error"}}


def test_without_a_response_in_the_template_the_gateway_speaks_for_itself() -> None:
    found = own(Api("prod", (), {}, ()), "DEFAULT_5XX")
    assert (found.status, json.loads(found.body)) == (502, {"message": "Internal server error"})
