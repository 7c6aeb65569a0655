"""Every method of the official SDK, against a running system."""

from datetime import UTC, datetime, timedelta
from typing import Any

import chirpier
import pytest
import requests
from chirpier.client import Client

from scripts.demo.system import System

AGENT, EVENT = "openclaw.main", "task.duration_ms"
LOGGING = {"log", "flush", "shutdown", "close", "send_logs"}
CALLED = {
    "list_events", "create_event", "get_event", "update_event", "get_event_logs", "get_event_analytics",
    "list_policies", "create_policy", "get_policy", "update_policy",
    "list_alerts", "get_alert", "acknowledge_alert", "resolve_alert", "archive_alert", "get_alert_deliveries",
    "list_destinations", "create_destination", "get_destination", "update_destination", "test_destination",
}  # fmt: skip


@pytest.fixture(scope="module")
def client(system: System) -> Any:
    return system.client


@pytest.fixture(scope="module")
def event(system: System, client: Any) -> Any:
    """An event with logs of this hour and of the one before; both agents' logs are there when the tests run."""
    now = datetime.now(UTC)
    made = client.create_event({"agent": AGENT, "event": EVENT, "title": "Tasks"})
    system.log([chirpier.Log(EVENT, 400 + n, agent=AGENT, occurred_at=now - timedelta(minutes=5 + n), meta={"task_name": "triage"}) for n in range(40)])
    system.log([chirpier.Log(EVENT, 100, agent=AGENT, occurred_at=now - timedelta(minutes=80 + n)) for n in range(10)])
    system.drain()
    return made


@pytest.fixture(scope="module")
def alert(system: System, client: Any, event: dict[str, Any]) -> dict[str, Any]:
    """An alert that is open and was told."""
    at = datetime.now(UTC)
    system.tick(at)
    policy = client.create_policy({"event_id": event["event_id"], "period": "day", "aggregate": "max", "condition": "gt", "threshold": 1_000, "title": "Slow"})
    client.create_destination({"channel": "slack", "url": f"{system.url}/_slack/openclaw", "scope": "policies", "policy_ids": [policy["policy_id"]]})
    system.log([chirpier.Log(EVENT, 5_000, agent=AGENT)])
    system.drain()
    system.tick(at + timedelta(minutes=1))  # rollup may know the event's policies of five seconds ago; the next ticks look again
    system.drain()
    (found,) = [each for each in client.list_alerts("triggered") if each["policy_id"] == policy["policy_id"]]
    return dict(found)


def test_every_method_of_the_sdk_is_called_here() -> None:
    public = {name for name in vars(Client) if not name.startswith("_")}
    assert public == CALLED | LOGGING


def test_events(client: Any, event: dict[str, Any]) -> None:
    assert client.get_event(event["event_id"])["title"] == "Tasks"
    assert client.update_event(event["event_id"], {"description": "how long a task took"})["title"] == "Tasks"
    assert event["event_id"] in [each["event_id"] for each in client.list_events()]
    with pytest.raises(requests.HTTPError) as refused:
        client.create_event({"agent": AGENT, "event": EVENT})
    assert refused.value.response.status_code == 409


def test_an_event_appears_with_its_first_log(system: System, client: Any) -> None:
    system.log([chirpier.Log("tool.errors.count", 1, agent=AGENT)])
    assert "tool.errors.count" in [each["event"] for each in client.list_events()]


def test_event_logs(client: Any, event: dict[str, Any]) -> None:
    hours = client.get_event_logs(event["event_id"])
    assert hours == client.get_event_logs(event["event_id"], period="hour", limit=100, offset=0)
    assert [point["occurred_at"] for point in hours] == sorted((point["occurred_at"] for point in hours), reverse=True)
    assert client.get_event_logs(event["event_id"], period="minute", limit=1, offset=1) == client.get_event_logs(event["event_id"], period="minute")[1:2]
    assert {log["value"] for log in client.get_event_logs(event["event_id"], period="raw", limit=1000)} >= {100, 400}


