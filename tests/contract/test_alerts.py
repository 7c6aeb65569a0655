"""API.md, Alerts."""

from typing import Any

import pytest
from nightjar.core.delivery import Attempt
from nightjar.core.instants import MINUTE
from nightjar.storage import deliveries

from tests.contract.world import NOBODY, NOW, Api, alarmed

FIELDS = {
    "alert_id", "policy_id", "event_id", "agent", "event", "title", "period", "aggregate", "condition", "threshold", "severity", "status", "value",
    "count", "min", "max", "triggered_at", "acknowledged_at", "resolved_at", "period_start", "previous_value", "change_percent", "worst_value",
    "periods", "resolved_by",
}  # fmt: skip


def opened(api: Api, **given: Any) -> dict[str, Any]:
    """The one alert of a policy that was just in alarm."""
    made = alarmed(api, **given)
    found: list[dict[str, Any]] = api.get("/v1.0/alerts?status=triggered").body
    return next(alert for alert in found if alert["policy_id"] == made["policy_id"])


def test_an_alert_has_the_fields_of_the_contract(api: Api) -> None:
    alert = opened(api, title="Too many runs", severity="error")
    assert set(alert) >= FIELDS
    assert (alert["status"], alert["value"], alert["count"], alert["min"], alert["max"]) == ("triggered", 21, 21, 2, 2)
    assert (alert["title"], alert["severity"], alert["threshold"], alert["periods"]) == ("Too many runs", "error", 20, 1)
    assert (alert["period_start"], alert["triggered_at"]) == ("2026-03-03T14:00:00Z", "2026-03-03T14:30:00Z")
    assert api.get(f"/v1.0/alerts/{alert['alert_id']}").body == alert


def test_a_person_acknowledges_resolves_and_archives(api: Api) -> None:
    path = f"/v1.0/alerts/{opened(api)['alert_id']}"
    api.now = NOW + MINUTE
    acknowledged = api.post(f"{path}/acknowledge")
    assert (acknowledged.status, acknowledged.body["status"], acknowledged.body["acknowledged_at"]) == (200, "acknowledged", "2026-03-03T14:31:00Z")
    resolved = api.post(f"{path}/resolve").body
    assert (resolved["status"], resolved["resolved_by"], resolved["resolved_at"]) == ("resolved", "person", "2026-03-03T14:31:00Z")
    archived = api.post(f"{path}/archive").body
    assert archived["status"] == "archived"
    assert api.get(path).body == archived


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_the_same_action_again_changes_nothing(api: Api, action: str) -> None:
    path = f"/v1.0/alerts/{opened(api)['alert_id']}/{action}"
    first = api.post(path)
    api.now += MINUTE
    assert (api.post(path).status, api.post(path).body) == (200, first.body)


@pytest.mark.parametrize(
    ("before", "action"), [([], "archive"), (["acknowledge"], "archive"), (["resolve"], "acknowledge"), (["resolve", "archive"], "resolve")]
)
def test_an_impossible_action_is_a_conflict(api: Api, before: list[str], action: str) -> None:
    path = f"/v1.0/alerts/{opened(api)['alert_id']}"
    for earlier in before:
        assert api.post(f"{path}/{earlier}").status == 200
    answer = api.post(f"{path}/{action}")
    assert (answer.status, answer.code) == (409, "CONFLICT")


def test_a_policy_that_is_deleted_ends_its_alert(api: Api) -> None:
    alert = opened(api)
    api.delete(f"/v1.0/policies/{alert['policy_id']}")
    found = api.get(f"/v1.0/alerts/{alert['alert_id']}").body
    assert (found["status"], found["resolved_by"], found["threshold"]) == ("resolved", "policy_deleted", 20)


@pytest.mark.parametrize("path", ["", "/deliveries", "/deliveries?kind=test"])
def test_an_unknown_alert_is_not_found(api: Api, path: str) -> None:
    assert api.get(f"/v1.0/alerts/{NOBODY}{path}").status == 404
    assert api.get(f"/v1.0/alerts/alert_1{path}").status == 400


@pytest.mark.parametrize("action", ["acknowledge", "resolve", "archive"])
def test_nothing_can_be_done_to_an_unknown_alert(api: Api, action: str) -> None:
    assert api.post(f"/v1.0/alerts/{NOBODY}/{action}").status == 404
    assert api.post(f"/v1.0/alerts/alert_1/{action}").status == 400


