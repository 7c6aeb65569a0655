"""API.md, Policies: every field of its table, one by one."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.api.rules import problems
from nightjar.core.due import HORIZONS, oldest_end
from nightjar.core.evidence import bins_of, periods_needed
from nightjar.core.instants import DAY, iso
from nightjar.core.periods import DAYS_BEFORE, MIN, Previous, period_at
from nightjar.core.policies import Policy
from nightjar.core.state import State
from nightjar.storage import rollups

from tests.contract.table import Absent, Case, Table, asks, every, holds, sends, table
from tests.contract.world import NOBODY, NOW, Api, policy

FIELDS = """policy_id, event_id, agent, event, title, description, channel, period, aggregate, condition, threshold, severity, enabled, missing, window,
    window_minutes, evaluation_periods, datapoints_to_alarm, compare, recovery_periods, recovery_threshold, min_count, early, delay_seconds, active_from,
    active_hours, mute_until, renotify_minutes, auto_resolve, runbook_url, created_at, updated_at, state, last_value, last_period, next_judged_at, warnings"""
DEFAULTS = {
    "title": "", "description": "", "channel": "default", "severity": "warning", "enabled": True, "missing": "zero", "window": "calendar",
    "window_minutes": None, "evaluation_periods": 1, "datapoints_to_alarm": 1, "compare": None, "recovery_periods": 1, "recovery_threshold": None,
    "min_count": 0, "early": True, "delay_seconds": 60, "active_from": "2026-03-03T14:30:00Z", "active_hours": None, "mute_until": None,
    "renotify_minutes": None, "auto_resolve": True, "runbook_url": "", "created_at": "2026-03-03T14:30:00Z", "updated_at": "2026-03-03T14:30:00Z",
    "state": "pending", "last_value": None, "last_period": None, "last_reason": "no_tick_yet", "next_judged_at": None, "warnings": [],
}  # fmt: skip
CONTROLS = "must not hold control characters"
AGGREGATES = ("sum", "count", "average", "min", "max", "p95_est", "p99_est", "p50_est", "stddev")
CREATE = "POST /v1.0/policies"
LOW = "lt on max says nothing once nothing is logged: set missing to breach to hear of silence, or watch count"
SMALL = "compare without min_count: a change from a few logs to a few more is a large percentage, and from 0 there is none: set min_count"
WITH_A_POINT = '{"event": "e", "period": "hour", "aggregate": "sum", "condition": "gt", "threshold": 1, "delay_seconds": 5.0}'
KNOWN = {"agent": Absent, "event": Absent}


def kept(**sent: Any) -> Case:
    """A row of settings that are answered as they were sent."""
    shown = {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in sent.items()}
    return sends(", ".join(f"{name} {value}"[:60] for name, value in sent.items()), sent, 201, shown)


def no(message: str, **sent: Any) -> Case:
    """A row of settings that are refused."""
    return sends(", ".join(f"{name} {value}"[:40] for name, value in sent.items()), sent, 400, message)


def policies(*cases: Case) -> Table:
    """Rows of POST /v1.0/policies; they say what differs from worker.billing's job.run, hour count gt 20."""
    return table(CREATE, *cases, base=policy(), fields=FIELDS)


