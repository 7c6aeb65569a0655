"""POST /v1.0/logs through the handler: real proxy events, storage that fails, hostile bodies."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from nightjar.core import logs as core_logs
from nightjar.core.ids import event_id
from nightjar.core.instants import DAY, MINUTE, SECOND, iso
from nightjar.core.logs import new_log_id
from nightjar.http.limits import BODY_BYTES
from nightjar.pipeline import ingest as pipeline
from nightjar.storage import events
from nightjar.storage.keys import create_key
from nightjar.storage.logs import item as raw_item

from functions.ingest import app
from tests.ingesting import KEY, NOW, Answer, Ingest, ingesting, packed

FOUR = "6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001"


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with ingesting() as running:
        yield running


def log(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A log as the Python SDK sends it."""
    return {"event": "job.run", "agent": "worker.billing", "value": 1, "log_id": new_log_id(NOW, number), **fields}


def busy(answer: Answer) -> bool:
    """Whether an answer makes every SDK keep its logs and come again."""
    return answer.status == 429 and int(answer.headers["Retry-After"]) >= 1 and answer.body["error"]["code"] == "TOO_MANY_REQUESTS"


def test_a_log_is_stored_under_its_event_hour_time_and_id(ingest: Ingest) -> None:
    sent = log(value=30.4, occurred_at=iso(NOW - 5 * MINUTE), meta={"customer": "ü", "tries": 2})
    assert ingest.post([sent]).body == {"accepted": 1, "rejected": []}
    (found,) = ingest.logs()
    assert found == {
        "PK": {"S": f"{event_id('worker.billing', 'job.run')}#2026030313#0"},
        "SK": {"S": f"{NOW - 5 * MINUTE}#{sent['log_id']}"},
        "v": {"S": "30.4"},
        "m": {"S": '{"customer":"ü","tries":2}'},
        "x": {"N": str((NOW - 5 * MINUTE + 32 * DAY) // SECOND)},
    }


def test_one_log_may_come_as_an_object_and_packed(ingest: Ingest) -> None:
    assert ingest.post(log()).body["accepted"] == 1
    assert ingest.post(raw=packed([log(1)]), content_encoding="gzip").body["accepted"] == 1
    assert len(ingest.logs()) == 2


def test_a_log_sent_twice_in_whatever_batch_is_there_once(ingest: Ingest) -> None:
    assert ingest.post([log(1), log(2), log(1)]).body["accepted"] == 3
    assert ingest.post([log(2), log(3)]).body["accepted"] == 2
    assert len(ingest.logs()) == 3


def test_a_log_without_id_gets_a_new_one_each_time(ingest: Ingest) -> None:
    for _ in range(2):
        assert ingest.post([{"event": "e", "value": 1}, {"event": "e", "value": 1, "log_id": " "}]).body["accepted"] == 2
    found = ingest.logs()
    assert len(found) == 4
    for entry in found:
        at, made = entry["SK"]["S"].split("#")
        assert int(at) == NOW
        assert UUID(made).version == 7


def test_a_log_id_that_tells_no_time_keeps_the_time_of_its_first_receipt(ingest: Ingest) -> None:
    ingest.post([log(log_id=FOUR), log(log_id=FOUR.upper())])
    ingest.clock.sleep(90 * 60)
    ingest.post([log(log_id=FOUR), log(5)])
    assert [entry["SK"]["S"] for entry in ingest.logs()] == sorted([f"{NOW}#{FOUR}", f"{NOW}#{new_log_id(NOW, 5)}"])


def test_an_event_appears_with_its_first_log_and_is_not_written_again(ingest: Ingest) -> None:
    ingest.post([log(), log(1, agent=None), log(2, event="ü" * 128, agent="a\\b'\"")])
    names = {(event.agent, event.event) for event in events.list_all(ingest.store)}
    assert names == {("worker.billing", "job.run"), ("", "job.run"), ("a\\b'\"", "ü" * 128)}
    assert {event.created_at for event in events.list_all(ingest.store)} == {NOW}

    def fail(_real: Any, **request: Any) -> Any:
        raise AssertionError(request)

    with ingest.faults(put_item=fail):
        assert ingest.post([log(3)]).status == 200


def test_valid_logs_are_stored_and_the_others_told_by_index(ingest: Ingest) -> None:
    answer = ingest.post(raw=b'[{"event":"e","value":1},{"event":"e","value":NaN},5,{"event":"","value":2},{"event":"e","value":2}]')
    assert answer.status == 200
    assert answer.body == {
        "accepted": 2,
        "rejected": [
            {"index": 1, "code": "BAD_REQUEST", "message": "logs[1].value: must be a finite number"},
            {"index": 2, "code": "BAD_REQUEST", "message": "logs[2]: must be an object"},
            {"index": 3, "code": "BAD_REQUEST", "message": "logs[3].event: must be a text of 1 to 128 characters"},
        ],
    }
    assert sorted(ingest.values()) == [1, 2]


def test_when_every_log_is_invalid_the_answer_is_400_with_the_first_reason(ingest: Ingest) -> None:
    answer = ingest.post([{"event": "e"}, {}])
    assert (answer.status, answer.body["error"]["code"]) == (400, "BAD_REQUEST")
    assert answer.body["error"]["message"] == "logs[0].value: must be a finite number"
    assert answer.codes == {0: "BAD_REQUEST", 1: "BAD_REQUEST"}
    assert events.list_all(ingest.store) == []


@pytest.mark.parametrize("raw", [b"", b"null", b"5", b'"x"', b"[1", b"NaN", b"\xff", b"[" * 100_000])
def test_what_holds_no_logs_is_400(ingest: Ingest, raw: bytes) -> None:
    assert ingest.post(raw=raw).status == 400


def test_what_was_rejected_is_counted_and_logged_without_values_or_keys(
    ingest: Ingest, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ingest.post([log(), log(1, value="secret-value"), log(2, value="another"), log(3, occurred_at="then")])
    (told,) = (vars(record) for record in caplog.records if record.message == "logs rejected")
    assert told["rejected"] == 3
    assert sorted(told["reasons"].values()) == [1, 2]
    assert told["reasons"]["value: must be a finite number"] == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = next(line for line in lines if "RejectedLogs" in line)
    assert (counted["RejectedLogs"], counted["AcceptedLogs"]) == ([3], [1])
    assert "secret-value" not in str(told)
    assert KEY not in str(told)


def test_a_key_with_a_prefix_cannot_write_what_belongs_to_other_agents(ingest: Ingest) -> None:
    text, _ = create_key(ingest.store, scope="ingest", now=NOW, agent_prefix="worker.b")
    sent = [log(), log(1, agent="worker.ads"), log(2, agent=None), log(3, agent=" worker.bx ")]
    answer = ingest.post(sent, key=text)
    assert (answer.status, answer.body["accepted"], answer.codes) == (200, 2, {1: "FORBIDDEN", 2: "FORBIDDEN"})
    assert answer.body["rejected"][0]["message"] == "logs[1].agent: this key may only write agents that begin with worker.b"


def test_the_last_of_duplicate_keys_counts_for_the_prefix_as_for_storage(ingest: Ingest) -> None:
    text, _ = create_key(ingest.store, scope="ingest", now=NOW, agent_prefix="mine")
    answer = ingest.post(raw=b'[{"event":"e","value":1,"agent":"mine","agent":"yours"},{"event":"e","value":1,"agent":"yours","agent":"mine"}]', key=text)
    assert (answer.body["accepted"], answer.codes) == (1, {0: "FORBIDDEN"})
    assert [event.agent for event in events.list_all(ingest.store)] == ["mine"]


@pytest.mark.parametrize(("key", "code"), [(None, "UNAUTHORIZED"), ("chp_unknown", "INVALID_TOKEN"), ("", "INVALID_TOKEN")])
def test_without_a_good_key_nothing_is_read(ingest: Ingest, key: str | None, code: str) -> None:
    answer = ingest.post(raw=b"[" * 1_000, key=key)
    assert (answer.status, answer.body["error"]["code"]) == (401, code)


def throttle(_real: Any, **_request: Any) -> Any:
    raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "m"}}, "X")


