"""`nightjar shards` against a running system, as an operator types it."""

from pathlib import Path

import pytest
from nightjar.core.instants import HOUR, iso
from nightjar.core.sources import MOST_SHARDS
from typer.testing import CliRunner

from local.cli import app
from local.commands import shards
from local.commands.stack import now
from tests.local.test_dev import run


def nightjar(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["shards", *arguments])
    return found.exit_code, found.output


def test_an_operator_spreads_an_event_over_more_partitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = now()
    since = -(-(at + 25 * HOUR) // HOUR) * HOUR
    monkeypatch.setattr(shards, "now", lambda: at)
    with run(tmp_path / "log", "--no-clock") as dev:
        where = ["--endpoint-url", dev.line.split(" aws ")[1].strip()]
        dev("POST", "/v1.0/logs", [{"agent": "a", "event": "e", "value": 2}, {"event": "alone", "value": 1}])
        assert nightjar("a", "e", *where) == (0, "a/e: 1 now\n")
        assert nightjar("a", "e", "4", *where) == (0, f"a/e: 1 now\na/e: 4 from {iso(since)}\n")
        (event,) = [each for each in dev("GET", "/v1.0/events") if each["event"] == "e"]
        dev("PUT", f"/v1.0/events/{event['event_id']}", {"title": "Runs"})
        assert nightjar("a", "e", *where)[1].endswith(f"a/e: 4 from {iso(since)}\n"), "an edit keeps it"
        assert nightjar("", "alone", "2", *where) == (0, f"/alone: 1 now\n/alone: 2 from {iso(since)}\n")
        assert nightjar("a", "e", "1", *where) == (0, "a/e: 1 now\n"), "taken back"
        for wrong in ("0", "-1", str(MOST_SHARDS + 1)):
            code, said = nightjar(*where, "--", "a", "e", wrong)
            assert code == 2
            assert f"must be from 1 to {MOST_SHARDS}" in said
        assert "there is no such event" in nightjar("a", "other", "4", *where)[1]
