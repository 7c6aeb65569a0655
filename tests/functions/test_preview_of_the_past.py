"""A preview says what the engine did: the same policies, lived through tick by tick and then asked about."""

import random
from typing import Any

import pytest
from nightjar.core.instants import HOUR, MINUTE, iso

from tests.world import START, World, world

BASE = {"agent": "a", "event": "e", "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 8, "early": False, "active_from": iso(START)}
SETTINGS: dict[str, dict[str, Any]] = {
    "burst": {},
    "stall": {"condition": "lt", "threshold": 6},
    "two of three": {"evaluation_periods": 3, "datapoints_to_alarm": 2, "threshold": 8},
    "slow recovery": {"recovery_periods": 2, "recovery_threshold": 6},
    "silence": {"aggregate": "max", "missing": "breach", "threshold": 100},
    "kept open": {"auto_resolve": False},
    "change": {"compare": {"previous": "previous_window"}, "threshold": 40, "min_count": 2},
    "rolling": {"window": "rolling", "window_minutes": 180},
    "late": {"delay_seconds": 1_800, "threshold": 7},
}
SHOWN = ("period_start", "resolved_at", "resolved_by", "value", "count", "worst_value", "periods", "previous_value", "change_percent")


def live(deployed: World, seed: int, hours: int) -> None:
    """Live through some hours: logs by chance, each in time, and a tick every minute that may judge something."""
    chance = random.Random(seed)
    for _ in range(hours):
        count = chance.choice((0, 0, 3, 5, 7, 9, 12, 20))
        logs = [{"agent": "a", "event": "e", "value": chance.randrange(50), "occurred_at": iso(deployed.now + chance.randrange(HOUR))} for _ in range(count)]
        deployed.now += HOUR
        if logs:
            deployed.send(logs)
            deployed.roll_up()
        for minute in (0, 1, 2, 30):
            deployed.tick(deployed.now + minute * MINUTE)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_preview_raises_what_the_engine_raised(seed: int) -> None:
    with world() as deployed:
        deployed.tick(START)
        made = {name: deployed.made("POST", "/v1.0/policies", {**BASE, **given}) for name, given in SETTINGS.items()}
        live(deployed, seed, 16)
        deployed.now += 30 * MINUTE
        raised = deployed("GET", "/v1.0/alerts").body
        for name, policy in made.items():
            mine = [alert for alert in raised if alert["policy_id"] == policy["policy_id"]]
            seen = deployed.made("POST", "/v1.0/policies/preview", {"policy": policy, "from": iso(START)})
            assert [_shown(alert, alert["opened_at"]) for alert in seen["alerts"]] == [_shown(alert, alert["triggered_at"]) for alert in mine], name
        assert len(raised) > 8


def _shown(alert: dict[str, Any], opened: str) -> tuple[Any, ...]:
    return (opened, *(alert[name] for name in SHOWN))
