"""API.md, Alerts, and their deliveries."""

from typing import Any

import pytest
from nightjar.core.delivery import Attempt, Record
from nightjar.core.instants import MINUTE
from nightjar.storage import deliveries

from tests.contract.lists import following
from tests.contract.table import Case, Table, asks, every, holds, table
from tests.contract.world import NOBODY, NOW, Api, alarmed

FIELDS = """alert_id, policy_id, event_id, agent, event, title, period, aggregate, condition, threshold, severity, status, value, count, min, max,
    triggered_at, acknowledged_at, resolved_at, period_start, previous_value, change_percent, worst_value, periods, resolved_by"""
DELIVERY = "attempt_id, alert_id, destination_id, channel, target, status, response_status, error_message, created_at, kind"
UNKNOWN, NO_UUID = "alert_id: there is no such alert", "alert_id: must be a UUID"
STATUSES = ("triggered", "acknowledged", "resolved", "archived")
# {alert}: 21 logs of 2 at 14:30, more than 20 this hour
OPENED = {
    "status": "triggered", "agent": "worker.billing", "event": "job.alarmed", "title": "Too many runs", "severity": "error", "period": "hour",
    "aggregate": "count", "condition": "gt", "threshold": 20, "value": 21, "count": 21, "min": 2, "max": 2, "worst_value": 21, "periods": 1,
    "period_start": "2026-03-03T14:00:00Z", "triggered_at": "2026-03-03T14:30:00Z", "acknowledged_at": None, "resolved_at": None, "resolved_by": None,
    "previous_value": None, "change_percent": None,
}  # fmt: skip
NOTED = {"acknowledged_at": "2026-03-03T14:30:00Z"}
OVER = {"resolved_at": "2026-03-03T14:30:00Z", "resolved_by": "person"}


def action(name: str, *cases: Case) -> Table:
    """Rows of an action, and those that every action has."""
    return table(
        f"POST /v1.0/alerts/<alert_id>/{name}", *cases, asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "alert_1", 400, NO_UUID), fields=FIELDS,
    )  # fmt: skip


LIST = table(
    "GET /v1.0/alerts",
    asks("none", "", 200, []),
    asks("all of them", "", 200, [OPENED], given=("alert",)),
    asks("blank is absent", "?status=", 200, [OPENED], given=("alert",)),
    *(asks(f"status {one} of one that is", f"?status={one}", 200, [{"status": one}], given=("alert" if one == "triggered" else one,)) for one in STATUSES),
    *(asks(f"status {one} of one that is not", f"?status={one}", 200, [], given=("resolved" if one != "resolved" else "alert",)) for one in STATUSES),
    asks("another status", "?status=open", 400, "status: must be one of triggered, acknowledged, resolved, archived"),
    fields=FIELDS,
)
READ = table(
    "GET /v1.0/alerts/<alert_id>",
    asks("one", "{alert}", 200, {"alert_id": "{alert}", **OPENED}),
    asks("one that is over", "{archived}", 200, {"status": "archived", **OVER}),
    asks("unknown", "{nobody}", 404, UNKNOWN),
    asks("no UUID", "alert_1", 400, NO_UUID),
    fields=FIELDS,
)
ACTIONS = (
    action(
        "acknowledge", asks("a triggered one", "{alert}", 200, {**OPENED, "status": "acknowledged", **NOTED}),
        asks("an acknowledged one", "{acknowledged}", 200, {"status": "acknowledged", **NOTED}),
        asks("a resolved one", "{resolved}", 409, "status: "), asks("an archived one", "{archived}", 409, "status: "),
    ),
    action(
        "resolve", asks("a triggered one", "{alert}", 200, {**OPENED, "status": "resolved", **OVER}),
        asks("an acknowledged one", "{acknowledged}", 200, {"status": "resolved", **NOTED, **OVER}),
        asks("a resolved one", "{resolved}", 200, {"status": "resolved", **OVER}), asks("an archived one", "{archived}", 409, "status: "),
    ),
    action(
        "archive", asks("a resolved one", "{resolved}", 200, {"status": "archived", **OVER}),
        asks("an archived one", "{archived}", 200, {"status": "archived", **OVER}),
        asks("a triggered one", "{alert}", 409, "status: "), asks("an acknowledged one", "{acknowledged}", 409, "status: "),
    ),
)  # fmt: skip
# {told}: an alert with an attempt that was sent, one that failed, and one that waits; {tested}: the alert_id of a test
SENT = {"status": "sent", "response_status": 200, "error_message": None, "kind": "alert", "channel": "slack", "target": "https://hooks.slack.com/…"}
FAILED = {"status": "failed", "response_status": 500, "error_message": "500", "created_at": "2026-03-03T14:30:00.000001Z"}
WAITS = {"status": "pending", "attempt_id": None, "response_status": None, "kind": "alert", "alert_id": "{told}"}
DELIVERIES = table(
    "GET /v1.0/alerts/<alert_id>/deliveries",
    asks("none", "{alert}", 200, []),
    asks("what waits, then each attempt, newest first", "{told}", 200, [WAITS, SENT, FAILED]),
    asks("kind alert is the default", "{told}?kind=alert", 200, [WAITS, SENT, FAILED]),
    asks("kind test, of an alert", "{told}?kind=test", 200, []),
    asks("kind all", "{told}?kind=all", 200, [WAITS, SENT, FAILED]),
    asks("a test's, by the alert_id it answered", "{tested}?kind=test", 200, [{"kind": "test", "status": "failed", "error_message": "404 no_team"}]),
    asks("a test's are no alert's", "{tested}", 200, []),
    asks("limit and offset", "{told}?limit=1&offset=1", 200, [SENT]),
    asks("another kind", "{told}?kind=mail", 400, "kind: must be one of alert, test, all"),
    asks("a limit of 1,001", "{told}?limit=1001", 400, "limit: must be a whole number from 1 to 1000"),
    asks("unknown", "{nobody}", 404, UNKNOWN),
    asks("unknown, by kind", "{nobody}?kind=test", 404, UNKNOWN),
    asks("no UUID", "alert_1", 400, NO_UUID),
    fields=DELIVERY,
)


