"""schemathesis against the running service, from the document that it serves: every check on, no failure, no 5xx.

A short run with a fixed seed in `make test`; with NIGHTJAR_SOAK a long one without.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import SOAK_SECONDS
from tests.local.test_dev import Dev, policy, run

# Rules across fields, names of timezones, webhooks of Slack, cursors: a schema cannot say all that makes a body valid. Where there is
# such a rule, a body that fits the schema may be refused by one of these; everywhere else it must be taken.
CONFIG = """
[[operations]]
include-method = ["POST", "PUT"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "422"]

[[operations]]
include-name-regex = "^GET .*(s|analytics)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]

[parameters]
"path.event_id" = "{event_id}"
"path.destination_id" = "{destination_id}"
"""


@pytest.mark.timeout(180 + 2 * SOAK_SECONDS)
def test_the_service_does_what_its_document_says(tmp_path: Path) -> None:
    with run(tmp_path / "log", "--no-clock", "--parameter", "KeyRequestsPerSecond=0") as dev:
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.format(**_made(dev)))
        effort = ["--max-time", str(SOAK_SECONDS)] if SOAK_SECONDS else ["--max-examples", "8", "--seed", "12"]
        command = [str(Path(sys.executable).parent / "st"), "--config-file", str(config), "--no-color", "run", f"{dev.url}/v1.0/openapi.json"]
        options = ["--url", dev.url, "--header", "Authorization: Bearer chp_local", "--checks", "all", "--no-shrink", *effort]
        found = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:]
        assert "Tested: 3" in found.stdout, "thirty routes and more"
        assert "InternalErrors" not in dev.log.read_text(), "a fault of the code, answered with 429"


def _made(dev: Dev) -> dict[str, str]:
    """Something for the routes that want an id."""
    url = f"{dev.url}/_slack/fuzz"
    destination = dev("POST", "/v1.0/destinations", {"channel": "slack", "url": url, "enabled": False})
    return {"event_id": dev("POST", "/v1.0/policies", policy(event="fuzzed"))["event_id"], "destination_id": destination["destination_id"]}
