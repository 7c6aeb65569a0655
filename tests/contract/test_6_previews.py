"""API.md: POST /v1.0/policies/preview, a policy body and a past range in; the alerts it would have raised out."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, iso

from tests.contract.table import Absent, Table, every, holds, sends, table
from tests.contract.test_5_policies import SMALL
from tests.contract.world import NOBODY, NOW, Api, logged, policy

PATH = "/v1.0/policies/preview"
TODAY = {"from": "2026-03-03T08:00:00Z", "to": "2026-03-03T14:00:00Z"}
NOTHING = {"total": 0, "alerts": [], "periods": {"breach": 0, "healthy": 6, "nothing": 0}, "warnings": []}


def judged(**given: Any) -> dict[str, Any]:
    """A policy for the body; None leaves a field out."""
    return {"policy": policy(**given)}


PREVIEW = table(
    f"POST {PATH}",
    sends("a policy and a range", {}, 200, {**TODAY, **NOTHING}),
    sends("the policy's fields may stand beside the range", {"policy": Absent, **policy()}, 200, {**TODAY, **NOTHING}),
    sends("an event that is known", judged(agent=None, event=None, event_id="{event}"), 200, NOTHING),
    sends("a stall", judged(condition="lt", threshold=1), 200, {"total": 1, "periods": {"breach": 6, "healthy": 0, "nothing": 0}, "alerts": [
        {"period_start": "2026-03-03T08:00:00Z", "opened_at": "2026-03-03T09:01:00Z", "resolved_at": None, "value": 0, "periods": 6}]}),
    sends("to is now by default", {"to": Absent}, 200, {"to": "2026-03-03T14:30:00Z", "total": 0}),
    sends("to null", {"to": None}, 200, {"to": "2026-03-03T14:30:00Z"}),
    sends("to in the future", {"to": iso(NOW + DAY)}, 200, {"to": "2026-03-03T14:30:00Z"}),
    sends("enabled and active_from do not matter", judged(enabled=False, active_from="2026-03-03T14:00:00Z"), 200, NOTHING),
    sends("warnings", judged(compare={"previous": "previous_1d"}), 200, {"warnings": [SMALL], "periods": {"breach": 0, "healthy": 0, "nothing": 6}}),
    sends("from is required", {"from": None}, 400, "from: is required"),
    sends("from is no instant", {"from": "yesterday"}, 400, "from: must be an instant like"),
    sends("from in the future", {"from": iso(NOW + HOUR), "to": Absent}, 400, "from: must lie in the past"),
    sends("to is not after from", {"to": TODAY["from"]}, 400, "to: must lie after from"),
    sends("too long", {**judged(period="minute"), "from": iso(NOW - 15 * DAY)}, 400, "from: a preview of this policy may be 14 days long at most"),
    sends("minutes that are gone", {**judged(period="minute"), "from": iso(NOW - 36 * DAY), "to": iso(NOW - 30 * DAY)}, 400, "minutes are kept for 35 days"),
    sends("hours that are gone", {**judged(period="day"), "from": "2021-01-01T00:00:00Z"}, 400, "hours are kept for 1095 days"),
    sends("a wrong field", judged(period="week"), 400, "policy.period: must be minute, hour or day"),
    sends("a field that is missing", judged(threshold=None), 400, "policy.threshold: is required"),
    sends("the same beside the range", {"policy": Absent, **policy(threshold=None)}, 400, "threshold: is required"),
    sends("rules across fields", judged(recovery_threshold=21), 400, "recovery_threshold: must be at most the threshold"),
    sends("a policy that is none", {"policy": []}, 400, "policy: must be a JSON object"),
    sends("an unknown event", judged(agent=None, event=None, event_id=NOBODY), 422, "event_id: there is no such event"),
    sends("an hour that cannot be read", judged(agent=None, event=None, event_id="{damaged}"), 409, "nightjar recount --from 2026-03-03T13:00:00Z"),
    sends("an array", [], 400, "body: must be a JSON object"),
    base={**judged(), **TODAY}, fields="from, to, periods, total, alerts, warnings",
)  # fmt: skip


@every(PREVIEW)
def test_a_preview(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


@pytest.fixture
def busy(api: Api) -> Api:
    """An event with 25 logs at 10:05 and 3 in each of the other hours of the day."""
    event = api.made("/v1.0/events", {"agent": "worker.billing", "event": "job.run"})
    for hour in range(14):
        logged(api, event["event_id"], f"2026-03-03T{hour:02d}:05:00Z", *[Decimal("0.1")] * (25 if hour == 10 else 3))
    return api


def test_it_answers_the_alerts_that_would_have_been_raised(busy: Api) -> None:
    answer = busy.post(PATH, {"policy": policy(), **TODAY})
    assert answer.body == {
        **TODAY, "periods": {"breach": 1, "healthy": 5, "nothing": 0}, "total": 1, "warnings": [],
        "alerts": [{
            "period_start": "2026-03-03T10:00:00Z", "opened_at": "2026-03-03T11:01:00Z", "resolved_at": "2026-03-03T12:01:00Z", "resolved_by": "recovered",
            "value": 25, "count": 25, "previous_value": None, "change_percent": None, "worst_value": 25, "periods": 1,
        }],
    }  # fmt: skip


def test_a_stored_policy_can_be_sent_as_it_was_answered(busy: Api) -> None:
    made = busy.made("/v1.0/policies", policy(enabled=False, aggregate="sum", threshold=2.4))
    body = busy.post(PATH, {"policy": made, **TODAY}).body
    assert (body["total"], body["alerts"][0]["value"]) == (1, Decimal("2.5"))


def test_newest_come_first(busy: Api) -> None:
    body = busy.post(PATH, {"policy": policy(condition="ne", threshold=3, period="minute"), **TODAY}).body
    starts = [alert["period_start"] for alert in body["alerts"]]
    assert starts == sorted(starts, reverse=True)
    assert body["total"] == len(starts) == 6
    assert body["alerts"][0]["resolved_at"] is None


def test_nothing_is_stored_by_a_preview(busy: Api) -> None:
    before = [busy.get(path).body for path in ("/v1.0/policies", "/v1.0/events", "/v1.0/alerts")]
    calls: list[str] = []
    handler = busy.store.db.meta.events
    watch = lambda model, **_: calls.append(model.name)
    handler.register("before-call.dynamodb", watch)
    body = busy.post(PATH, {"policy": policy(agent="nobody", event="never", condition="lt", threshold=1), **TODAY}).body
    handler.unregister("before-call.dynamodb", watch)
    assert (body["total"], body["alerts"][0]["value"]) == (1, 0)
    assert set(calls) <= {"GetItem", "Query"}
    assert [busy.get(path).body for path in ("/v1.0/policies", "/v1.0/events", "/v1.0/alerts")] == before


def test_a_comparison_and_a_rolling_window_are_replayed_too(busy: Api) -> None:
    compared = busy.post(PATH, {"policy": policy(compare={"previous": "previous_window"}, threshold=100, min_count=3), **TODAY}).body
    (alert,) = compared["alerts"]
    assert (alert["period_start"], alert["change_percent"]) == ("2026-03-03T10:00:00Z", Decimal("733.3333333333333333333333333"))
    rolling = busy.post(PATH, {"policy": policy(window="rolling"), **TODAY}).body
    assert [(alert["opened_at"], alert["resolved_at"]) for alert in rolling["alerts"]] == [("2026-03-03T10:07:00Z", "2026-03-03T11:07:00Z")]
