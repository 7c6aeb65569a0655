"""`nightjar dev` on DynamoDB Local: a restart forgets stream positions and replays all, and nothing is counted or told twice.

Needs Java and DynamoDBLocal.jar in .tools/dynamodb-local (or where NIGHTJAR_DYNAMODB_LOCAL says): its licence does not let us
keep it here.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.test_dev import ROOT, Dev, policy, run, this_minute

HOME = Path(os.environ.get("NIGHTJAR_DYNAMODB_LOCAL", ROOT / ".tools" / "dynamodb-local"))

pytestmark = pytest.mark.skipif(not (HOME / "DynamoDBLocal.jar").exists() or not shutil.which("java"), reason="no DynamoDB Local here")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    command = ["java", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", *options]
    with subprocess.Popen(command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("DynamoDB Local does not come up")


def _count(dev: Dev) -> int:
    (event,) = dev("GET", "/v1.0/events")
    return sum(point["count"] for point in dev("GET", f"/v1.0/events/{event['event_id']}/logs?period=hour"))


def test_a_restart_replays_both_streams_and_changes_nothing(endpoint: str, tmp_path: Path) -> None:
    with run(tmp_path / "log", "--no-clock", "--dynamodb-endpoint", endpoint) as dev:
        dev("POST", "/v1.0/destinations", {"channel": "slack", "url": f"{dev.url}/_slack/ops", "scope": "all"})
        dev.tick(this_minute())
        dev("POST", "/v1.0/policies", policy(event="failed", title="Billing jobs fail"))
        dev("POST", "/v1.0/logs", [{"agent": "worker", "event": "failed", "value": 1}] * 40)
        assert dev.drain() == 0
        assert (_count(dev), len(dev.messages("ops"))) == (40, 1)
    with run(tmp_path / "log", "--no-clock", "--dynamodb-endpoint", endpoint) as dev:
        assert dev.drain() == 0
        assert (_count(dev), dev.messages("ops")) == (40, [])
        dev("POST", "/v1.0/logs", [{"agent": "worker", "event": "failed", "value": 1}] * 5)
        assert dev.drain() == 0
        assert _count(dev) == 45
        assert len(dev("GET", "/v1.0/alerts")) == 1
