"""When something was, in words: a period that runs or has just ended by its kind, any other by its date and its hours."""

from datetime import UTC, datetime, timedelta
from typing import Final

from nightjar.core.alerts import Alert
from nightjar.core.instants import DAY, MINUTE
from nightjar.core.periods import Kind, local_time

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# For so long after its end a period is still "this minute", "this hour", "this day": a delay of a minute, and time to be told.
_JUST: Final[dict[Kind, int]] = {"minute": 2 * MINUTE, "hour": 10 * MINUTE, "day": 10 * MINUTE}


def is_current(alert: Alert, now: int) -> bool:
    """Tell whether an alert's latest period in alarm runs at an instant (µs), or has just ended, and is not over for a healthy one."""
    return alert.is_open and alert.healed is None and now < alert.last_end + _JUST[alert.period]


def is_running(alert: Alert, now: int) -> bool:
    """Tell whether an alert's latest period in alarm was judged early, and still runs at an instant (µs)."""
    return alert.early and now < alert.last_end


def stretch(alert: Alert, now: int) -> str:
    r"""Say which stretch of time was measured, as one says it at an instant (µs).

    Example: "this hour", "so far today", "in the last 30 minutes"; later "on 3 Mar, 14:00\N{EN DASH}15:00 UTC".
    """
    if not is_current(alert, now):
        return f"on {span(alert.last_start, alert.last_end, alert.zone, now=now)}"
    if alert.window == "calendar":
        running = is_running(alert, now) and alert.count > 0
        return f"{'so far ' if running else ''}{'today' if running and alert.period == 'day' else f'this {alert.period}'}"
    minutes = alert.window_minutes or (60 if alert.period == "hour" else 1_440)
    return f"in the last {minutes // 60} hours" if minutes > 60 and not minutes % 60 else f"in the last {minutes} minutes"  # noqa: PLR2004


def span(start: int, end: int, zone: str = "", *, now: int | None = None) -> str:
    r"""Write a stretch of time (µs).

    Args:
        start: Its first instant.
        end: The first instant after it.
        zone: Of a local day: the timezone whose date it is. Anything else is written in UTC.
        now: The year is left out where it is the one of this instant (µs).

    Example:
        >>> span(1772546400000000, 1772550000000000)
        '3 Mar 2026, 14:00\N{EN DASH}15:00 UTC'
        >>> span(1772476200000000, 1772562600000000, "Asia/Kolkata", now=1772600000000000)
        '3 Mar (Asia/Kolkata)'
    """
    if zone or (end - start == DAY and not start % DAY):
        return f"{_date(_clock(start, zone), now)} ({zone or 'UTC'})"
    first, last = _clock(start), _clock(end)
    if first.date() == (last - timedelta(microseconds=1)).date():
        until = "24:00" if last.date() != first.date() else f"{last:%H:%M}"
        return f"{_date(first, now)}, {first:%H:%M}\N{EN DASH}{until} UTC"
    return f"{_date(first, now)}, {first:%H:%M} \N{EN DASH} {_date(last, now)}, {last:%H:%M} UTC"


def moment(instant: int, now: int) -> str:
    """Write an instant (µs) as one says it at another: "3 Mar, 14:38 UTC"."""
    at = _clock(instant)
    return f"{_date(at, now)}, {at:%H:%M} UTC"


def is_past(instant: int, now: int) -> bool:
    """Tell whether an instant (µs) lies so far back that what is told of it must name it."""
    return now - instant >= _JUST["hour"]


def _date(at: datetime, now: int | None) -> str:
    """Write a date as people do; its year where it is not the one of `now` (µs)."""
    same = now is not None and _clock(now).year == at.year
    return f"{at.day} {at:%b}" if same else f"{at.day} {at:%b %Y}"


def _clock(instant: int, zone: str = "") -> datetime:
    """Return what the clocks of a zone show, of UTC if there is none: without loading any zone."""
    return local_time(zone, instant) if zone else _EPOCH + timedelta(microseconds=instant)
