"""What was posted is recorded as long as the invocation lives: a busy table must not have it posted again."""

import pytest
from nightjar.core.delivery import tray_of
from nightjar.storage.faults import StorageBusy

from local.cloud import failure
from local.wire import Response
from tests.desk import Desk, alert, slack, transition

OPENED = transition(alert())
TRAY = tray_of(slack())
_BUSY = failure("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "made up by a test")


def waiting() -> Desk:
    """A desk with one opening in its tray."""
    desk = Desk()
    desk.add(slack())
    desk.route(OPENED)
    return desk


def refuse(desk: Desk, times: int) -> list[str]:
    """Have the next so many transactions throttled; returns those that were."""
    refused: list[str] = []

    def instead(_: str, operation: str, __: bytes) -> Response | None:
        if operation != "TransactWriteItems" or len(refused) == times:
            return None
        refused.append(operation)
        return _BUSY

    desk.cloud.instead = instead
    return refused


def test_a_record_that_is_throttled_is_tried_again_and_nothing_is_posted_twice() -> None:
    desk = waiting()
    refused = refuse(desk, 7)
    assert desk.deliver(TRAY)
    assert len(refused) == 7
    assert len(desk.receivers.posts) == 1
    assert desk.statuses(OPENED.alert) == ["sent 200"]


def test_a_record_that_fails_to_the_end_of_the_invocation_has_the_bell_come_again() -> None:
    desk = waiting()
    refuse(desk, 1_000)
    desk.seconds_left = 20.0
    with pytest.raises(StorageBusy):
        desk.deliver(TRAY)
    assert desk.statuses(OPENED.alert) == ["pending"]
    refuse(desk, 0)
    desk.seconds_left = 20.0
    assert desk.deliver(TRAY)
    assert desk.statuses(OPENED.alert) == ["sent 200"]
