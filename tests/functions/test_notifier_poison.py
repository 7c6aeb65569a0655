"""One alert that a receiver finds wrong does not keep the others of its digest from being told."""

import json
from typing import Any

import pytest
from nightjar.channels import slack as channel
from nightjar.channels.transport import Answer, Request
from nightjar.core.alerts import Transition
from nightjar.core.delivery import tray_of
from nightjar.core.instants import HOUR
from nightjar.storage import given_up

from tests.desk import Desk, Receivers, alert, slack, transition


class Picky(Receivers):
    """A receiver that finds wrong whatever names one of some titles."""

    wrong: tuple[str, ...] = ()
    most: int = 1_000_000
    status: int = 400

    def __call__(self, request: Request) -> Answer:
        super().__call__(request)
        found = len(request.body) > self.most or any(title.encode() in request.body for title in self.wrong)
        return Answer(self.status, {}, b"invalid_blocks") if found else Answer(200, {}, b"ok")


def sent_to(wrong: tuple[str, ...], count: int, status: int = 400) -> tuple[Desk, list[Transition]]:
    """A storm of alerts told to a receiver that finds some of them wrong."""
    desk = Desk()
    desk.receivers = Picky()
    desk.receivers.wrong, desk.receivers.status = wrong, status
    desk.add(slack())
    told = [transition(alert(f"p{number:02d}", title=f"T{number:02d}. p{number:02d}")) for number in range(count)]
    desk.route(*told)
    desk.deliver_all()
    return desk, told


@pytest.mark.parametrize(("wrong", "status"), [(("T00.",), 400), (("T19.",), 413), (("T03.", "T04.", "T11."), 422)])
def test_all_others_of_a_digest_are_told_once_and_the_wrong_ones_are_given_up(wrong: tuple[str, ...], status: int) -> None:
    desk, told = sent_to(wrong, 20, status)
    assert {each.alert.title[:4] for each in told if desk.statuses(each.alert) == [f"failed {status}"]} == set(wrong)
    assert {each.alert.title[:4] for each in told if desk.statuses(each.alert) == ["sent 200"]} == {each.alert.title[:4] for each in told} - set(wrong)
    taken = [str(body) for body in desk.receivers.bodies() if not any(title in str(body) for title in wrong)]
    for each in told:
        assert sum(each.alert.title[:4] in body for body in taken) == (each.alert.title[:4] not in wrong), each.alert.title


def test_a_digest_of_which_all_is_wrong_is_given_up_alert_by_alert() -> None:
    desk, told = sent_to(("T",), 5)
    assert {tuple(desk.statuses(each.alert)) for each in told} == {("failed 400",)}
    assert len(desk.receivers.posts) == 9


def test_a_digest_that_is_too_large_is_told_in_smaller_ones() -> None:
    desk = Desk()
    desk.receivers = Picky()
    desk.receivers.most, desk.receivers.status = 4_000, 413
    desk.add(slack(channel="webhook", url="https://ops.example/hook"))
    told = [transition(alert(f"p{number:02d}")) for number in range(20)]
    desk.route(*told)
    desk.deliver_all()
    assert {tuple(desk.statuses(each.alert)) for each in told} == {("sent 200",)}
    taken = [json.loads(request.body) for request in desk.receivers.posts if len(request.body) <= desk.receivers.most]
    named = [each["alert"]["policy_id"] for body in taken for each in body["transitions"]]
    assert sorted(named) == sorted(each.alert.policy_id for each in told)


def test_a_webhooks_digest_fits_into_a_hundred_kilobytes_however_long_its_words_are() -> None:
    desk = Desk()
    desk.add(slack(channel="webhook", url="https://ops.example/hook"))
    told = [transition(alert(f"p{number:03d}", title="Zu viele Wiederholungen " * 20)) for number in range(120)]
    desk.route(*told)
    desk.deliver_all()
    sizes = [len(request.body) for request in desk.receivers.posts]
    assert max(sizes) <= 100_000
    assert len(sizes) == -(-sum(sizes) // 90_000)
    assert sorted(each["alert"]["policy_id"] for body in desk.receivers.bodies() for each in body["transitions"]) == [each.alert.policy_id for each in told]


@pytest.mark.parametrize("step", ["render", "request"])
@pytest.mark.parametrize("bad", [("p03",), ("p00", "p01", "p19"), ("p",)])
def test_an_alert_at_which_writing_the_message_fails_is_given_up_with_the_reason_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, step: str, bad: tuple[str, ...]
) -> None:
    real = getattr(channel, step)

    def broken(of: Any, *rest: Any, **named: Any) -> Any:
        if any(title in str(of) for title in bad):
            raise ZeroDivisionError
        return real(of, *rest, **named)

    monkeypatch.setattr(channel, step, broken)
    desk, told = sent_to((), 20)
    poisoned = {each.alert.policy_id for each in told if each.alert.policy_id.startswith(bad)}
    for each in told:
        status = [(one.status, one.error_message) for one in desk.attempts(each.alert)]
        assert status == [("failed", "it cannot be put into words") if each.alert.policy_id in poisoned else ("sent", None)]
    assert {one.policy_id for one in given_up.newest(desk.store, "d1", 100)[0]} == poisoned


def test_a_webhook_that_is_gone_is_asked_once_for_all() -> None:
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[slack().url] = [404]
    told = [transition(alert(f"p{number}")) for number in range(5)]
    desk.route(*told)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 1
    assert {tuple(desk.statuses(each.alert)) for each in told} == {("failed 404",)}


def test_an_answer_that_the_code_cannot_read_is_an_attempt_and_is_given_up_by_age() -> None:
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[slack().url] = [(500, '{"n":1e99999999999999999999}')]
    opened = alert()
    desk.route(transition(opened))
    desk.deliver(tray_of(slack()))
    assert (desk.statuses(opened)[-1], len(desk.hidden)) == ("pending", 1)
    desk.now += 25 * HOUR
    desk.deliver(tray_of(slack()))
    assert desk.statuses(opened) == ["failed 500", "failed 500"]
