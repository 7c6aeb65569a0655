"""What the code failed to route is routed by a later tick: openings and endings, each told once."""

from collections.abc import Callable
from typing import Any

import pytest
from nightjar.core import routing
from nightjar.core.instants import MINUTE
from nightjar.pipeline import route
from nightjar.pipeline.release import release
from nightjar.pipeline.route import route_again
from nightjar.storage import deliveries, held

from tests.desk import Desk, alert, transition

OPENED = transition(alert())
REMINDED = transition(alert(), "reminded", 2, clock="14:05")
ENDED = transition(alert(), "resolved", 3, clock="14:06")


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have the next so many transitions fail in routing."""
    left = [0]
    real = routing.targets

    def targets(*given: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise ZeroDivisionError
        return real(*given)

    monkeypatch.setattr(route, "targets", targets)
    return lambda times: left.__setitem__(0, times)


def tick(desk: Desk) -> None:
    """What a tick does for what waits."""
    desk.now += MINUTE
    desk.tokens += 1
    release(desk.store, clock=desk.now, now=desk.now, token=f"r{desk.tokens}", queue=desk.queue)
    unrouted = [OPENED.alert.alert_id] if deliveries.unrouted(desk.store, OPENED.alert.alert_id) else []
    route_again(desk.store, unrouted, clock=desk.now, now=desk.now, queue=desk.queue)
    desk.deliver_all()


def test_an_opening_is_routed_by_the_next_tick_and_says_until_then_that_it_reached_nobody(desk: Desk, fail: Callable[[int], None]) -> None:
    fail(1)
    desk.route(OPENED)
    assert deliveries.unrouted(desk.store, OPENED.alert.alert_id) is not None
    tick(desk)
    tick(desk)
    assert desk.statuses(OPENED.alert) == ["sent 200"]
    assert deliveries.unrouted(desk.store, OPENED.alert.alert_id) is None
    assert held.read_waiting(desk.store) == ([], [])


def test_an_ending_is_routed_by_a_later_tick_as_soon_as_the_code_is_mended(desk: Desk, fail: Callable[[int], None]) -> None:
    desk.route(OPENED)
    desk.deliver_all()
    fail(3)
    desk.route(ENDED)
    tick(desk)
    tick(desk)
    assert len(desk.receivers.posts) == 1
    tick(desk)
    tick(desk)
    assert desk.statuses(OPENED.alert) == ["sent 200", "sent 200"]
    assert held.read_waiting(desk.store) == ([], [])


def test_an_opening_and_its_ending_that_were_both_stuck_are_one_line(desk: Desk, fail: Callable[[int], None]) -> None:
    fail(2)
    desk.route(OPENED, ENDED)
    assert held.read_waiting(desk.store)[1] == [("p1", 1), ("p1", 3)]
    tick(desk)
    assert desk.statuses(OPENED.alert) == ["sent 200", "sent 200"]
    assert len(desk.receivers.posts) == 1


def test_nobody_misses_a_reminder(desk: Desk, fail: Callable[[int], None]) -> None:
    desk.route(OPENED)
    fail(1)
    desk.route(REMINDED)
    assert held.read_waiting(desk.store) == ([], [])


def test_one_whose_transition_is_gone_is_forgotten(desk: Desk) -> None:
    held.note_stuck(desk.store, ("gone", 7), desk.now)
    tick(desk)
    assert held.read_waiting(desk.store) == ([], [])
