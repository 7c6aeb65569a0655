"""How fast a random history goes: a few steps of minutes cover an hour policy, a few of hours cover days, changes of the clocks included."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND

ANYTIME = "2026-03-03T14:00:00Z"

# Zones off the hour, at both ends of the day; and where the clocks change just after a start, at midnight or not, by an hour or half of one.
ZONES = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "America/New_York")
SEASONS: Mapping[str, tuple[str, ...]] = {
    "2026-03-03T14:00:00Z": ("Asia/Tokyo", "America/St_Johns"),
    "2026-03-07T02:30:00Z": ("America/New_York", "America/Havana"),  # Havana skips midnight
    "2026-03-27T21:10:00Z": ("Europe/Berlin", "Asia/Beirut", "Atlantic/Azores"),  # Beirut skips midnight
    "2026-04-03T11:00:00Z": ("Australia/Lord_Howe", "Pacific/Chatham", "America/Santiago"),  # half an hour; Santiago has 23:00 twice
    "2026-04-22T20:45:00Z": ("Africa/Cairo", "Asia/Gaza"),  # Cairo skips midnight
    "2026-09-04T12:00:00Z": ("America/Santiago", "Pacific/Easter"),  # Santiago skips midnight
    "2026-10-24T08:00:00Z": ("Europe/Berlin", "Asia/Beirut", "Europe/London"),
    "2026-10-30T23:59:00Z": ("America/New_York", "America/Havana", "America/St_Johns"),  # Havana has midnight twice
    "2011-12-28T15:00:00Z": ("Pacific/Apia", "Pacific/Fakaofo"),  # no 30 December 2011
}


@dataclass(frozen=True)
class Pace:
    """How far apart the steps of a history lie, and what its policies watch.

    Attributes:
        kinds: Periods of its policies.
        steps: Distances (µs) between two steps.
        away: How far (µs) from now the time of a log may lie.
        before: How far back (µs) `active_from` may lie.
        seasons: Where it may start, and the zones that are of interest then.
    """

    kinds: tuple[str, ...]
    steps: tuple[int, ...]
    away: tuple[int, ...]
    before: tuple[int, ...]
    seasons: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {ANYTIME: ()})


PACES: Mapping[str, Pace] = {
    "minutes": Pace(
        kinds=("minute", "hour"),
        steps=(SECOND, 20 * SECOND, MINUTE, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR),
        away=(0, 0, 0, -MINUTE, -5 * MINUTE, -40 * MINUTE, -70 * MINUTE, 2 * MINUTE, 8 * MINUTE, 70 * MINUTE),
        before=(0, 30 * MINUTE, HOUR),
    ),
    "hours": Pace(
        kinds=("minute", "hour", "hour"),
        steps=(20 * SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE, 20 * MINUTE, HOUR, HOUR, 3 * HOUR, 11 * HOUR, 25 * HOUR),
        away=(0, 0, 0, -20 * MINUTE, -HOUR, -2 * HOUR, -9 * HOUR, -25 * HOUR, 3 * MINUTE, HOUR, 20 * HOUR),
        before=(0, HOUR, 9 * HOUR, 2 * DAY),
        seasons=SEASONS,
    ),
    "days": Pace(
        kinds=("hour", "day", "day", "day"),
        steps=(20 * SECOND, 20 * MINUTE, HOUR, HOUR, 5 * HOUR, 5 * HOUR, 11 * HOUR, 11 * HOUR, DAY, 3 * DAY),
        away=(0, 0, 0, -HOUR, -9 * HOUR, -20 * HOUR, -DAY, -47 * HOUR, -50 * HOUR, 3 * MINUTE, HOUR, 23 * HOUR),
        before=(0, 11 * HOUR, 2 * DAY, 5 * DAY),
        seasons=SEASONS,
    ),
}
