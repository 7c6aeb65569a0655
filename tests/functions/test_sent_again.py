"""What is sent again tells how its alert stands by now, whatever became of the rest of it, and on whatever page of the list it lies."""

from typing import Any

import pytest
from nightjar.core.delivery import tray_of
from nightjar.core.mutes import Mute
from nightjar.pipeline import resend as module
from nightjar.pipeline.resend import Resent, resend
from nightjar.pipeline.route import route_again
from nightjar.storage import deliveries, given_up, held, mutes

from tests.builders import at
from tests.desk import Desk, alert, slack, transition

OPENED = transition(alert())
REOPENED = transition(alert(), "reopened", 2, clock="14:06")
ENDED = transition(alert(), "resolved", 3, clock="14:08", by="person")
URL = slack().url


def told(*story: Any, answers: tuple[int, ...] = (410, 200)) -> Desk:
    """A desk to whose destination a story was told, transition by transition."""
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[URL] = list(answers)
    for each in story:
        desk.route(each)
        desk.deliver_all()
        desk.now += 1
    return desk


def again(desk: Desk) -> tuple[Resent, list[str]]:
    """Ask for what was given up; returns the answer, and what was posted then."""
    before = len(desk.receivers.posts)
    desk.tokens += 1
    answer = resend(desk.store, desk.destination("d1"), token=f"again{desk.tokens}", now=desk.now, queue=desk.queue)
    desk.deliver_all()
    return answer, [body["text"] for body in desk.receivers.bodies()[before:]]


def statuses(desk: Desk) -> dict[int, str]:
    return {record.number: record.status for record in deliveries.history(desk.store, OPENED.alert.alert_id)[0]}


def test_an_alert_that_was_reopened_and_ended_is_told_as_over() -> None:
    desk = told(OPENED, REOPENED, ENDED)
    answer, (text,) = again(desk)
    assert answer == Resent(1, more=False)
    assert "Over: " in text
    assert statuses(desk) == {1: "sent", 2: "sent", 3: "sent"}


def test_an_alert_that_was_corrected_and_opened_again_is_told_as_open() -> None:
    corrected = transition(alert(), "resolved", 2, clock="14:05", by="corrected")
    desk = told(OPENED, corrected, transition(alert(), "reopened", 3, clock="14:06"))
    _, (text,) = again(desk)
    assert "Warning" in text
    assert "Over" not in text


def test_an_ending_that_was_given_up_of_an_alert_that_is_open_again_is_told_as_open() -> None:
    desk = told(OPENED, transition(alert(), "resolved", 2, clock="14:05"), transition(alert(), "reopened", 3, clock="14:06"), answers=(200, 410, 200))
    assert statuses(desk) == {1: "sent", 2: "failed", 3: "sent"}
    _, (text,) = again(desk)
    assert "Warning" in text
    assert "Recovered" not in text


def test_a_line_shown_again_that_fails_unsays_nothing() -> None:
    desk = told(OPENED, REOPENED)
    desk.receivers.scripts[URL] = [410]
    again(desk)
    assert statuses(desk) == {1: "failed", 2: "sent"}
    assert [one.number for one in given_up.newest(desk.store, "d1", 10)[0]] == [1]
    desk.receivers.scripts[URL] = [200]
    desk.route(ENDED)
    desk.deliver_all()
    assert statuses(desk)[3] == "sent"


def test_an_ending_that_a_mute_holds_goes_with_the_opening() -> None:
    desk = told(OPENED, REOPENED)
    mutes.put_new(desk.store, Mute(mute_id="m1", agent="worker.*", until=at("15:00")))
    desk.route(ENDED)
    assert statuses(desk)[3] == "held"
    _, (text,) = again(desk)
    assert "Over: " in text
    assert (statuses(desk)[3], held.read_all(desk.store)) == ("sent", [])


def test_what_is_given_up_goes_where_the_rest_of_its_alert_waits() -> None:
    desk = told(OPENED, REOPENED, answers=(410, 503))
    desk.change("d1", url=slack("new").url)
    desk.route(ENDED)
    again(desk)
    desk.deliver(tray_of(slack()))
    assert [body["text"].split(":")[0] for body in desk.receivers.bodies(slack("new").url)] == ["✅ Over"]
    assert statuses(desk) == {1: "sent", 2: "sent", 3: "sent"}


def test_an_alert_is_never_split_across_two_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    first, second = alert("p1"), alert("p2")
    endings = [transition(each, "resolved", 2, clock="14:06") for each in (first, second)]
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[URL] = [410]
    desk.route(transition(first), endings[0], transition(second), endings[1])
    desk.deliver_all()
    desk.now += 1
    desk.route(transition(alert("p3")))
    desk.deliver_all()
    desk.receivers.scripts[URL] = [200]
    texts = []
    more = True
    while more:
        answer, said = again(desk)
        texts += said
        more = answer.more
    assert sum(text.count("Over") for text in texts) == 2
    assert not any("Warning" in text for text in texts if "p3" not in text and not text.startswith("2 alerts"))
    assert given_up.newest(desk.store, "d1", 10)[0] == []
    for each in (first, second):
        assert desk.statuses(each).count("sent 200") == 2


def test_more_of_an_alert_than_a_transaction_holds_goes_back_in_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    desk = told(*(transition(alert(), "reopened" if number > 1 else "opened", number) for number in range(1, 6)), answers=(410,))
    desk.receivers.scripts[URL] = [200]
    answer, texts = again(desk)
    assert (answer, len(texts)) == (Resent(5, more=False), 1)
    assert set(statuses(desk).values()) == {"sent"}


def test_an_ending_that_is_routed_while_its_opening_is_put_back_is_told_with_it() -> None:
    desk = told(OPENED)

    def route(_: str, operation: str, __: bytes) -> None:
        if operation == "TransactWriteItems":
            desk.cloud.before = lambda *_: None
            desk.route(ENDED)

    desk.cloud.before = route
    _, (text,) = again(desk)
    assert "Over: " in text
    route_again(desk.store, [OPENED.alert.alert_id], clock=desk.now, now=desk.now, queue=desk.queue)
    assert desk.bells() == []
