"""Mutes where a process dies, or two of them race: no message is lost, none is told twice, and no story is told by half."""

from collections.abc import Callable
from typing import Any

import pytest
from nightjar.core.instants import MINUTE
from nightjar.pipeline.release import release
from nightjar.pipeline.ring_again import ring_again
from nightjar.storage import held, mutes

from tests.builders import at
from tests.desk import Desk, alert, slack, transition
from tests.functions.test_notifier_mutes import LATER, MUTE, OPENED, desk, tick, told

__all__ = ["desk"]


class Died(BaseException):
    """The process is gone."""


def killed(desk: Desk, work: Callable[[], object], number: int, when: str) -> bool:
    """Do some work and die at its n-th call; False if it made fewer."""
    left = [number]

    def deadly(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Died

    setattr(desk.cloud, when, deadly)
    try:
        work()
    except Died:
        return True
    finally:
        setattr(desk.cloud, when, lambda *_: None)
    return False


def prepared() -> Desk:
    """An alert of p2 that was told, and a mute since."""
    desk = Desk()
    desk.add(slack())
    desk.route(transition(alert("p2"), clock="14:00"))
    desk.deliver_all()
    mutes.put_new(desk.store, MUTE)
    return desk


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_release_that_dies_anywhere_loses_nothing_and_tells_nothing_twice(when: str) -> None:
    number, died = 0, True
    while died:
        number += 1
        desk = prepared()
        desk.route(OPENED, transition(alert("p2"), "resolved", 2, clock="14:04"), transition(alert("p3")))
        desk.route(transition(alert("p3"), "resolved", 2, clock="14:05"))
        desk.now = at("15:00")
        died = killed(desk, lambda: release(desk.store, clock=at("15:00"), now=desk.now, token="15:00", queue=desk.queue), number, when)  # noqa: B023
        tick(desk, "15:01")
        desk.now += 3 * MINUTE
        ring_again(desk.store, desk.queue, now=desk.now)
        desk.deliver_all()
        assert desk.statuses(OPENED.alert) == ["sent 200"]
        assert desk.statuses(alert("p2")) == ["sent 200", "sent 200"]
        assert desk.statuses(alert("p3")) == ["skipped"]
        assert len(desk.receivers.posts) in {2, 3}, "the two that were held in one post, or each in its own"
        assert held.read_all(desk.store) == []
    assert number > 6


@pytest.mark.parametrize("when", ["before", "after"])
def test_routing_into_a_mute_that_dies_anywhere_holds_each_once(when: str) -> None:
    number, died = 0, True
    while died:
        number += 1
        desk = prepared()
        batch = [OPENED, transition(alert("p2"), "resolved", 2, clock="14:04"), transition(alert("p3")), transition(alert("p3"), "resolved", 2, clock="14:05")]
        for each in batch:
            desk.write(each)
        died = killed(desk, lambda: desk.route_only(batch), number, when)  # noqa: B023
        desk.now += MINUTE
        desk.route_only(batch)
        desk.route_only(batch)
        assert [each.policy_id for each in held.read_all(desk.store)] == ["p1", "p2"]
        assert (desk.statuses(alert("p3")), len(desk.receivers.posts)) == (["skipped"], 1)
        tick(desk, "15:00")
        assert (desk.statuses(OPENED.alert), desk.statuses(alert("p2"))) == (["sent 200"], ["sent 200", "sent 200"])
    assert number > 8


@pytest.mark.parametrize("operation", ["Query", "TransactWriteItems"])
def test_an_ending_that_is_routed_while_its_opening_is_released_never_leaves_half_a_story(desk: Desk, operation: str) -> None:
    """Either the opening is skipped and the ending not told, or both are told."""
    desk.route(OPENED)
    seen: list[str] = []

    def before(_: str, found: str, __: bytes) -> None:
        if found == operation and len(seen) < 9:
            seen.append(found)
            if len(seen) == {"Query": 4, "TransactWriteItems": 1}[operation]:
                seen.extend("x" * 9)
                desk.route(LATER)

    desk.cloud.before = before
    release(desk.store, clock=at("15:00"), now=at("15:00"), token="t", queue=desk.queue)
    desk.cloud.before = lambda *_: None
    desk.deliver_all()
    tick(desk, "15:11")
    assert ([status for status, _ in told(desk)], held.read_all(desk.store)) == (["skipped"], [])
    assert desk.receivers.posts == []


def test_a_release_that_happens_while_the_ending_is_routed_has_both_told(desk: Desk) -> None:
    desk.route(OPENED)
    desk.write(LATER)
    done: list[str] = []

    def before(_: str, found: str, __: bytes) -> None:
        if found == "TransactWriteItems" and not done:
            done.append(found)
            (one,) = held.read_all(desk.store)
            held.release(desk.store, one, one.row(desk.destination("d1"), desk.now))

    desk.cloud.before = before
    desk.route_only([LATER])
    desk.cloud.before = lambda *_: None
    desk.deliver_all()
    assert [status for status, _ in told(desk)] == ["sent", "sent"]
    assert len(desk.receivers.posts) == 1
