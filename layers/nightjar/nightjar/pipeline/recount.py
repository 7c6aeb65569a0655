"""Make buckets anew from the raw logs, where what was stored is damaged or the code failed on a log.

    hour → its stored rows → its raw logs, counted → write what differs, if nobody else did → judge → a minute later, again

Rule: ENGINE.md, Traps: "only hours that ended more than an hour ago, repeated until a minute later the bucket still holds as many logs
as the raw table (else the stream adds them again)".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from nightjar.core.events import Event
from nightjar.core.instants import DAY, HOUR, floor, iso
from nightjar.core.periods import Bin
from nightjar.core.recounting import bins_of_hour, counted, differing, joined
from nightjar.core.sources import source_keys
from nightjar.pipeline.judge import judge_changed
from nightjar.storage import logs, policies, rollups
from nightjar.storage.client import Store
from nightjar.storage.clock import read_clock
from nightjar.storage.rollups import Row

KEPT = 32 * DAY  # raw logs live at least so long
QUIET = HOUR  # an hour must have ended so long ago

_ROUNDS = 30
_TRIES = 8


class Moving(Exception):
    """The stream kept adding to the hours: it is behind by more than the pauses."""


@dataclass(frozen=True, slots=True)
class Target:
    """One event's hour, by its start (µs)."""

    event: Event
    hour: int


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at a target found.

    Attributes:
        target: Where.
        logs: How many raw logs it holds that could be counted.
        parked: How many could not.
        changed: The rows that were not what the raw logs say.
    """

    target: Target
    logs: int
    parked: int
    changed: dict[Bin, Row]


def latest_hour(now: int) -> int:
    """Return the start (µs) of the latest hour that may be recounted at an instant (µs)."""
    return floor(now - QUIET - 1, HOUR) - HOUR


def earliest_hour(now: int) -> int:
    """Return the start (µs) of the earliest hour of which all raw logs are still there."""
    return floor(now - KEPT, HOUR) + HOUR


def look(store: Store, target: Target, *, now: int) -> Found:
    """Hold an hour's buckets against its raw logs. Nothing is written.

    The rows are read first: what their numbers say was applied then lies in the raw table for certain.
    """
    event_id, hour = target.event.event_id, target.hour
    stored = rollups.read_stored(store, event_id, bins_of_hour(hour), now=now)
    sources = source_keys(event_id, target.event.shards, hour, hour + HOUR)
    wanted = counted(chain.from_iterable(logs.read_values(store, source) for source in sources))
    clock = read_clock(store)
    different = differing({bin: row.packed for bin, row in stored.items()}, wanted, clock.tick if clock else None)
    marks = joined(row.marks for row in stored.values())
    rows = {bin: Row(bucket, dict(marks), stored[bin].version if bin in stored else 0) for bin, bucket in different.items()}
    whole = wanted.get(("h", hour))
    return Found(target, whole.count if whole else 0, whole.parked if whole else 0, rows)


def recount(store: Store, targets: Sequence[Target], *, now: Callable[[], int], pause: Callable[[], None]) -> Iterator[Found]:
    """Make the buckets of some hours what their raw logs say, and judge these hours, also where nothing had to be mended.

    A recount that died between writing and judging is so made good by the next. Judging again what was judged changes nothing.

    Args:
        store: Where; all tables are used.
        targets: Hours from `earliest_hour` to `latest_hour`.
        now: Wall time (µs).
        pause: Waits for a minute, in which the stream adds what it still has.

    Yields:
        What was found and mended, as it is mended: an hour at which nothing was wrong is not among it.

    Raises:
        ValueError: An hour is too young or too old.
        Moving: The stream kept adding, or others kept writing; all other hours are mended.
    """
    check(targets, now())
    waiting, moving = list(targets), list[Moving]()
    for _ in range(_ROUNDS):
        mended = []
        for target in waiting:
            try:
                found = _mend(store, target, now)
            except Moving as error:
                moving.append(error)
                continue
            if found.changed:
                mended.append(target)
                yield found
        waiting = mended
        if not waiting:
            break
        pause()
    if waiting:
        raise Moving(f"{len(waiting)} hours still change: recount them again when the stream has caught up")
    if moving:
        raise moving[0]


def check(targets: Sequence[Target], now: int) -> None:
    """Refuse hours that still fill, and those whose raw logs have begun to expire.

    Raises:
        ValueError: There is one among them.
    """
    for target in targets:
        if target.hour % HOUR or not earliest_hour(now) <= target.hour <= latest_hour(now):
            raise ValueError("only hours that ended more than an hour ago, and at most 32 days, can be recounted")


def _mend(store: Store, target: Target, now: Callable[[], int]) -> Found:
    """Look at an hour, write what differs, and judge the hour; where somebody else wrote meanwhile, look again.

    Raises:
        Moving: Somebody else kept writing; what was written is judged.
    """
    changed: dict[Bin, Row] = {}
    for _ in range(_TRIES):
        found = look(store, target, now=now())
        changed |= found.changed
        refused = [bin for bin, row in found.changed.items() if not rollups.write_row(store, target.event.event_id, bin, row)]
        if not refused:
            break
    judge_changed(store, policies.for_event(store, target.event.event_id), bins_of_hour(target.hour), now=now())
    if refused:
        raise Moving(f"{target.event.agent}/{target.event.event}, {iso(target.hour)}: others keep writing")
    return Found(target, found.logs, found.parked, changed)
