"""What was given up is listed on its destination, and can be sent again."""

from collections.abc import Callable
from typing import Any

import pytest
from nightjar.core.instants import HOUR
from nightjar.pipeline.resend import Resent, resend
from nightjar.storage import given_up

from tests.desk import Desk, alert, slack, texts, transition

OPENED, ENDED = transition(alert()), transition(alert(), "resolved", 2, clock="14:06")
OTHER = transition(alert("p2"))
URL = slack().url


def refusing(*answers: int) -> Desk:
    """A desk whose only destination answers like this."""
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[URL] = list(answers)
    return desk


def again(desk: Desk) -> Resent:
    """Ask for what was given up."""
    desk.tokens += 1
    return resend(desk.store, desk.destination("d1"), token=f"again{desk.tokens}", now=desk.now, queue=desk.queue)


def listed(desk: Desk) -> list[tuple[str, int]]:
    return [(one.policy_id, one.number) for one in given_up.newest(desk.store, "d1", 100)[0]]


def test_what_a_receiver_refused_for_good_is_listed_with_its_reason_and_sent_when_somebody_asks() -> None:
    desk = refusing(410, 200)
    desk.route(OPENED)
    desk.deliver_all()
    ((found,), _) = given_up.newest(desk.store, "d1", 100)
    assert (found.attempt.status, found.attempt.response_status) == ("failed", 410)
    assert again(desk) == Resent(1, more=False)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert) == ["failed 410", "sent 200"]
    assert listed(desk) == []
    assert again(desk) == Resent(0, more=False)


def test_what_was_given_up_after_a_day_gets_another_day() -> None:
    desk = refusing(500)
    desk.route(OPENED)
    for _ in range(3):
        desk.deliver_all()
        desk.now += 25 * HOUR
        desk.deliver(given_tray())
    assert listed(desk) == [("p1", 1)]
    again(desk)
    desk.deliver(given_tray())
    assert listed(desk) == []
    assert desk.statuses(OPENED.alert)[-1] == "pending"
    desk.now += 25 * HOUR
    desk.deliver(given_tray())
    assert listed(desk) == [("p1", 1)]


def given_tray() -> str:
    from nightjar.core.delivery import tray_of

    return tray_of(slack())


def test_an_alert_that_ended_meanwhile_is_told_as_over_in_one_message() -> None:
    desk = refusing(410, 200)
    desk.route(OPENED)
    desk.deliver_all()
    desk.route(ENDED)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 1  # who was not told of it does not hear of its end
    again(desk)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 2
    assert [text for text in texts(desk.receivers.bodies()) if "Over: " in text]
    assert desk.statuses(OPENED.alert) == ["failed 410", "sent 200", "sent 200"]


def test_an_ending_that_was_passed_over_because_its_opening_failed_goes_with_it() -> None:
    desk = refusing(410, 200)
    desk.route(OPENED)

    def fail_first(_: str, operation: str, body: bytes) -> None:
        if operation == "TransactWriteItems" and b"ConditionCheck" in body:
            desk.cloud.before = lambda *_: None
            desk.deliver_all()

    desk.now += 1
    desk.cloud.before = fail_first  # the post fails between the ending's choice of whom to tell and its write
    desk.route(ENDED)
    assert sorted(desk.statuses(OPENED.alert)) == ["failed 410", "skipped"]
    desk.now += 1
    again(desk)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert)[2:] == ["sent 200", "sent 200"]


def test_the_newest_come_first_and_a_long_list_takes_several_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightjar.pipeline.resend.MOST", 1)
    desk = refusing(410)
    for told in (OPENED, OTHER):
        desk.route(told)
        desk.deliver_all()
        desk.now += 1
    assert listed(desk) == [("p2", 1), ("p1", 1)]
    assert again(desk) == Resent(1, more=True)
    assert listed(desk) == [("p1", 1)]


def test_nobody_misses_a_reminder_and_what_was_skipped_is_not_given_up() -> None:
    desk = refusing(200, 410)
    desk.route(OPENED)
    desk.deliver_all()
    desk.route(transition(alert(), "reminded", 2, clock="14:08"))
    desk.deliver_all()
    assert listed(desk) == []
    desk.route(OTHER)
    desk.change("d1", enabled=False)
    desk.deliver_all()
    assert listed(desk) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_asking_again_after_a_death_anywhere_sends_each_once(when: str) -> None:
    def work(desk: Desk) -> None:
        again(desk)

    def fresh() -> Desk:
        desk = refusing(410, 200)
        desk.route(OPENED, OTHER)
        desk.deliver_all()
        desk.route(ENDED)
        return desk

    class Died(BaseException):
        pass

    def deadly(at: int) -> Callable[..., None]:
        left = [at]

        def die(*_: Any) -> None:
            left[0] -= 1
            if not left[0]:
                raise Died

        return die

    desk, calls = fresh(), list[Any]()
    desk.cloud.after = lambda *call: calls.append(call)
    work(desk)
    for at in range(1, len(calls) + 1):
        desk = fresh()
        setattr(desk.cloud, when, deadly(at))
        with pytest.raises(Died):
            work(desk)
        setattr(desk.cloud, when, lambda *_: None)
        work(desk)
        desk.deliver(given_tray())
        assert len(desk.receivers.posts) == 2, at
        assert desk.statuses(OPENED.alert).count("sent 200") == 2, at  # its ending too, whoever died where
        assert "sent 200" in desk.statuses(OTHER.alert), at
