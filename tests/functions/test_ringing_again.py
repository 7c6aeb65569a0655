"""A tick rings for what has waited for two minutes, and again each quarter of an hour, so that a lost bell loses nothing and bells do not pile up."""

import pytest
from nightjar.core.delivery import tray_of
from nightjar.core.instants import MINUTE
from nightjar.pipeline.ring_again import ring_again
from nightjar.storage import trays

from tests.desk import Desk, alert, slack, transition

TRAY = tray_of(slack())


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.receivers.scripts[slack().url] = [503]
    desk.route(transition(alert()))
    desk.deliver_all()
    return desk


def bells(desk: Desk) -> int:
    """How many bells lie in the queue."""
    found = desk.queue.sqs.get_queue_attributes(QueueUrl=desk.queue.url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def ticks(desk: Desk, minutes: int) -> list[int]:
    """Tick each minute; return how many bells there were after each."""
    found = []
    for _ in range(minutes):
        desk.now += MINUTE
        ring_again(desk.store, desk.queue, now=desk.now)
        found.append(bells(desk))
    return found


def test_bells_of_a_stuck_tray_do_not_pile_up(desk: Desk) -> None:
    assert ticks(desk, 33) == [0] + [1] * 15 + [2] * 15 + [3] * 2


def test_the_first_tick_after_two_minutes_rings_though_ticks_were_missed(desk: Desk) -> None:
    desk.now += 4 * MINUTE + MINUTE // 2
    assert ticks(desk, 2) == [1, 1]


def test_a_tray_that_was_emptied_is_rung_for_anew(desk: Desk) -> None:
    assert ticks(desk, 2) == [0, 1]
    desk.receivers.scripts[slack().url] = [200]
    desk.deliver_all()
    assert trays.puts(desk.store, TRAY) is None
    desk.receivers.scripts[slack().url] = [503]
    desk.route(transition(alert("p2")))
    desk.deliver_all()
    assert ticks(desk, 3) == [0, 1, 1]


def test_a_tray_that_was_emptied_meanwhile_is_not_brought_back(desk: Desk) -> None:
    trays.note_rung(desk.store, "gone", desk.now)
    assert trays.puts(desk.store, "gone") is None
