"""What a tick meets: a policy at which the code fails, a rollup that began before it, a delay that was shortened, a young event."""

from collections import Counter
from threading import Barrier
from typing import Any
from unittest import mock

import pytest
from nightjar.core.instants import HOUR, MINUTE, SECOND, iso
from nightjar.core.periods import Period
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.core.verdicts import Verdict
from nightjar.core.verdicts import judge as known
from nightjar.pipeline import judge
from nightjar.storage import alerts

from tests.world import START, World, world

BURST = {"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 20, "early": False, "active_from": "2026-03-03T00:00:00Z"}
STALL = {**BURST, "condition": "lt", "threshold": 10}


def watched(on_moto: World, event: str, **policy: Any) -> str:
    """Make a policy on an event of its own."""
    return str(on_moto.made("POST", "/v1.0/policies", {"agent": "worker", "event": event, **policy})["policy_id"])


def logs(event: str, count: int, occurred_at: int) -> list[dict[str, Any]]:
    return [{"agent": "worker", "event": event, "value": 1, "occurred_at": iso(occurred_at)} for _ in range(count)]


def tick(on_moto: World, instant: int) -> None:
    on_moto.now = instant
    assert on_moto.tick(instant) == {"outcome": "done"}


def told(on_moto: World, policy_id: str) -> list[str]:
    return [each.type for each in on_moto.transitions() if each.alert.policy_id == policy_id]


def test_a_policy_at_which_the_code_fails_stops_no_other_and_not_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(policy: Policy, period: Period, bucket: Bucket, baseline: Any = None) -> Verdict:
        if policy.event == "broken":
            raise ArithmeticError(policy.event)
        return known(policy, period, bucket, baseline)

    with world() as on_moto:
        tick(on_moto, START)
        watched(on_moto, "broken", **BURST)
        whole = watched(on_moto, "whole", **BURST)
        on_moto.send([*logs("broken", 27, START), *logs("whole", 27, START)])
        on_moto.roll_up()
        monkeypatch.setattr("nightjar.core.evidence.judge", judge)
        tick(on_moto, START + HOUR + MINUTE)
        assert told(on_moto, whole) == ["opened"]
        assert on_moto.tick(START + HOUR + MINUTE) == {"outcome": "old"}


def test_a_damaged_bucket_stops_no_other_policy_and_not_the_clock() -> None:
    with world() as on_moto:
        tick(on_moto, START)
        watched(on_moto, "broken", **BURST)
        whole = watched(on_moto, "whole", **BURST)
        on_moto.send([*logs("broken", 27, START), *logs("whole", 27, START)])
        on_moto.roll_up()
        (broken,) = [each["event_id"] for each in on_moto.made("GET", "/v1.0/events", None) if each["event"] == "broken"]
        on_moto.store.db.update_item(
            TableName=on_moto.store.tables.rollups,
            Key={"PK": {"S": broken}, "SK": {"S": f"h#{START // SECOND:012d}"}},
            UpdateExpression="SET b = :b",
            ExpressionAttributeValues={":b": {"B": b"\xff" * 80}},
        )
        tick(on_moto, START + HOUR + MINUTE)
        assert told(on_moto, whole) == ["opened"]


def test_a_tick_between_a_rollups_decision_and_its_write_leaves_no_alert_open_that_has_recovered(monkeypatch: pytest.MonkeyPatch) -> None:
    with world() as on_moto:
        tick(on_moto, START + HOUR)
        policy_id = watched(on_moto, "late", **BURST)
        tick(on_moto, START + HOUR + MINUTE)
        tick(on_moto, START + 2 * HOUR)
        on_moto.send(logs("late", 27, START + MINUTE))
        commit, waiting = alerts.commit, [START + 2 * HOUR + MINUTE]

        def after_a_tick(*given: Any, **named: Any) -> None:
            if waiting:
                tick(on_moto, waiting.pop())
            commit(*given, **named)

        monkeypatch.setattr(alerts, "commit", after_a_tick)
        on_moto.roll_up()
        assert (waiting, told(on_moto, policy_id)) == ([], ["opened", "resolved"])


def test_a_shortened_delay_judges_the_period_that_waited_for_the_longer_one() -> None:
    with world() as on_moto:
        tick(on_moto, START)
        policy_id = watched(on_moto, "stalled", **{**STALL, "active_from": iso(START)}, delay_seconds=300)
        for minute in (61, 62):
            tick(on_moto, START + minute * MINUTE)
        on_moto.made("PUT", f"/v1.0/policies/{policy_id}", {"delay_seconds": 60})
        for minute in (63, 64):
            tick(on_moto, START + minute * MINUTE)
        assert told(on_moto, policy_id) == ["opened"]


def test_a_minute_before_an_events_first_log_is_no_baseline_though_its_hour_is_the_same() -> None:
    with world() as on_moto:
        tick(on_moto, START)
        rising = {"period": "minute", "aggregate": "count", "condition": "gt", "threshold": 50, "compare": {"previous": "previous_window"}}
        policy_id = watched(on_moto, "young", **rising, min_count=5, active_from="2026-03-03T00:00:00Z")
        for minute in range(30, 33):
            on_moto.now = START + minute * MINUTE + SECOND
            on_moto.send(logs("young", 5, on_moto.now) if minute == 30 else [])
            on_moto.roll_up()
            tick(on_moto, START + (minute + 1) * MINUTE)
        assert told(on_moto, policy_id) == []


def test_a_batch_reads_buckets_once_an_event_however_many_policies_watch_it() -> None:
    with world() as on_moto:
        tick(on_moto, START)
        for number in range(30):
            watched(on_moto, "busy", **{**BURST, "early": True, "threshold": 100 + number})
        on_moto.send(logs("busy", 3, START))
        calls: Counter[str] = Counter()
        on_moto.cloud.before = lambda *given: calls.update([str(given)]) if "BatchGetItem" in str(given) else None
        on_moto.roll_up()
        assert sum(calls.values()) <= 4


def test_policies_that_fire_on_one_log_are_written_side_by_side_and_each_once() -> None:
    with world() as on_moto:
        tick(on_moto, START)
        fired = [watched(on_moto, "busy", **{**BURST, "early": True, "threshold": number}) for number in range(8)]
        on_moto.send(logs("busy", 9, START))
        together = Barrier(2, timeout=30)  # one after the other they would wait for each other in vain
        on_moto.cloud.before = lambda _service, operation, _body: together.wait() if operation == "TransactWriteItems" else None
        assert on_moto.roll_up() == {"batchItemFailures": []}
        assert [told(on_moto, policy_id) for policy_id in fired] == [["opened"]] * 8


def test_an_edit_that_dies_before_it_tells_the_engine_ends_the_alert_at_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    with world() as on_moto:
        tick(on_moto, START)
        policy_id = watched(on_moto, "retries", **{**BURST, "early": True})
        on_moto.send(logs("retries", 27, START))
        on_moto.roll_up()
        tick(on_moto, START + MINUTE)
        with monkeypatch.context() as dead:
            dead.setattr("nightjar.api.policies.judge_edit", lambda *_, **__: 1 / 0)
            on_moto.made("PUT", f"/v1.0/policies/{policy_id}", {"threshold": 50})
        tick(on_moto, START + 2 * MINUTE)
        assert told(on_moto, policy_id) == ["opened", "resolved"]


def test_where_held_messages_cannot_be_released_waiting_trays_are_rung_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("nightjar.pipeline.evaluate.release", lambda *_, **__: 1 / 0)
    monkeypatch.setattr("nightjar.pipeline.evaluate.ring_again", lambda *_, **__: rung.append("again"))
    with world() as on_moto:
        with pytest.raises(ZeroDivisionError):
            on_moto.tick(START)
        assert (rung, on_moto.tick(START)) == (["again"], {"outcome": "old"})


def test_a_tick_judges_running_periods_for_a_slots_sake_only_where_something_was_logged() -> None:
    with world(START) as on_moto:
        tick(on_moto, START)
        watched(on_moto, "job", **{**STALL, "period": "minute", "evaluation_periods": 5, "datapoints_to_alarm": 1})
        with mock.patch.object(judge, "judge_one", wraps=judge.judge_one) as judged:
            tick(on_moto, START + 2 * MINUTE)
        assert [iso(call.args[2].start) for call in judged.call_args_list] == ["2026-03-03T13:59:00Z", "2026-03-03T14:00:00Z"]
