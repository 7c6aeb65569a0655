"""What happens in the demo, and when: 26 hours that end at any minute of any day.

Two agents. `worker.billing` runs jobs: a slow nightly batch, workers that hang for an hour while the queue fills, a burst of
retries right now. `web.gateway` has five bad minutes of its own, which are none of billing's business.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

SPAN = timedelta(hours=26)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_ENOUGH = timedelta(minutes=15)  # of a day's jobs before its midnight, for a p95 worth a message
_QUIET_TICKS = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time: its logs are sent, then its ticks come.

    Attributes:
        start: The first instant.
        end: The instant after the last.
        ticks: After `start`, up to and with `end`.
    """

    start: datetime
    end: datetime
    ticks: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """When what happens, told from the end: `Story(datetime(2026, 3, 3, 14, 20, tzinfo=UTC))`."""

    end: datetime

    @property
    def start(self) -> datetime:
        """When the logs begin, and from when the policies judge."""
        return self.end - SPAN

    @property
    def hour(self) -> datetime:
        """The full hour at or before the end."""
        return self.end.replace(minute=0)

    @property
    def midnight(self) -> datetime:
        """The UTC midnight at which the day with the slow batch closes: the first that has some of the 26 hours before it."""
        first = self.start.replace(hour=0, minute=0) + DAY
        return first if first - self.start >= _ENOUGH else first + DAY

    @property
    def slow(self) -> tuple[datetime, datetime]:
        """The nightly batch: two hours (or what there is of them) before midnight in which every job is slow."""
        return max(self.start, self.midnight - 2 * HOUR), self.midnight

    @property
    def stall(self) -> datetime:
        """The full hour in which workers hang and log no completion; away from the nightly batch."""
        early = self.hour - 9 * HOUR
        meets_batch = early < self.midnight + HOUR and early + 2 * HOUR > self.midnight - 2 * HOUR
        return self.hour - 4 * HOUR if meets_batch else early

    @property
    def back(self) -> datetime:
        """When the workers are back."""
        return self.stall + HOUR + 3 * MINUTE

    @property
    def recent(self) -> datetime:
        """Where, in the last 60 minutes, the larger part of one clock hour begins."""
        return self.hour if self.end.minute >= 30 else self.end - HOUR  # noqa: PLR2004 (half of the hour)

    @property
    def burst(self) -> datetime:
        """The minute in which jobs are retried all at once: inside the last 60 minutes, and inside one clock hour with them."""
        return self.recent + 12 * MINUTE

    @property
    def errors(self) -> datetime:
        """The first of the gateway's five bad minutes."""
        return self.hour - 14 * HOUR + 20 * MINUTE

    def steps(self) -> list[Step]:
        """Cut the 26 hours: at full hours, and at every minute where something is about to happen.

        A tick comes every minute there, and elsewhere a minute after each full hour and every twenty: the engine catches up
        with what lies between, as it would after missed ticks.
        """
        marks = {self.start, self.end, *_every(HOUR, self.start, self.end)}
        for since, until in self._eventful():
            marks |= {since, until, *_every(MINUTE, since, until)}
        cuts = sorted(mark for mark in marks if self.start <= mark <= self.end)
        return [Step(a, b, _ticks(a, b)) for a, b in pairwise(cuts)]

    def _eventful(self) -> list[tuple[datetime, datetime]]:
        """List the stretches that are told minute by minute."""
        return [
            (self.stall + 43 * MINUTE, self.stall + 47 * MINUTE),
            (self.stall + HOUR, self.back + 9 * MINUTE),
            (self.errors, self.errors + 8 * MINUTE),
            (self.burst, self.burst + 2 * MINUTE),
        ]


def _every(length: timedelta, after: datetime, upto: datetime) -> list[datetime]:
    """List the whole multiples of a minute or an hour after one instant, up to and with another."""
    mark = after.replace(minute=0 if length == HOUR else after.minute) + length
    found = []
    while mark <= upto:
        found.append(mark)
        mark += length
    return found


def _ticks(start: datetime, end: datetime) -> tuple[datetime, ...]:
    minutes = _every(MINUTE, start, end)
    kept = [tick for tick in minutes if not tick.minute * MINUTE % _QUIET_TICKS or tick.minute == 1 or tick == end]
    return tuple(kept)
