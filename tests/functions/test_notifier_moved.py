"""A destination whose webhook or credentials change while something waits: each alert is told in order, as one line, and nothing twice."""

from typing import Any

import pytest
from nightjar.channels.transport import Answer
from nightjar.core.delivery import tray_of
from nightjar.core.destinations import Destination
from nightjar.core.instants import HOUR, MINUTE
from nightjar.core.mutes import Mute
from nightjar.pipeline.release import release
from nightjar.pipeline.resend import resend
from nightjar.storage import mutes, trays

from tests.builders import at
from tests.desk import Desk, alert, slack, transition

OPENED = transition(alert())
ENDED = transition(alert(), "resolved", 3, clock="14:06")
BUSY = Answer(429, {"retry-after": "900"}, b"")
OLD, NEW = slack().url, slack("new").url


def waiting(of: Destination | None = None) -> Desk:
    """A desk whose opening waits for a busy receiver, as the destination is edited."""
    desk = Desk()
    desk.add(of or slack())
    for url in (OLD, "https://api.telegram.org/bot1:a/sendMessage"):
        desk.receivers.scripts[url] = [BUSY]
    desk.route(OPENED)
    desk.deliver_all()
    desk.now += MINUTE
    return desk


def told(desk: Desk) -> list[str]:
    """What the new webhook was told."""
    return [body["text"].split(":")[0].split(" ", 1)[1] for body in desk.receivers.bodies(NEW)]


def test_an_ending_waits_with_its_opening_and_both_are_one_line() -> None:
    desk = waiting()
    desk.change("d1", url=NEW)
    desk.route(ENDED)
    desk.deliver_all()
    assert told(desk) == ["Over"]
    assert desk.statuses(OPENED.alert) == ["failed 429", "sent 200", "sent 200"]
    for each in (slack(), slack("new")):
        assert trays.read_tray(desk.store, tray_of(each), 10) == []


def test_so_it_is_when_the_credentials_change() -> None:
    old, new = ((("bot_token", token), ("chat_id", "1")) for token in ("1:a", "2:b"))
    before = Destination(destination_id="d1", channel="telegram", credentials=old)
    desk = waiting(before)
    desk.change("d1", credentials=new)
    desk.route(ENDED)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert) == ["failed 429", "sent 200", "sent 200"]
    assert len(desk.receivers.posts) == 2


@pytest.mark.parametrize("kind", ["reminded", "reopened"])
def test_nothing_else_of_the_alert_overtakes_what_waits(kind: Any) -> None:
    desk = waiting()
    desk.change("d1", url=NEW)
    desk.route(transition(alert(), kind, 2, clock="14:05"))
    desk.deliver(tray_of(slack("new")))
    assert told(desk) == []
    desk.route(ENDED)
    desk.deliver_all()
    assert told(desk) == ["Over"]


def test_an_ending_that_a_mute_held_joins_what_waits() -> None:
    desk = waiting()
    desk.change("d1", url=NEW)
    mutes.put_new(desk.store, Mute(mute_id="m1", agent="worker.*", until=at("15:00")))
    desk.route(ENDED)
    desk.now = at("15:00")
    release(desk.store, clock=desk.now, now=desk.now, token="r", queue=desk.queue)
    desk.deliver_all()
    assert told(desk) == ["Over"]


def test_other_alerts_and_what_comes_later_go_by_the_new_webhook_at_once() -> None:
    desk = waiting()
    desk.change("d1", url=NEW)
    desk.route(transition(alert("p2")))
    desk.deliver_all()
    assert told(desk) == ["Warning"]
    desk.deliver(tray_of(slack()))
    desk.now += MINUTE
    desk.route(ENDED)
    assert len(trays.read_tray(desk.store, tray_of(slack("new")), 10)) == 1
    desk.deliver_all()
    assert told(desk) == ["Warning", "Warning", "Recovered"]


def test_what_was_given_up_under_the_old_webhook_is_sent_again_by_the_new_one() -> None:
    desk = waiting()
    desk.receivers.scripts[OLD] = [503]
    desk.deliver(tray_of(slack()))
    desk.now += 25 * HOUR
    desk.deliver(tray_of(slack()))
    desk.change("d1", url=NEW)
    desk.now += 25 * HOUR
    resend(desk.store, desk.destination("d1"), token="x", now=desk.now, queue=desk.queue)
    desk.deliver_all()
    assert told(desk) == ["Warning"]
