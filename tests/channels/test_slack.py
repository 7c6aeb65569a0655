"""Slack messages: within Block Kit's limits, and nothing that a user typed is markup, a mention or a link."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.channels import slack
from nightjar.core.wording import Notice, notice

from tests.desk import alert, texts, transition

LIMITS = {"header": 150, "section": 3_000, "field": 2_000}
NASTY = ["<!channel>", "<!here|x>", "<@U012AB3CD>", "<#C012AB3CD>", "<https://evil.example|click>", "@channel", 'a & b < c > d "q"', "&lt;ok&gt;"]


def notices(count: int = 1, **given: Any) -> list[Notice]:
    return [notice([transition(alert(f"p{number}", **given))]) for number in range(count)]


def payload(**given: Any) -> dict[str, Any]:
    (message,) = slack.render(notices(**given))
    return dict(message.payload)


def check_limits(found: dict[str, Any]) -> None:
    assert found["text"]
    assert len(found["text"]) <= 4_000
    assert len(found["blocks"]) <= 50
    for block in found["blocks"]:
        if block["type"] == "header":
            assert 0 < len(block["text"]["text"]) <= LIMITS["header"]
        for each in [block["text"]] if block["type"] == "section" and "text" in block else []:
            assert 0 < len(each["text"]) <= LIMITS["section"]
        assert len(block.get("fields", [])) <= 10
        assert all(0 < len(each["text"]) <= LIMITS["field"] for each in block.get("fields", []))


def test_one_alert_is_told_in_full() -> None:
    found = payload(early=True, title="Too many runs", description="Look at the queue.", runbook_url="https://run.example/book?a=1&b=<2>")
    words = texts(found["blocks"])
    assert words[1] == "🟡 Warning: Too many runs" or "🟡 Warning: Too many runs" in words
    assert "25 so far this minute, limit 20" in words
    assert "Event\njob.run" in words
    assert "Look at the queue." in words
    assert "https://run.example/book?a=1&b=%3C2%3E" in words
    assert found["text"] == "🟡 Warning: Too many runs (worker.billing · job.run): 25 so far this minute, limit 20"


@given(title=st.text(max_size=200), agent=st.text(max_size=128), event=st.text(min_size=1, max_size=128), description=st.text(max_size=2_000))
def test_whatever_is_typed_the_message_keeps_slacks_limits(title: str, agent: str, event: str, description: str) -> None:
    given: Any = {"title": title, "agent": agent, "event": event, "description": description}
    check_limits(payload(**given))
    for message in slack.render(notices(3, **given)):
        check_limits(dict(message.payload))


def test_the_longest_texts_are_cut_between_characters_with_an_ellipsis() -> None:
    found = payload(title="&" * 200, agent="a" * 128, event="<" * 128, description="&" * 2_000)
    check_limits(found)
    header = found["blocks"][0]["text"]["text"]
    assert header.endswith("&amp;…")
    assert f"Agent\n{'a' * 128}" in texts(found)
    assert f"Event\n{'&lt;' * 128}" in texts(found)


@pytest.mark.parametrize("field", ["event", "agent", "title", "description"])
@pytest.mark.parametrize("typed", NASTY)
def test_what_a_user_typed_is_escaped_once_and_never_a_mention_or_a_link(field: str, typed: str) -> None:
    given: Any = {field: typed}
    for message in [*slack.render(notices(**given)), *slack.render(notices(2, **given))]:
        text = json.dumps(message.payload, ensure_ascii=False)
        assert not any(forbidden in text for forbidden in ("<!", "<@", "<#", "<https://evil"))
        escaped = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if message.names == 1:
            assert any(escaped in words for words in texts(message.payload))
        elif field != "description":
            assert any(typed in words.replace("\N{WORD JOINER}", "") for words in texts(message.payload["blocks"]))
    assert "link_names" not in message.payload


@pytest.mark.parametrize("typed", ["R&D <prod> queue", "a < b", "&lt;ok&gt;"])
def test_a_digest_shows_what_was_typed_as_one_message_does(typed: str) -> None:
    (message,) = slack.render(notices(2, title=typed))
    shown = [words.replace("\N{WORD JOINER}", "") for words in texts(message.payload["blocks"])]
    assert shown.count(f"🟡 Warning: {typed}") == 2


def test_what_does_not_fit_with_the_others_is_told_like_one_alone() -> None:
    last = slack.render(notices(46))[1]
    assert last.payload["blocks"][0]["text"]["text"] == "🟡 Warning: job.run: count above 20"
    assert last.names == 1


def test_a_link_that_is_too_long_once_it_is_encoded_is_left_out() -> None:
    found = [message.payload for message in slack.render(notices(2, runbook_url="https://run.example/" + "ü" * 1_900))]
    assert "run.example" not in str(found)
    assert len(found) == 1


def test_user_text_stands_only_where_slack_reads_no_markup_and_no_emoji_names() -> None:
    found = payload(title="*bold* _it_ ~st~ `code`", event=":100:queue:fire:", description="*d*")
    assert found["mrkdwn"] is False
    assert "mrkdwn" not in {each.get("type") for each in _objects(found["blocks"])}
    assert all(each["emoji"] is False for each in _objects(found["blocks"]) if each.get("type") == "plain_text")


def test_120_alerts_fit_into_ten_messages_each_named_once() -> None:
    many = [notice([transition(alert(f"p{number}", title=f"{number:03d}" + "t" * 76))]) for number in range(120)]
    messages = slack.render(many)
    assert len(messages) <= 10
    assert [message.names for message in messages] == [len(message.payload["blocks"]) - 1 for message in messages]
    for message in messages:
        check_limits(dict(message.payload))
    blocks = " ".join(words for message in messages for words in texts(message.payload["blocks"]))
    assert all(blocks.count(f"{number:03d}{'t' * 76}") == 1 for number in range(120))


def test_even_the_longest_alerts_are_told_ten_posts_for_120() -> None:
    messages = slack.render(notices(120, title="t" * 200, agent="a" * 128, event="e" * 128))
    assert len(messages) <= 10
    assert sum(message.names for message in messages) == 120
    assert max(sum(map(len, texts(message.payload["blocks"]))) for message in messages) < 14_000


@pytest.mark.parametrize("url", ["https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack-gov.com/services/T0/B0/x-_z"])
def test_an_incoming_webhook_is_accepted(url: str) -> None:
    slack.validate(url, {})


@pytest.mark.parametrize(
    "url",
    [
        "", "http://hooks.slack.com/services/T/B/x", "https://hooks.slack.com.evil.example/services/T/B/x", "https://evil.example/services/T/B/x",
        "https://hooks.slack.com@evil.example/services/x", "https://u:p@hooks.slack.com/services/x", "https://hooks.slack.com:444/services/x",
        "https://hooks.slack.com/workflows/T/B/x", "https://hooks.slack.com/triggers/T/1/x", "https://hooks.slack.com/services/", "https://hooks.slack.com/",
        "https://hooks.slack.com/services/../triggers/x", "https://hooks.slack.com/services/x?y=1", "https://hooks.slack.com/services/x\r\nHost: evil",
        "https://HOOKS.slack.com/services/x#f", "http://127.0.0.1:3000/_slack/a", "http://localhost/services/x", "//hooks.slack.com/services/x",
    ],
)  # fmt: skip
def test_any_other_url_is_refused_by_name_of_the_field(url: str) -> None:
    with pytest.raises(ValueError, match=r"^url: "):
        slack.validate(url, {})


def test_a_masked_url_shows_no_path() -> None:
    assert slack.mask("https://hooks.slack.com/services/T0/B0/xyz", {}) == "https://hooks.slack.com/…"


def _objects(found: Any) -> list[dict[str, Any]]:
    if isinstance(found, dict):
        return [found, *(each for value in found.values() for each in _objects(value))]
    return [each for value in found for each in _objects(value)] if isinstance(found, list) else []
