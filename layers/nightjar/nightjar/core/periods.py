"""Minutes, hours and calendar days: where they begin and end, and which stored buckets make them up.

Minutes and hours are cut on UTC by arithmetic. A day begins at the first instant of its local date in the event's
IANA timezone and ends where the next begins. Zones come from the pinned `tzdata` package, never from the system.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Literal

from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, floor

Kind = Literal["minute", "hour", "day"]
Previous = Literal["previous_window", "previous_1d", "previous_7d", "previous_1m"]

# The stored bucket of an event: an hour or a minute, and its start in µs.
Bin = tuple[Literal["h", "m"], int]

# An event's timezone history: (effective from, IANA name), oldest first; the first entry's instant is MIN.
Zones = tuple[tuple[int, str], ...]
MIN = -(2**62)
UTC_ZONES: Zones = ((MIN, "UTC"),)

DAYS_BEFORE: dict[Previous, int] = {"previous_1d": 1, "previous_7d": 7, "previous_1m": 30}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTH = {"minute": MINUTE, "hour": HOUR}
_SHORTEST_DAY, _LONGEST_DAY = 23 * HOUR, 25 * HOUR


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, µs since the epoch: start is inside, end is not."""

    start: int
    end: int


def is_zone(name: str) -> bool:
    """Tell whether a text is the name of a timezone, exactly as `tzdata` spells it."""
    return name in _zone_names()


def change_zone(zones: Zones, name: str, now: int) -> Zones:
    """Set an event's timezone.

    Args:
        zones: The event's history so far.
        name: A name for which `is_zone` holds.
        now: The instant (µs) of the change.

    Returns:
        The history with the new zone taking effect at its own next midnight. A change that has not yet taken effect is
        replaced; the same zone again changes nothing.

    Rule: ENGINE.md, Rollups: "A change of timezone takes effect at the new zone's next midnight".

    Example:
        >>> change_zone(UTC_ZONES, "America/New_York", 1772582100000000)[-1]  # set at 2026-03-03T23:55Z
        (1772600400000000, 'America/New_York')
    """
    if zones[-1][1] == name:
        return zones
    kept = tuple(entry for entry in zones if entry[0] <= now)
    if kept[-1][1] == name:
        return kept
    return (*kept, (_local_day(name, now).end, name))


def period_at(kind: Kind, instant: int, zones: Zones) -> Period:
    """Find the period that an instant (µs) lies in.

    Rule: ENGINE.md, Rollups: days follow the zone's history; one that runs when the zone changes is cut there.

    Example:
        >>> period_at("hour", 1772546400000001, UTC_ZONES)
        Period(start=1772546400000000, end=1772550000000000)
    """
    if kind != "day":
        length = _LENGTH[kind]
        start = instant - instant % length
        return Period(start, start + length)
    if len(zones) == 1:
        return _local_day(zones[0][1], instant)
    place = bisect_right(zones, instant, key=lambda entry: entry[0]) - 1
    day = _local_day(zones[place][1], instant)
    until = zones[place + 1][0] if place + 1 < len(zones) else day.end
    return Period(max(day.start, zones[place][0]), min(day.end, until))


def next_period(kind: Kind, period: Period, zones: Zones) -> Period:
    """Return the period that begins where this one ends."""
    return period_at(kind, period.end, zones)


def previous_period(kind: Kind, period: Period, zones: Zones) -> Period:
    """Return the period that ends where this one begins."""
    return period_at(kind, period.start - 1, zones)


def periods_ending(kind: Kind, after: int, upto: int, zones: Zones) -> list[Period]:
    """List the periods whose end lies after `after` and at or before `upto` (µs), oldest first."""
    found = []
    period = period_at(kind, after, zones)
    while period.end <= upto:
        found.append(period)
        period = period_at(kind, period.end, zones)
    return found


def judgeable(kind: Kind, period: Period) -> bool:
    """Tell whether a period is whole: a day of 23 to 25 hours, any minute, any hour."""
    return kind != "day" or _SHORTEST_DAY <= period.end - period.start <= _LONGEST_DAY


