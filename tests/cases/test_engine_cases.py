"""Every engine case, through the real handlers on moto."""

from collections.abc import Iterator
from typing import Any

import pytest

from nightjar.core.instants import parse_instant
from tests.cases.play import Play
from tests.cases.script import load_cases, load_script
from tests.world import World, world

CASES = {case_id: case for case_id, case in load_cases().items() if case["kind"] == "engine"}


@pytest.fixture
def on_moto() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.mark.parametrize("case_id", CASES)
def test_the_engine_opens_and_ends_the_alerts_of_case(case_id: str, on_moto: World) -> None:
    play = Play(on_moto, load_script(CASES[case_id]))
    play.run()
    expected = [_plain(each) for each in CASES[case_id]["expect"].get("alerts", [])]
    found = [_seen(play, alert) for alert in play.alerts()]
    if "alerts" in CASES[case_id]["expect"]:
        assert [each["policy"] for each in _ordered(found)] == [each["policy"] for each in _ordered(expected)]
        for one, other in zip(_ordered(found), _ordered(expected), strict=True):
            assert {name: one[name] for name in other} == other


def _plain(expected: dict[str, Any]) -> dict[str, Any]:
    instants = ("period_start", "opened_at", "resolved_at")
    return {name: parse_instant(value) if name in instants else value for name, value in expected.items()}


def _ordered(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(alerts, key=lambda each: (each["opened_at"], each["policy"]))


def _seen(play: Play, alert: Any) -> dict[str, Any]:
    return {
        "policy": play.name_of(alert.policy_id), "period_start": alert.period_start, "status": alert.status, "value": alert.value, "count": alert.count,
        "periods": alert.periods, "resolved_by": alert.resolved_by, "opened_at": play.step_of(alert, "opened"), "resolved_at": play.step_of(alert, "resolved"),
    }  # fmt: skip
