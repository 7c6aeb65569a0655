"""What a mute held, a receiver was down for, or a destination made later is told: as it is by then, in the whole product."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from nightjar.core.alerts import alert_from_dict
from nightjar.core.delivery import tray_of
from nightjar.core.instants import MINUTE, SECOND, iso, parse_instant

from tests.builders import at
from tests.desk import Desk, alert, slack, transition
from tests.world import World, world

URL = "https://hooks.slack.com/services/T/B/x"
AGENT, EVENT = "worker.billing", "job.retries"
NEW = {"title": "Retries, renamed", "severity": "critical", "runbook_url": "https://run.example/new"}
HOUR_OF_14 = "on 3 Mar, 14:00\N{EN DASH}15:00 UTC"


@pytest.fixture
def on_moto() -> Iterator[World]:
    with world() as made:
        made.tick(made.now)
        yield made


def destination(on: World, **given: Any) -> Any:
    return on.made("POST", "/v1.0/destinations", {"channel": "slack", "url": URL, **given})


def policy(on: World, **given: Any) -> str:
    body = {"agent": AGENT, "event": EVENT, "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 20, "title": "Retries", **given}
    return str(on.made("POST", "/v1.0/policies", body)["policy_id"])


def burst(on: World, time: str, event: str = EVENT, count: int = 27) -> None:
    """Logs of one moment that open an alert, routed at once."""
    tick(on, time)
    on.send([{"agent": AGENT, "event": event, "value": 1, "occurred_at": iso(on.now + n * SECOND)} for n in range(count)])
    on.now += MINUTE
    on.roll_up()
    on.notify()


def tick(on: World, time: str) -> None:
    on.now = parse_instant(time if "T" in time else f"2026-03-03T{time}:00Z")
    on.tick(on.now)
    on.notify()


def said(on: World) -> list[str]:
    return [json.loads(post.body)["text"] for post in on.receivers.posts]


def test_what_a_mute_held_is_told_as_the_open_alert_is_when_it_ends(on_moto: World) -> None:
    destination(on_moto, mute_until="2026-03-03T15:40:00Z")
    policy_id = policy(on_moto)
    burst(on_moto, "14:02")
    on_moto.made("PUT", f"/v1.0/policies/{policy_id}", NEW)
    tick(on_moto, "15:41")
    assert said(on_moto) == [f"🔴 Critical: Retries, renamed (worker.billing · job.retries): 27 {HOUR_OF_14}, limit 20"]
    assert "https://run.example/new" in on_moto.receivers.posts[0].body.decode()


def test_a_mute_that_ends_within_the_hour_still_says_so_far_with_the_value_of_now(on_moto: World) -> None:
    destination(on_moto, mute_until="2026-03-03T14:20:00Z")
    policy(on_moto)
    burst(on_moto, "14:02")
    burst(on_moto, "14:10")
    tick(on_moto, "14:21")
    assert said(on_moto) == ["🟡 Warning: Retries (worker.billing · job.retries): 54 so far this hour, limit 20"]


def test_a_destination_made_later_hears_of_the_open_alert_as_it_is_then(on_moto: World) -> None:
    policy_id = policy(on_moto)
    burst(on_moto, "14:02")
    on_moto.made("PUT", f"/v1.0/policies/{policy_id}", NEW)
    tick(on_moto, "15:40")
    destination(on_moto)
    tick(on_moto, "15:41")
    assert said(on_moto) == [f"🔴 Critical: Retries, renamed (worker.billing · job.retries): 27 {HOUR_OF_14}, limit 20"]


def test_a_tray_that_was_stuck_is_told_in_the_words_of_when_it_is_told() -> None:
    desk = Desk()
    desk.add(slack())
    desk.receivers.scripts[slack().url] = [503, 200]
    opened = [alert(name, period="hour", opened="14:00", last_end=at("15:00"), early=True, title=name) for name in ("p1", "p2")]
    desk.route(*map(transition, opened))
    desk.deliver_all()
    desk.write(transition(replace(opened[0], title="p1, renamed", severity="critical"), "acknowledged", 2))
    desk.now = at("16:23")
    desk.deliver(tray_of(slack()))
    digest = desk.receivers.bodies()[-1]["text"]
    assert digest == f"2 alerts: 🔴 Critical: p1, renamed (25 {HOUR_OF_14}, limit 20); 🟡 Warning: p2 (25 {HOUR_OF_14}, limit 20)"


def test_what_was_given_up_and_is_sent_again_names_its_hour_and_when_it_ended(on_moto: World) -> None:
    destination_id = destination(on_moto)["destination_id"]
    policy_id = policy(on_moto)
    on_moto.receivers.scripts[URL] = [404, 200]
    burst(on_moto, "14:02")
    on_moto.made("PUT", f"/v1.0/policies/{policy_id}", NEW)
    tick(on_moto, "16:01")
    tick(on_moto, "17:59")
    del on_moto.receivers.posts[:]
    on_moto.now = parse_instant("2026-03-03T18:00:00Z")
    on_moto.made("POST", f"/v1.0/destinations/{destination_id}/resend", {})
    on_moto.notify()
    over = f"27 {HOUR_OF_14}, limit 20; recovered after 1 h 58 min (3 Mar, 16:01 UTC)"
    assert said(on_moto) == [f"✅ Over: Retries, renamed (worker.billing · job.retries): {over}"]


def test_what_is_told_at_once_reads_no_alert(on_moto: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr("nightjar.pipeline.telling.get_alerts", lambda _, ids: read.extend(ids) or {})
    destination(on_moto)
    policy(on_moto)
    burst(on_moto, "14:02")
    assert (said(on_moto), read) == (["🟡 Warning: Retries (worker.billing · job.retries): 27 so far this hour, limit 20"], [])


def test_an_alert_that_cannot_be_read_again_is_told_as_it_was(on_moto: World, monkeypatch: pytest.MonkeyPatch) -> None:
    destination(on_moto, mute_until="2026-03-03T15:40:00Z")
    policy(on_moto)
    burst(on_moto, "14:02")
    monkeypatch.setattr("nightjar.pipeline.telling.get_alerts", lambda *_: alert_from_dict({}))
    tick(on_moto, "15:41")
    assert said(on_moto) == [f"🟡 Warning: Retries (worker.billing · job.retries): 27 {HOUR_OF_14}, limit 20"]
