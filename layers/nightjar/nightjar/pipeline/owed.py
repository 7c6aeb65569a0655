"""What in a tray is not to be told after all."""

from collections.abc import Iterator, Sequence
from typing import Final

from nightjar.core.alerts import OPENINGS
from nightjar.core.delivery import Row
from nightjar.core.destinations import Channel
from nightjar.core.routing import reached, tellings
from nightjar.core.stories import lone_endings
from nightjar.storage import deliveries
from nightjar.storage.client import Store

# As many checks as a transaction holds beside what it writes.
_MOST: Final = 90


def shown_as(store: Store, row: Row) -> tuple[Channel, str]:
    """Return the channel and the masked receiver for which a row was put into its tray: its destination may be gone."""
    records, _ = deliveries.history(store, row.alert_id)
    found = next((each for each in records if (each.destination_id, each.number) == (row.destination_id, row.number)), None)
    return (found.channel, found.target) if found else ("slack", "")


def untold_endings(store: Store, rows: Sequence[Row]) -> Iterator[tuple[Row, list[int]]]:
    """Find endings of alerts of which their destination was not told, and will not be.

    Args:
        store: Where from.
        rows: What lies in a tray. An ending that lies behind its opening costs nothing; one that lies alone, one read.

    Returns:
        Each such ending, with the numbers of the openings that were given up: nobody puts a reminder back.
    """
    for row in lone_endings(rows):
        told = tellings(deliveries.history(store, row.alert_id)[0], row.destination_id, row.number)
        if not reached(told):
            yield row, [record.number for record in told if record.type in OPENINGS][-_MOST:]
