"""The whole local runner with two tiny functions: API, stream, queue, drain, Lambda's Invoke API, roles."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.cloud import call
from local.runner import Runner
from local.wire import Response
from tests.local.test_reading import TINY


@pytest.fixture(scope="module")
def tiny() -> Iterator[Runner]:
    with Runner(TINY) as runner:
        yield runner


def post(tiny: Runner, path: str, body: Any = None, **headers: str) -> requests.Response:
    return requests.post(tiny.url + path, data=None if body is None else json.dumps(body), headers=headers, timeout=20)


def drain(tiny: Runner) -> dict[str, Any]:
    found: dict[str, Any] = post(tiny, "/_local/drain?timeout=15").json()
    return found


def seen(tiny: Runner, kind: str, name: str) -> int:
    """How often the back function has seen something."""
    key = {"PK": {"S": kind}, "SK": {"S": name}}
    item = call(tiny.moto, "dynamodb", "GetItem", {"TableName": "nightjar-Seen", "Key": key}).get("Item")
    return int(item["seen"]["N"]) if item else 0


def test_a_write_behind_the_api_reaches_the_function_behind_the_stream(tiny: Runner) -> None:
    assert post(tiny, "/things", {"name": "one"}).status_code == 200
    assert drain(tiny)["waiting"] == 0
    assert seen(tiny, "thing", "one") == 1
    assert post(tiny, "/things", {"name": "one"}).status_code == 200
    drain(tiny)
    assert seen(tiny, "thing", "one") == 1, "the same again is no news"


def test_a_request_and_its_answer_keep_their_shape(tiny: Runner) -> None:
    answer = requests.get(tiny.url + "/any/path?a=1&a=2", headers={"X-Mine": "yes"}, timeout=10)
    event = answer.json()["event"]
    assert event["pathParameters"] == {"proxy": "any/path"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["headers"]["X-Mine"] == "yes"
    assert answer.headers["X-Two"] == "a, b"


@pytest.mark.parametrize("path", ["/raise", "/die", "/nonsense", "/slow", "/forbidden"])
def test_whatever_goes_wrong_in_a_function_is_the_templates_429(tiny: Runner, path: str) -> None:
    answer = post(tiny, path, {})
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (429, "2", {"error": "busy"})


def test_too_large_a_request_is_413(tiny: Runner) -> None:
    assert requests.post(tiny.url + "/echo", data=b"x" * 6_300_000, timeout=20).status_code == 413
    assert requests.post(tiny.url + "/echo", data=b"x" * 11_000_000, timeout=20).status_code == 413


def test_chunks_are_put_together(tiny: Runner) -> None:
    answer = requests.post(tiny.url + "/echo", data=iter([b"ab", b"cd"]), timeout=10)
    assert answer.json()["event"]["body"] == "abcd"


def test_a_role_that_does_not_allow_a_call_makes_it_fail(tiny: Runner) -> None:
    answer = requests.post(tiny.url + "/2015-03-31/functions/Front/invocations", json={"path": "/forbidden"}, timeout=10)
    assert answer.headers["X-Amz-Function-Error"] == "Unhandled"
    assert "not authorized to perform: dynamodb:Scan" in answer.json()["errorMessage"]


def test_lambdas_invoke_api(tiny: Runner) -> None:
    url = tiny.url + "/2015-03-31/functions/{}/invocations"
    answer = requests.post(url.format("Front"), json={"path": "/echo"}, timeout=10)
    assert answer.headers["X-Amz-Executed-Version"] == "$LATEST"
    assert "X-Amz-Function-Error" not in answer.headers
    assert requests.post(url.format("nightjar-Front"), json={}, timeout=10).status_code == 200
    assert requests.post(url.format("Nobody"), json={}, timeout=10).status_code == 404
    assert requests.post(url.format("Front"), data="no json", timeout=10).status_code == 400
    assert requests.post(url.format("Front"), json={}, headers={"X-Amz-Invocation-Type": "DryRun"}, timeout=10).status_code == 204
    asynchronous = {"X-Amz-Invocation-Type": "Event"}
    assert requests.post(url.format("Front"), json={"path": "/things", "body": '{"name":"later"}'}, headers=asynchronous, timeout=10).status_code == 202
    deadline = time.monotonic() + 5
    while not seen(tiny, "thing", "later") and time.monotonic() < deadline:
        drain(tiny)
    assert seen(tiny, "thing", "later") == 1


def test_boto3_invokes_it(tiny: Runner) -> None:
    import boto3

    client = boto3.client("lambda", endpoint_url=tiny.url, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    found = client.invoke(FunctionName="Front", Payload=b'{"path":"/echo"}')
    assert found["StatusCode"] == 200
    assert json.loads(found["Payload"].read())["statusCode"] == 200


def test_a_message_is_handled_once_and_deleted(tiny: Runner) -> None:
    post(tiny, "/jobs", "plain")
    assert drain(tiny)["waiting"] == 0
    assert seen(tiny, "job", '"plain"') == 1


def test_one_slow_message_delays_no_other_group(tiny: Runner, tmp_path: Path) -> None:
    """The handler of the first waits for a file that the test makes only once the second is done."""
    slow = tmp_path / "go on"
    for body in (str(slow), "fast"):
        call(tiny.moto, "sqs", "SendMessage", message(tiny, body))
        tiny.board.wrote("nightjar-Jobs.fifo")
    deadline = time.monotonic() + 4
    while not seen(tiny, "job", "fast") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen(tiny, "job", "fast") == 1
    assert not slow.exists()
    slow.touch()
    assert drain(tiny)["waiting"] == 0


def test_a_message_that_is_named_waits_until_it_is_visible(tiny: Runner) -> None:
    call(tiny.moto, "sqs", "SendMessage", message(tiny, "later"))
    tiny.board.wrote("nightjar-Jobs.fifo")
    assert drain(tiny)["waiting"] == 1
    call(tiny.moto, "sqs", "PurgeQueue", {"QueueUrl": tiny.stack.queues["Jobs"].url})
    tiny.board.wrote("nightjar-Jobs.fifo")
    assert drain(tiny)["waiting"] == 0


def message(tiny: Runner, body: str) -> dict[str, str]:
    url = tiny.stack.queues["Jobs"].url
    return {"QueueUrl": url, "MessageBody": body, "MessageGroupId": body[-9:], "MessageDeduplicationId": str(time.monotonic_ns())}


def test_a_fault_of_aws_can_be_put_in(tiny: Runner) -> None:
    refused = Response(400, {"Content-Type": "application/x-amz-json-1.0"}, b'{"__type":"ThrottlingException","message":"slow down"}')
    calls: list[str] = []

    def fault(caller: str, service: str, operation: str, body: bytes) -> Response | None:
        calls.append(f"{caller} {service} {operation} {b'faulty' in body}")
        return refused if caller == "Front" else None

    tiny.endpoint.fault = fault
    try:
        assert post(tiny, "/things", {"name": "faulty"}).status_code == 429
    finally:
        tiny.endpoint.fault = None
    assert calls[0] == "Front dynamodb PutItem True"


def test_drain_gives_up_when_it_is_told_to(tiny: Runner) -> None:
    slow = threading.Thread(target=post, args=(tiny, "/slow", {}))
    slow.start()
    time.sleep(0.1)
    assert post(tiny, "/_local/drain?timeout=0.2").status_code == 408
    slow.join()
    assert requests.get(tiny.url + "/_local/drain", timeout=5).status_code == 405


def test_a_record_that_always_fails_holds_up_the_stream_and_drain_says_so() -> None:
    """In a runner of its own: what comes after the poison waits for ever, as on AWS."""
    with Runner(TINY, stack_name="poisoned") as runner:
        for name in ("a", "poison", "z"):
            post(runner, "/things", {"name": name})
        held = drain(runner)
        assert held["sources"] == {"BackThings": 1}
        assert held["waiting"] == 1
        key = {"PK": {"S": "thing"}, "SK": {"S": "a"}}
        assert call(runner.moto, "dynamodb", "GetItem", {"TableName": "poisoned-Seen", "Key": key}).get("Item")
