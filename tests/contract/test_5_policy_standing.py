"""API.md, Policies: "A policy's answer carries, computed when read, `state`, `last_value`, `last_period`, `next_judged_at`"."""

from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, iso
from nightjar.pipeline import standing
from nightjar.storage.clock import begin_tick

from tests.contract.world import NOW, Api, alarmed, logged, policy

SHOWN = ("state", "last_value", "last_reason", "last_period", "next_judged_at")


def shown(body: dict[str, Any]) -> tuple[Any, ...]:
    """Return what is computed, periods by their starts."""
    period = body["last_period"]
    return (*(body[name] for name in SHOWN[:3]), period and period["start"], body["next_judged_at"])


def test_a_policy_says_what_its_last_hour_came_to(api: Api) -> None:
    begin_tick(api.store, NOW)
    made = api.made("/v1.0/policies", policy(active_from=iso(NOW - DAY), aggregate="sum"))
    logged(api, made["event_id"], "2026-03-03T13:10:00Z", "0.1", "0.2")
    body = api.get(f"/v1.0/policies/{made['policy_id']}").body
    assert str(body["last_value"]) == "0.3"
    assert shown(body)[0::2] == ("ok", "condition_does_not_hold", "2026-03-03T15:01:00Z")
    assert body["last_period"] == {"start": "2026-03-03T13:00:00Z", "end": "2026-03-03T14:00:00Z"}


def test_a_new_policy_is_pending_until_a_period_that_counts_was_judged(api: Api) -> None:
    begin_tick(api.store, NOW)
    made = api.made("/v1.0/policies", policy(condition="lt"))
    assert shown(made) == ("pending", None, "before_active_from", None, "2026-03-03T16:01:00Z")
    begin_tick(api.store, NOW + 2 * HOUR)
    assert shown(api.get(f"/v1.0/policies/{made['policy_id']}").body) == ("ok", 0, "condition_holds", "2026-03-03T15:00:00Z", "2026-03-03T17:01:00Z")


def test_an_open_alert_shows_in_its_policy_until_it_is_resolved(api: Api) -> None:
    made = alarmed(api)
    path = f"/v1.0/policies/{made['policy_id']}"
    assert shown(api.get(path).body) == ("triggered", 21, "condition_holds", "2026-03-03T14:00:00Z", "2026-03-03T15:01:00Z")
    (alert,) = api.get("/v1.0/alerts").body
    api.post(f"/v1.0/alerts/{alert['alert_id']}/acknowledge")
    assert api.get(path).body["state"] == "acknowledged"
    api.post(f"/v1.0/alerts/{alert['alert_id']}/resolve")
    assert shown(api.get(path).body)[:3] == ("ok", 21, "condition_holds")


def test_a_disabled_policy_stands_still(api: Api) -> None:
    made = alarmed(api)
    body = api.put(f"/v1.0/policies/{made['policy_id']}", {"enabled": False}).body
    assert shown(body) == ("disabled", None, None, None, None)
    assert shown(api.get("/v1.0/policies").body[0]) == ("disabled", None, None, None, None)


def test_what_is_computed_is_not_taken_from_a_request(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(state="triggered", last_value=5))
    assert shown(made) == ("pending", None, "no_tick_yet", None, None)
    assert api.put(f"/v1.0/policies/{made['policy_id']}", {"state": "ok", "last_reason": "x"}).status == 200


def test_a_list_reads_all_buckets_together(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_tick(api.store, NOW)
    for place in range(12):
        made = api.made("/v1.0/policies", policy(event=f"e{place}", active_from=iso(NOW - DAY), compare={"previous": "previous_1d"} if place % 2 else None))
        logged(api, made["event_id"], "2026-03-03T13:10:00Z", *[1] * place)
    calls: list[str] = []
    client = api.store.db
    monkeypatch.setattr(client, "batch_get_item", lambda _original=client.batch_get_item, **given: (calls.append("batch"), _original(**given))[1])
    body = api.get("/v1.0/policies").body
    assert [found["last_value"] for found in body] == list(range(11, -1, -1))
    assert calls == ["batch", "batch"], "states, and buckets"


def test_a_list_that_asks_for_too_much_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_tick(api.store, NOW)
    for event, period, enabled in (("a", "hour", True), ("b", "day", True), ("c", "hour", False), ("d", "hour", True)):
        api.made("/v1.0/policies", policy(event=event, period=period, active_from=iso(NOW - 2 * DAY), enabled=enabled))
    monkeypatch.setattr(standing, "MOST_BUCKETS", 10)
    assert [found["state"] for found in api.get("/v1.0/policies").body] == ["ok", "disabled", "unknown", "ok"]


def test_a_policy_is_not_created_twice_because_its_buckets_could_not_be_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("nightjar.api.policies.standings", fail)
    assert api.made("/v1.0/policies", policy())["state"] == "unknown"
