"""A stream batch folded into buckets before any is touched, so that a thousand logs of one event cost two writes.

A bucket remembers, for each source (a stream and a write shard of it), the number of the last log that it took in. The
logs of a source come in growing order, so what is at or below that number was counted before.

Rule: ENGINE.md, Traps: "a bucket that remembers, for each source partition key, the last sequence number applied counts once".
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from nightjar.core.instants import HOUR, MINUTE, floor
from nightjar.core.periods import Bin
from nightjar.core.rollups import Bucket

# For each source the last number applied, padded to one length so that text compares as numbers do.
Marks = dict[str, str]


class Arrival(NamedTuple):
    """One log as the stream tells of it.

    Attributes:
        event_id: Its event.
        source: The stream's label and the write shard that it came from.
        number: Its sequence number, padded to 40 digits.
        at: Its time, µs.
        value: Its value as text.
    """

    event_id: str
    source: str
    number: str
    at: int
    value: str


class Parked(NamedTuple):
    """A log on which the code failed: it is counted as parked, and the batch goes on."""

    arrival: Arrival
    error: Exception


class Pile:
    """The part of a batch that falls into one bucket.

    Attributes:
        event_id: The event.
        bin: The bucket.
        arrivals: Its logs, in the stream's order.
        folded: All of them as a bucket of their own.
    """

    __slots__ = ("arrivals", "bin", "event_id", "folded")

    def __init__(self, event_id: str, bin: Bin) -> None:
        self.event_id = event_id
        self.bin = bin
        self.arrivals: list[Arrival] = []
        self.folded = Bucket()

    def take(self, arrival: Arrival) -> Parked | None:
        """Take a log in; tell where the code failed on it."""
        self.arrivals.append(arrival)
        return _count(self.folded, arrival)

    def join(self, other: "Pile") -> None:
        """Take in what falls into a part of this bucket."""
        self.arrivals.extend(other.arrivals)
        self.folded.absorb(other.folded)

    def onto(self, bucket: Bucket, marks: Marks) -> Marks | None:
        """Add to a bucket those logs that it has not counted yet.

        Args:
            bucket: The bucket as stored; it is changed.
            marks: The last number applied for each source, as stored with it.

        Returns:
            The marks to store with the bucket; None where all was counted before and nothing has changed.
        """
        numbers: dict[str, list[str]] = {}
        for arrival in self.arrivals:
            numbers.setdefault(arrival.source, []).append(arrival.number)
        highest = {source: max(found) for source, found in numbers.items()}
        if all(marks.get(source, "") >= number for source, number in highest.items()):
            return None
        untouched = all(marks.get(source, "") < min(found) for source, found in numbers.items())
        bucket.absorb(self.folded if untouched else self._fold_after(marks))
        return {**marks, **{source: max(number, marks.get(source, "")) for source, number in highest.items()}}

    def _fold_after(self, marks: Marks) -> Bucket:
        """Fold again, without what was counted: a retry that overlaps with what another worker did."""
        folded = Bucket()
        for arrival in self.arrivals:
            if arrival.number > marks.get(arrival.source, ""):
                _count(folded, arrival)
        return folded


def fold(arrivals: Iterable[Arrival]) -> tuple[list[Pile], list[Parked]]:
    """Sort the logs of a batch by the buckets that they fall into.

    Args:
        arrivals: The logs in the stream's order; one that comes twice counts once.

    Returns:
        A pile for each minute and each hour that the batch touches, and the logs on which the code failed (which lie in
        their piles too, as parked).
    """
    piles: dict[tuple[str, Bin], Pile] = {}
    parked = []
    for arrival in {arrival[1:3]: arrival for arrival in arrivals}.values():  # one a source and number
        minute: Bin = ("m", floor(arrival.at, MINUTE))
        failed = _pile(piles, arrival.event_id, minute).take(arrival)
        if failed:
            parked.append(failed)
    for (event_id, (_, start)), pile in list(piles.items()):
        _pile(piles, event_id, ("h", floor(start, HOUR))).join(pile)
    return list(piles.values()), parked


def _pile(piles: dict[tuple[str, Bin], Pile], event_id: str, bin: Bin) -> Pile:
    """Return the pile of a bucket, a new one where there is none."""
    found = piles.get((event_id, bin))
    if found is None:
        found = piles[event_id, bin] = Pile(event_id, bin)
    return found


def _count(bucket: Bucket, arrival: Arrival) -> Parked | None:
    error = count_in(bucket, arrival.value, arrival.at)
    return Parked(arrival, error) if error else None


def count_in(bucket: Bucket, value: str, at: int) -> Exception | None:
    """Count a log in a bucket, as parked where the code fails on it; return the error then."""
    try:
        bucket.add(Decimal(value), at)
    except Exception as error:  # noqa: BLE001  # whatever it is: what was passed over could never be applied
        bucket.parked += 1
        return error
    return None
