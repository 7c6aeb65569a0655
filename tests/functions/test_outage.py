"""Ticks that never came: what is caught up, and what is told of the rest."""

from collections import Counter
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, MINUTE, iso

from tests.world import START, world

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


def _told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    found = [vars(record) for record in caplog.records if record.message.startswith("skipped:")]
    return [{name: each[name] for name in ("policy_id", "periods", "first_start", "last_end")} for each in found]
