"""The demo is only content with what it must show: each way of going wrong is told."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from scripts.demo.jobs import entries
from scripts.demo.received import Message, differences, message
from scripts.demo.story import MINUTE, Story
from scripts.demo.system import Post
from scripts.demo.wanted import THEIRS, Wanted, wanted

STORY = Story(datetime(2026, 3, 3, 14, 20, tzinfo=UTC))
WANTED = wanted(STORY, entries(STORY))
COMPARED = {"value_pct_change": 300, "current_value": 28, "previous_value": 7}
SAYS = {
    "2[1-8] so far this hour, limit 20": "28 so far this hour, limit 20",
    r"p95 [\d,.]+ ms this day, limit 30,000 ms": "p95 42,000 ms this day, limit 30,000 ms",
}


def told(each: Wanted) -> Message:
    return Message(each.at, each.channel, f"🟠 {each.label}: {each.title}", SAYS.get(each.says, each.says.replace(".+", "5 min")), {"blocks": []})


@pytest.fixture
def messages() -> list[Message]:
    return [told(each) for each in WANTED]


def test_all_of_it_at_its_time_and_in_its_channel_is_right(messages: list[Message]) -> None:
    assert differences(messages, WANTED, COMPARED) == []


def test_a_message_that_did_not_come_is_missing(messages: list[Message]) -> None:
    (line,) = differences(messages[1:], WANTED, COMPARED)
    assert line.startswith("missing: ")


def test_a_message_that_came_twice_is_told(messages: list[Message]) -> None:
    (line,) = differences([messages[0], replace(messages[0]), *messages[1:]], WANTED, COMPARED)
    assert line.startswith("came twice: ")


def test_a_message_a_minute_late_or_in_other_words_is_missing_and_not_expected(messages: list[Message]) -> None:
    for wrong in (replace(messages[0], at=messages[0].at + MINUTE), replace(messages[0], sentence="None"), replace(messages[0], heading="🟠 Info: x")):
        assert [line.split(":")[0] for line in differences([wrong, *messages[1:]], WANTED, COMPARED)] == ["missing", "not expected"]


def test_billings_message_in_the_platforms_channel_is_told(messages: list[Message]) -> None:
    stray = replace(messages[-1], channel=THEIRS, payload={"blocks": ["worker.billing"]})
    assert any(line.startswith(f"billing's, in #{THEIRS}") for line in differences([*messages, stray], WANTED, COMPARED))


@pytest.mark.parametrize("wrong", [{"value_pct_change": 299.9}, {"value_pct_change": None}, {"current_value": 27}, {"previous_value": 0}])
def test_another_change_than_300_per_cent_is_told(messages: list[Message], wrong: dict[str, Any]) -> None:
    (line,) = differences(messages, WANTED, COMPARED | wrong)
    assert line.startswith("retries: ")


def post(heading: str) -> Post:
    texts = [{"type": kind, "text": {"type": "plain_text", "text": text}} for kind, text in (("header", heading), ("section", "so it is"))]
    return Post("team", {"blocks": texts})


def test_when_a_message_happened_is_what_the_api_says_of_its_alert() -> None:
    alerts: list[dict[str, Any]] = [
        {"title": "Stall", "triggered_at": "2026-03-03T14:01:00Z", "resolved_at": "2026-03-03T14:08:11.5Z"},
        {"title": "Other", "triggered_at": "2026-03-03T15:00:00Z", "resolved_at": None},
    ]
    ended = message(post("✅ Recovered: Stall"), alerts)
    assert (ended.at.minute, ended.at.second, ended.sentence) == (8, 11, "so it is")
    assert message(post("🔴 Critical: Stall"), alerts).at.minute == 1
