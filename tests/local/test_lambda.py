"""Handlers are called as Lambda calls them."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.lambda_ import Answer, Pool, environment_of
from local.template import load
from tests.local.test_reading import TINY


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    front = load(TINY, {"Greeting": "hello"}).functions["Front"]
    made = Pool(front, environment_of(front, "http://127.0.0.1:9", {"LOCAL_ONLY": "1"}))
    yield made
    made.close()


def invoke(pool: Pool, **event: Any) -> Answer:
    return pool.invoke(json.dumps(event).encode(), "request-1")


def body(answer: Answer) -> dict[str, Any]:
    assert answer.error is None, answer.payload
    found: dict[str, Any] = json.loads(json.loads(answer.payload)["body"])
    return found


def test_an_event_goes_through_json_and_the_context_is_lambdas(pool: Pool) -> None:
    found = body(invoke(pool, path="/echo", value=1.5))
    assert found["event"] == {"path": "/echo", "value": 1.5}
    assert found["id"] == "request-1"
    assert 1000 < found["left"] <= 2000


def test_a_function_sees_its_own_variables_and_no_other(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    seen = body(invoke(pool))["environment"]
    assert seen["GREETING"] == "hello"
    assert seen["TABLE"] == "nightjar-Things"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "nightjar-Front"
    assert seen["LOCAL_ONLY"] == "1"
    assert "SECRET_OF_THE_DEVELOPER" not in seen
    assert not [name for name in seen if "HOME" in name or name.startswith("VIRTUAL")]


def test_an_environment_is_kept_warm(pool: Pool) -> None:
    assert body(invoke(pool))["pid"] == body(invoke(pool))["pid"]


def test_invocations_run_side_by_side_in_environments_of_their_own(pool: Pool) -> None:
    began, pids = time.monotonic(), []
    slow = threading.Thread(target=lambda: invoke(pool, path="/slow"))
    slow.start()
    time.sleep(0.1)
    pids.append(body(invoke(pool))["pid"])
    assert time.monotonic() - began < 1.9, "it did not wait for the slow one"
    slow.join()


def test_an_exception_is_answered_as_lambda_words_it(pool: Pool) -> None:
    answer = invoke(pool, path="/raise")
    found = json.loads(answer.payload)
    assert answer.error == "Unhandled"
    assert (found["errorType"], found["errorMessage"], found["requestId"]) == ("ValueError", "on purpose", "request-1")
    assert "app.py" in found["stackTrace"][-1]


def test_a_time_out_is_a_kill_and_the_next_call_a_cold_start(pool: Pool) -> None:
    before = body(invoke(pool))["pid"]
    answer = invoke(pool, path="/slow")
    assert answer.error == "Unhandled"
    assert json.loads(answer.payload)["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in json.loads(answer.payload)["errorMessage"]
    assert body(invoke(pool))["pid"] != before


def test_a_process_that_ends_is_replaced(pool: Pool) -> None:
    answer = invoke(pool, path="/die")
    assert json.loads(answer.payload)["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in json.loads(answer.payload)["errorMessage"]
    assert body(invoke(pool))["pid"]


def test_more_than_six_megabytes_are_refused_on_the_way_in(pool: Pool) -> None:
    assert invoke(pool, text="x" * 6_291_600).refused


def test_more_than_six_megabytes_are_an_error_on_the_way_out(pool: Pool) -> None:
    answer = invoke(pool, path="/echo", text='"' * 2_500_000)
    assert json.loads(answer.payload)["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_handler_that_cannot_be_loaded_is_an_error_of_the_invocation(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import nowhere_to_be_found\n")
    front = replace(load(TINY).functions["Front"], code=tmp_path)
    broken = Pool(front, environment_of(front, "http://127.0.0.1:9", {}))
    answer = broken.invoke(b"{}")
    broken.close()
    assert answer.error == "Unhandled"
    assert "nowhere_to_be_found" in json.loads(answer.payload)["errorMessage"]
