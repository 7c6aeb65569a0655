"""What an event's logs came to: points by minute, hour or day, newest first, and the raw logs while they live."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from nightjar.api.events import known
from nightjar.api.lists import listed
from nightjar.api.models.event_logs import Point, RawPoint
from nightjar.api.requests import Call, Reply
from nightjar.core.events import Event
from nightjar.core.instants import DAY, HOUR, floor, iso
from nightjar.core.periods import Bin, Kind, Period, cover, period_at, previous_period
from nightjar.core.rollups import Bucket, merge
from nightjar.http.body import parse
from nightjar.pipeline.kept import is_kept
from nightjar.settings import settings
from nightjar.storage import logs, rollups
from nightjar.storage.bucket_items import blamed
from nightjar.storage.logs import RawLog

_DEFAULT = 100
_AHEAD = 2 * DAY  # logs lie at most a day ahead, and a day may begin later than that
_DAYS_AT_ONCE = 31
_LETTERS: Final[dict[str, rollups.Letter]] = {"minute": "m", "hour": "h"}

Found = tuple[int, Bucket]


def list_logs(call: Call, event_id: str) -> Reply:
    """List an event's points, or its raw logs, newest first."""
    event = known(call, event_id)
    period = call.choice("period", ("minute", "hour", "day", "raw"), "hour")
    if period == "raw":
        return listed(call, partial(_raw, call, event), partial(_show_raw, event), default=_DEFAULT)
    kind: Kind = period  # type: ignore[assignment]  # one of the other three
    fetch = partial(_days, call, event) if kind == "day" else partial(_stored, call, event, _LETTERS[kind])
    return listed(call, fetch, partial(_show, event, kind), default=_DEFAULT)


def _show(event: Event, kind: Kind, found: Found) -> dict[str, Any]:
    """Return a point as it is answered."""
    start, bucket = found
    with blamed(event.event_id, {} if kind == "day" else {(_LETTERS[kind], start): bucket}):
        return Point.of(event, kind, start, bucket).fields()


def _stored(call: Call, event: Event, letter: rollups.Letter, limit: int, cursor: str | None) -> tuple[list[Found], str | None]:
    """Fetch stored buckets; the cursor is the start (µs) of the last one."""
    end = int(cursor) if cursor else call.now + _AHEAD
    rows = rollups.query(call.store, event.event_id, letter, 0, end, now=call.now, newest_first=True, limit=limit + 1)
    rows = [(start, bucket) for start, bucket in rows if bucket.count]
    return rows[:limit], str(rows[limit - 1][0]) if len(rows) > limit else None


def _days(call: Call, event: Event, limit: int, cursor: str | None) -> tuple[list[Found], str | None]:
    """Fetch days, merged from hours and minutes; the cursor is the start (µs) of the last one."""
    first = rollups.first_start(call.store, event.event_id, now=call.now)
    found: list[Found] = []
    day = previous_period("day", Period(int(cursor), int(cursor)), event.zones) if cursor else period_at("day", call.now + _AHEAD, event.zones)
    while first is not None and day.end > first and len(found) <= limit:
        days = [day]
        while len(days) < _DAYS_AT_ONCE and days[-1].start > first:
            days.append(previous_period("day", days[-1], event.zones))
        found += _merged(call, event, days)
        day = previous_period("day", days[-1], event.zones)
    return found[:limit], str(found[limit - 1][0]) if len(found) > limit else None


def _merged(call: Call, event: Event, days: list[Period]) -> list[Found]:
    """Merge the buckets of adjoining days, given newest first; days without logs are left out, and those of which a part is no longer kept."""
    first, last = floor(days[-1].start, HOUR), days[0].end
    buckets: dict[Bin, Bucket] = {("h", start): bucket for start, bucket in rollups.query(call.store, event.event_id, "h", first, last, now=call.now)}
    days = [day for day in days if _is_whole(day, buckets, call.now)]
    edges = [bin for day in days for bin in _edges(day, buckets)]
    buckets.update(rollups.read(call.store, event.event_id, edges, now=call.now))
    merged = [(day.start, merge(buckets[bin] for bin in cover(day.start, day.end) if bin in buckets)) for day in days]
    with blamed(event.event_id, buckets):
        for _, bucket in merged:
            bucket.check()
    return [(start, bucket) for start, bucket in merged if bucket.count]


def _is_whole(day: Period, hours: Mapping[Bin, Bucket], now: int) -> bool:
    """Tell whether all that was logged in a day is still kept (now in µs): hours live for years, the minutes at its edges for weeks."""
    return all(is_kept(bin, now) for bin in [("h", floor(day.start, HOUR)), *_edges(day, hours)])


def _edges(day: Period, hours: Mapping[Bin, Bucket]) -> list[Bin]:
    """List the minutes at the edges of a day, those of hours in which nothing was logged left out."""
    return [bin for bin in cover(day.start, day.end) if bin[0] == "m" and ("h", floor(bin[1], HOUR)) in hours]


def _raw(call: Call, event: Event, limit: int, cursor: str | None) -> tuple[list[RawLog], str | None]:
    """Fetch raw logs, out of the hours that have any and the last two, which rollup may not have met yet."""
    oldest = call.now - settings().log_ttl_days * DAY
    with_logs = rollups.starts(call.store, event.event_id, "h", oldest, call.now + _AHEAD, now=call.now)
    running = floor(call.now, HOUR)
    hours = sorted({*with_logs, running, running - HOUR}, reverse=True)
    return logs.list_raw(call.store, event.event_id, event.shards, hours, now=call.now, limit=limit, before=cursor)


def _show_raw(event: Event, log: RawLog) -> dict[str, Any]:
    """Return a raw log as it is answered."""
    return RawPoint(
        event_id=event.event_id,
        agent=event.agent,
        event=event.event,
        period="raw",
        log_id=log.log_id,
        occurred_at=iso(log.at),
        value=log.value,
        meta=parse(log.meta) if log.meta else None,
    ).fields()
