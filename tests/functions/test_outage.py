"""Ticks that never came: what is caught up, and what is told of the rest."""

from collections import Counter
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, MINUTE, iso

from tests.world import START, World, world

POLICY = {"agent": "worker", "event": "job", "aggregate": "count", "condition": "gt", "threshold": 20, "active_from": iso(START - DAY)}


def test_what_an_outage_leaves_outside_the_horizon_is_logged_by_policy_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    counted = Counter[str]()
    with world(fakes={"nightjar.pipeline.evaluate.count": lambda name, value=1: counted.update({name: value})}) as on_moto:
        on_moto.tick(START)
        made = {period: on_moto.made("POST", "/v1.0/policies", {**POLICY, "period": period})["policy_id"] for period in ("minute", "hour", "day")}
        on_moto.now = START + 3 * HOUR
        for _ in range(2):
            on_moto.tick(on_moto.now)
    # The tick of 14:00 had reached 13:59; that of 17:00 looks back to what ended after 16:00. No hour and no day is that old.
    (told,) = _told(caplog)
    assert told == {"policy_id": made["minute"], "periods": 121, "first_start": "2026-03-03T13:59:00Z", "last_end": "2026-03-03T16:00:00Z"}
    assert counted["PeriodsSkipped"] == 121


def test_without_an_outage_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with world() as on_moto:
        on_moto.tick(START)
        on_moto.made("POST", "/v1.0/policies", {**POLICY, "period": "minute"})
        on_moto.now = START + HOUR - MINUTE
        on_moto.tick(on_moto.now)
    assert _told(caplog) == []


def _log(on: World, value: int, at: int) -> None:
    """A job logs, and rollup applies it at once."""
    on.now = at
    on.send([{"agent": "worker", "event": "job", "value": value, "occurred_at": iso(at)}])
    on.roll_up()


def _tick(on: World, at: int) -> None:
    on.now = at
    on.tick(at)


def _alerts(on: World) -> list[tuple[str, str | None, int]]:
    return [(each["status"], each["resolved_by"], each["periods"]) for each in on.made("GET", "/v1.0/alerts", None)]


def test_an_alert_that_recovered_where_no_tick_came_is_over_when_ticks_come_again() -> None:
    with world() as on_moto:
        _tick(on_moto, START)
        on_moto.made("POST", "/v1.0/policies", {**POLICY, "period": "minute", "aggregate": "max", "threshold": 5})
        _log(on_moto, 9, START)
        _tick(on_moto, START + 2 * MINUTE)
        assert _alerts(on_moto) == [("triggered", None, 1)]
        _log(on_moto, 1, START + 5 * MINUTE)
        _tick(on_moto, START + 3 * HOUR)
        assert _alerts(on_moto) == [("resolved", "recovered", 1)]


def test_a_running_period_that_ran_ahead_of_the_clock_is_not_judged_because_another_closes() -> None:
    with world() as on_moto:
        _tick(on_moto, START)
        slots = {"evaluation_periods": 2, "datapoints_to_alarm": 1}
        on_moto.made("POST", "/v1.0/policies", {**POLICY, "period": "hour", "threshold": 0, "delay_seconds": 0, **slots})
        _log(on_moto, 1, START + MINUTE)
        _log(on_moto, 1, START + HOUR + MINUTE)  # the clock is an hour behind
        _tick(on_moto, START + HOUR)
        assert _alerts(on_moto) == [("triggered", None, 1)]
        _log(on_moto, 1, START + HOUR + 2 * MINUTE)
        assert _alerts(on_moto) == [("triggered", None, 2)]


def _told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    found = [vars(record) for record in caplog.records if record.message.startswith("skipped:")]
    return [{name: each[name] for name in ("policy_id", "periods", "first_start", "last_end")} for each in found]
