"""Where a secret must never be: after a day with every kind of channel and receiver, all that left the config table is searched.

The config table is the one place for secrets of destinations, and knows keys by their SHA-256 only.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from nightjar.channels.base import said
from nightjar.channels.transport import Answer, Unreachable
from nightjar.core.instants import MINUTE
from nightjar.observability import logger
from nightjar.storage.keys import create_key

from tests.world import KEY, World, world

SECRETS = {
    "slack": "xoxSLACKsecret", "discord": "DISCORDsecretTOKEN", "bot": "777:TELEGRAMsecret", "hook": "HOOKPATHsecret", "query": "QUERYsecret",
    "authorization": "AUTHORIZATIONsecret", "signing": "SIGNINGsecret", "echo": "xoxECHOsecret", "gone": "xoxGONEsecret", "new": "xoxROTATEDsecret",
}  # fmt: skip
DESTINATIONS: tuple[dict[str, Any], ...] = (
    {"channel": "slack", "url": f"https://hooks.slack.com/services/T0/B0/{SECRETS['slack']}"},
    {"channel": "slack", "url": f"https://hooks.slack.com/services/T0/B0/{SECRETS['echo']}"},
    {"channel": "slack", "url": f"https://hooks.slack.com/services/T0/B0/{SECRETS['gone']}"},
    {"channel": "discord", "url": f"https://discord.com/api/webhooks/123456789012345678/{SECRETS['discord']}"},
    {"channel": "telegram", "credentials": {"bot_token": SECRETS["bot"], "chat_id": "-100"}},
    {
        "channel": "webhook",
        "url": f"https://hooks.example.com/{SECRETS['hook']}?token={SECRETS['query']}",
        "credentials": {"authorization": f"Bearer {SECRETS['authorization']}", "secret": SECRETS["signing"]},
    },
)


class Searched:
    """A world all of whose words are kept."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.said: list[tuple[str, str]] = []

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.world(method, path, body)
        self.said.append((f"{method} {path}", f"{answer.headers} {answer.body}"))
        return answer

    def note(self, where: str, what: Any) -> None:
        self.said.append((where, what if isinstance(what, str) else json.dumps(what, default=str)))

    def note_tables(self) -> None:
        """Every row of every table but one, and what the streams said."""
        for name, table in self.world.cloud.stack.tables.items():
            if name != "ConfigTable":
                pages = self.world.store.db.get_paginator("scan").paginate(TableName=table.name)
                self.note(name, [item for page in pages for item in page["Items"]])
            if table.definition.get("StreamSpecification"):
                self.note(f"stream of {name}", self.world.cloud.moto.records(table, "", 1_000_000))


@pytest.fixture
def searched(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Searched]:
    with world() as made:
        found = Searched(made)
        real = World._bells

        def bells(self: World) -> Any:
            records = real(self)
            found.note("SQS", records)
            return records

        monkeypatch.setattr(World, "_bells", bells)
        monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
        level = logger().log_level
        logger().setLevel("DEBUG")
        with caplog.at_level(logging.DEBUG, "nightjar"), caplog.at_level(logging.INFO):
            yield found
        logger().setLevel(level)


def receive(made: World, echoed: str) -> None:
    """Have receivers answer in every way there is; one sends back what it was asked for, as a proxy's error page does."""
    urls = [given.get("url", f"https://api.telegram.org/bot{SECRETS['bot']}/sendMessage") for given in DESTINATIONS]
    slack, echo, gone, discord, telegram, hook = urls
    made.receivers.scripts = {
        slack: [Unreachable, 200],
        echo: [(500, f"cannot POST {echoed}"), (404, f"no such hook {echoed}")],
        gone: [410],
        discord: [Answer(429, {"retry-after": "1"}, b"{}"), 500, 204],
        telegram: [(401, {"ok": False, "description": "Unauthorized"})],
        hook: [(403, f"<html>{SECRETS['authorization']} {SECRETS['query']}</html>"), Unreachable, 200],
    }


