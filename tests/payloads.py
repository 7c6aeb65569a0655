"""The files of events/: what AWS sends, verbatim."""

import base64
import json
from pathlib import Path
from typing import Any

from nightjar.core.instants import iso

EVENTS = Path(__file__).parent.parent / "events"


def payload(name: str) -> dict[str, Any]:
    """Read one file."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def logs_of(posted: dict[str, Any]) -> list[dict[str, Any]]:
    """Read the logs in a POST."""
    found: list[dict[str, Any]] = json.loads(base64.b64decode(posted["body"]))
    return found


def posted_at(now: int) -> dict[str, Any]:
    """The POST of logs, its logs' time moved to an instant (µs): ingest takes none that is older than thirty days."""
    posted = payload("api-post-logs")
    logs = [{**log, "occurred_at": iso(now)} for log in logs_of(posted)]
    return {**posted, "body": base64.b64encode(json.dumps(logs).encode()).decode()}
