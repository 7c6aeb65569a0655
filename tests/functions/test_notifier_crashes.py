"""The notifier dies at any call, and the platform delivers again: no message is lost, none is told twice without need."""

from collections.abc import Callable
from typing import Any

import pytest
from nightjar.core.delivery import tray_of
from nightjar.core.instants import MINUTE
from nightjar.pipeline.ring_again import ring_again
from nightjar.pipeline.route import route_again
from nightjar.storage import destinations, trays

from tests.desk import Desk, alert, slack, transition

OPENED, ENDED = transition(alert()), transition(alert(), "resolved", 2, clock="14:06")
OTHER = transition(alert("p2"))


class Died(BaseException):
    """The process is gone: nothing catches this."""


class Deadly:
    """Dies at the n-th call to AWS, before it is carried out or after."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Died


def calls_of(work: Callable[[Desk], object]) -> int:
    """Count the calls that some work makes."""
    desk, seen = prepared(), []
    desk.cloud.after = lambda *call: seen.append(call)
    work(desk)
    return len(seen)


def prepared() -> Desk:
    desk = Desk()
    desk.add(slack("d1"), slack("d2", scope="policies", policy_ids=("p1",)))
    for each in (OPENED, ENDED, OTHER):
        desk.write(each)
    return desk


def route(desk: Desk) -> None:
    desk.route_only([OPENED, ENDED, OTHER])


def deliver(desk: Desk) -> None:
    desk.deliver(tray_of(slack("d1")))


def killed(desk: Desk, work: Callable[[Desk], object], at: int, when: str) -> None:
    """Do some work, and die at a call."""
    setattr(desk.cloud, when, Deadly(at))
    with pytest.raises(Died):
        work(desk)
    setattr(desk.cloud, when, lambda *_: None)


def check_all_told(desk: Desk) -> None:
    for told, expected in ((OPENED, ["sent 200"] * 2), (OTHER, ["sent 200"])):
        assert desk.statuses(told.alert, "d1") == expected
    assert desk.statuses(OPENED.alert, "d2") == ["sent 200"] * 2
    for name in ("d1", "d2"):
        assert trays.read_tray(desk.store, tray_of(slack(name)), 10) == []
    assert trays.waiting_since(desk.store, desk.now) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_routing_that_dies_anywhere_tells_each_once_when_the_batch_comes_again(when: str) -> None:
    for at in range(1, calls_of(route) + 1):
        desk = prepared()
        killed(desk, route, at, when)
        desk.now += 1
        route(desk)
        desk.deliver_all()
        assert len(desk.receivers.bodies(slack("d1").url)) == 1
        assert len(desk.receivers.bodies(slack("d2").url)) == 1
        check_all_told(desk)


def test_delivery_that_dies_anywhere_loses_nothing_and_repeats_only_what_was_posted_and_not_recorded() -> None:
    def work(desk: Desk) -> None:
        route(desk)
        deliver(desk)

    routing = calls_of(route)
    total = calls_of(work)
    for at in range(1, total - routing + 1):
        desk = prepared()
        route(desk)
        recorded = _record_of(desk)
        killed(desk, deliver, at, "before")
        repeats = len(desk.receivers.posts) == 1 and not recorded()
        desk.now += 3 * MINUTE
        desk.queue.sqs.purge_queue(QueueUrl=desk.queue.url)  # the bells are gone too: the tick rings again
        ring_again(desk.store, desk.queue, now=desk.now)
        desk.deliver_all()
        assert len(desk.receivers.bodies(slack("d1").url)) == (2 if repeats else 1)
        check_all_told(desk)


def _record_of(desk: Desk) -> Callable[[], bool]:
    return lambda: desk.statuses(OTHER.alert, "d1") == ["sent 200"]


def test_a_process_that_dies_between_post_and_record_tells_twice() -> None:
    desk = prepared()
    desk.route_only([OTHER])

    def die(_: object) -> None:
        raise Died

    desk.receivers.on_post = die
    with pytest.raises(Died):
        deliver(desk)
    desk.receivers.on_post = lambda _: None
    desk.deliver_all()
    assert len(desk.receivers.posts) == 2
    assert desk.statuses(OTHER.alert) == ["sent 200"]


def test_handling_everything_twice_changes_nothing_the_second_time() -> None:
    desk = prepared()
    route(desk)
    desk.deliver_all()
    before = desk.store.db.scan(TableName=desk.store.tables.deliveries)["Items"]
    route(desk)
    desk.deliver_all()
    deliver(desk)
    assert desk.store.db.scan(TableName=desk.store.tables.deliveries)["Items"] == before
    assert len(desk.receivers.posts) == 2


def test_an_ending_is_not_lost_when_routing_again_races_with_it() -> None:
    desk = Desk()
    desk.route(OPENED)
    desk.add(slack("d1"))
    asked: list[str] = []

    def before(_: str, operation: str, __: bytes) -> None:
        if operation == "TransactWriteItems" and not asked:
            asked.append(operation)
            desk.route(ENDED)

    desk.cloud.before = before
    route_again(desk.store, [OPENED.alert.alert_id], clock=desk.now, now=desk.now, queue=desk.queue)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert) == ["sent 200", "sent 200"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("lost", ["refused", "deleted"])
def test_an_opening_that_reached_nobody_is_told_to_a_destination_made_later_wherever_the_notifier_died(when: str, lost: str) -> None:
    def work(desk: Desk) -> None:
        deliver(desk)

    def fresh() -> Desk:
        desk = Desk()
        desk.add(slack("d1"))
        desk.receivers.scripts[slack("d1").url] = [410]
        desk.route(OTHER)
        if lost == "deleted":
            destinations.delete(desk.store, "d1")
        return desk

    calls: list[Any] = []
    counting = fresh()
    counting.cloud.after = lambda *call: calls.append(call)
    work(counting)
    for at in range(1, len(calls) + 1):
        desk = fresh()
        killed(desk, work, at, when)
        work(desk)
        desk.add(slack("d2"))
        route_again(desk.store, [OTHER.alert.alert_id], clock=desk.now, now=desk.now, queue=desk.queue)
        desk.deliver_all()
        assert desk.statuses(OTHER.alert, "d2") == ["sent 200"], (at, when)
