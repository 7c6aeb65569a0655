"""schemathesis against the running service, from the document that it serves: every check on, no failure, no 5xx.

A short run with a fixed seed in `make test`; with NIGHTJAR_SOAK a long one without. Routes one by one need ids of things that are there
and stay there; what follows the document's links takes the ids from answers.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.hostile import SOAK_SECONDS
from tests.local.test_dev import Dev, policy, run, this_minute

# Rules across fields, names of timezones, webhooks of Slack, cursors: a schema cannot say all that makes a body valid. Where there is
# such a rule, a body that fits the schema may be refused by one of these; everywhere else it must be taken.
CONFIG = """
[[operations]]
include-method = ["POST", "PUT"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "422"]

[[operations]]
include-name-regex = "^GET .*(s|analytics|given-up)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]
"""
IDS = """
[parameters]
"path.event_id" = "{event_id}"
"path.destination_id" = "{destination_id}"
"""
# Only the document's own links, not those that schemathesis guesses.
LINKS = """
[phases.stateful]
max-steps = 20

[phases.stateful.inference]
algorithms = []
"""


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    with run(tmp_path / "log", "--no-clock", "--parameter", "KeyRequestsPerSecond=0") as running:
        yield running
    assert "InternalErrors" not in running.log.read_text(), "a fault of the code, answered with 429"


def ran(dev: Dev, config: str, phases: str, examples: int) -> str:
    """Run some of schemathesis' phases and return what it said."""
    (dev.log.parent / "schemathesis.toml").write_text(config)
    effort = ["--max-time", str(SOAK_SECONDS)] if SOAK_SECONDS else ["--max-examples", str(examples), "--seed", "12"]
    command = [str(Path(sys.executable).parent / "st"), "--config-file", "schemathesis.toml", "--no-color", "run", f"{dev.url}/v1.0/openapi.json"]
    common = ["--url", dev.url, "--header", "Authorization: Bearer chp_local", "--checks", "all", "--no-shrink", "--phases", phases, *effort]
    found = subprocess.run([*command, *common], capture_output=True, text=True, cwd=dev.log.parent, check=False)
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:]
    return found.stdout


def made(dev: Dev, number: int = 0) -> dict[str, str]:
    """One of everything, an open alert too."""
    event, slack = f"fuzzed{number}", {"channel": "slack", "url": f"{dev.url}/_slack/fuzz{number}", "enabled": False}
    event_id = dev("POST", "/v1.0/policies", policy(event=event, threshold=0))["event_id"]
    dev("POST", "/v1.0/mutes", {"until": "2099-01-01T00:00:00Z"})
    dev("POST", "/v1.0/logs", {"agent": "worker", "event": event, "value": 1})
    return {"event_id": event_id, "destination_id": dev("POST", "/v1.0/destinations", slack)["destination_id"]}


@pytest.mark.timeout(180 + 2 * SOAK_SECONDS)
def test_every_route_does_what_its_document_says(dev: Dev) -> None:
    said = ran(dev, CONFIG + IDS.format(**made(dev)), "examples,coverage,fuzzing", 5)
    assert "Tested: 3" in said, "thirty routes and more"


@pytest.mark.timeout(180 + 2 * SOAK_SECONDS)
def test_what_answers_lead_on_to_does_so_too(dev: Dev) -> None:
    dev.tick(this_minute())
    for number in range(6):
        made(dev, number)
    dev.drain()
    dev.tick(this_minute() + timedelta(minutes=1))  # rollup may know the event's policies of some seconds ago
    dev.drain()
    assert len(dev("GET", "/v1.0/alerts?status=triggered")) == 6
    said = ran(dev, CONFIG + LINKS, "stateful", 30)
    covered = re.search(r"API Links:\s+(\d+) covered / \d+ selected / (\d+) total", said)
    assert covered
    assert int(covered[1]) * 3 >= int(covered[2]), "at least a third of the links are followed"