def refuse(_real: Any, **_request: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="http://x")


def time_out(_real: Any, **_request: Any) -> Any:
    raise ReadTimeoutError(endpoint_url="http://x")


def unreachable(_real: Any, **_request: Any) -> Any:
    raise ConnectTimeoutError(endpoint_url="http://x")


@pytest.mark.parametrize("fault", [throttle, refuse, time_out, unreachable])
@pytest.mark.parametrize("method", ["get_item", "put_item", "batch_write_item"])
def test_a_fault_of_storage_anywhere_is_429_and_the_retry_counts_once(ingest: Ingest, method: str, fault: Any) -> None:
    with ingest.faults(**{method: fault}):
        assert busy(ingest.post([log(1), log(2, log_id=FOUR)]))
    assert ingest.post([log(1), log(2, log_id=FOUR)]).body["accepted"] == 2
    assert len(ingest.logs()) == 2


def test_storage_that_hangs_is_answered_with_429_in_time(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "DECIDE_SECONDS", 0.05)
    release = Event()

    def hang(_real: Any, **_request: Any) -> Any:
        release.wait(5)
        raise ReadTimeoutError(endpoint_url="http://x")

    with ingest.faults(batch_write_item=hang):
        assert busy(ingest.post([log()]))
        release.set()


def test_a_log_at_which_our_code_fails_is_rejected_and_the_others_are_stored(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = core_logs.parse_log

    def crash(raw: Any, **given: Any) -> Any:
        return 1 / 0 if raw["value"] == 13 else real(raw, **given)

    monkeypatch.setattr(pipeline, "parse_log", crash)
    answer = ingest.post([log(1), log(2, value=13), log(3)])
    assert (answer.status, answer.body["accepted"], answer.codes) == (200, 2, {1: "INTERNAL"})
    assert len(ingest.logs()) == 2
    assert '"InternalRejections":[1.0]' in capsys.readouterr().out
    assert "division" not in str(answer.body)


def test_a_log_whose_item_cannot_be_made_or_sent_is_rejected_and_the_others_are_stored(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    real = raw_item

    def crash(key: Any, value: Decimal, *rest: Any) -> Any:
        return {**real(key, value, *rest), "v": {"S": 5}} if value == 14 else 1 / 0 if value == 13 else real(key, value, *rest)

    monkeypatch.setattr(pipeline, "item", crash)
    answer = ingest.post([log(1), log(2, value=13), log(3), log(4, value=14)])
    assert (answer.status, answer.body["accepted"], answer.codes) == (200, 2, {1: "INTERNAL", 3: "INTERNAL"})
    assert ingest.values() == [1, 1]


def test_an_event_at_which_our_code_fails_takes_only_its_own_logs_along(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    real = events.ensure
    monkeypatch.setattr(events, "ensure", lambda store, event: 1 / 0 if event.event == "bad" else real(store, event))
    answer = ingest.post([log(1, event="bad"), log(2)])
    assert (answer.body["accepted"], answer.codes) == (1, {0: "INTERNAL"})


def test_a_fault_that_has_nothing_to_do_with_the_logs_keeps_them_with_the_client(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "authenticate", lambda *_args, **_named: 1 / 0)
    answer = ingest.post([log()])
    assert busy(answer)
    assert answer.headers["Retry-After"] == "30"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"[" + b"1," * 100_000 + b"1]", 400),
        (b"[" + b"{}," * 100_000 + b"{}]", 400),
        (b'[{"event":"e","value":' + b"9" * 3_000_000 + b"}]", 400),
        (b'[{"event":"e","value":0.' + b"3" * 3_000_000 + b"}]", 200),
        (b'[{"event":"e","value":1e-99999999999999999999999}]', 200),
        (b'[{"event":"e","value":1,"meta":' + b"[" * 800 + b"]" * 800 + b"}]", 400),
        (b'[{"event":"' + b" " * 3_000_000 + b'e","value":1}]', 200),
        (b'[{"event":"e","value":1,"log_id":"' + b"a" * 3_000_000 + b'"}]', 400),
        (b'[{"event":"e","value":1,"occurred_at":"2026-03-03T14:00:00.' + b"0" * 3_000_000 + b'"}]', 200),
        (b"[" + b" " * (BODY_BYTES - 1) + b"]", 413),
        (b'[{"event":"\\ud800","value":1}]', 400),
        (b'{"event":"e","value":1,"__proto__":{},"constructor":1}', 200),
    ],
)
def test_hostile_bodies_are_answered_and_quickly(ingest: Ingest, raw: bytes, status: int) -> None:
    answer = ingest.post(raw=raw)
    assert answer.status == status
    assert len(json.dumps(answer.body)) < 2_000_000
    assert ingest.post(raw=gzip.compress(raw)).status == status


def test_four_megabytes_of_logs_are_taken(ingest: Ingest) -> None:
    body = json.dumps([log(number, meta="я" * 510, occurred_at=iso(NOW + number)) for number in range(1_100)]).encode()
    assert 3_500_000 < len(body) < BODY_BYTES
    assert ingest.post(raw=body).body["accepted"] == 1_100
    assert len(ingest.logs()) == 1_100


def test_a_cold_start_imports_nothing_that_ingest_does_not_use() -> None:
    """Rule: STYLE.md, cold start: a cold start is a user's first alert."""
    script = "import sys, functions.ingest.app; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    loaded = set(run.stdout.split())
    assert "nightjar.pipeline.ingest" in loaded
    unwanted = ("nightjar.api", "nightjar.channels", "nightjar.core.rollups", "slack_sdk", "pydantic", "pynamodb", "ddsketch", "simplejson", "moto", "local.")
    assert [name for name in loaded if name.startswith(unwanted)] == []
