"""What waits of one alert for one destination is one story: an opening and what follows it are given up together."""

from collections.abc import Sequence
from dataclasses import replace

from nightjar.core.alerts import OPENINGS
from nightjar.core.delivery import Outcome, Row, Settled, settled
from nightjar.core.destinations import Channel


def settle_all(rows: Sequence[Row], outcome: Outcome, channel: Channel, target: str, now: int) -> list[Settled]:
    """Say what an outcome means for the rows of one message.

    Args:
        rows: What the message named.
        outcome: What came of the attempt to send it.
        channel: The channel that it was for.
        target: The receiver, masked.
        now: Wall time (µs).

    Returns:
        What to record for each row: what follows an opening in the tray is given up with it, so that no ending is told alone.

    Rule: ENGINE.md, Notifying: giving up comes by age, and a 429 never counts towards it.
    """
    rested = [_rested(row, outcome, now) for row in rows]
    since = _since(rested)
    done = [settled(row, outcome, channel, target, now, since=since[row.key]) for row in rested]
    return [replace(one, changed=one.row != row) for one, row in zip(done, rows, strict=True)]


def _rested(row: Row, outcome: Outcome, now: int) -> Row:
    """Return a row without the time since its receiver last said 429."""
    busy = now - row.busy_since if row.busy_since else 0
    return replace(row, put_at=row.put_at + busy, busy_since=now if outcome.status == "busy" else 0)


def _since(rows: Sequence[Row]) -> dict[str, int]:
    """Return from when giving up counts for each row, by its key: from when the opening before it was put there, if that waits too."""
    found: dict[str, int] = {}
    opened: dict[tuple[str, str], int] = {}
    for row in sorted(rows, key=lambda row: row.number):
        story = row.alert_id, row.destination_id
        if row.type in OPENINGS:
            opened[story] = row.put_at
        found[row.key] = opened.get(story, row.put_at)
    return found


def lone_endings(rows: Sequence[Row]) -> list[Row]:
    """Find the endings behind nothing that tells of their alert: whether their destination was told must be looked up."""
    found: list[Row] = []
    told: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda row: row.number):
        story = row.alert_id, row.destination_id
        if row.type != "resolved":
            told.add(story)
        elif story not in told:
            found.append(row)
    return found
