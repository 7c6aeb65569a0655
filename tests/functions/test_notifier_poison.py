"""One alert that a receiver finds wrong does not keep the others of its digest from being told."""

import pytest
from nightjar.channels.transport import Answer, Request
from nightjar.core.alerts import Transition

from tests.desk import Desk, Receivers, alert, slack, transition


class Picky(Receivers):
    """A receiver that finds wrong whatever names one of some titles."""

    wrong: tuple[str, ...] = ()

    def __call__(self, request: Request) -> Answer:
        super().__call__(request)
        found = any(title.encode() in request.body for title in self.wrong)
        return Answer(400, {}, b"invalid_blocks") if found else Answer(200, {}, b"ok")


def sent_to(wrong: tuple[str, ...], count: int) -> tuple[Desk, list[Transition]]:
    """A storm of alerts told to a receiver that finds some of them wrong."""
    desk = Desk()
    desk.receivers = Picky()
    desk.receivers.wrong = wrong
    desk.add(slack())
    told = [transition(alert(f"p{number:02d}", title=f"T{number:02d}.")) for number in range(count)]
    desk.route(*told)
    desk.deliver_all()
    return desk, told


@pytest.mark.parametrize("wrong", [("T00.",), ("T19.",), ("T03.", "T04.", "T11.")])
def test_all_others_of_a_digest_are_told_once_and_the_wrong_ones_are_given_up(wrong: tuple[str, ...]) -> None:
    desk, told = sent_to(wrong, 20)
    assert {each.alert.title for each in told if desk.statuses(each.alert) == ["failed 400"]} == set(wrong)
    assert {each.alert.title for each in told if desk.statuses(each.alert) == ["sent 200"]} == {each.alert.title for each in told} - set(wrong)
    taken = [str(body) for body in desk.receivers.bodies() if not any(title in str(body) for title in wrong)]
    for each in told:
        assert sum(each.alert.title in body for body in taken) == (each.alert.title not in wrong), each.alert.title


def test_a_digest_of_which_all_is_wrong_is_given_up_alert_by_alert() -> None:
    desk, told = sent_to(("T",), 5)
    assert {tuple(desk.statuses(each.alert)) for each in told} == {("failed 400",)}
    assert len(desk.receivers.posts) == 9


def test_a_webhook_that_is_gone_is_asked_once_for_all() -> None:
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[slack().url] = [404]
    told = [transition(alert(f"p{number}")) for number in range(5)]
    desk.route(*told)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 1
    assert {tuple(desk.statuses(each.alert)) for each in told} == {("failed 404",)}
