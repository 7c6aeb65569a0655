"""Which buckets are still kept: what has expired must not look like silence, or like zero."""

from collections.abc import Iterable

from nightjar.core.instants import DAY, iso
from nightjar.core.periods import Bin
from nightjar.storage import rollups

_WORDS = {"m": "minute", "h": "hour"}


class TooFarBack(ValueError):
    """The range needs buckets that are no longer kept; the message says which."""


def check_kept(wanted: Iterable[Bin], now: int) -> None:
    """Refuse a range whose oldest buckets have expired: what is gone must not look like silence.

    Raises:
        TooFarBack: They have.
    """
    gone = [bin for bin in wanted if not is_kept(bin, now)]
    if gone:
        start, letter = min((start, letter) for letter, start in gone)
        word, days = _WORDS[letter], rollups.KEPT[letter] // DAY
        raise TooFarBack(f"this range needs the {word} of {iso(start)}, and {word}s are kept for {days} days")


def is_kept(bin: Bin, now: int) -> bool:
    """Tell whether a bucket lives at an instant (µs), if anything was logged in it."""
    letter, start = bin
    return start + rollups.KEPT[letter] > now
