"""API.md: POST /v1.0/policies/preview, a policy body and a past range in; the alerts it would have raised out."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, iso

from tests.contract.test_anything import ODD
from tests.contract.world import NOBODY, NOW, Api, logged, policy

PATH = "/v1.0/policies/preview"
TODAY = {"from": "2026-03-03T08:00:00Z", "to": "2026-03-03T14:00:00Z"}


@pytest.fixture
def busy(api: Api) -> Api:
    """An event with 25 logs at 10:05 and 3 in each of the other hours of the day."""
    event = api.made("/v1.0/events", {"agent": "worker.billing", "event": "job.run"})
    for hour in range(14):
        logged(api, event["event_id"], f"2026-03-03T{hour:02d}:05:00Z", *[Decimal("0.1")] * (25 if hour == 10 else 3))
    return api


def test_it_answers_the_alerts_that_would_have_been_raised(busy: Api) -> None:
    answer = busy.post(PATH, {"policy": policy(), **TODAY})
    assert answer.status == 200
    assert answer.body == {
        **TODAY, "periods": {"breach": 1, "healthy": 5, "nothing": 0}, "total": 1, "warnings": [],
        "alerts": [{
            "period_start": "2026-03-03T10:00:00Z", "opened_at": "2026-03-03T11:01:00Z", "resolved_at": "2026-03-03T12:01:00Z", "resolved_by": "recovered",
            "value": 25, "count": 25, "previous_value": None, "change_percent": None, "worst_value": 25, "periods": 1,
        }],
    }  # fmt: skip


def test_the_policy_may_stand_beside_the_range(busy: Api) -> None:
    assert busy.post(PATH, {**policy(), **TODAY}).body == busy.post(PATH, {"policy": policy(), **TODAY}).body


def test_a_range_without_an_end_ends_now(busy: Api) -> None:
    for to in (None, iso(NOW + DAY)):
        body = busy.post(PATH, {"policy": policy(), "from": TODAY["from"], "to": to}).body
        assert (body["to"], sum(body["periods"].values())) == (iso(NOW), 6)


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


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"policy": policy()}, 400, "from: is required"),
        ({"policy": policy(), "from": "yesterday"}, 400, "from: must be an instant like"),
        ({"policy": policy(), "from": iso(NOW + HOUR)}, 400, "from: must lie in the past"),
        ({"policy": policy(), "from": iso(NOW - HOUR), "to": iso(NOW - HOUR)}, 400, "to: must lie after from"),
        ({"policy": policy(period="minute"), "from": iso(NOW - 15 * DAY)}, 400, "from: a preview of this policy may be 14 days long at most"),
        ({"policy": policy(period="minute"), "from": iso(NOW - 36 * DAY), "to": iso(NOW - 30 * DAY)}, 400, "minutes are kept for 35 days"),
        ({"policy": policy(period="day"), "from": "2021-01-01T00:00:00Z"}, 400, "hours are kept for 1095 days"),
        ({"policy": policy(period="week"), **TODAY}, 400, "policy.period: must be minute, hour or day"),
        ({"policy": policy(threshold=None), **TODAY}, 400, "policy.threshold: is required"),
        ({**policy(threshold=None), **TODAY}, 400, "threshold: is required"),
        ({"policy": policy(recovery_threshold=21), **TODAY}, 400, "recovery_threshold: must be at most the threshold"),
        ({"policy": [], **TODAY}, 400, "policy: must be a JSON object"),
        ({"policy": policy(agent=None, event=None, event_id=NOBODY), **TODAY}, 422, "event_id: there is no such event"),
        ([], 400, "body: must be a JSON object"),
    ],
)
def test_a_message_says_what_is_wrong(api: Api, body: Any, status: int, message: str) -> None:
    answer = api.post(PATH, body)
    assert (answer.status, message in answer.message) == (status, True), answer.body


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_preview_is_no_policy_and_only_posted(api: Api, method: str) -> None:
    answer = api(method, PATH)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("field", ["policy", "from", "to", "threshold", "period", "event_id"])
def test_an_odd_value_is_taken_or_refused_by_name(api: Api, field: str) -> None:
    kept = {name: value for name, value in {**policy(), **TODAY}.items() if name != field}
    text = ", ".join(f'"{name}": {value if isinstance(value, int) else chr(34) + value + chr(34)}' for name, value in kept.items())
    for odd in ODD:
        answer = api("POST", PATH, raw=f'{{"{field}": {odd}, {text}}}')
        assert answer.status in {200, 400, 422}, (odd[:50], answer.body)
        assert answer.status != 400 or field in answer.message or "JSON" in answer.message, (odd[:50], answer.body)
