"""What a message shows around an alert: the same window a day before, and a small trend; read from rollups."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from nightjar.core.aggregates import measure
from nightjar.core.alerts import Alert
from nightjar.core.periods import UTC_ZONES, Bin, Period, cover, previous_period, shifted
from nightjar.core.rollups import Bucket, merge
from nightjar.core.wording import Background
from nightjar.observability import count, logger
from nightjar.storage import events, rollups
from nightjar.storage.client import Store

_WINDOWS: Final = 12
_MOST_BUCKETS: Final = 200


def background(store: Store, alert: Alert, now: int) -> Background | None:
    """Read what surrounds an alert's latest period; None when it cannot be read: the message goes without.

    Args:
        store: Where.
        alert: The alert.
        now: Wall time (µs), by which buckets are expired.
    """
    latest = Period(alert.last_start, alert.last_end)
    try:
        before = _before(store, alert)
        windows = _windows(latest, before)
        earlier = before(latest) if _is_day(alert) else shifted("hour", latest, "previous_1d", UTC_ZONES)
        bins = {key for window in (earlier, *windows) for key in cover(window.start, window.end)}
        found = rollups.read(store, alert.event_id, bins, now=now, consistent=False)
        values = [_measured(alert, found, window) for window in windows]
        return Background(_measured(alert, found, earlier), tuple(values) if any(values[:-1]) else ())
    except Exception:  # noqa: BLE001  # whatever is wrong with a trend, the alert must be told
        logger().exception("the background of an alert cannot be read", extra={"alert_id": alert.alert_id})
        count("BackgroundErrors")
        return None


def _is_day(alert: Alert) -> bool:
    """Tell whether an alert is of calendar days."""
    return alert.period == "day" and alert.window == "calendar"


def _before(store: Store, alert: Alert) -> Callable[[Period], Period]:
    """Return what leads to the window before: of days, by the event's own calendar, where clocks change too."""
    event = events.get(store, alert.event_id) if _is_day(alert) else None
    if event:
        return lambda window: previous_period("day", window, event.zones)
    return lambda window: Period(2 * window.start - window.end, window.start)


def _windows(latest: Period, before: Callable[[Period], Period]) -> list[Period]:
    """Return the last windows, oldest first: twelve, or as many as few enough buckets make up."""
    found, room = [latest], _MOST_BUCKETS
    while len(found) < _WINDOWS:
        window = before(found[0])
        room -= len(cover(window.start, window.end))
        if room < 0:
            break
        found.insert(0, window)
    return found


def _measured(alert: Alert, found: Mapping[Bin, Bucket], window: Period) -> Decimal | None:
    """Measure what the alert watches in a window; None when nothing was logged, 0 for a count."""
    bucket = merge([found[key] for key in cover(window.start, window.end) if key in found])
    value = measure(alert.aggregate, bucket)
    return Decimal(0) if value is None and alert.aggregate == "count" else value
