"""RollupFunction: what it applies, what it passes over, what it asks to have again, what it judges."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from nightjar.core.instants import HOUR, MINUTE, parse_instant
from nightjar.core.periods import Bin
from nightjar.core.rollups import Bucket
from nightjar.pipeline import judge, rollup
from nightjar.storage import clock, policies, rollups
from nightjar.storage.client import Store

from functions.rollup import app
from tests.aws import Cloud, keys_of
from tests.streams import Record, number_of, record, records, store_on
from tests.world import stack

NOON = parse_instant("2026-03-03T12:00:00Z")
CONTEXT = SimpleNamespace(function_name="rollup", memory_limit_in_mb=128, invoked_function_arn="arn:aws:lambda:x", aws_request_id="r")
Answer = dict[str, list[dict[str, str]]]
DONE: Answer = {"batchItemFailures": []}


@dataclass
class Function:
    """The function, deployed, with what it judged (policies and buckets), its metrics, and the policies of events."""

    cloud: Cloud
    store: Store
    now: int = NOON
    judged: list[tuple[list[str], set[Bin]]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    known: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, *batch: Record) -> Answer:
        """Hand it a batch."""
        answer: Answer = app.handler({"Records": list(batch)}, CONTEXT)
        return answer

    def bucket(self, event_id: str, letter: Any, start: int = NOON) -> Bucket | None:
        """Read a bucket."""
        return rollups.read(self.store, event_id, [(letter, start)], now=self.now).get((letter, start))

    def counts(self, event_id: str) -> tuple[int, ...]:
        """The logs in the minute and the hour of noon."""
        return tuple(bucket.count if (bucket := self.bucket(event_id, letter)) else 0 for letter in "mh")


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Function:
    cloud = Cloud(stack())
    made = Function(cloud, store_on(cloud))

    def judge_changed(_store: Store, found: list[str], changed: set[Bin], *, now: int) -> None:
        made.judged.append((found, changed))

    monkeypatch.setattr(app, "store", lambda: made.store)
    monkeypatch.setattr(app, "time", SimpleNamespace(time_ns=lambda: made.now * 1_000))
    monkeypatch.setattr(rollup, "count", lambda name, value=1: made.counted.update({name: value}))
    monkeypatch.setattr(judge, "judge_changed", judge_changed)
    monkeypatch.setattr(policies, "for_event", lambda _store, event_id: made.known.get(event_id, []))
    monkeypatch.setattr("nightjar.storage.waiting.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    app._policies.cache_clear()
    return made


def busy(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, operation)


def refuse(operation: str, holding: str = "", times: int = 10**9) -> Callable[[str, str, bytes], None]:
    """Refuse calls of an operation whose body holds a text."""
    left = [times]

    def watch(_service: str, called: str, body: bytes) -> None:
        if called == operation and holding.encode() in body and left[0]:
            left[0] -= 1
            raise busy(operation)

    return watch


def again(number: int) -> Answer:
    return {"batchItemFailures": [{"itemIdentifier": number_of(number)}]}


def test_a_batch_lies_in_its_minutes_and_hours(function: Function) -> None:
    assert function(*records("e", [(NOON, "0.1"), (NOON + 1, "0.2"), (NOON + MINUTE, "0.3"), (NOON + HOUR, "5")])) == DONE
    hour = function.bucket("e", "h")
    assert hour is not None
    assert (hour.count, str(hour.total), hour.newest) == (3, "0.6", NOON + MINUTE)
    assert function.counts("e") == (2, 3)
    assert function.counted["LogsRolledUp"] == 4


def test_an_empty_batch_and_one_without_new_logs_do_nothing(function: Function) -> None:
    gone, changed = record(1, "e", NOON, 1, name="REMOVE"), record(2, "e", NOON, 1, name="MODIFY")
    guard = record(3, "e", NOON, 1)
    guard["dynamodb"]["Keys"] = {"PK": {"S": "g#e#x"}, "SK": {"S": "g"}}
    assert function() == function(gone, changed, guard) == DONE
    assert function.counts("e") == (0, 0)
    assert not +function.counted


@pytest.mark.parametrize(
    "keys",
    [{}, {"PK": {"S": "e"}, "SK": {"S": "x"}}, {"PK": {"S": "e#noon#0"}, "SK": {"S": "1772539200000000#1"}}, {"PK": {"N": "1"}, "SK": {"S": "1#1"}}, None],
)
def test_a_record_that_cannot_be_read_is_counted_and_passed_over(function: Function, keys: Any) -> None:
    bad, good = records("e", [(NOON, 1), (NOON, 2)])
    bad["dynamodb"]["Keys"] = keys
    assert function(bad, good) == DONE
    assert function.counts("e") == (1, 1)
    assert function.counted["UnreadableRecords"] == 1


@pytest.mark.parametrize("value", ["", "NaN", "many"])
def test_a_record_on_which_the_code_fails_is_parked_in_its_bucket_and_the_batch_goes_on(function: Function, value: str) -> None:
    batch = records("e", [(NOON, 1), (NOON, value), (NOON, 2)])
    for _ in range(3):
        assert function(*batch) == DONE
    minute = function.bucket("e", "m")
    assert minute is not None
    assert (minute.count, minute.parked) == (2, 1)
    assert minute.total == 3
    assert function.counted["ParkedRecords"] == 3  # each time that it was met


def test_a_record_without_a_value_is_parked(function: Function) -> None:
    bad = record(1, "e", NOON, 1)
    del bad["dynamodb"]["NewImage"]["v"]
    function(bad)
    assert function.counted["ParkedRecords"] == 1


def test_a_batch_that_comes_three_times_counts_once(function: Function) -> None:
    batch = records("e", [(NOON + step, "0.1") for step in range(100)])
    assert [function(*batch) for _ in range(3)] == [DONE] * 3
    assert function.counts("e") == (100, 100)
    rows = function.store.db.scan(TableName=function.store.tables.rollups)["Items"]
    assert {row["n"]["N"] for row in rows} == {"1"}  # and was written once


def test_a_bucket_that_cannot_be_written_comes_again_and_the_others_count_once(function: Function) -> None:
    batch = [record(number, "ab"[number % 2], NOON, 1) for number in range(1, 9)]
    function.cloud.before = refuse("PutItem", '{"S":"a"}'.replace(":", ": "))
    assert function(*batch) == again(2)
    assert (function.counts("a"), function.counts("b")) == ((0, 0), (4, 4))
    function.cloud.before = refuse("Nothing")
    assert function(*batch[1:]) == DONE
    assert (function.counts("a"), function.counts("b")) == ((4, 4), (4, 4))


def test_when_one_of_two_buckets_of_an_event_is_refused_the_other_is_not_counted_twice(function: Function) -> None:
    batch = records("e", [(NOON, 1)] * 5)
    function.cloud.before = refuse("PutItem", "h#")
    assert function(*batch) == again(1)
    assert function.counts("e") == (5, 0)
    function.cloud.before = refuse("Nothing")
    assert function(*batch) == DONE
    assert function.counts("e") == (5, 5)


def test_an_answer_that_was_lost_is_not_counted_twice(function: Function) -> None:
    batch = records("e", [(NOON, 1)] * 5)
    function.cloud.after = refuse("PutItem")
    assert function(*batch) == again(1)
    function.cloud.after = refuse("Nothing")
    assert function(*batch) == DONE
    assert function.counts("e") == (5, 5)


@pytest.mark.parametrize("operation", ["BatchGetItem", "GetItem"])
def test_when_nothing_can_be_read_the_whole_batch_comes_again(function: Function, operation: str) -> None:
    batch = records("e", [(NOON, 1)] * 5)
    function.cloud.before = refuse(operation)
    assert function(*batch) == again(1)
    assert function.counted["RollupFailures"] == 1
    assert function.judged == []


def test_another_worker_that_writes_in_between_is_noticed(function: Function) -> None:
    """A worker that Lambda gave up on still runs: it writes between our read and our write."""
    batch = records("e", [(NOON, 1)] * 9)
    others = iter([batch[:3], batch[:6], batch[:4]])

    def interfere(_service: str, operation: str, body: bytes) -> None:
        if operation == "PutItem" and "m#" in keys_of(body)["Item"]["SK"]["S"]:
            other = next(others, None)
            if other:
                function(*other)

    function.cloud.before = interfere
    assert function(*batch) == DONE
    assert function.counts("e") == (9, 9)
    assert function.counted["RollupConflicts"] >= 1


def test_conflicts_without_end_are_a_failure(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "write_row", lambda *_: False)
    assert function(*records("e", [(NOON, 1)])) == again(1)
    assert function.counted["RollupConflicts"] == 20


def test_the_policies_of_each_event_are_judged_for_the_buckets_that_changed(function: Function) -> None:
    function.known = {"a": ["p1", "p2"], "b": ["p3"]}
    function(*records("a", [(NOON, 1), (NOON + MINUTE, 1)]), *records("b", [(NOON, 1)], first=10), *records("c", [(NOON, 1)], first=20))
    assert sorted(function.judged) == [
        (["p1", "p2"], {("m", NOON), ("m", NOON + MINUTE), ("h", NOON)}),
        (["p3"], {("m", NOON), ("h", NOON)}),
    ]


def test_a_batch_that_comes_again_is_judged_again(function: Function) -> None:
    function.known = {"e": ["p"]}
    batch = records("e", [(NOON, 1)])
    function(*batch)
    function(*batch)
    assert function.judged == [(["p"], {("m", NOON), ("h", NOON)})] * 2


def test_only_what_was_applied_is_judged(function: Function) -> None:
    function.known = {"e": ["p"]}
    function.cloud.before = refuse("PutItem", "h#")
    function(*records("e", [(NOON, 1)]))
    assert function.judged == [(["p"], {("m", NOON)})]


def test_an_exception_in_judging_is_counted_and_fails_nothing(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, now: int) -> None:
        raise ZeroDivisionError(now)

    function.known = {"e": ["p"]}
    monkeypatch.setattr(judge, "judge_changed", fail)
    assert function(*records("e", [(NOON, 1)])) == DONE
    assert function.counted["JudgementErrors"] == 1
    assert function.counts("e") == (1, 1)


def test_when_the_policies_of_an_event_cannot_be_read_its_logs_come_again_to_be_judged(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_store: Store, event_id: str) -> list[str]:
        if event_id == "b":
            raise busy("Query")
        return []

    monkeypatch.setattr(policies, "for_event", fail)
    assert function(*records("a", [(NOON, 1)] * 3), *records("b", [(NOON, 1)] * 3, first=10)) == again(10)
    assert function.counts("b") == (3, 3)


def test_policies_are_remembered_for_five_seconds(function: Function) -> None:
    def judged(number: int, after: int, known: list[str]) -> list[str]:
        function.now, function.known = NOON + after, {"e": known}
        function(record(number, "e", NOON, 1))
        return function.judged[-1][0]

    assert judged(1, 0, ["old"]) == ["old"]
    assert judged(2, 4_999_999, ["new"]) == ["old"]
    assert judged(3, 5_000_000, ["new"]) == ["new"]
    assert judged(4, 3_000_000, ["newer"]) == ["newer"]  # the clock went back: what is known is of another time


def test_a_bucket_tells_the_engines_clock_at_its_latest_write(function: Function) -> None:
    function(record(1, "e", NOON, 1))
    assert getattr(function.bucket("e", "m"), "clock", 0) is None
    clock.begin_tick(function.store, NOON + MINUTE)
    function(record(2, "e", NOON, 1))
    assert getattr(function.bucket("e", "m"), "clock", 0) == NOON + MINUTE


@pytest.mark.parametrize("other", [{"shard": 1}, {"arn": "arn:aws:dynamodb:eu-west-1:1:table/Logs/stream/2026-03-02T00:00:00.000"}])
def test_another_write_shard_and_a_stream_enabled_anew_have_numbers_of_their_own(function: Function, other: Any) -> None:
    function(record(900, "e", NOON, 1))
    function(record(5, "e", NOON, 1, **other))
    assert function.counts("e") == (2, 2)


def test_a_thousand_logs_of_one_event_are_two_writes(function: Function) -> None:
    called: Counter[str] = Counter()
    function.cloud.before = lambda _service, operation, _body: called.update([operation])
    function(*records("e", [(NOON, 1)] * 1_000))
    assert called == {"GetItem": 1, "BatchGetItem": 1, "PutItem": 2}


def test_a_cold_start_imports_only_what_rollup_uses() -> None:
    code = (
        "import sys, functions.rollup.app\n"
        "unwanted = ('nightjar.api', 'nightjar.channels', 'slack_sdk', 'pydantic', 'pynamodb', 'ddsketch', 'zoneinfo', 'moto', 'local.')\n"
        "found = [name for name in sys.modules if name.startswith(unwanted)]\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ".:layers/nightjar", "AWS_DEFAULT_REGION": "eu-west-1"})
