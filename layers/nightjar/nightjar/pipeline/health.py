"""What a destination's last deliveries say of it: last_delivered_at and last_error."""

from dataclasses import replace

from nightjar.core.delivery import Outcome
from nightjar.core.destinations import Destination
from nightjar.storage import config, destinations
from nightjar.storage.client import Store

_TRIES = 5


def note_outcome(store: Store, destination_id: str, outcome: Outcome, *, given_up: bool, now: int) -> None:
    """Note on a destination that it was delivered to, or what was given up and why; a try that comes again is not noted.

    Args:
        store: Where.
        destination_id: Which; one that is gone is passed over.
        outcome: What came of the post.
        given_up: Something was given up with it.
        now: Wall time (µs).
    """
    if outcome.status != "sent" and not given_up:
        return
    for _ in range(_TRIES):
        found = destinations.get(store, destination_id)
        if found is None:
            return
        try:
            destinations.replace(store, _noted(found, outcome, now))
        except config.Stale:
            continue  # somebody edits it at this moment
        else:
            return


def _noted(destination: Destination, outcome: Outcome, now: int) -> Destination:
    """Return the destination with the outcome on it."""
    if outcome.status == "sent":
        return replace(destination, last_delivered_at=now, version=destination.version + 1)
    return replace(destination, last_error=outcome.error, version=destination.version + 1)
