"""Rollup and evaluator die at each of their calls in turn; the batch, or the tick, comes again; nothing is lost or doubled."""

from collections.abc import Callable
from typing import Any

import pytest
from nightjar.core.instants import HOUR, MINUTE

from tests.crashes.dying import When, dies
from tests.world import START, World, world

BURST = {"period": "hour", "aggregate": "sum", "condition": "gt", "threshold": 20}
STALL = {"period": "minute", "aggregate": "sum", "condition": "lt", "threshold": 10}


def watched(on_moto: World, event: str, **policy: Any) -> str:
    """Make a policy on an event of its own."""
    return str(on_moto.made("POST", "/v1.0/policies", {"agent": "worker.billing", "event": event, **policy})["policy_id"])


def log(event: str, values: list[int]) -> list[dict[str, Any]]:
    return [{"agent": "worker.billing", "event": event, "value": value} for value in values]


def opened(on_moto: World, policy_id: str) -> list[Any]:
    """The transitions of a policy, by number."""
    found = [each for each in on_moto.transitions() if each.alert.policy_id == policy_id]
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    return [each.type for each in found]


def hour_of(on_moto: World, event: str) -> tuple[Any, Any]:
    """Count and sum of the event's latest hour."""
    (found,) = [each for each in on_moto.made("GET", "/v1.0/events", None) if each["event"] == event]
    (point,) = on_moto.made("GET", f"/v1.0/events/{found['event_id']}/logs?period=hour", None)
    return point["count"], point["value"]


def visit(name: str, one: Callable[[int], bool]) -> None:
    """Visit crash point after crash point until the work is done before it comes to one."""
    at = 1
    while one(at):
        at += 1
    print(f"{name}: {at - 1} crash points visited")
    assert at > 8


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rollup_that_dies_anywhere_counts_each_log_once_and_loses_no_alert(when: When) -> None:
    with world() as on_moto:
        on_moto.tick(START)

        def one(at: int) -> bool:
            event = f"retries.{at}"
            policy_id = watched(on_moto, event, **BURST)
            on_moto.send(log(event, [1] * 27))
            batch = list(on_moto.logs)
            died = dies(on_moto, lambda: on_moto.roll_up(batch), at, when)
            assert on_moto.roll_up(batch) == {"batchItemFailures": []}
            assert on_moto.roll_up(batch[10:]) == {"batchItemFailures": []}
            assert opened(on_moto, policy_id) == ["opened"]
            assert hour_of(on_moto, event) == (27, 27)
            on_moto.made("DELETE", f"/v1.0/policies/{policy_id}", None)
            return died

        visit(f"rollup, killed {when} a call", one)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_evaluator_that_dies_anywhere_opens_and_ends_each_alert_once_when_the_next_tick_comes(when: When) -> None:
    with world() as on_moto:
        on_moto.tick(START)

        def one(at: int) -> bool:
            tick = START + at * HOUR
            on_moto.now = tick - MINUTE
            on_moto.tick(tick - MINUTE)
            stalled = watched(on_moto, f"stalled.{at}", **STALL, active_from="2026-03-03T00:00:00Z")
            ending = watched(on_moto, f"ending.{at}", **STALL, active_from="2026-03-03T00:00:00Z", early=False)
            on_moto.now = tick
            on_moto.tick(tick)
            on_moto.send(log(f"ending.{at}", [10]))
            on_moto.roll_up()
            on_moto.tick(tick + MINUTE)
            on_moto.now = tick + 2 * MINUTE
            died = dies(on_moto, lambda: on_moto.tick(tick + 2 * MINUTE), at, when)
            on_moto.now += MINUTE
            on_moto.tick(tick + 3 * MINUTE)
            assert opened(on_moto, stalled) == ["opened"]
            assert opened(on_moto, ending) == ["opened", "resolved", "opened"]
            for policy_id in (stalled, ending):
                on_moto.made("DELETE", f"/v1.0/policies/{policy_id}", None)
            return died

        visit(f"evaluator, killed {when} a call", one)
