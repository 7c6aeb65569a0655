"""Endings: told to whoever was told of the alert, whatever became of anything else; never alone, never before their opening."""


import pytest
from nightjar.core.delivery import tray_of
from nightjar.core.mutes import Mute
from nightjar.pipeline.release import release
from nightjar.storage import deliveries, mutes

from tests.builders import at
from tests.desk import Desk, alert, slack, transition

OPENED = transition(alert())
REMINDED = transition(alert(), "reminded", 2, clock="14:33")
ENDED = transition(alert(), "resolved", 3, clock="14:36")
URL = slack().url


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.add(slack())
    return made


def said(desk: Desk, skip: int = 0) -> list[str]:
    """The fallback texts of what was posted, without their second half."""
    return [body["text"].split(":")[0].split(" ", 1)[1] for body in desk.receivers.bodies()[skip:]]


def outcomes(desk: Desk) -> dict[str, str]:
    """What became of each transition of the alert, by type."""
    return {record.type: record.status for record in deliveries.history(desk.store, OPENED.alert.alert_id)[0]}


def test_an_ending_held_by_a_mute_is_sent_though_a_reminder_failed_meanwhile(desk: Desk) -> None:
    desk.receivers.scripts[URL] = [200, 503, 404, 200]
    desk.route(OPENED)
    desk.deliver_all()
    desk.route(REMINDED)
    desk.deliver_all()
    mutes.put_new(desk.store, Mute(mute_id="m1", agent="worker.*", until=at("15:00")))
    desk.route(ENDED)
    desk.deliver(tray_of(slack()), 2)  # the reminder: 404, for good
    assert outcomes(desk) == {"opened": "sent", "reminded": "failed", "resolved": "held"}
    desk.now = at("15:00")
    release(desk.store, clock=desk.now, now=desk.now, token="r", queue=desk.queue)
    desk.deliver_all()
    assert outcomes(desk)["resolved"] == "sent"
    assert said(desk)[-1] == "Recovered"


def test_an_ending_is_told_though_a_reminder_fails_while_it_is_routed(desk: Desk) -> None:
    desk.receivers.scripts[URL] = [200, 503, 404, 200]
    desk.route(OPENED)
    desk.deliver_all()
    desk.route(REMINDED)
    desk.deliver_all()

    def fail_first(_: str, operation: str, body: bytes) -> None:
        if operation == "TransactWriteItems" and b"ConditionCheck" in body:
            desk.cloud.before = lambda *_: None
            desk.deliver(tray_of(slack()), 2)

    desk.cloud.before = fail_first
    desk.route(ENDED)
    desk.deliver_all()
    assert outcomes(desk) == {"opened": "sent", "reminded": "failed", "resolved": "sent"}
