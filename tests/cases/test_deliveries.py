"""The delivery cases of cases.json: which posts are made, what is recorded, how long a bell waits."""

import json
from typing import Any

import pytest
from nightjar.channels.transport import Answer, Unreachable
from nightjar.core.delivery import tray_of
from nightjar.core.destinations import Destination
from nightjar.core.instants import MINUTE, SECOND
from nightjar.storage import trays

from tests.builders import at
from tests.cases.script import load_cases
from tests.desk import Desk, alert, slack, texts, transition

CASES = load_cases()


def busy(retry_after: str | None) -> Answer:
    return Answer(429, {} if retry_after is None else {"retry-after": retry_after}, b"slow down")


def test_m09_telegram_specifics() -> None:
    given = CASES["m09-telegram-specifics"]["given"]
    desk = Desk()
    desk.add(Destination(destination_id="d1", channel="telegram", credentials=(("bot_token", "123:abc"), ("chat_id", "-100"))))
    desk.receivers.scripts["https://api.telegram.org/bot123:abc/sendMessage"] = [(step["status"], dict(step["body"])) for step in given["receiver"]]
    opened = alert(event=given["event"], title="x" * 200, description="d" * 2_000)
    tray = tray_of(desk.destination("d1"))
    desk.route(transition(opened))
    assert not desk.deliver(tray)
    assert desk.hidden == [3]
    desk.now += 3 * SECOND
    assert desk.deliver(tray)
    assert len(desk.receivers.posts) == 2
    assert desk.statuses(opened) == ["failed 429", "failed 400"]
    assert "supergroup" in desk.destination("d1").last_error
    text = desk.receivers.bodies()[0]["text"]
    assert len(text) <= 4096
    assert given["event"] in text
    assert "123:abc" not in json.dumps([each.error_message for each in desk.attempts(opened)]) + desk.destination("d1").last_error


def test_d02_archived_channel_revoked_webhook() -> None:
    case = CASES["d02-archived-channel-revoked-webhook"]
    desk = Desk()
    desk.add(*(slack(name) for name in ("dead", "gone", "ok")))
    for name, script in case["given"]["receiver"].items():
        desk.receivers.scripts[slack(name).url] = [(step["status"], step["body"]) for step in script]
    alerts = [alert(opened="14:03"), alert(opened="14:13")]
    for place, (each, ended) in enumerate(zip(alerts, ("14:06", "14:16"), strict=True)):
        for told in (transition(each, number=2 * place + 1), transition(each, "resolved", 2 * place + 2, clock=ended)):
            desk.now = told.clock
            desk.route(told)
            desk.deliver_all()
    for name in ("dead", "gone", "ok"):
        assert len(desk.receivers.bodies(slack(name).url)) == case["expect"]["posts"][name]
        assert [status for each in alerts for status in desk.statuses(each, name)] == case["expect"]["deliveries"][name]
    for name, words in case["expect"]["last_error_contains"].items():
        assert words in desk.destination(name).last_error
        assert desk.destination(name).enabled


def _forms() -> list[Any]:
    case = CASES["d04-forms-of-retry-after"]
    return list(zip(case["given"]["retry_after"], case["expect"]["wait_s_at_least"], case["expect"]["wait_s_at_most"], strict=True))


@pytest.mark.parametrize(("form", "least", "most"), _forms())
def test_d04_forms_of_retry_after(form: str | None, least: float, most: float) -> None:
    dates = {
        "HTTP date 20 s ahead": "Tue, 03 Mar 2026 14:03:20 GMT",
        "HTTP date a day ahead": "Wed, 04 Mar 2026 14:03:00 GMT",
        "HTTP date in the past": "Tue, 03 Mar 2026 14:00:00 GMT",
    }
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[slack().url] = [busy(dates.get(form or "", form))]
    desk.route(transition(alert()))
    assert not desk.deliver(tray_of(slack()))
    assert least <= desk.hidden[0] <= most


def test_d04_without_a_header_the_wait_grows_and_the_message_is_never_given_up() -> None:
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[slack().url] = [busy(None)]
    opened = alert()
    desk.route(transition(opened))
    for _ in range(12):
        desk.now += 20 * 60 * MINUTE
        assert not desk.deliver(tray_of(slack()))
    assert desk.hidden == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert [each.status for each in desk.attempts(opened)].count("pending") == 1


def test_d05_accepted_but_answer_lost() -> None:
    case = CASES["d05-accepted-but-answer-lost"]
    desk = Desk()
    there = [slack("d1"), Destination(destination_id="d2", channel="webhook", url="https://hooks.example/x")]
    desk.add(*there)
    opened = alert()
    desk.route(transition(opened))
    for destination in there:
        desk.receivers.scripts[destination.url] = [Unreachable, (500, ""), 200]
        done = []
        for _ in range(4):
            desk.now += MINUTE
            done.append(desk.deliver(tray_of(destination)))
        assert done == [False, False, True, True]
        assert len(desk.receivers.bodies(destination.url)) == case["expect"]["posts"][destination.destination_id]
        assert desk.statuses(opened, destination.destination_id) == case["expect"]["deliveries"][destination.destination_id]
    assert desk.hidden == [2, 4, 2, 4]
    assert len({body["delivery_id"] for body in desk.receivers.bodies("https://hooks.example/x")}) == 1


@pytest.mark.parametrize("url", [slack("new").url, slack("old").url])
def test_d07_recovery_without_opening(url: str) -> None:
    desk = Desk()
    desk.add(slack("old", scope="policies", policy_ids=("p1",)))
    opened = alert()
    desk.route(transition(opened))
    desk.deliver_all()
    desk.add(slack("new", scope="policies", policy_ids=("p1",), url=url))
    desk.now = at("14:06")
    desk.route(transition(opened, "resolved", 2, clock="14:06"))
    desk.deliver_all()
    assert desk.statuses(opened, "old") == ["sent 200", "sent 200"]
    assert desk.statuses(opened, "new") == []
    assert len(desk.receivers.posts) == 2
    assert any("recovered after 3 min" in text for text in texts(desk.receivers.bodies()[1]))


def test_d09_one_webhook_fails_bells_come_again() -> None:
    case = CASES["d09-one-webhook-fails-bells-come-again"]
    desk = Desk()
    both = [slack("A", scope="policies", policy_ids=("p1", "p3")), slack("B", scope="policies", policy_ids=("p2",))]
    desk.add(*both)
    desk.receivers.scripts[both[0].url] = [(500, "oops"), 200]
    first, second, third = (alert(name, title=f"opening {name}") for name in ("p1", "p2", "p3"))
    desk.route(transition(first), transition(second))
    assert not desk.deliver(tray_of(both[0]))
    assert desk.deliver(tray_of(both[1]))
    desk.route(transition(third))
    desk.now += 10 * SECOND
    assert desk.deliver(tray_of(both[0]))
    posts = len(desk.receivers.posts)
    assert desk.deliver(tray_of(both[0]))
    assert len(desk.receivers.posts) == posts == 3
    assert {name for name in ("p1", "p3") if any(f"opening {name}" in text for text in texts(desk.receivers.bodies()[2]["blocks"]))} == {"p1", "p3"}
    found = {f"opening_{place}": desk.statuses(each) for place, each in enumerate((first, second, third), 1)}
    assert found == case["expect"]["deliveries"]
    assert [row for each in both for row in trays.read_tray(desk.store, tray_of(each), 10)] == []
    assert trays.waiting_since(desk.store, desk.now) == []
