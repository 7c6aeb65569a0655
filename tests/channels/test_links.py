"""A link is whole or not there: half a link leads nowhere."""

from types import SimpleNamespace
from typing import Any

import pytest
from nightjar.channels import discord, email, slack, telegram
from nightjar.core.wording import Notice, notice

from tests.desk import alert, texts, transition

CHANNELS = [discord, email, telegram]


@pytest.fixture(autouse=True)
def mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "settings", lambda: SimpleNamespace(email_from="nightjar@example.org", email_to="ops@example.org"))


def link(length: int) -> str:
    return "https://run.example/".ljust(length, "a")


def shown(channel: Any, count: int, **given: Any) -> str:
    """The text of the messages of some alerts."""
    notices: list[Notice] = [notice([transition(alert(f"p{number}", **given))]) for number in range(count)]
    payloads = [message.payload for message in channel.render(notices)]
    return "\n\n".join(payload["embeds"][0]["description"] if channel is discord else payload["text"] for payload in payloads)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("count", [1, 2, 60])
@pytest.mark.parametrize("length", [30, 300, 600, 700, 880, 1_300, 1_900, 2_000])
@pytest.mark.parametrize(("title", "description"), [("short", ""), ("*" * 200, "d" * 2_000), ("\N{COLLISION SYMBOL}" * 200, "_" * 2_000)])
def test_a_link_is_shown_whole_or_left_out(channel: Any, count: int, length: int, title: str, description: str) -> None:
    text = shown(channel, count, title=title, description=description, runbook_url=link(length))
    found = [line for line in text.split("\n") if "run.example" in line or "Runbook" in line]
    assert found in ([], [f"Runbook: {link(length)}"] * count)


@pytest.mark.parametrize("channel", [discord, telegram])
@pytest.mark.parametrize("length", [30, 300, 580])
def test_words_are_cut_to_keep_a_link_that_leaves_them_room(channel: Any, length: int) -> None:
    text = shown(channel, 2, title="*" * 200, event="e" * 128, agent="\N{COLLISION SYMBOL}" * 128, runbook_url=link(length))
    assert text.count(f"\nRunbook: {link(length)}") == 2
    assert max(len(line) if channel is discord else len(line.encode("utf-16-le")) // 2 for line in text.split("\n\n")) <= 900


@pytest.mark.parametrize("channel", [discord, telegram])
def test_a_link_that_leaves_words_no_room_is_left_out(channel: Any) -> None:
    text = shown(channel, 2, title="Too many retries in billing", runbook_url=link(880))
    assert "Runbook" not in text
    assert text.count("limit 20") == 2


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("length", [300, 2_000])
def test_the_longest_alert_of_a_message_of_its_own_keeps_its_link(channel: Any, length: int) -> None:
    assert f"\nRunbook: {link(length)}" in shown(channel, 1, title="*" * 200, description="_" * 2_000, runbook_url=link(length))


API = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod"


@pytest.mark.parametrize("channel", [*CHANNELS, slack])
@pytest.mark.parametrize("count", [1, 2, 60])
def test_each_alert_is_linked_to_its_own_page_of_the_api_once(channel: Any, count: int) -> None:
    made = [alert(f"p{number}", runbook_url=link(100)) for number in range(count)]
    messages = channel.render([notice([transition(each)], api_url=API) for each in made])
    text = "\n".join(words for message in messages for words in texts(message.payload))
    assert [text.count(f"{API}/v1.0/alerts/{each.alert_id}") for each in made] == [1] * count
    assert text.count(link(100)) == count


@pytest.mark.parametrize("channel", [*CHANNELS, slack])
def test_an_alert_is_named_where_nobody_knows_the_api(channel: Any) -> None:
    (message,) = channel.render([notice([transition(alert())])])
    assert any(alert().alert_id in words.replace("\\", "") for words in texts(message.payload))


@pytest.mark.parametrize("channel", [discord, telegram])
def test_a_runbook_that_leaves_no_room_leaves_it_to_the_alert(channel: Any) -> None:
    messages = channel.render([notice([transition(alert(name, runbook_url=link(880)))], api_url=API) for name in ("p1", "p2")])
    text = "\n".join(words for message in messages for words in texts(message.payload))
    assert ("run.example" in text, text.count(f"Alert: {API}")) == (False, 2)


def test_slack_shows_both_links_by_name() -> None:
    (message,) = slack.render([notice([transition(alert(runbook_url="https://run.example"))], api_url=API)])
    (section,) = message.payload["blocks"][-1]["elements"]
    assert [element["text"] for element in section["elements"]] == ["Runbook", " · ", "Alert"]