WHOLE = policies(
    sends("what is required, and the defaults", {}, 201, {**policy(), "event_id": "{known}", **DEFAULTS}),
    sends("null counts as absent", dict.fromkeys(DEFAULTS), 201, DEFAULTS),
    sends("unknown fields are ignored, and what is computed", {"x": 1, "state": "triggered", "last_value": 5, "warnings": 3}, 201, DEFAULTS),
    sends("an array", [], 400, "body: must be a JSON object"),
    sends("every problem is told", {"period": "week", "title": 1}, 400, "title: must be a string; period: must be minute, hour or day"),
)
EVENT = policies(
    sends("event_id", {**KNOWN, "event_id": "{event}"}, 201, {"event_id": "{event}", "agent": "worker.billing", "event": "job.run"}),
    sends("event_id in upper case, with its agent and event", {"event_id": "{event}"}, 201, {"event_id": "{event}"}),
    sends("event_id unknown", {**KNOWN, "event_id": NOBODY}, 422, "event_id: there is no such event"),
    sends("event_id no UUID", {**KNOWN, "event_id": "evt_123"}, 400, "event_id: must be a UUID"),
    sends("event_id and another event", {"event_id": "{event}", "event": "other"}, 400, "event_id: is not the event of agent and event"),
    sends("event_id and its event, the agent left out", {"event_id": "{event}", "agent": Absent}, 201, {"event_id": "{event}"}),
    sends("event_id and another agent", {"event_id": "{event}", "agent": "other", "event": Absent}, 400, "event_id: is not the event of agent and event"),
    sends("agent and event make the event", {}, 201, {"event_id": "{known}"}, then=("/v1.0/events", [{"event_id": "{known}"}])),
    sends("agent and event find the event", {}, 201, {"event_id": "{event}"}, given=("event",), then=("/v1.0/events", [{"event_id": "{event}"}])),
    sends("an event without agent", {"agent": Absent}, 201, {"agent": "", "event": "job.run"}),
    sends("an agent alone", {"event": Absent}, 400, "event: is required with agent"),
    sends("neither", KNOWN, 400, "event_id: is required, or agent and event"),
    sends("event of 129 characters", {"event": "x" * 129}, 400, "event: must be at most 128 characters"),
    sends("agent of 129 characters", {"agent": "x" * 129}, 400, "agent: must be at most 128 characters"),
)
WORDS = policies(
    kept(title="t" * 200), no("title: must be at most 200 characters", title="t" * 201), no(f"title: {CONTROLS}", title="a\x00b"),
    kept(description="d" * 2000), no("description: must be at most 2000 characters", description="d" * 2001),
    no(f"description: {CONTROLS}", description="a\nb"),
    kept(channel="c" * 200), no("channel: must be at most 200 characters", channel="c" * 201), no("channel: must be a string", channel=5),
    sends("channel blank", {"channel": " "}, 201, {"channel": "default"}),
    kept(runbook_url="https://wiki.example/run?a=b#c"), kept(runbook_url="http://wiki.example"), kept(runbook_url=""),
    no("runbook_url: must be an http or https link", runbook_url="javascript:alert(1)"),
    no("runbook_url: must be an http or https link", runbook_url="https://[x"),
    no("runbook_url: must be at most 2000 characters", runbook_url="https://" + "x" * 2000),
)  # fmt: skip
MEASURE = policies(
    *(kept(period=period) for period in ("minute", "hour", "day")),
    no("period: must be minute, hour or day", period="week"), no("period: is required", period=None),
    *(kept(aggregate=aggregate) for aggregate in AGGREGATES), no("aggregate: must be", aggregate="median"), no("aggregate: is required", aggregate=None),
    *(kept(condition=condition) for condition in ("gt", "gte", "lt", "lte", "eq", "ne")), no("condition: must be gt, gte", condition=">"),
    no("condition: is required", condition=None),
    kept(threshold=-0.5), kept(threshold=0), no("threshold: is required", threshold=None), no("threshold: must be a finite number", threshold="5"),
    no("threshold: must be a finite number", threshold=True), no("threshold: must be a finite number", threshold=float("nan")),
    no("threshold: must be a finite number", threshold=float("inf")), no("threshold: must be below 1e60", threshold=10**60),
    *(kept(severity=severity) for severity in ("info", "warning", "error", "critical")),
    no("severity: must be info, warning, error or critical", severity="fatal"),
    kept(enabled=False), no("enabled: must be true or false", enabled="true"), no("enabled: must be true or false", enabled=1),
    *(kept(missing=missing) for missing in ("zero", "ignore", "breach")), no("missing: must be zero, ignore or breach", missing="none"),
    *(sends(f"missing of {name} by default", {"aggregate": name}, 201, {"missing": "zero" if name in {"sum", "count"} else "ignore"}) for name in AGGREGATES),
)  # fmt: skip
WINDOWS = policies(
    kept(window="calendar"), kept(window="rolling", window_minutes=2), kept(window="rolling", window_minutes=120), kept(window="rolling", window_minutes=180),
    kept(window="rolling", period="day", window_minutes=1440),
    sends("rolling hour by default", {"window": "rolling"}, 201, {"window_minutes": 60}),
    sends("rolling day by default", {"window": "rolling", "period": "day"}, 201, {"window_minutes": 1440}),
    no("window: must be calendar or rolling", window="sliding"), no("window: rolling needs period hour or day", window="rolling", period="minute"),
    no("window_minutes: must be at least 2", window="rolling", window_minutes=1), no("window_minutes: needs window rolling", window_minutes=60),
    no("window_minutes: must be 2 to 120, or whole hours up to 1440", window="rolling", window_minutes=121),
    no("window_minutes: must be at most 1440", window="rolling", window_minutes=1500),
    no("window_minutes: must be a whole number", window="rolling", window_minutes=2.5),
    no("evaluation_periods: must be 1 with window rolling", window="rolling", evaluation_periods=2),
    kept(evaluation_periods=100, datapoints_to_alarm=100), kept(evaluation_periods=3), no("evaluation_periods: must be at most 100", evaluation_periods=101),
    no("evaluation_periods: must be at least 1", evaluation_periods=0), no("datapoints_to_alarm: must be at most evaluation_periods", datapoints_to_alarm=2),
    no("datapoints_to_alarm: must be at least 1", datapoints_to_alarm=0),
    *(kept(compare={"previous": previous}) for previous in ("previous_window", "previous_1d", "previous_7d", "previous_1m")),
    no("compare.previous: must be previous_window", compare={"previous": "previous_2d"}), no("compare: must be a JSON object", compare="previous_1d"),
    no("compare.previous: is required", compare={}), no("compare.previous: is required", compare={"previous": None}),
    kept(recovery_periods=1), kept(recovery_periods=100), no("recovery_periods: must be at least 1", recovery_periods=0),
    no("recovery_periods: must be at most 100", recovery_periods=101),
    kept(recovery_threshold=20), kept(recovery_threshold=-1.5), kept(condition="lt", recovery_threshold=25),
    no("recovery_threshold: must be at most the threshold", recovery_threshold=21),
    no("recovery_threshold: must be at least the threshold", condition="lte", recovery_threshold=19),
    no("recovery_threshold: needs condition gt, gte, lt or lte", condition="eq", recovery_threshold=19),
)  # fmt: skip
TIMES = policies(
    kept(min_count=0), kept(min_count=5), no("min_count: must be at least 0", min_count=-1), no("min_count: must be a whole number", min_count="5"),
    kept(early=False), no("early: must be true or false", early="no"),
    kept(delay_seconds=0), kept(delay_seconds=3600),
    no("delay_seconds: must be at most 3600", delay_seconds=3601), no("delay_seconds: must be at least 0", delay_seconds=-1),
    no("delay_seconds: must be a whole number", delay_seconds=1e-40), sends("a whole number with a point", WITH_A_POINT, 201, {"delay_seconds": 5}),
    kept(active_from=iso(NOW - 30 * DAY)), kept(active_from=iso(NOW + DAY)),
    no("active_from: must be at most 30 days back", active_from=iso(NOW - 30 * DAY - 1)),
    no("active_from: must be at most ten years ahead", active_from="9999-12-31T00:00:00Z"),
    no("active_from: must be an instant like 2026-03-03T14:00:00Z", active_from="2026-03-03"), no("active_from: must be an instant", active_from=NOW // 10**6),
    kept(mute_until="2026-03-03T16:00:00Z"), kept(mute_until="2026-03-01T00:00:00Z"), no("mute_until: must be an instant", mute_until="tomorrow"),
    kept(renotify_minutes=5), kept(renotify_minutes=10080), no("renotify_minutes: must be at least 5", renotify_minutes=4),
    no("renotify_minutes: must be at most 10080", renotify_minutes=10081),
    kept(auto_resolve=False), no("auto_resolve: must be true or false", auto_resolve=0),
)  # fmt: skip
WARNINGS = policies(
    sends("lt on a maximum", {"aggregate": "max", "condition": "lt"}, 201, {"warnings": [LOW]}),
    sends("with missing set there is none", {"aggregate": "max", "condition": "lt", "missing": "breach"}, 201, {"warnings": []}),
    sends("compare without min_count", {"compare": {"previous": "previous_1d"}}, 201, {"warnings": [SMALL]}),
    sends("with min_count there is none", {"compare": {"previous": "previous_1d"}, "min_count": 10}, 201, {"warnings": []}),
)  # fmt: skip
UNKNOWN, NO_UUID = "policy_id: there is no such policy", "policy_id: must be a UUID"
OTHERS = (
    table("GET /v1.0/policies", asks("none", "", 200, []), asks("one", "", 200, [{"policy_id": "{policy}", "event": "job.run"}], given=("policy",)),
          asks("a limit of 1,001", "?limit=1001", 400, "limit: must be a whole number from 1 to 1000"), fields=FIELDS),
    table("GET /v1.0/policies/<policy_id>", asks("one", "{policy}", 200, {"policy_id": "{policy}", **DEFAULTS}),
          asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "pol_1", 400, NO_UUID), fields=FIELDS),
    table("DELETE /v1.0/policies/<policy_id>", asks("one", "{policy}", 200, {"policy_id": "{policy}", "state": "disabled"}, then=("/v1.0/policies", [])),
          asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "pol_1", 400, NO_UUID), fields=FIELDS),
)  # fmt: skip


