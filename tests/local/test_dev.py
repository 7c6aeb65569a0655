"""`nightjar dev` with the real functions: started as people start it, spoken to over HTTP only."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import chirpier
import pytest
import requests
from typer.testing import CliRunner

from local.cli import app

ROOT = Path(__file__).parent.parent.parent
HEADERS = {"Authorization": "Bearer chp_local"}


class Dev:
    """A running `nightjar dev`."""

    def __init__(self, process: "subprocess.Popen[str]", line: str, log: Path) -> None:
        self.process = process
        self.line = line
        self.log = log
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found is not None
        self.url = found[0]

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, self.url + path, json=body, headers=HEADERS, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def drain(self) -> int:
        return int(self("POST", "/_local/drain?timeout=25")["waiting"])

    def tick(self, at: datetime) -> Any:
        return self("POST", "/2015-03-31/functions/EvaluatorFunction/invocations", {"time": at.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def messages(self, channel: str) -> list[dict[str, Any]]:
        return [each["payload"] for each in self("GET", f"/_slack/{channel}")]


@contextmanager
def start(log: Path, *options: str) -> Iterator[Dev]:
    """Start a system; who asked for it ends it."""
    command = [sys.executable, "-c", "from local.cli import main; main()", "dev", "--port", "0", "--logs", str(log), *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/nightjar")])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=log.parent) as process:
        assert process.stdout is not None
        yield Dev(process, process.stdout.readline(), log)


@contextmanager
def run(log: Path, *options: str) -> Iterator[Dev]:
    with start(log, *options) as dev:
        try:
            yield dev
        finally:
            dev.process.send_signal(signal.SIGTERM)
            assert dev.process.wait(10) == 0


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with run(tmp_path_factory.mktemp("dev") / "log", "--no-clock") as running:
        yield running
    assert "AccessDenied" not in running.log.read_text(), "a role in template.yaml lacks what the code does"




def this_minute() -> datetime:
    """The minute that runs: asked for when it is used, for tests are collected long before they run, perhaps in another hour."""
    return datetime.now(UTC).replace(second=0, microsecond=0)  # noqa: TID251


def test_it_says_where_it_is_on_one_line(dev: Dev) -> None:
    assert re.fullmatch(r"nightjar dev: api http://\S+/v1\.0 logs http://\S+/v1\.0/logs key chp_local slack http://\S+ aws http://\S+\n", dev.line)


def test_the_default_key_is_needed_and_enough(dev: Dev) -> None:
    assert isinstance(dev("GET", "/v1.0/policies"), list)
    assert requests.get(dev.url + "/v1.0/policies", timeout=10).status_code == 401
    assert requests.get(dev.url + "/healthz", timeout=10).json() == {"status": "ok"}


def test_unknown_routes_and_methods_are_answered_in_the_envelope(dev: Dev) -> None:
    for method, path, status, code in (("GET", "/nowhere", 404, "NOT_FOUND"), ("GET", "/", 404, "NOT_FOUND"), ("PUT", "/v1.0/logs", 405, "METHOD_NOT_ALLOWED")):
        answer = requests.request(method, dev.url + path, headers=HEADERS, timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_log_of_the_official_sdk_reaches_the_rollups(dev: Dev) -> None:
    client = chirpier.new_client(api_key="chp_local", api_endpoint=f"{dev.url}/v1.0/logs", servicer_endpoint=f"{dev.url}/v1.0")
    for value in (1.5, 2.5, 0.1):
        client.log(chirpier.Log(agent="sdk", event="sent", value=value, meta={"a": "ü"}))
    client.flush()
    assert dev.drain() == 0
    (event,) = [each for each in client.list_events() if each["event"] == "sent"]
    (point,) = client.get_event_logs(event["event_id"], "hour")
    assert (point["count"], point["value"], point["max"]) == (3, 4.1, 2.5)
    client.close()


def test_a_burst_becomes_a_slack_message_within_a_second(dev: Dev) -> None:
    dev("POST", "/v1.0/destinations", {"channel": "slack", "url": f"{dev.url}/_slack/billing-ops", "scope": "all"})
    dev.tick(this_minute())
    dev("POST", "/v1.0/policies", policy(event="failed", title="Billing jobs fail"))
    assert dev.drain() == 0
    dev("POST", "/v1.0/logs", [{"agent": "worker", "event": "failed", "value": 1}] * 21)
    began = time.monotonic()
    while not dev.messages("billing-ops"):
        assert time.monotonic() - began < 5
        time.sleep(0.02)
    assert dev.drain() == 0
    (message,) = dev.messages("billing-ops")
    assert "Billing jobs fail" in message["text"]
    (alert,) = [each for each in dev("GET", "/v1.0/alerts") if each["event"] == "failed"]
    assert (alert["status"], alert["value"]) == ("triggered", 21)
    (delivery,) = dev("GET", f"/v1.0/alerts/{alert['alert_id']}/deliveries")
    assert delivery["status"] == "sent"
    assert dev("POST", f"/v1.0/alerts/{alert['alert_id']}/acknowledge")["status"] == "acknowledged"
    assert dev("POST", f"/v1.0/alerts/{alert['alert_id']}/resolve")["status"] == "resolved"
    assert dev.drain() == 0
    assert len(dev.messages("billing-ops")) == 2


def test_silence_becomes_a_message_when_the_minutes_of_the_future_are_ticked(dev: Dev) -> None:
    made = dev("POST", "/v1.0/policies", policy(event="finished", title="Stalled", condition="lt", threshold=10, period="minute"))
    made_at = datetime.now(UTC)  # noqa: TID251
    for minutes in range(1, 5):
        dev.tick(made_at + timedelta(minutes=minutes))
    dev.drain()
    assert [alert["status"] for alert in dev("GET", "/v1.0/alerts") if alert["policy_id"] == made["policy_id"]] == ["triggered"]
    assert any("Stalled" in message["text"] for message in dev.messages("billing-ops"))


def test_every_control_plane_route_may_do_what_it_does(dev: Dev) -> None:
    made = dev("POST", "/v1.0/policies", policy(event="edited"))
    dev("PUT", f"/v1.0/policies/{made['policy_id']}", {"threshold": 7})
    dev("GET", f"/v1.0/policies/{made['policy_id']}")
    dev("POST", "/v1.0/policies/preview", {"policy": made, "from": (this_minute() - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")})
    dev("GET", "/v1.0/events")
    dev("PUT", f"/v1.0/events/{made['event_id']}", {"title": "T", "timezone": "Europe/Berlin"})
    for view in ("logs?period=raw", "logs?period=day", "analytics?view=window&period=1h&previous=previous_1d"):
        dev("GET", f"/v1.0/events/{made['event_id']}/{view}")
    (destination,) = dev("GET", "/v1.0/destinations")[:1]
    dev("PUT", f"/v1.0/destinations/{destination['destination_id']}", {"name": "ops"})
    dev("POST", f"/v1.0/destinations/{destination['destination_id']}/test")
    dev("DELETE", f"/v1.0/policies/{made['policy_id']}")
    assert "AccessDenied" not in dev.log.read_text()


def test_what_a_mute_held_is_sent_when_it_is_deleted(dev: Dev) -> None:
    mute = dev("POST", "/v1.0/mutes", {"event": "mut*", "until": (this_minute() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")})
    dev("POST", "/v1.0/policies", policy(event="muted", title="Muted", threshold=2))
    assert dev.drain() == 0
    dev("POST", "/v1.0/logs", [{"agent": "worker", "event": "muted", "value": 1}] * 3)
    dev.drain()
    assert [alert["status"] for alert in dev("GET", "/v1.0/alerts") if alert["event"] == "muted"] == ["triggered"]
    assert not any("Muted" in message["text"] for message in dev.messages("billing-ops"))
    requests.delete(f"{dev.url}/v1.0/mutes/{mute['mute_id']}", headers=HEADERS, timeout=10).raise_for_status()
    dev.drain()
    assert any("Muted" in message["text"] for message in dev.messages("billing-ops"))
    assert "AccessDenied" not in dev.log.read_text()


def policy(**fields: Any) -> dict[str, Any]:
    return {"agent": "worker", "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 20, "severity": "critical", **fields}


def test_keys_are_made_listed_and_revoked_from_the_command_line(dev: Dev) -> None:
    endpoint = ["--endpoint-url", dev.line.split(" aws ")[1].strip()]

    def nightjar(*arguments: str) -> str:
        found = CliRunner().invoke(app, [*arguments, *endpoint])
        assert found.exit_code == 0, found.output
        return found.output.strip()

    key = nightjar("keys", "create", "--agent-prefix", "worker.", "--name", "ci")
    log = {"agent": "worker.x", "event": "e", "value": 1}
    for agent, accepted in (("worker.x", 200), ("other", 400)):
        answer = requests.post(f"{dev.url}/v1.0/logs", json={**log, "agent": agent}, headers={"Authorization": f"Bearer {key}"}, timeout=10)
        assert answer.status_code == accepted
    (line,) = [each for each in nightjar("keys", "list").splitlines() if each.endswith("ci")]
    assert " ingest valid " in line
    assert key not in line
    assert nightjar("keys", "revoke", line.split()[0]).startswith("revoked ")
    assert " revoked " in nightjar("keys", "list")
    assert CliRunner().invoke(app, ["keys", "revoke", "nothing", *endpoint]).exit_code == 2


def test_a_mail_is_shown_in_a_channel_of_the_fake_slack(tmp_path: Path) -> None:
    with run(tmp_path / "log", "--no-clock", "--parameter", "EmailFrom=nightjar@example.com", "--parameter", "EmailTo=ops@example.com") as running:
        made = running("POST", "/v1.0/destinations", {"channel": "email", "scope": "all"})
        assert running("POST", f"/v1.0/destinations/{made['destination_id']}/test")["status"] == "sent"
        (mail,) = running.messages("mail")
        assert mail["text"].startswith("From: nightjar@example.com\nTo: ops@example.com\nSubject: ")


def test_a_fake_slack_shows_a_page_to_a_browser(dev: Dev) -> None:
    found = requests.get(f"{dev.url}/_slack/billing-ops", headers={"Accept": "text/html"}, timeout=10)
    assert "Billing jobs fail" in found.text


def test_the_clock_ticks_at_once_and_sigterm_ends_all(tmp_path: Path) -> None:
    with run(tmp_path / "log", "--clock") as running:
        running.drain()
        ticked = requests.post(
            running.url + "/2015-03-31/functions/EvaluatorFunction/invocations", json={"time": this_minute().strftime("%Y-%m-%dT%H:%M:%SZ")}, timeout=20
        )
        assert ticked.json() == {"outcome": "old"}, "the running minute was ticked before"
        workers = _children(running.process.pid)
        assert len(workers) >= 5
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    return [int(each) for each in found.stdout.split()]


@pytest.mark.parametrize(
    ("function", "event", "answer"),
    [
        ("RollupFunction", "stream-logs", {"batchItemFailures": []}),
        ("NotifierFunction", "stream-transitions", {"batchItemFailures": []}),
        ("NotifierFunction", "sqs-bell", {"batchItemFailures": []}),
    ],
)
def test_every_function_takes_the_payload_of_its_trigger(dev: Dev, function: str, event: str, answer: dict[str, Any]) -> None:
    payload = json.loads((ROOT / "events" / f"{event}.json").read_text())
    assert dev("POST", f"/2015-03-31/functions/{function}/invocations", payload) == answer


@pytest.mark.parametrize(("function", "event"), [("IngestFunction", "api-post-logs"), ("ApiFunction", "api-get-policies")])
def test_functions_behind_the_api_take_the_gateways_payload(dev: Dev, function: str, event: str) -> None:
    payload = json.loads((ROOT / "events" / f"{event}.json").read_text())
    assert dev("POST", f"/2015-03-31/functions/{function}/invocations", payload)["statusCode"] in {200, 400}
