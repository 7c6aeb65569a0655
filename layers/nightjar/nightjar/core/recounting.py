"""An hour's buckets made anew from its raw logs, and which of the stored ones they take the place of.

The raw table is the truth; a bucket is what was counted of it. A bucket made anew keeps the numbers of the last logs that the stream
has brought: those were stored before the stream told of them, so a reading of the raw table that comes after holds them all, and the
stream never adds them again. What the raw table holds beyond those numbers the stream adds a second time: so the hour is looked at
again when the stream has had its time.
"""

from collections.abc import Iterable, Mapping

from nightjar.core.folding import Marks, count_in
from nightjar.core.instants import HOUR, MINUTE, floor
from nightjar.core.periods import Bin
from nightjar.core.rollups import Bucket


def bins_of_hour(hour: int) -> list[Bin]:
    """List the buckets of an hour that begins at an instant (µs): itself and its minutes."""
    return [("h", hour), *(("m", start) for start in range(hour, hour + HOUR, MINUTE))]


def counted(logs: Iterable[tuple[int, str]]) -> dict[Bin, Bucket]:
    """Count the raw logs of an hour.

    Args:
        logs: Time (µs) and value of each, as text.

    Returns:
        The buckets that hold any; a log on which the code fails is counted in them as parked.
    """
    found: dict[Bin, Bucket] = {}
    for at, value in logs:
        count_in(found.setdefault(("m", floor(at, MINUTE)), Bucket()), value, at)
    for (_, start), minute in list(found.items()):
        found.setdefault(("h", floor(start, HOUR)), Bucket()).absorb(minute)
    return found


def joined(marks: Iterable[Marks]) -> Marks:
    """Join what the buckets of one hour remember of its sources: the highest number of each.

    All logs of an hour come out of the same source partitions, so what one of its buckets has seen was stored for all of them.
    """
    found: Marks = {}
    for each in marks:
        for source, number in each.items():
            found[source] = max(number, found.get(source, ""))
    return found


def differing(stored: Mapping[Bin, bytes], wanted: Mapping[Bin, Bucket], tick: int | None) -> dict[Bin, Bucket]:
    """Find the stored buckets that are not what the raw logs say, and what they should be.

    Args:
        stored: The packed buckets of an hour, in whatever state.
        wanted: What `counted` made of the hour's raw logs.
        tick: The engine's clock (µs), for buckets of which it is not known when they were last applied to.

    Returns:
        By bin; an empty bucket in the place of one that should hold nothing.
    """
    found: dict[Bin, Bucket] = {}
    for key in stored.keys() | wanted.keys():
        bucket = wanted.get(key) or Bucket()
        packed = stored.get(key)
        bucket.clock = _clock(packed, tick)
        if packed != bucket.pack():
            found[key] = bucket
    return found


def _clock(packed: bytes | None, tick: int | None) -> int | None:
    """Return the engine's clock when logs were last applied to a bucket, if that can still be read."""
    try:
        return Bucket.unpack(packed).clock if packed else tick
    except Exception:  # noqa: BLE001  # whatever was done to it, it is made anew
        return tick