@every(WHOLE, EVENT, WORDS, MEASURE, WINDOWS, TIMES, WARNINGS, *OTHERS)
def test_policies(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


@pytest.mark.parametrize(("zone", "kept"), [("Asia/Kolkata", False), ("Europe/Berlin", True)])
def test_a_pair_for_which_no_rollups_are_kept_is_refused(api: Api, zone: str, kept: bool) -> None:
    """Days of a zone off the hour have minutes at their edges, and minutes live 35 days."""
    event = api.made("/v1.0/events", {"event": "job.run", "timezone": zone})
    body = policy(agent=None, event=None, event_id=event["event_id"], period="day", compare={"previous": "previous_1m"}, evaluation_periods=10)
    answer = api.post("/v1.0/policies", body)
    assert answer.status == (201 if kept else 400)
    assert kept or answer.message.startswith("compare: no rollups are kept for previous_1m")
    assert api.post("/v1.0/policies", {**body, "evaluation_periods": 1}).status == 201


@pytest.mark.parametrize(
    ("zone", "given", "refused"),
    [
        ("Asia/Kolkata", {"evaluation_periods": 33, "datapoints_to_alarm": 30}, None),
        ("Asia/Kolkata", {"evaluation_periods": 34}, "evaluation_periods: no rollups are kept over 34 days in timezone Asia/Kolkata"),
        ("Asia/Kolkata", {"evaluation_periods": 50, "datapoints_to_alarm": 40}, "evaluation_periods: no rollups are kept over 50 days"),
        ("Asia/Kolkata", {"recovery_periods": 33}, None),
        ("Asia/Kolkata", {"recovery_periods": 34}, "recovery_periods: no rollups are kept over 34 days"),
        ("Asia/Kolkata", {"evaluation_periods": 20, "recovery_periods": 14}, None),
        ("Asia/Kolkata", {"evaluation_periods": 20, "recovery_periods": 15}, "evaluation_periods: no rollups are kept over 34 days"),
        ("Asia/Kolkata", {"evaluation_periods": 3, "compare": {"previous": "previous_1m"}}, None),
        ("Asia/Kolkata", {"recovery_periods": 4, "compare": {"previous": "previous_1m"}}, "compare: no rollups are kept for previous_1m over 4 days"),
        ("Asia/Kolkata", {"evaluation_periods": 100, "period": "hour"}, None),
        ("Australia/Lord_Howe", {"evaluation_periods": 34}, "evaluation_periods: no rollups are kept over 34 days in timezone Australia/Lord_Howe"),
        ("Europe/Berlin", {"evaluation_periods": 100, "recovery_periods": 100, "compare": {"previous": "previous_1m"}}, None),
        ("UTC", {"evaluation_periods": 100}, None),
    ],
)
def test_days_for_which_no_rollups_are_kept_are_refused(api: Api, zone: str, given: dict[str, Any], refused: str | None) -> None:
    """In March Lord Howe is on the hour, and in April no longer."""
    event = api.made("/v1.0/events", {"event": "job.run", "timezone": zone})
    body = policy(**{"agent": None, "event": None, "event_id": event["event_id"], "period": "day", **given})
    answer = api.post("/v1.0/policies", body)
    assert answer.status == (400 if refused else 201)
    assert not refused or (answer.message.startswith(refused) and "minutes, which are kept for 35 days" in answer.message)


@pytest.mark.parametrize("compare", [None, "previous_window", "previous_7d", "previous_1m"])
def test_the_days_that_a_policy_may_ask_for_are_kept_for_as_long_as_late_data_judges_it(compare: Previous | None) -> None:
    zones = ((MIN, "Asia/Kolkata"),)
    accepted = 0
    for slots in range(1, 101):
        asked = Policy(
            policy_id="p", event_id="e", event="job.run", period="day", aggregate="count", condition="gt", threshold=Decimal(1), zones=zones,
            evaluation_periods=slots, compare=compare, created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        judged = period_at("day", oldest_end(asked, NOW) + 1, zones)
        late = judged.end + HORIZONS["day"] - 1  # the last instant at which a log of it is weighed
        needed = bins_of(asked, periods_needed(asked, State(policy_id="p"), judged, late))
        lives = all(start + rollups.KEPT[letter] > late for letter, start in needed)
        assert lives == (problems(asked) == []), slots
        accepted += lives
    assert accepted == 33 - (0 if compare is None else DAYS_BEFORE.get(compare, 1))


def test_a_new_timezone_that_takes_a_policys_days_away_is_told_in_its_warnings(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(period="day", evaluation_periods=50))
    assert made["warnings"] == []
    api.put(f"/v1.0/events/{made['event_id']}", {"timezone": "Asia/Kolkata"})
    (warning,) = api.get(f"/v1.0/policies/{made['policy_id']}").body["warnings"]
    assert warning.startswith("evaluation_periods: no rollups are kept over 50 days in timezone Asia/Kolkata")
    assert api.put(f"/v1.0/policies/{made['policy_id']}", {"enabled": False}).status == 200, "and it can be switched off all the same"


def test_a_new_timezone_that_takes_a_policys_baseline_away_is_told_in_its_warnings(api: Api) -> None:
    body = policy(period="day", compare={"previous": "previous_1m"}, evaluation_periods=10, min_count=1)
    made = api.made("/v1.0/policies", body)
    assert made["warnings"] == []
    api.put(f"/v1.0/events/{made['event_id']}", {"timezone": "Asia/Kolkata"})
    (warning,) = api.get(f"/v1.0/policies/{made['policy_id']}").body["warnings"]
    assert warning.startswith("compare: no rollups are kept for previous_1m over 10 days in timezone Asia/Kolkata")
    assert api.put(f"/v1.0/policies/{made['policy_id']}", {"enabled": False}).status == 200, "and it can be switched off all the same"
