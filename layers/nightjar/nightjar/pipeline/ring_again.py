"""What a tick does about bells that were lost; apart from delivery, so that the evaluator starts without it."""

from typing import Final

from nightjar.core.instants import MINUTE
from nightjar.observability import count
from nightjar.queues import Bells, ring
from nightjar.storage import trays
from nightjar.storage.client import Store

_AFTER: Final = 2 * MINUTE
# A receiver's longest wait: a bell rung sooner would only pile up behind one that is hidden, and the queue looks past 120,000 at most.
_AGAIN: Final = 15 * MINUTE


def ring_again(store: Store, queue: Bells, *, now: int) -> None:
    """Ring for every tray in which something has waited for two minutes, and again each quarter of an hour: its bell may be lost, or dead.

    Args:
        store: Where.
        queue: Where to ring.
        now: Wall time (µs).
    """
    waiting = trays.unheard(store, now - _AFTER, now - _AGAIN)
    count("TraysRungAgain", len(waiting))
    ring(queue, waiting, f"tick/{now}")
    for tray in waiting:  # after ringing: who dies in between rings once more
        trays.note_rung(store, tray, now)