@every(LIST, READ, *ACTIONS, DELIVERIES)
def test_alerts(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


def opened(api: Api, **given: Any) -> dict[str, Any]:
    """The one alert of a policy that was just in alarm."""
    made = alarmed(api, **given)
    found: list[dict[str, Any]] = api.get("/v1.0/alerts?status=triggered").body
    return next(alert for alert in found if alert["policy_id"] == made["policy_id"])


def test_a_person_acknowledges_resolves_and_archives(api: Api) -> None:
    path = f"/v1.0/alerts/{opened(api)['alert_id']}"
    api.now = NOW + MINUTE
    assert api.post(f"{path}/acknowledge").body["acknowledged_at"] == "2026-03-03T14:31:00Z"
    resolved = api.post(f"{path}/resolve").body
    assert (resolved["resolved_by"], resolved["resolved_at"]) == ("person", "2026-03-03T14:31:00Z")
    archived = api.post(f"{path}/archive").body
    assert api.get(path).body == {**archived, "unrouted": False}


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_the_same_action_again_changes_nothing(api: Api, action: str) -> None:
    path = f"/v1.0/alerts/{opened(api)['alert_id']}/{action}"
    first = api.post(path)
    api.now += MINUTE
    assert (api.post(path).status, api.post(path).body) == (200, first.body)


def test_a_policy_that_is_deleted_ends_its_alert_which_can_still_be_read(api: Api) -> None:
    alert = opened(api)
    api.delete(f"/v1.0/policies/{alert['policy_id']}")
    found = api.get(f"/v1.0/alerts/{alert['alert_id']}").body
    assert (found["status"], found["resolved_by"], found["threshold"]) == ("resolved", "policy_deleted", 20)


def attempt(number: int, alert_id: str, **given: Any) -> Attempt:
    """One attempt to tell of an alert."""
    fields: dict[str, Any] = {"channel": "slack", "target": "https://hooks.slack.com/…", "status": "sent", "response_status": 200}
    return Attempt(attempt_id=f"a{number}", alert_id=alert_id, destination_id=NOBODY, created_at=NOW + number, **{**fields, **given})


def waiting(api: Api, alert_id: str, number: int) -> None:
    """Have a destination wait for a transition of an alert."""
    record = Record(
        alert_id=alert_id, destination_id=NOBODY, number=number, type="opened", status="pending", channel="slack", target="https://hooks.slack.com/…",
        attempts=0, reason="", created_at=NOW + number,
    )  # fmt: skip
    assert deliveries.transact(api.store, [deliveries.new_record(api.store, record)]) == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_deliveries_stay_right_while_attempts_are_added(api: Api, limit: int) -> None:
    alert_id = opened(api)["alert_id"]
    for number in range(4):
        deliveries.keep_attempt(api.store, attempt(number, alert_id))
    waiting(api, alert_id, 7)
    page = api.get(f"/v1.0/alerts/{alert_id}/deliveries?limit={limit}")
    found = page.body
    while "Link" in page.headers:
        deliveries.keep_attempt(api.store, attempt(10 + len(found), alert_id))
        waiting(api, alert_id, 10 + len(found))
        page = following(api, page)
        found += page.body
    names = [row["attempt_id"] for row in found]
    assert [name for name in names if name in {None, "a3", "a2", "a1", "a0"}] == [None, "a3", "a2", "a1", "a0"], "each once, none left out"
    assert len(names) == len(set(names))


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_search_for_a_status_looks_at_so_many_alerts_and_no_more_and_goes_on_from_there(api: Api, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    made = [opened(api, event=name) for name in ("a", "b", "c", "d")]
    for alert in (made[0], made[3]):
        assert api.post(f"/v1.0/alerts/{alert['alert_id']}/resolve").status == 200
    monkeypatch.setattr("nightjar.storage.alerts._LOOKS", looks)
    page = api.get("/v1.0/alerts?status=resolved")
    found = page.body
    for _ in range(6):
        if "Link" not in page.headers:
            break
        page = following(api, page)
        found += page.body
    assert sorted(alert["event"] for alert in found) == ["a", "d"]
    assert {alert["event"] for alert in api.get("/v1.0/alerts?status=triggered").body} == {"b", "c"}, "open alerts are found however old"
