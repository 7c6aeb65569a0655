"""From the stream of new logs to buckets, and from changed buckets to judgements.

    records → arrivals → piles, one a bucket → read the rows → add what they have not counted → write them, or again
            → for each event touched: its policies → judge

Rule: ENGINE.md, Rollups, Evaluating ("Data") and Traps.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from nightjar.core.folding import Arrival, Pile, fold
from nightjar.core.instants import SECOND
from nightjar.core.periods import Bin
from nightjar.core.policies import Policy
from nightjar.observability import count, logger
from nightjar.pipeline import judge
from nightjar.storage import policies, rollups
from nightjar.storage.arrivals import is_new_log, read_arrival
from nightjar.storage.client import Store
from nightjar.storage.clock import read_clock
from nightjar.storage.faults import StorageBusy, is_fault
from nightjar.storage.rollups import Row
from nightjar.storage.waiting import Wait, wait

FRESH = 5 * SECOND  # how long an event's policies may be remembered

_TRIES = 10
_AT_ONCE = 16
_MOST_EVENTS = 10_000

Item = TypeVar("Item")


class PolicyCache:
    """The policies of events, read at most five seconds ago."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[int, list[Policy]]] = {}

    def for_event(self, event_id: str, now: int) -> list[Policy]:
        """Return an event's enabled policies as they were at most five seconds before `now` (µs)."""
        since, found = self._known.get(event_id, (now - FRESH, []))
        if not since <= now < since + FRESH:
            found = policies.for_event(self._store, event_id)
            if len(self._known) >= _MOST_EVENTS:
                self._known.clear()
            self._known[event_id] = (now, found)
        return found


def roll_up(store: Store, records: Iterable[Mapping[str, Any]], known: PolicyCache, *, now: int, wait: Wait = wait) -> str | None:
    """Handle a batch of the logs table's stream.

    Args:
        store: The tables.
        records: `Records` of the event, in the stream's order.
        known: The policies of events.
        now: Wall time, µs.
        wait: Waits before the n-th retry.

    Returns:
        None when all is done; else the sequence number of the first record that is not: it and all after it must come
        again. What of those was applied already is then not counted twice, but judged again.
    """
    arrivals = _read(records)
    count("LogsRolledUp", len(arrivals))
    piles, parked = fold(arrivals.values())
    for arrival, error in parked:
        # Never its value, which is the client's.
        where = {"event_id": arrival.event_id, "source": arrival.source, "sequence_number": arrival.number}
        logger().error("parked a log at which the code fails", exc_info=error, extra=where)
    count("ParkedRecords", len(parked))
    failed = _apply_all(store, piles, now=now, wait=wait)
    failed += _judge_all(store, [pile for pile in piles if pile not in failed], known, now=now)
    again = {arrival.number for pile in failed for arrival in pile.arrivals}
    return next((number for number, arrival in arrivals.items() if arrival.number in again), None)


def _read(records: Iterable[Mapping[str, Any]]) -> dict[str, Arrival]:
    """Read the new logs among some records, by sequence number; pass over what cannot be read, since it belongs to no bucket."""
    found = {}
    for record in records:
        try:
            if is_new_log(record):
                found[record["dynamodb"]["SequenceNumber"]] = read_arrival(record)
        except Exception:  # noqa: BLE001  # a record that always fails would block its shard for a day
            logger().exception("passed over a record that cannot be read", event_name=record.get("eventID"))
            count("UnreadableRecords")
    return found


def _apply_all(store: Store, piles: list[Pile], *, now: int, wait: Wait) -> list[Pile]:
    """Bring all piles into their buckets, several at a time; return those for which it failed."""
    if not piles:
        return []
    try:
        clock = read_clock(store)
        rows = rollups.read_rows(store, [(pile.event_id, pile.bin) for pile in piles], now=now, wait=wait)
    except Exception:  # noqa: BLE001  # nothing may be passed over: the batch comes again
        logger().exception("buckets could not be read")
        count("RollupFailures")
        return piles
    tick = clock.tick if clock else None
    return _each(lambda pile: _apply(store, pile, rows[pile.event_id, pile.bin], tick, now=now, wait=wait), piles, "bucket not written")


def _apply(store: Store, pile: Pile, row: Row, tick: int | None, *, now: int, wait: Wait) -> None:
    """Bring a pile into its bucket: add what it has not counted, and write it if nobody else did, or read it again.

    Raises:
        StorageBusy: Others kept writing.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            done = _add(store, pile, row, tick)
        except Exception as error:
            if row.damaged or is_fault(error):
                raise
            done = _add(store, pile, rollups.as_damaged(row), tick)
        if done:
            return
        count("RollupConflicts")
        wait(attempt)
        row = rollups.read_row(store, pile.event_id, pile.bin, now=now)
    raise StorageBusy(f"{pile.event_id} {pile.bin}")


def _add(store: Store, pile: Pile, row: Row, tick: int | None) -> bool:
    """Add a pile to a row and write it; False if somebody else wrote the row first."""
    marks = pile.onto(row.bucket, row.marks)
    if marks is None:
        return True
    row.bucket.clock = row.bucket.clock if tick is None else tick
    written = rollups.write_row(store, pile.event_id, pile.bin, replace(row, marks=marks))
    if written and row.damaged:
        logger().error("parked logs beside a bucket that cannot be read: see `nightjar recount`", event_id=pile.event_id, bucket=pile.bin)
        count("ParkedRecords", len(pile.arrivals))
    return written


def _judge_all(store: Store, piles: list[Pile], known: PolicyCache, *, now: int) -> list[Pile]:
    """Judge the policies of the events that were touched; return the piles of those whose policies could not be read."""
    touched: dict[str, set[Bin]] = {}
    for pile in piles:
        touched.setdefault(pile.event_id, set()).add(pile.bin)
    failed = _each(lambda event_id: _judge(store, event_id, touched[event_id], known, now=now), list(touched), "policies not read")
    return [pile for pile in piles if pile.event_id in failed]


def _judge(store: Store, event_id: str, changed: set[Bin], known: PolicyCache, *, now: int) -> None:
    """Judge the policies of one event. A fault of storage brings the batch again; one of our code never does."""
    found = known.for_event(event_id, now)
    if not found:
        return
    try:
        judge.judge_changed(store, found, changed, now=now)
    except Exception as error:
        if judge.is_passing(error):
            raise
        logger().exception("judgement failed", event_id=event_id)
        count("JudgementErrors")


def _each(work: Callable[[Item], None], items: Sequence[Item], failure: str) -> list[Item]:
    """Do a piece of work for each item, several at a time; return those for which it failed, logged and counted."""
    if not items:
        return []
    failed = []
    with ThreadPoolExecutor(min(_AT_ONCE, len(items))) as pool:
        futures = [pool.submit(work, item) for item in items]
    for item, future in zip(items, futures, strict=True):
        error = future.exception()
        if error and not isinstance(error, Exception):
            raise error  # the process is to end: this is no answer
        if error:
            logger().error(failure, exc_info=error)
            count("RollupFailures")
            failed.append(item)
    return failed
