"""The siblings of the message cases: what a Slack message says, and what no channel ever says of any transition."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from nightjar.channels import base, discord, email, slack, telegram, webhook
from nightjar.core.instants import parse_instant
from nightjar.core.wording import Notice, notice

from tests.cases.play import Play
from tests.cases.script import SIBLINGS, load_cases, load_script, spell_out
from tests.channels.test_slack import check_limits
from tests.desk import alert, texts, transition
from tests.world import World, world

CASES = {name: case for name, case in load_cases(SIBLINGS).items() if case["kind"] == "message"}
PLAYED = [name for name, case in CASES.items() if "says" in case["expect"]]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # ids are random: any letters may stand in them
CHANNELS: tuple[Any, ...] = (slack, discord, telegram, webhook, email)


@pytest.fixture
def on_moto() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.mark.parametrize("case_id", PLAYED)
def test_the_words_fit_the_case(case_id: str, on_moto: World) -> None:
    play = Play(on_moto, load_script(CASES[case_id]))
    play.run()
    expect = CASES[case_id]["expect"]
    for instant, wanted in expect["says"].items():
        said = [text for at, body in play.posted if at == parse_instant(instant) for text in texts(body)]
        missing = [words for words in wanted if not any(words in text for text in said)]
        assert missing == [], said
    said = [text for _, body in play.posted for text in texts(body)]
    said += [text for _, told in play.transitions for message in rendered([notice([told])]) for text in texts(message.payload)]
    assert [text for text in said if any(words in UUID.sub("", text) for words in expect["never"])] == []


def rendered(notices: list[Notice]) -> Iterator[base.Message]:
    """What each channel makes of notices."""
    for channel in CHANNELS:
        yield from channel.render(notices)


def named(given: Mapping[str, str], number: int) -> list[Notice]:
    """An opening and the ending of an alert with what somebody typed."""
    of = alert(f"p{number}", **{name: spell_out(text) for name, text in given.items()})
    return [notice([transition(of)]), notice([transition(of), transition(of, "resolved", 2, clock="14:06")])]


def test_m16_hostile_names_on_every_channel() -> None:
    case = CASES["m16-hostile-names-on-every-channel"]
    limits, expect = case["expect"]["limits"], case["expect"]
    pairs = [named(given, number) for number, given in enumerate(case["given"]["notices"])]
    together = [opened for opened, _ in pairs]
    for notices in [*([each] for pair in pairs for each in pair), together, together * 10]:
        for message in slack.render(notices):
            check_limits(dict(message.payload))
            assert not any(bad in text for text in texts(message.payload) for bad in expect["never_in_slack"])
        for message in telegram.render(notices):
            assert len(message.payload["text"].encode("utf-16-le")) // 2 <= limits["telegram"]
            assert not set(expect["never_in_telegram"]) & set(message.payload)
        for message in discord.render(notices):
            (embed,) = message.payload["embeds"]
            assert len(embed["title"]) <= limits["discord_title"]
            assert len(embed["description"]) <= limits["discord_description"]
            assert message.payload["allowed_mentions"]["parse"] == expect["discord_mentions"]
        for message in email.render(notices):
            assert len(message.payload["subject"].splitlines()) == limits["subject_lines"]
        assert all(json.loads(base.as_json(message.payload)) for message in rendered(notices))
        assert sum(message.names for message in rendered(notices)) == len(CHANNELS) * len(notices)


def test_m30_what_telegram_makes_links_of() -> None:
    given, expect = CASES["m30-what-telegram-makes-links-of"]["given"], CASES["m30-what-telegram-makes-links-of"]["expect"]
    for name in (*given["names"], *given["untouched"]):
        (message,) = telegram.render([notice([transition(alert(event="e", agent="", title="t", description=name))])])
        line = message.payload["text"].splitlines()[-1]
        assert line.replace("\N{WORD JOINER}", "") == name
        assert (line == name) == (name in given["untouched"])
        assert not any(re.search(bad, line) for bad in expect["never_in_telegram"]), line
