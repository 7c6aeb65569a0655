"""What a tick does about bells that were lost; apart from delivery, so that the evaluator starts without it."""

from typing import Final

from nightjar.core.instants import MINUTE
from nightjar.observability import count
from nightjar.queues import Bells, ring
from nightjar.storage import trays
from nightjar.storage.client import Store

_AFTER: Final = 2 * MINUTE


def ring_again(store: Store, queue: Bells, *, now: int) -> None:
    """Ring for every tray in which something has waited for two minutes: its bell may be lost, or dead.

    Args:
        store: Where.
        queue: Where to ring.
        now: Wall time (µs).
    """
    waiting = trays.waiting_since(store, now - _AFTER)
    count("TraysRungAgain", len(waiting))
    ring(queue, waiting, f"tick/{now}")