def test_event_analytics(client: Any, event: dict[str, Any]) -> None:
    found = client.get_event_analytics(event["event_id"], view="window", period="1h", previous="previous_window")
    assert (found["data"]["current_count"], found["data"]["previous_count"]) == (40, 10)
    assert found["data"]["previous_mean"] == 100


def test_policies(client: Any, event: dict[str, Any]) -> None:
    body = {"title": "Too many", "condition": "gt", "threshold": 5e6, "period": "hour", "aggregate": "sum", "enabled": True}
    made = client.create_policy({"event_id": event["event_id"], **body})
    assert client.update_policy(made["policy_id"], {"title": "Far too many"})["threshold"] == 5_000_000
    assert client.get_policy(made["policy_id"])["title"] == "Far too many"
    assert client.list_policies()[0]["policy_id"] == made["policy_id"]


def test_an_alert_is_acknowledged_resolved_and_archived(client: Any, alert: dict[str, Any]) -> None:
    assert client.get_alert(alert["alert_id"])["value"] == 5_000
    acknowledged = client.acknowledge_alert(alert["alert_id"])
    assert acknowledged["status"] == "acknowledged"
    resolved = client.resolve_alert(acknowledged["alert_id"])
    assert (resolved["status"], resolved["resolved_by"]) == ("resolved", "person")
    archived = client.archive_alert(resolved["alert_id"])
    assert archived["status"] == "archived"
    assert alert["alert_id"] in [each["alert_id"] for each in client.list_alerts("archived")]
    assert alert["alert_id"] in [each["alert_id"] for each in client.list_alerts()]
    with pytest.raises(requests.HTTPError) as refused:
        client.acknowledge_alert(alert["alert_id"])
    assert refused.value.response.status_code == 409


def test_deliveries(system: System, client: Any, alert: dict[str, Any]) -> None:
    system.drain()
    found = client.get_alert_deliveries(alert["alert_id"], limit=20, offset=0, kind="alert")
    assert {(each["status"], each["channel"], each["response_status"]) for each in found} == {("sent", "slack", 200)}
    assert client.get_alert_deliveries(alert["alert_id"])[0]["kind"] == "alert"


def test_destinations(system: System, client: Any) -> None:
    made = client.create_destination({"channel": "slack", "url": f"{system.url}/_slack/tested", "scope": "policies", "policy_ids": [], "enabled": True})
    assert "tested" not in client.get_destination(made["destination_id"])["url"], "the path of a webhook is a secret"
    assert client.update_destination(made["destination_id"], {"name": "Tested"})["enabled"] is True
    assert made["destination_id"] in [each["destination_id"] for each in client.list_destinations()]
    tested = client.test_destination(made["destination_id"])
    assert tested["status"] == "sent"
    (delivery,) = client.get_alert_deliveries(tested["alert_id"], kind="test")
    assert (delivery["status"], delivery["kind"]) == ("sent", "test")
    assert len(requests.get(f"{system.url}/_slack/tested", timeout=10).json()) == 1


def test_the_global_api_of_the_sdk_logs_too(system: System, client: Any) -> None:
    chirpier.Chirpier.initialize(api_key=system.key, api_endpoint=f"{system.url}/v1.0/logs", servicer_endpoint=f"{system.url}/v1.0")
    chirpier.Chirpier.log_event(chirpier.Log("global.count", 1, agent=AGENT))
    chirpier.Chirpier.flush()
    chirpier.Chirpier.stop()
    system.drain()
    (event,) = [each for each in client.list_events() if each["event"] == "global.count"]
    assert client.get_event_logs(event["event_id"])[0]["count"] == 1


def test_an_unknown_key_is_refused(system: System) -> None:
    stranger = chirpier.new_client(api_key="chp_stranger", api_endpoint=f"{system.url}/v1.0/logs", servicer_endpoint=f"{system.url}/v1.0")
    with pytest.raises(requests.HTTPError) as refused:
        stranger.list_events()
    assert refused.value.response.status_code == 401
    stranger.close()
