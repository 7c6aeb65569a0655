"""What the two agents log: the events of a background-jobs guide, with the values that the story asks for."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from scripts.demo.story import DAY, HOUR, MINUTE, Story

BILLING = "worker.billing"
GATEWAY = "web.gateway"
COMPLETED = "job.completed.count"
RETRIES = "job.retry.count"
BACKLOG = "queue.backlog.gauge"
DURATION = "job.duration_ms"
ERRORS = "http.error.count"

RETRIES_YESTERDAY, RETRIES_NOW, BURST = 7, 28, 24

_TYPES = ("invoice", "receipt", "dunning", "refund")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One log, as it will be handed to the SDK."""

    at: datetime
    agent: str
    event: str
    value: int
    job_type: str = ""
    queue: str = ""

    @property
    def meta(self) -> dict[str, str] | None:
        """What the guide recommends to send with a job's numbers."""
        return {"job_type": self.job_type, "queue": self.queue} if self.job_type else None


def entries(story: Story) -> list[Entry]:
    """Return every log of the story, by time; the same story gives the same logs."""
    chance = random.Random(26)
    found = [*_jobs(story, chance), *_retries(story, chance), *_backlog(story), *_gateway(story, chance)]
    return sorted(entry for entry in found if story.start <= entry.at < story.end)


def _minutes(story: Story) -> Iterator[datetime]:
    at = story.start
    while at < story.end:
        yield at
        at += MINUTE


def _jobs(story: Story, chance: random.Random) -> Iterator[Entry]:
    """Complete a job a minute; none while the workers hang, four a minute while they catch up."""
    for minute in _minutes(story):
        jobs = 1
        if story.stall <= minute < story.back:
            jobs = 0
        elif story.back <= minute < story.back + 15 * MINUTE:
            jobs = 4
        for _ in range(jobs):
            at = minute + chance.randrange(60) * _SECOND
            kind = chance.choice(_TYPES)
            yield Entry(at, BILLING, COMPLETED, 1, kind, "billing")
            yield Entry(at, BILLING, DURATION, _duration(story, at, chance), kind, "billing")


def _duration(story: Story, at: datetime, chance: random.Random) -> int:
    """Draw how long (ms) a job took: log-normal around 6 s, around 42 s in the nightly batch."""
    since, until = story.slow
    if since <= at < until:
        return max(round(42_000 * math.exp(chance.gauss(0, 0.1))), 31_000)
    return round(6_000 * math.exp(chance.gauss(0, 0.5)))


def _retries(story: Story, chance: random.Random) -> Iterator[Entry]:
    """Retry a few jobs an hour; in the last one four times as many as in the same hour yesterday."""
    for back in range(1, 26):
        since = story.end - (back + 1) * HOUR + (HOUR / 2 if back == 23 else timedelta(0))  # noqa: PLR2004 (clear of that hour)
        for _ in range(chance.randint(4, 8) if back != 24 else 0):  # noqa: PLR2004
            yield _retry(since + chance.randrange(1_800) * _SECOND, chance)
    for number in range(RETRIES_YESTERDAY):
        yield _retry(story.recent - DAY + 4 * number * MINUTE, chance)
    for number in range(RETRIES_NOW - BURST):
        yield _retry(story.recent + 2 * (number + 1) * MINUTE, chance)
    for number in range(BURST):
        yield _retry(story.burst + (10 + number) * _SECOND, chance)


def _retry(at: datetime, chance: random.Random) -> Entry:
    return Entry(at, BILLING, RETRIES, 1, chance.choice(_TYPES), "billing")


def _backlog(story: Story) -> Iterator[Entry]:
    """Measure the queue once a minute: it fills while nobody works, and drains once the workers are back."""
    for number, minute in enumerate(_minutes(story)):
        hung = min(max(minute - story.stall, timedelta(0)), story.back - story.stall) // MINUTE
        worked = max(minute - story.back, timedelta(0)) // MINUTE
        waiting = max(60 + number * 7 % 9 + 10 * hung - 40 * worked, 60 + number * 7 % 9)
        yield Entry(minute + 30 * _SECOND, BILLING, BACKLOG, waiting, "all", "billing")


def _gateway(story: Story, chance: random.Random) -> Iterator[Entry]:
    """Count errors once a minute."""
    for minute in _minutes(story):
        bad = story.errors <= minute < story.errors + 5 * MINUTE
        yield Entry(minute + 59 * _SECOND, GATEWAY, ERRORS, chance.randint(38, 60) if bad else chance.randint(0, 6))