def shifted(kind: Kind, period: Period, previous: Previous, zones: Zones) -> Period:
    """Find the window that a period is compared with.

    Args:
        kind: "day" moves a calendar day by local dates; a rolling window is moved by its length or by whole 24 hours,
            so give "hour" for every rolling window, whatever its policy's period.
        period: The period or window that is judged.
        previous: How far before it lies: one window, or 1, 7 or 30 days.
        zones: The event's timezone history.

    Returns:
        The earlier window. A calendar day's is a whole day of the zone in force at the day itself, also where the
        event still kept another zone then: days of one zone are compared with one another.

    Rule: ENGINE.md, Evaluating: "one window, 1, 7 or 30 days before (for days: calendar days)".
    """
    days = DAYS_BEFORE.get(previous, 1)
    if kind == "day" and period == period_at("day", period.start, zones) and judgeable("day", period):
        return _days_before(period, days, zone_at(zones, period.start))
    distance = period.end - period.start if previous == "previous_window" else days * DAY
    return Period(period.start - distance, period.end - distance)


def cover(start: int, end: int) -> list[Bin]:
    """List the stored buckets that make up the window [start, end): whole hours, and minutes at ragged edges.

    Args:
        start: First instant (µs), a whole minute.
        end: First instant after the window (µs), a whole minute.

    Example:
        >>> cover(59 * MINUTE, 2 * HOUR + MINUTE)
        [('m', 3540000000), ('h', 3600000000), ('m', 7200000000)]
    """
    start, end = floor(start, MINUTE), floor(end, MINUTE)
    first, last = -(-start // HOUR) * HOUR, floor(end, HOUR)
    if first >= last:
        return [("m", at) for at in range(start, end, MINUTE)]
    bins: list[Bin] = [("m", at) for at in range(start, first, MINUTE)]
    bins.extend(("h", at) for at in range(first, last, HOUR))
    bins.extend(("m", at) for at in range(last, end, MINUTE))
    return bins


def zone_at(zones: Zones, instant: int) -> str:
    """Return the zone in force at an instant."""
    return next(name for since, name in reversed(zones) if since <= instant)


def _days_before(period: Period, days: int, name: str) -> Period:
    """Return the local day so many dates before a day; where that date does not exist, the one before it."""
    local = local_time(name, period.start).date() - timedelta(days=days)
    start = _day_start(name, local.toordinal())
    while start is None:
        local -= timedelta(days=1)
        start = _day_start(name, local.toordinal())
    return _local_day(name, start)


def _local_day(name: str, instant: int) -> Period:
    """Return the day of one zone that an instant lies in."""
    utc_day = instant // DAY
    if name == "UTC":
        return Period(utc_day * DAY, (utc_day + 1) * DAY)
    starts = _starts_around(name, utc_day)
    place = bisect_right(starts, instant)
    return Period(starts[place - 1], starts[place])


@lru_cache(maxsize=8192)
def _starts_around(name: str, utc_day: int) -> tuple[int, ...]:
    """Return the starts of the local days that meet a UTC day: no zone is further than 26 hours from UTC."""
    middle = _EPOCH.toordinal() + utc_day
    found = (_day_start(name, ordinal) for ordinal in range(middle - 3, middle + 4))
    return tuple(sorted({start for start in found if start is not None}))


@lru_cache(maxsize=8192)
def _day_start(name: str, ordinal: int) -> int | None:
    """Return the first instant of a local date; None for a date that the zone left out (Samoa's 2011-12-30)."""
    midnight = datetime.combine(date.fromordinal(ordinal), datetime.min.time(), _zone(name))
    instant = _instant(midnight)
    if local_time(name, instant).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    # Midnight itself was skipped: the date begins where the clocks were moved, which is at most the jump earlier.
    jump = _first_moved(name, _instant(midnight.replace(fold=1)), instant)
    return jump if local_time(name, jump).toordinal() == ordinal else None


def _first_moved(name: str, before: int, after: int) -> int:
    """Find the first second in (before, after] that has another offset than `before` has."""
    offset = local_time(name, before).utcoffset()
    low, high = before // SECOND, after // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if local_time(name, middle * SECOND).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high * SECOND


def local_time(name: str, instant: int) -> datetime:
    """Return what the clocks of a zone show."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(_zone(name))


def _instant(local: datetime) -> int:
    """Return the instant (µs) of a local time."""
    return (local - _EPOCH) // timedelta(microseconds=1)


@cache
def _zone(name: str) -> tzinfo:
    """Load a zone from `tzdata`: the machine's own zones may be of another year, and Lambda has none."""
    from importlib.resources import files  # on first use: most invocations judge no day outside UTC
    from zoneinfo import ZoneInfo

    if not is_zone(name):
        raise ValueError(f"{name} is no timezone")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@cache
def _zone_names() -> frozenset[str]:
    """Read the names that `tzdata` lists."""
    from importlib.resources import files

    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