def test_lists_of_alerts_go_by_status_newest_first(api: Api) -> None:
    first = opened(api, event="one")
    api.now += MINUTE
    second = opened(api, event="two")
    assert [alert["event"] for alert in api.get("/v1.0/alerts").body] == ["two", "one"]
    api.post(f"/v1.0/alerts/{second['alert_id']}/resolve")
    assert [alert["alert_id"] for alert in api.get("/v1.0/alerts?status=triggered").body] == [first["alert_id"]]
    assert [alert["alert_id"] for alert in api.get("/v1.0/alerts?status=resolved").body] == [second["alert_id"]]
    assert api.get("/v1.0/alerts?status=archived").body == []
    assert api.get("/v1.0/alerts?status=open").status == 400
    page = api.get("/v1.0/alerts?limit=1")
    following = api.get(page.headers["Link"].partition("prod")[2].partition(">")[0])
    assert [alert["event"] for alert in following.body] == ["one"]


def attempt(number: int, alert_id: str, **given: Any) -> Attempt:
    """One attempt to tell of an alert."""
    fields: dict[str, Any] = {"channel": "slack", "target": "https://hooks.slack.com/…", "status": "sent", "response_status": 200}
    return Attempt(attempt_id=f"a{number}", alert_id=alert_id, destination_id=NOBODY, created_at=NOW + number, **{**fields, **given})


def test_deliveries_are_listed_newest_first_by_kind(api: Api) -> None:
    alert_id = opened(api)["alert_id"]
    assert api.get(f"/v1.0/alerts/{alert_id}/deliveries").body == []
    for number in range(3):
        deliveries.keep_attempt(api.store, attempt(number, alert_id))
    deliveries.keep_attempt(api.store, attempt(9, alert_id, kind="test", status="failed", response_status=404, error_message="no_team"))
    listed = api.get(f"/v1.0/alerts/{alert_id}/deliveries")
    assert [row["attempt_id"] for row in listed.body] == ["a2", "a1", "a0"]
    assert set(listed.body[0]) == {
        "attempt_id", "alert_id", "destination_id", "channel", "target", "status", "response_status", "error_message", "created_at", "kind",
    }  # fmt: skip
    assert [row["error_message"] for row in api.get(f"/v1.0/alerts/{alert_id}/deliveries?kind=test").body] == ["no_team"]
    assert len(api.get(f"/v1.0/alerts/{alert_id}/deliveries?kind=all").body) == 4
    page = api.get(f"/v1.0/alerts/{alert_id}/deliveries?limit=2&offset=0&kind=alert")
    following = api.get(page.headers["Link"].partition("prod")[2].partition(">")[0])
    assert ([row["attempt_id"] for row in following.body], "Link" in following.headers) == (["a0"], False)
    assert api.get(f"/v1.0/alerts/{alert_id}/deliveries?kind=mail").status == 400


def test_a_test_is_found_although_its_alert_is_in_no_list(api: Api) -> None:
    deliveries.keep_attempt(api.store, attempt(1, NOBODY, kind="test"))
    assert [row["kind"] for row in api.get(f"/v1.0/alerts/{NOBODY}/deliveries?kind=test").body] == ["test"]
    assert api.get("/v1.0/alerts").body == []


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_search_for_a_status_looks_at_so_many_alerts_and_no_more_and_goes_on_from_there(api: Api, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    made = [opened(api, event=name) for name in ("a", "b", "c", "d")]
    for alert in (made[0], made[3]):
        assert api.post(f"/v1.0/alerts/{alert['alert_id']}/resolve").status == 200
    monkeypatch.setattr("nightjar.storage.alerts._LOOKS", looks)
    found, path = [], "/v1.0/alerts?status=resolved"
    for _ in range(6):
        page = api.get(path)
        found += [alert["event"] for alert in page.body]
        if "Link" not in page.headers:
            break
        path = page.headers["Link"].partition("prod")[2].partition(">")[0]
    assert sorted(found) == ["a", "d"]
    assert {alert["event"] for alert in api.get("/v1.0/alerts?status=triggered").body} == {"b", "c"}, "open alerts are found however old"
