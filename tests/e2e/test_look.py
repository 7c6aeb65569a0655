"""The look before a silent alert, with the real handlers on one process's tables: the stream is held back by not being read.

`nightjar dev` delivers what is written at once, so that logs cannot be made to wait there.
"""

from collections.abc import Iterator

import pytest
from nightjar.core.instants import HOUR, MINUTE, iso

from tests.world import START, World, world

STALL = {
    "agent": "worker.billing", "event": "job.completed.count", "period": "hour", "aggregate": "sum", "condition": "lt", "threshold": 10,
    "active_from": iso(START),
}  # fmt: skip


@pytest.fixture
def running() -> Iterator[World]:
    with world() as made:
        made.made("POST", "/v1.0/policies", STALL)
        made.tick(START)
        yield made


def completions(count: int) -> list[dict[str, object]]:
    return [{"agent": "worker.billing", "event": "job.completed.count", "value": 1, "occurred_at": iso(START + (n + 1) * MINUTE)} for n in range(count)]


def at_close(running: World) -> None:
    """Let the tick come that judges the hour."""
    running.now = START + HOUR + MINUTE
    running.tick(START + HOUR + MINUTE)


def test_with_the_hours_logs_still_in_the_stream_nothing_is_opened(running: World) -> None:
    running.send(completions(12))
    at_close(running)
    assert running.alerts() == []
    running.roll_up()
    assert running.alerts() == [], "and they were enough"


def test_too_few_logs_that_waited_in_the_stream_open_the_alert_once_they_are_applied(running: World) -> None:
    running.send(completions(4))
    at_close(running)
    assert running.alerts() == []
    running.roll_up()
    assert [(alert.status, alert.count) for alert in running.alerts()] == [("triggered", 4)]


def test_half_of_the_logs_applied_is_not_yet_silence(running: World) -> None:
    running.send(completions(12))
    running.roll_up(running.logs[:6])
    at_close(running)
    assert running.alerts() == []
    running.roll_up()
    assert running.alerts() == []


def test_without_any_log_the_look_finds_nothing_and_the_alert_opens(running: World) -> None:
    at_close(running)
    assert [(alert.status, alert.count, alert.triggered_at) for alert in running.alerts()] == [("triggered", 0, START + HOUR + MINUTE)]
