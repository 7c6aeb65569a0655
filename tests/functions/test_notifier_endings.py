"""Endings: told to whoever was told of the alert, whatever became of anything else; never alone, never before their opening."""

import pytest
from nightjar.core.delivery import tray_of
from nightjar.core.instants import HOUR
from nightjar.core.mutes import Mute
from nightjar.pipeline.release import release
from nightjar.pipeline.resend import resend
from nightjar.storage import deliveries, given_up, mutes

from tests.builders import at
from tests.desk import Desk, alert, slack, transition

OPENED = transition(alert())
REMINDED = transition(alert(), "reminded", 2, clock="14:33")
ENDED = transition(alert(), "resolved", 3, clock="14:36")
URL = slack().url


def said(desk: Desk, skip: int = 0) -> list[str]:
    """The fallback texts of what was posted, without their second half."""
    return [body["text"].split(":")[0].split(" ", 1)[1] for body in desk.receivers.bodies()[skip:]]


def opened_with_a_reminder_that_waits(desk: Desk) -> None:
    """The opening was sent; its reminder found the receiver down, and will find it gone."""
    desk.receivers.scripts[URL] = [200, 503, 404, 200]
    desk.route(OPENED)
    desk.deliver_all()
    desk.route(REMINDED)
    desk.deliver_all()


def outcomes(desk: Desk) -> dict[str, str]:
    """What became of each transition of the alert, by type."""
    return {record.type: record.status for record in deliveries.history(desk.store, OPENED.alert.alert_id)[0]}


def test_an_ending_held_by_a_mute_is_sent_though_a_reminder_failed_meanwhile(desk: Desk) -> None:
    opened_with_a_reminder_that_waits(desk)
    mutes.put_new(desk.store, Mute(mute_id="m1", agent="worker.*", until=at("15:00")))
    desk.route(ENDED)
    desk.deliver(tray_of(slack()))  # the reminder: 404, for good
    assert outcomes(desk) == {"opened": "sent", "reminded": "failed", "resolved": "held"}
    desk.now = at("15:00")
    release(desk.store, clock=desk.now, now=desk.now, token="r", queue=desk.queue)
    desk.deliver_all()
    assert outcomes(desk)["resolved"] == "sent"
    assert said(desk)[-1] == "Recovered"


def test_an_ending_is_told_though_a_reminder_fails_while_it_is_routed(desk: Desk) -> None:
    opened_with_a_reminder_that_waits(desk)

    def fail_first(_: str, operation: str, body: bytes) -> None:
        if operation == "TransactWriteItems" and b"ConditionCheck" in body:
            desk.cloud.before = lambda *_: None
            desk.deliver(tray_of(slack()))

    desk.cloud.before = fail_first
    desk.route(ENDED)
    desk.deliver_all()
    assert outcomes(desk) == {"opened": "sent", "reminded": "failed", "resolved": "sent"}


def later(desk: Desk, hours: int, answer: int) -> None:
    """Answer the bell that comes again, hours later, as the receiver does then."""
    desk.now += hours * HOUR
    desk.receivers.scripts[URL] = [answer]
    desk.deliver(tray_of(slack()))


def test_an_ending_is_given_up_with_its_opening_and_both_are_one_line_when_they_are_sent_again(desk: Desk) -> None:
    desk.receivers.scripts[URL] = [503]
    desk.route(OPENED)
    desk.deliver_all()
    desk.now += HOUR
    desk.route(ENDED)
    later(desk, 24, 503)
    assert outcomes(desk) == {"opened": "failed", "resolved": "failed"}
    assert [one.number for one in given_up.newest(desk.store, "d1", 10)[0]] == [3, 1]
    later(desk, 1, 200)
    assert said(desk, 2) == []
    resend(desk.store, desk.destination("d1"), token="x", now=desk.now, queue=desk.queue)
    desk.deliver_all()
    assert said(desk, 2) == ["Over"]


def test_an_ending_put_into_the_tray_while_its_opening_fails_there_is_not_told_alone(desk: Desk) -> None:
    desk.receivers.scripts[URL] = [410, 200]

    def put(_: object) -> None:
        desk.receivers.on_post = lambda _: None
        desk.route(ENDED)

    desk.receivers.on_post = put
    desk.route(OPENED)
    desk.deliver_all()
    assert outcomes(desk) == {"opened": "failed", "resolved": "skipped"}
    assert len(desk.receivers.posts) == 1


def test_an_ending_stays_where_its_opening_is_put_back_in_the_moment_in_which_it_would_be_passed_over(desk: Desk) -> None:
    desk.receivers.scripts[URL] = [410, 200]

    def put(_: object) -> None:
        desk.receivers.on_post = lambda _: None
        desk.route(ENDED)

    def put_back(_: str, operation: str, body: bytes) -> None:
        if operation == "TransactWriteItems" and b"ConditionCheck" in body and b"skipped" in body:
            desk.cloud.before = lambda *_: None
            resend(desk.store, desk.destination("d1"), token="x", now=desk.now, queue=desk.queue)

    desk.receivers.on_post = put
    desk.cloud.before = put_back
    desk.route(OPENED)
    desk.deliver_all()
    assert outcomes(desk) == {"opened": "sent", "resolved": "sent"}
    assert said(desk)[1:] == ["Over"]


@pytest.mark.parametrize("busy", [25, 100])
def test_hours_of_429_do_not_count_when_the_receiver_then_goes_down(desk: Desk, busy: int) -> None:
    desk.receivers.scripts[URL] = [429]
    desk.route(OPENED)
    desk.deliver_all()
    later(desk, busy, 429)
    later(desk, 1, 503)
    later(desk, 23, 503)
    assert outcomes(desk) == {"opened": "pending"}
    later(desk, 1, 503)
    assert outcomes(desk) == {"opened": "failed"}
