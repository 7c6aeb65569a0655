"""API.md, Authentication, errors, lists; what holds for every route."""

import json
import re
from base64 import b64encode
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from nightjar.api.openapi import document, text
from nightjar.api.routes import ROUTES
from nightjar.storage.keys import create_key, revoke_key

from tests.contract.world import NOBODY, NOW, Api, policy, proxy_event

KEYED = [(route.method, re.sub("<.*?>", NOBODY, route.path)) for route in ROUTES if route.run and not route.open]
PATHS = sorted({re.sub("<.*?>", NOBODY, route.path) for route in ROUTES})


@pytest.mark.parametrize(("method", "path"), KEYED)
def test_every_route_asks_for_a_key_first(api: Api, method: str, path: str) -> None:
    answer = api(method, path, headers={})
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("value", ["Bearer nobody", "Bearer chp_", "Basic chp_abc", "chp_abc", "Bearer chp_unknown_to_everybody_00000000", "Bearer ü"])
def test_a_malformed_or_unknown_key_is_refused(api: Api, value: str) -> None:
    answer = api("GET", "/v1.0/events", headers={"authorization": value})
    assert (answer.status, answer.code) == (401, "INVALID_TOKEN")


def test_a_revoked_key_is_refused_and_an_ingest_key_forbidden(api: Api) -> None:
    token, key = create_key(api.store, scope="admin", now=NOW)
    revoke_key(api.store, key.key_hash, now=NOW)
    assert api("GET", "/v1.0/events", headers={"Authorization": f"Bearer {token}"}).status == 401
    token, _ = create_key(api.store, scope="ingest", now=NOW)
    answer = api("GET", "/v1.0/events", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("path", ["/", "/nope", "/v1.0", "/v1.0/nope", "/v2.0/events", "/v1.0/events/a/b/c", f"/v1.0/alerts/{NOBODY}/explode", "", "/v1.0/%00"])
def test_an_unknown_route_is_not_found_in_the_envelope(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_another_method_is_not_allowed(api: Api, method: str, path: str) -> None:
    answer = api(method, path)
    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["Allow"].split(", ")) == {route.method for route in ROUTES if re.sub("<.*?>", NOBODY, route.path) == path}


def test_logs_go_to_another_function_but_other_methods_on_them_come_here(api: Api) -> None:
    assert api.get("/v1.0/logs").status == 405
    assert api.get("/v1.0/logs").message == "method: must be one of POST"


@pytest.mark.parametrize("path", ["/v1.0/events/", "/v1.0//events"])
def test_a_slash_too_many_does_no_harm(api: Api, path: str) -> None:
    assert api.get(path).status == 200


def test_logs_sent_to_a_slash_too_many_are_led_to_where_they_belong(api: Api) -> None:
    """Whoever sends them: an answer of 403, 404 or 405 would make the SDKs drop the batch for ever."""
    answer = api("POST", "/v1.0/logs/", [{"event": "e", "value": 1}])
    assert (answer.status, answer.headers["Location"]) == (308, "../logs")
    assert api("POST", "/v1.0/logs/x", {}).status == 404
    assert api.get("/v1.0/logs/").status == 405


@pytest.mark.parametrize(
    ("raw", "status"),
    [("", 400), ("{", 400), ("null", 400), ("[]", 400), ('"x"', 400), ("1", 400), ("[" * 100_000, 400), ('{"event": "' + "x" * (4 << 20) + '"}', 413)],
)
@pytest.mark.parametrize("path", ["/v1.0/events", "/v1.0/policies", "/v1.0/destinations"])
def test_a_body_that_is_none_is_refused(api: Api, path: str, raw: str, status: int) -> None:
    assert api("POST", path, raw=raw).status == status


def test_a_body_in_base64_is_read(api: Api) -> None:
    from nightjar.api.handler import handle

    event = {**proxy_event("POST", "/v1.0/events", b64encode(b'{"event": "e"}').decode(), api.headers), "isBase64Encoded": True}
    assert handle(api.store, event, now=NOW)["statusCode"] == 201


def test_an_unknown_encoding_is_unsupported(api: Api) -> None:
    answer = api("POST", "/v1.0/events", {"event": "e"}, headers={**api.headers, "Content-Encoding": "br"})
    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "Query"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
@pytest.mark.parametrize("path", ["/v1.0/policies", "/v1.0/events", "/v1.0/destinations", "/v1.0/alerts"])
def test_a_fault_of_storage_asks_the_client_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch, path: str, fault: Exception) -> None:
    assert api.get(path).status == 200

    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(api.store.db, "_make_api_call", fail)
    answer = api.get(path)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "TOO_MANY_REQUESTS", "1")


def test_somebody_who_keeps_writing_the_same_row_asks_the_client_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = api.made("/v1.0/policies", policy())["policy_id"]

    def stale(*_: object, **__: object) -> None:
        from nightjar.storage.config import Stale

        raise Stale

    monkeypatch.setattr("nightjar.storage.policies.replace", stale)
    assert api.put(f"/v1.0/policies/{made}", {"title": "x"}).status == 429


@pytest.mark.parametrize("path", ["/v1.0/events", "/v1.0/policies", "/v1.0/destinations", "/v1.0/alerts"])
def test_a_list_of_nothing_is_an_empty_array(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.body, "Link" in answer.headers) == (200, [], False)


def test_a_cursor_serves_the_list_that_gave_it_and_no_other(api: Api) -> None:
    for number in range(3):
        api.made("/v1.0/policies", policy(title=str(number)))
    cursor = api.get("/v1.0/policies?limit=1").headers["Link"].partition("cursor=")[2].partition(">")[0]
    assert api.get(f"/v1.0/policies?cursor={cursor}").status == 200
    assert api.get(f"/v1.0/destinations?cursor={cursor}").status == 400
    assert api.get(f"/v1.0/policies?cursor={cursor[:-2]}").status == 400


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/v1.0/openapi.json"])
def test_health_and_the_description_need_no_key(api: Api, path: str) -> None:
    assert api("GET", path, headers={}).status == 200


def test_the_page_of_the_documentation_names_every_route_and_loads_nothing_from_elsewhere(api: Api) -> None:
    page = api("GET", "/docs", headers={})
    assert page.headers["Content-Type"].startswith("text/html")
    assert all(f"{route.method} {route.path}".replace("<", "{").replace(">", "}") in page.body for route in ROUTES)
    assert not re.search(r"(src|href)=.?(https?:)?//", page.body)


def test_the_openapi_document_is_the_committed_one(request: pytest.FixtureRequest) -> None:
    committed = (request.config.rootpath / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert committed == text(), "run: python -m nightjar.api.openapi docs/openapi.json"


def test_every_reference_of_the_document_leads_somewhere() -> None:
    found: dict[str, Any] = document()
    references = set(re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(found)))
    assert references
    assert all(name in found["components"][kind] for kind, name in references)
    assert {(method.upper(), path) for path, methods in found["paths"].items() for method in methods} == {
        (route.method, route.path.replace("<", "{").replace(">", "}")) for route in ROUTES
    }
