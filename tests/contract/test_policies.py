"""API.md, Policies."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.instants import DAY
from nightjar.storage import destinations, policies

from tests.contract.world import NOBODY, NOW, Api, policy, slack


def test_a_policy_gets_the_defaults_of_the_contract(api: Api) -> None:
    made = api.made("/v1.0/policies", policy())
    event = api.get(f"/v1.0/events/{made['event_id']}").body
    assert made == {
        "policy_id": made["policy_id"], "event_id": event["event_id"], "agent": "worker.billing", "event": "job.run", "title": "", "description": "",
        "channel": "default", "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 20, "severity": "warning", "enabled": True,
        "missing": "zero", "window": "calendar", "window_minutes": None, "evaluation_periods": 1, "datapoints_to_alarm": 1, "compare": None,
        "recovery_periods": 1, "recovery_threshold": None, "min_count": 0, "early": True, "delay_seconds": 60, "active_from": "2026-03-03T14:30:00Z",
        "active_hours": None, "mute_until": None, "renotify_minutes": None, "auto_resolve": True, "runbook_url": "",
        "created_at": "2026-03-03T14:30:00Z", "updated_at": "2026-03-03T14:30:00Z",
        "state": "pending", "last_value": None, "last_period": None, "last_reason": "no_tick_yet", "next_judged_at": None, "warnings": [],
    }  # fmt: skip
    assert api.get(f"/v1.0/policies/{made['policy_id']}").body == made


@pytest.mark.parametrize(("aggregate", "missing"), [("sum", "zero"), ("count", "zero"), ("max", "ignore"), ("p95_est", "ignore"), ("stddev", "ignore")])
def test_what_missing_means_depends_on_the_aggregate(api: Api, aggregate: str, missing: str) -> None:
    assert api.made("/v1.0/policies", policy(aggregate=aggregate))["missing"] == missing


@pytest.mark.parametrize(
    "fields",
    [
        {"window": "rolling", "window_minutes": 2}, {"window": "rolling", "window_minutes": 120}, {"window": "rolling", "window_minutes": 180},
        {"window": "rolling", "period": "day", "window_minutes": 1440}, {"evaluation_periods": 100, "datapoints_to_alarm": 100},
        {"recovery_threshold": 20}, {"condition": "lt", "recovery_threshold": 25}, {"min_count": 5}, {"delay_seconds": 0}, {"delay_seconds": 3600},
        {"renotify_minutes": 5}, {"renotify_minutes": 10080}, {"runbook_url": "https://wiki.example/run?a=b#c"}, {"condition": "ne"},
        {"aggregate": "p50_est"}, {"compare": {"previous": "previous_1m"}}, {"threshold": -0.5}, {"active_from": "2026-02-02T00:00:00Z"},
        {"severity": "critical"}, {"auto_resolve": False}, {"early": False}, {"title": "t" * 200}, {"enabled": False}, {"missing": "breach"},
    ],
)  # fmt: skip
def test_every_field_is_kept_as_it_was_sent(api: Api, fields: dict[str, Any]) -> None:
    made = api.made("/v1.0/policies", policy(**fields))
    listed = api.get("/v1.0/policies").body[0]
    for name, value in fields.items():
        assert made[name] == (Decimal(str(value)) if isinstance(value, float) else value)
    assert listed == made


@pytest.mark.parametrize(("period", "minutes"), [("hour", 60), ("day", 1440)])
def test_a_rolling_window_is_an_hour_or_a_day_by_default(api: Api, period: str, minutes: int) -> None:
    assert api.made("/v1.0/policies", policy(window="rolling", period=period))["window_minutes"] == minutes


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"period": None}, "period: is required"),
        ({"period": "week"}, "period: must be minute, hour or day"),
        ({"aggregate": "median"}, "aggregate: must be"),
        ({"condition": ">"}, "condition: must be gt, gte"),
        ({"threshold": "5"}, "threshold: must be a finite number"),
        ({"threshold": True}, "threshold: must be a finite number"),
        ({"threshold": float("nan")}, "threshold: must be a finite number"),
        ({"threshold": float("inf")}, "threshold: must be a finite number"),
        ({"threshold": 10**60}, "threshold: must be below 1e60"),
        ({"severity": "fatal"}, "severity: must be info, warning, error or critical"),
        ({"enabled": "true"}, "enabled: must be true or false"),
        ({"enabled": 1}, "enabled: must be true or false"),
        ({"missing": "none"}, "missing: must be zero, ignore or breach"),
        ({"title": "x" * 201}, "title: must be at most 200"),
        ({"description": "x" * 2001}, "description: must be at most 2000"),
        ({"title": "a\x00b"}, "title: must not hold control"),
        ({"channel": "x" * 201}, "channel: must be at most 200"),
        ({"window": "sliding"}, "window: must be calendar or rolling"),
        ({"window": "rolling", "period": "minute"}, "window: rolling needs period hour or day"),
        ({"window": "rolling", "window_minutes": 1}, "window_minutes: must be at least 2"),
        ({"window": "rolling", "window_minutes": 121}, "window_minutes: must be 2 to 120, or whole hours"),
        ({"window": "rolling", "window_minutes": 1500}, "window_minutes: must be at most 1440"),
        ({"window": "rolling", "window_minutes": 2.5}, "window_minutes: must be a whole number"),
        ({"delay_seconds": 1e-40}, "delay_seconds: must be a whole number"),
        ({"window_minutes": 60}, "window_minutes: needs window rolling"),
        ({"window": "rolling", "evaluation_periods": 2}, "evaluation_periods: must be 1 with window rolling"),
        ({"evaluation_periods": 101}, "evaluation_periods: must be at most 100"),
        ({"evaluation_periods": 0}, "evaluation_periods: must be at least 1"),
        ({"evaluation_periods": 2, "datapoints_to_alarm": 3}, "datapoints_to_alarm: must be at most evaluation_periods"),
        ({"compare": {"previous": "previous_2d"}}, "compare.previous: must be previous_window"),
        ({"compare": "previous_1d"}, "compare: must be a JSON object"),
        ({"compare": {}}, "compare.previous: is required"),
        ({"recovery_periods": 0}, "recovery_periods: must be at least 1"),
        ({"recovery_threshold": 21}, "recovery_threshold: must be at most the threshold"),
        ({"condition": "lte", "recovery_threshold": 19}, "recovery_threshold: must be at least the threshold"),
        ({"condition": "eq", "recovery_threshold": 19}, "recovery_threshold: needs condition gt, gte, lt or lte"),
        ({"min_count": -1}, "min_count: must be at least 0"),
        ({"delay_seconds": 3601}, "delay_seconds: must be at most 3600"),
        ({"active_from": "2026-01-01T00:00:00Z"}, "active_from: must be at most 30 days back"),
        ({"active_from": "2026-03-03"}, "active_from: must be an instant like"),
        ({"active_from": 1772548200}, "active_from: must be an instant like"),
        ({"renotify_minutes": 4}, "renotify_minutes: must be at least 5"),
        ({"renotify_minutes": 10081}, "renotify_minutes: must be at most 10080"),
        ({"runbook_url": "javascript:alert(1)"}, "runbook_url: must be an http or https link"),
        ({"runbook_url": "https://" + "x" * 2000}, "runbook_url: must be at most 2000"),
        ({"runbook_url": "https://[x"}, "runbook_url: must be an http or https link"),
        ({"event": None}, "event: is required with agent"),
        ({"event": None, "agent": None}, "event_id: is required, or agent and event"),
        ({"event_id": "evt_123", "event": None, "agent": None}, "event_id: must be a UUID"),
    ],
)
def test_a_message_names_the_field_and_what_is_wrong_with_it(api: Api, fields: dict[str, Any], message: str) -> None:
    answer = api.post("/v1.0/policies", policy(**fields))
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert message in answer.message
    assert (api.get("/v1.0/policies").body, api.get("/v1.0/events").body) == ([], [])


def test_days_with_minutes_at_their_edges_cannot_reach_beyond_the_life_of_minutes(api: Api) -> None:
    event = api.made("/v1.0/events", {"event": "job.run", "timezone": "Asia/Kolkata"})
    body = policy(agent=None, event=None, event_id=event["event_id"], period="day", compare={"previous": "previous_1m"}, evaluation_periods=10)
    answer = api.post("/v1.0/policies", body)
    assert (answer.status, answer.message[:29]) == (400, "compare: no rollups are kept ")
    assert api.post("/v1.0/policies", {**body, "evaluation_periods": 1}).status == 201


def test_an_unknown_event_is_unprocessable(api: Api) -> None:
    answer = api.post("/v1.0/policies", policy(agent=None, event=None, event_id=NOBODY))
    assert (answer.status, answer.code) == (422, "UNPROCESSABLE")


def test_agent_and_event_make_the_event_once(api: Api) -> None:
    one, two = (api.made("/v1.0/policies", policy()) for _ in range(2))
    assert one["event_id"] == two["event_id"]
    assert one["policy_id"] < two["policy_id"]
    assert len(api.get("/v1.0/events").body) == 1


def test_put_changes_what_it_names_and_keeps_the_rest(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(title="Runs", compare={"previous": "previous_7d"}, min_count=5, recovery_threshold=10))
    api.now += DAY
    changed = api.put(f"/v1.0/policies/{made['policy_id']}", {"title": "Updated", "severity": None}).body
    assert changed == {**made, "title": "Updated", "updated_at": "2026-03-04T14:30:00Z"}


def test_what_was_answered_can_be_put_back(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(window="rolling", compare={"previous": "previous_1d"}, min_count=3))
    assert api.put(f"/v1.0/policies/{made['policy_id']}", made).body == made


def test_an_empty_text_takes_an_optional_setting_away(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(compare={"previous": "previous_1d"}, min_count=3, recovery_threshold=1, renotify_minutes=30))
    changed = api.put(f"/v1.0/policies/{made['policy_id']}", {"compare": "", "recovery_threshold": "", "renotify_minutes": ""}).body
    assert (changed["compare"], changed["recovery_threshold"], changed["renotify_minutes"], changed["min_count"]) == (None, None, None, 3)


def test_back_to_calendar_needs_no_word_on_the_rolling_windows_length(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(window="rolling", window_minutes=30))
    assert api.put(f"/v1.0/policies/{made['policy_id']}", {"window": "calendar"}).body["window_minutes"] is None


def test_rules_across_fields_hold_for_what_a_put_leaves(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(recovery_threshold=20))
    answer = api.put(f"/v1.0/policies/{made['policy_id']}", {"threshold": 10})
    assert (answer.status, answer.message) == (400, "recovery_threshold: must be at most the threshold with gt and gte")


@pytest.mark.parametrize(
    ("change", "revision"),
    [({"title": "x"}, 1), ({"severity": "error"}, 1), ({"threshold": 20.0}, 1), ({"threshold": 21}, 2), ({"period": "day"}, 2)],
)
def test_only_a_changed_measurement_starts_a_revision(api: Api, change: dict[str, Any], revision: int) -> None:
    made = api.made("/v1.0/policies", policy())
    api.put(f"/v1.0/policies/{made['policy_id']}", change)
    found = policies.get(api.store, made["policy_id"])
    assert found
    assert found.revision == revision


def test_a_policy_may_move_to_another_event(api: Api) -> None:
    made = api.made("/v1.0/policies", policy())
    moved = api.put(f"/v1.0/policies/{made['policy_id']}", {"agent": "worker.billing", "event": "job.failed"}).body
    assert moved["event"] == "job.failed"
    assert policies.for_event(api.store, made["event_id"]) == []
    assert [one.policy_id for one in policies.for_event(api.store, moved["event_id"])] == [made["policy_id"]]


def test_naming_the_event_alone_keeps_the_agent(api: Api) -> None:
    made = api.made("/v1.0/policies", policy())
    moved = api.put(f"/v1.0/policies/{made['policy_id']}", {"event": "job.failed"}).body
    assert (moved["agent"], moved["event"]) == ("worker.billing", "job.failed")


def test_two_events_that_differ_are_refused(api: Api) -> None:
    made = api.made("/v1.0/policies", policy())
    answer = api.put(f"/v1.0/policies/{made['policy_id']}", {**made, "event": "job.failed"})
    assert (answer.status, answer.message) == (400, "event_id: is not the event of agent and event")


def test_a_policy_that_was_answered_can_be_created_again(api: Api) -> None:
    made = api.made("/v1.0/policies", policy())
    copy = api.made("/v1.0/policies", made)
    assert {**copy, "policy_id": made["policy_id"]} == made


def test_active_from_follows_when_a_policy_is_switched_on_again(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(enabled=False))
    api.now += DAY
    assert api.put(f"/v1.0/policies/{made['policy_id']}", {"enabled": True}).body["active_from"] == "2026-03-04T14:30:00Z"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"aggregate": "max", "condition": "lt"}, "says nothing once nothing is logged"),
        ({"compare": {"previous": "previous_1d"}}, "compare without min_count"),
    ],
)
def test_settings_that_users_regret_are_told(api: Api, fields: dict[str, Any], words: str) -> None:
    (warning,) = api.made("/v1.0/policies", policy(**fields))["warnings"]
    assert words in warning


def test_deleting_takes_the_id_out_of_every_destination(api: Api) -> None:
    gone, kept = (api.made("/v1.0/policies", policy())["policy_id"] for _ in range(2))
    made = api.made("/v1.0/destinations", slack(scope="policies", policy_ids=[gone, kept]))
    answer = api.delete(f"/v1.0/policies/{gone}")
    assert (answer.status, answer.body["policy_id"]) == (200, gone)
    found = destinations.get(api.store, made["destination_id"])
    assert found
    assert found.policy_ids == (kept,)
    assert [api(method, f"/v1.0/policies/{gone}", {}).status for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]
    assert [one["policy_id"] for one in api.get("/v1.0/policies").body] == [kept]


def test_lists_go_newest_first_and_lead_to_the_next_page(api: Api) -> None:
    made = [api.made("/v1.0/policies", policy(title=str(number)))["policy_id"] for number in range(5)]
    first = api.get("/v1.0/policies?limit=2")
    assert [one["policy_id"] for one in first.body] == made[:-3:-1]
    link, rel = first.headers["Link"].split("; ")
    assert rel == 'rel="next"'
    assert link.startswith("<https://api.example/prod/v1.0/policies?limit=2&cursor=")
    second = api.get(link.strip("<>").replace("https://api.example/prod", ""))
    assert [one["policy_id"] for one in second.body] == made[2:0:-1]
    third = api.get("/v1.0/policies?limit=2&offset=4")
    assert ([one["policy_id"] for one in third.body], "Link" in third.headers) == ([made[0]], False)
    assert api.get("/v1.0/policies?offset=5").body == []


def test_the_engine_is_told_of_every_edit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr("nightjar.api.policies.judge_edit", lambda _store, before, after, *, now: told.append((before, after, now)))
    made = api.made("/v1.0/policies", policy())["policy_id"]
    api.put(f"/v1.0/policies/{made}", {"threshold": 3})
    api.delete(f"/v1.0/policies/{made}")
    thresholds = [(before and before.threshold, after and after.threshold) for before, after, _ in told]
    assert thresholds == [(None, 20), (20, 3), (3, None)]
    assert {now for _, _, now in told} == {NOW}


def test_a_policy_is_not_created_twice_because_it_could_not_be_judged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("nightjar.api.policies.judge_edit", fail)
    api.made("/v1.0/policies", policy())
    assert len(api.get("/v1.0/policies").body) == 1
