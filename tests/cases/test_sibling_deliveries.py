"""The siblings of the delivery cases: what an answer of the receiver means, and how long a bell rests."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from nightjar.channels.transport import Answer, Unreachable
from nightjar.core.delivery import tray_of
from nightjar.core.destinations import Destination
from nightjar.core.instants import HOUR
from nightjar.storage import destinations, trays

from tests.cases.script import SIBLINGS, load_cases, spell_out
from tests.desk import Desk, Step, alert, slack, texts, transition

CASES = {name[:3]: case for name, case in load_cases(SIBLINGS).items() if case["kind"] == "delivery" and "messages" not in case["expect"]}
TELEGRAM = "https://api.telegram.org/bot123:abc/sendMessage"
RECEIVERS = {
    "slack": slack(),
    "discord": Destination(destination_id="d1", channel="discord", url="https://discord.com/api/v10/webhooks/1/abc"),
    "telegram": Destination(destination_id="d1", channel="telegram", credentials=(("bot_token", "123:abc"), ("chat_id", "-100"))),
}


def opened_at(desk: Desk, channel: str, *answers: Step) -> Any:
    """Add a destination with these answers, and route one opening to it."""
    destination = RECEIVERS[channel]
    desk.add(destination)
    desk.receivers.scripts[destination.url or TELEGRAM] = list(answers)
    opened = alert()
    desk.route(transition(opened))
    return opened


def answer_of(step: Any) -> Step:
    """Read one answer of a case."""
    if step == "reset":
        return Unreachable
    body = bytes.fromhex(step["bytes"]) if "bytes" in step else spell_out(step.get("body", "")).encode()
    return Answer(step["status"], step.get("headers", {}), body)


def each(number: str, given: str, expect: str) -> Any:
    """A test for each answer of a case, with what it comes to."""
    case = CASES[number]
    return pytest.mark.parametrize(("given", "expected"), list(zip(case["given"][given], case["expect"][expect], strict=True)), ids=repr)


@each("d20", "each_of", "outcomes")
def test_d20_every_status_a_receiver_can_answer(given: Any, expected: str) -> None:
    desk = Desk()
    opened = opened_at(desk, "slack", answer_of(given))
    assert desk.deliver(tray_of(slack())) == (expected != "again")
    statuses = [attempt.status for attempt in desk.attempts(opened)]
    assert statuses == {"sent": ["sent"], "final": ["failed"], "again": ["failed"]}[expected] or statuses == ["failed", "pending"], statuses
    assert bool(trays.read_tray(desk.store, tray_of(slack()), 10)) == (expected == "again")
    assert bool(desk.destination("d1").last_error) == (expected == "final")


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own timezone is not UTC, as a laptop's is."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()


@each("d21", "retry_after", "wait_s")
def test_d21_more_forms_of_retry_after(given: str, expected: list[int], far_from_greenwich: None) -> None:
    waits(Answer(429, {"retry-after": given}, b"slow down"), "slack", expected)


@each("d22", "bodies", "wait_s")
def test_d22_discords_wait_in_the_body(given: Any, expected: list[int]) -> None:
    waits(Answer(429, {}, written(given)), "discord", expected)


@each("d22", "telegram_bodies", "telegram_wait_s")
def test_d22_telegrams_wait_in_the_body(given: Any, expected: list[int]) -> None:
    waits(Answer(429, {}, written(given)), "telegram", expected)


def written(body: Any) -> bytes:
    """A body as JSON, its numbers as the case has them."""
    return (body if isinstance(body, str) else json.dumps(body, default=lambda number: float(str(number)))).replace("Infinity", "1e400").encode()


def waits(answer: Answer, channel: str, expected: list[int]) -> None:
    """Check how long a bell rests after an answer."""
    desk = Desk()
    opened_at(desk, channel, answer)
    assert not desk.deliver(tray_of(RECEIVERS[channel]))
    assert expected[0] <= desk.hidden[0] <= expected[1]


@pytest.mark.parametrize(("answer", "hours", "waiting"), [(503, "at_hours", "still_waits"), (429, "busy_at_hours", "busy_still_waits")])
def test_d23_down_for_a_day(answer: int, hours: str, waiting: str) -> None:
    case = CASES["d23"]
    desk = Desk()
    opened = opened_at(desk, "slack", answer)
    began = desk.now
    for hour in case["given"][hours]:
        desk.now = began + int(float(hour) * HOUR)
        desk.deliver(tray_of(slack()))
    assert bool(trays.read_tray(desk.store, tray_of(slack()), 10)) == case["expect"][waiting]
    if not case["expect"][waiting]:
        assert desk.statuses(opened) == case["expect"]["deliveries"]
        assert case["expect"]["last_error_contains"] in desk.destination("d1").last_error


@each("d24", "answers", "deliveries")
def test_d24_words_of_a_receiver_that_hide_or_flood(given: Mapping[str, Any], expected: str) -> None:
    expect = CASES["d24"]["expect"]
    desk = Desk()
    opened = opened_at(desk, "telegram", answer_of(given))
    assert desk.deliver(tray_of(RECEIVERS["telegram"]))
    assert desk.statuses(opened) == [expected]
    (attempt,) = desk.attempts(opened)
    for words in (attempt.error_message or "", desk.destination("d1").last_error):
        assert 0 < len(words) <= expect["error_max"]
        assert not any(secret in words for secret in expect["never"])


@each("d25", "delete_second", "deliveries")
def test_d25_two_destinations_with_one_url(given: bool, expected: list[str]) -> None:
    expect = CASES["d25"]["expect"]
    desk = Desk()
    both = [slack("d1"), slack("d2", url=slack("d1").url)]
    desk.add(*both)
    opened = alert()
    desk.route(transition(opened))
    if given:
        destinations.delete(desk.store, "d2")
    desk.deliver_all()
    assert [desk.statuses(opened, each.destination_id)[-1] for each in both] == expected
    assert len(desk.slept) == len(desk.receivers.posts) <= expect["posts_a_second_max"]
    if given:
        assert expect["reason_contains"] in str(desk.attempts(opened, "d2")[-1].error_message)


def test_d29_opened_ended_and_opened_again_while_the_receiver_was_away() -> None:
    expect = CASES["d29"]["expect"]
    desk = Desk()
    desk.add(slack())
    told = {"first": alert(title="first"), "second": alert(title="second", opened="14:10"), "other": alert("p2", title="other")}
    desk.route(transition(told["first"]), transition(told["first"], "resolved", 2, clock="14:06"))
    desk.route(transition(told["second"], number=3, clock="14:10"), transition(told["other"]))
    desk.deliver_all()
    (body,) = desk.receivers.bodies()
    assert len(desk.receivers.posts) == expect["posts"]
    for name, line in expect["lines"].items():
        assert sum(line in text for text in texts(body["blocks"])) == 1
        assert desk.statuses(told[name]) == expect["deliveries"][name]
