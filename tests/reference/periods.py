"""Instants, periods and the calendar of an event. All instants are whole microseconds since the epoch, UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO = -(2**62)


@dataclass(frozen=True, order=True)
class Period:
    """The half-open stretch of time [start, end)."""

    start: int
    end: int

    def shifted(self, by: int) -> "Period":
        """Return the period of the same length that lies `by` microseconds later."""
        return Period(self.start + by, self.end + by)


def to_datetime(instant: int) -> datetime:
    """Return an instant as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=instant)


def to_instant(moment: datetime) -> int:
    """Return an aware datetime as microseconds since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


@cache
def zone_of(name: str) -> ZoneInfo:
    """Return a zone of the pinned `tzdata` package, whatever the machine has.

    Raises:
        FileNotFoundError: no zone is spelt so.
    """
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def local_date(zone: str, instant: int) -> date:
    """Return the date on the calendar of a zone at an instant."""
    return to_datetime(instant).astimezone(zone_of(zone)).date()


@cache
def first_instant(zone: str, day: date) -> int:
    """Return the first instant of a local date: some zones skip midnight, some jump over it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone_of(zone))
    instant = to_instant(midnight.astimezone(UTC))
    while local_date(zone, instant - MINUTE) >= day:
        instant -= MINUTE
    while local_date(zone, instant) < day:
        instant += MINUTE
    return instant


def natural_day(zone: str, instant: int, days_before: int = 0) -> Period:
    """Return the local day of a zone around an instant, or the one so many calendar days before."""
    day = local_date(zone, instant) - timedelta(days=days_before)
    return Period(first_instant(zone, day), first_instant(zone, day + timedelta(days=1)))


class Calendar:
    """The periods of one event: minutes and hours of UTC, days of its time zone with its history."""

    def __init__(self, timezone: str = "UTC") -> None:
        """Begin with one zone for all time."""
        self.history: list[tuple[int, str]] = [(LONG_AGO, timezone)]

    def change_zone(self, at: int, timezone: str) -> None:
        """Let another zone take effect at its own next midnight. A change still waiting to take effect is given up.

        Rule: ENGINE.md, Rollups: "A change of timezone takes effect at the new zone's next midnight".
        """
        if timezone == self.history[-1][1]:
            return
        self.history = [entry for entry in self.history if entry[0] <= at]
        if timezone != self.history[-1][1]:
            self.history.append((natural_day(timezone, at).end, timezone))

    def zone_at(self, instant: int) -> str:
        """Return the zone in force at an instant."""
        return [zone for since, zone in self.history if since <= instant][-1]

    def day(self, instant: int) -> Period:
        """Return the day around an instant, cut where another zone takes effect."""
        since = max(start for start, _ in self.history if start <= instant)
        until = min((start for start, _ in self.history if start > instant), default=None)
        whole = natural_day(self.zone_at(instant), instant)
        return Period(max(whole.start, since), whole.end if until is None else min(whole.end, until))

    def containing(self, kind: str, instant: int) -> Period:
        """Return the minute, hour or day around an instant."""
        if kind == "day":
            return self.day(instant)
        length = {"minute": MINUTE, "hour": HOUR}[kind]
        start = instant - instant % length
        return Period(start, start + length)

    def before(self, kind: str, period: Period) -> Period:
        """Return the period that ends where this one begins."""
        return self.containing(kind, period.start - 1)

    def after(self, kind: str, period: Period) -> Period:
        """Return the period that begins where this one ends."""
        return self.containing(kind, period.end)

    @staticmethod
    def is_judged(kind: str, period: Period) -> bool:
        """Say whether a period is of a length that is judged: a day has 23 to 25 hours."""
        return kind != "day" or 23 * HOUR <= period.end - period.start <= 25 * HOUR
