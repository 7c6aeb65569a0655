"""A link is whole or not there: half a link leads nowhere."""

from types import SimpleNamespace
from typing import Any

import pytest
from nightjar.channels import discord, email, telegram
from nightjar.core.wording import Notice, notice

from tests.desk import alert, transition

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