def alarm(made: Searched, title: str) -> None:
    """Have an alert open, be told, acknowledged and resolved."""
    policy = {"agent": "a", "event": title, "title": title, "period": "minute", "aggregate": "count", "condition": "gt", "threshold": 1, "renotify_minutes": 5}
    policy_id = made("POST", "/v1.0/policies", policy).body["policy_id"]
    made.world.send([{"agent": "a", "event": title, "value": 1}] * 3)
    made.world.roll_up()
    for _ in range(8):
        made.world.notify()
        made.world.now += MINUTE
        made.world.tick(made.world.now)
    for alert in made("GET", "/v1.0/alerts").body:
        if alert["policy_id"] == policy_id:
            for action in ("acknowledge", "resolve", "resolve", "archive"):
                made("POST", f"/v1.0/alerts/{alert['alert_id']}/{action}")
            made.world.notify()
            made("GET", f"/v1.0/alerts/{alert['alert_id']}/deliveries?kind=all")


def test_no_secret_is_anywhere_but_in_the_config_table(
    searched: Searched, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    made = searched.world
    receive(made, DESTINATIONS[1]["url"])
    ids = [searched("POST", "/v1.0/destinations", given).body["destination_id"] for given in DESTINATIONS]
    text, _ = create_key(made.store, scope="ingest", now=made.now, name="ci")
    alarm(searched, "first")
    for destination_id in ids:
        tested = searched("POST", f"/v1.0/destinations/{destination_id}/test").body
        searched("GET", f"/v1.0/alerts/{tested['alert_id']}/deliveries?kind=test")
        searched("GET", f"/v1.0/destinations/{destination_id}")
    searched("PUT", f"/v1.0/destinations/{ids[0]}", {"url": f"https://hooks.slack.com/services/T0/B0/{SECRETS['new']}"})
    searched("PUT", f"/v1.0/destinations/{ids[0]}", {"url": f"http://hooks.slack.com/services/T0/B0/{SECRETS['new']}"})
    searched("POST", "/v1.0/destinations", {"channel": "slack", "url": f"https://evil.example/services/{SECRETS['slack']}"})
    searched("POST", "/v1.0/destinations", {"channel": "telegram", "credentials": {"bot_token": SECRETS["bot"] + " ", "chat_id": ["x"]}})
    searched("POST", "/v1.0/destinations", {"channel": "webhook", "url": f"https://a:{SECRETS['hook']}@hooks.example.com/", "credentials": {"x": "y"}})
    alarm(searched, "second")
    searched("GET", "/v1.0/destinations")
    searched("DELETE", f"/v1.0/destinations/{ids[2]}")
    made.notify()
    searched.note_tables()
    searched.note("printed", "".join(capsys.readouterr()))
    for record in caplog.records:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info and record.exc_info[0] else ""
        searched.note(f"log of {record.module}", f"{vars(record)} {trace}")
    posts = " ".join(f"{request.url} {request.headers}" for request in made.receivers.posts)
    assert all(secret in posts for name, secret in SECRETS.items() if name != "signing"), "all were used"
    assert {where.partition(" ")[0] for where, _ in searched.said} >= {"SQS", "DeliveriesTable", "AlertsTable", "stream", "printed", "log", "POST", "PUT"}
    leaks = [(where, name, what[max(0, what.find(secret) - 200) : what.find(secret) + 60]) for where, what in searched.said for name, secret in
             {**SECRETS, "key": text, "admin key": KEY}.items() if secret in what]  # fmt: skip
    assert leaks == []


@pytest.mark.parametrize(
    "repeated",
    [
        "https://h.example/x/abcdefgh1234?k=ijklmnop5678", "/x/abcdefgh1234?k=ijklmnop5678", "no route x/abcdefgh1234", "k=ijklmnop5678",
        "bad token ijklmnop5678", "zyxwvuts9876",
    ],
)  # fmt: skip
def test_what_a_receiver_repeats_of_a_secret_is_cut_out_of_its_words(repeated: str) -> None:
    words = said(f"<p>{repeated}</p>".encode(), ["https://h.example/x/abcdefgh1234?k=ijklmnop5678", "Bearer zyxwvuts9876"])
    assert "…" in words
    assert not any(token in words for token in ("abcdefgh", "ijklmnop", "zyxwvuts"))


def test_the_other_words_of_a_receiver_stay() -> None:
    assert said(b"invalid_payload: no services", ["https://hooks.slack.com/services/T0/B0/abcdefgh1234"]) == "invalid_payload: no services"
