"""The message cases of cases.json: what reaches a Slack channel, in which words, within which limits."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.aggregates import measure
from nightjar.core.rollups import Bucket

from tests.cases.script import load_cases
from tests.channels.test_slack import check_limits
from tests.desk import Desk, alert, slack, texts, transition

CASES = load_cases()


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One channel that hears of all."""
    made = Desk()
    made.add(slack())
    return made


def told(desk: Desk, **given: Any) -> dict[str, Any]:
    """Open one alert, and return what reached the channel."""
    opened = alert(f"p{len(desk.receivers.posts)}", **given)
    desk.route(transition(opened))
    desk.deliver_all()
    assert desk.statuses(opened) == ["sent 200"]
    return dict(desk.receivers.bodies()[-1])


def written(text: str) -> str:
    """Read "t * 200" and the like as cases.json means them."""
    words, _, times = text.partition(" * ")
    return words * int(times) if times.isdigit() else text


def test_m01_titles_longer_than_a_slack_header(desk: Desk) -> None:
    case = CASES["m01-header-and-title-length"]
    accepted = [body for body, status in zip(case["given"]["create"], case["expect"]["create_statuses"], strict=True) if status == "ok"]
    for body in accepted:
        title = written(body["title"]).replace('200 characters of "Überlauf 🚨 "', ("Überlauf 🚨 " * 20)[:200])
        found = told(desk, title=title, description=written(body.get("description", "")), agent="a" * 128, event="e" * 128)
        check_limits(found)
        words = texts(found["blocks"])
        assert {f"Event\n{'e' * 128}", f"Agent\n{'a' * 128}", "25 this minute, limit 20"} <= set(words)
        if len(title) > 140:
            assert next(text for text in words if title[:50] in text).endswith("…")


def test_m03_mentions_and_links_in_names(desk: Desk) -> None:
    case = CASES["m03-mentions-and-links-in-names"]
    for name in case["given"]["events"]:
        found = told(desk, event=name, agent=name, title=name, description=name)
        escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert f"Event\n{escaped}" in texts(found["blocks"])
        assert escaped in found["text"]
        assert not found.get("link_names")
        assert not any(bad in text for text in texts(found) for bad in case["expect"]["payload_never_contains"])


@pytest.mark.parametrize(("given", "shown"), CASES["m05-numbers-people-can-read"]["expect"]["in_message"].items())
def test_m05_numbers_people_can_read(desk: Desk, given: str, shown: str) -> None:
    values = {"0.1 + 0.2 (sum)": ["0.1", "0.2"], "average of 1, 1, 2": ["1", "1", "2"]}.get(given, [given])
    bucket = Bucket()
    for value in values:
        bucket.add(Decimal(value), 0)
    aggregate: Any = "average" if given.startswith("average") else "sum"
    found = told(desk, aggregate=aggregate, value=measure(aggregate, bucket), threshold=-5)
    assert any(text.startswith((f"{shown} this minute", f"average {shown} this minute")) for text in texts(found["blocks"]))


def test_m07_120_alerts_at_once() -> None:
    case = CASES["m07-120-alerts-at-once"]
    desk = Desk()
    desk.add(slack())
    opened = [alert(f"p{number}", title=f"{number:03d}" + "t" * 76, threshold=number) for number in range(120)]
    desk.route(*(transition(each) for each in opened[:100]))
    desk.route(*(transition(each) for each in opened[100:]))
    desk.deliver_all()
    bodies = desk.receivers.bodies()
    assert len(bodies) <= 10
    assert len(desk.slept) == len(bodies)
    assert set(desk.slept) == {1.0}
    named = [text for body in bodies for text in texts(body["blocks"])]
    for each in opened:
        assert sum(each.title in text for text in named) == 1
        assert desk.statuses(each) == ["sent 200"]
    for body in bodies:
        assert len(body["blocks"]) <= case["expect"]["per_message"]["blocks_max"]
        check_limits(body)
