"""`nightjar recount` against a running system, as an operator types it."""

from pathlib import Path

from nightjar.core.instants import HOUR, floor, iso
from nightjar.core.rollups import Bucket
from nightjar.storage import rollups
from typer.testing import CliRunner

from local.cli import app
from local.commands.stack import now
from local.deployed import Where, open_tables
from tests.local.test_dev import Dev, run


def nightjar(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["recount", *arguments])
    return found.exit_code, found.output


def test_an_operator_mends_a_bucket(tmp_path: Path) -> None:
    with run(tmp_path / "log", "--no-clock") as dev:
        hour = floor(now(), HOUR) - 3 * HOUR
        where = ["--from", iso(hour), "--endpoint-url", dev.line.split(" aws ")[1].strip(), "--pause", "0.1"]
        dev("POST", "/v1.0/logs", [{"agent": "a", "event": "e", "value": 2, "occurred_at": iso(hour + 1)}] * 5)
        assert dev.drain() == 0
        assert nightjar(*where) == (0, "2 hours of 1 events\nnothing is wrong\n")
        break_hour(dev, hour)
        line = f"{iso(hour)} a/e: 1 buckets, 5 logs\n"
        assert nightjar(*where, "--dry-run") == (0, f"2 hours of 1 events\n{line}nothing was written\n")
        assert count(dev) == 0
        assert nightjar(*where, "--agent", "a", "--event", "e", "--to", iso(hour + HOUR)) == (0, f"1 hours of 1 events\n{line}done\n")
        assert count(dev) == 5
        assert "there is no such event" in nightjar(*where, "--event", "other")[1]
        assert "no hour that ended" in nightjar(*where, "--to", iso(hour))[1]
        assert nightjar(*where, "--to", iso(now()))[0] == 1
        assert "only hours that ended more than an hour ago" in nightjar(*where, "--to", iso(now()), "--dry-run")[1]


def break_hour(dev: Dev, hour: int) -> None:
    """Empty the hour's bucket."""
    store = open_tables(Where("nightjar", dev.line.split(" aws ")[1].strip()))
    (event,) = dev("GET", "/v1.0/events")
    row = rollups.read_row(store, event["event_id"], ("h", hour), now=hour)
    row.bucket = Bucket()
    assert rollups.write_row(store, event["event_id"], ("h", hour), row)


def count(dev: Dev) -> int:
    """How many logs the hours of the event hold."""
    (event,) = dev("GET", "/v1.0/events")
    return sum(point["count"] for point in dev("GET", f"/v1.0/events/{event['event_id']}/logs?period=hour"))
