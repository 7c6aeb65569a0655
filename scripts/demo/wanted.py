"""What the demo must show: the policies, the channels, and every Slack message that has to arrive, derived from the story."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scripts.demo import jobs
from scripts.demo.jobs import Entry
from scripts.demo.story import DAY, HOUR, MINUTE, Story

OURS, THEIRS = "billing-ops", "platform-ops"
_RUNBOOKS = "https://runbooks.example.com"

# Two channels, and which policies each hears of.
POLICIES: dict[str, list[dict[str, Any]]] = {
    OURS: [
        {"title": "Billing retries", "agent": jobs.BILLING, "event": jobs.RETRIES, "period": "hour", "aggregate": "sum", "condition": "gt",
         "threshold": 20, "severity": "error", "runbook_url": f"{_RUNBOOKS}/billing/retries"},
        {"title": "Billing queue is filling", "agent": jobs.BILLING, "event": jobs.BACKLOG, "period": "minute", "aggregate": "max",
         "condition": "gt", "threshold": 500, "severity": "warning", "runbook_url": f"{_RUNBOOKS}/billing/queue"},
        {"title": "Billing jobs are slow", "agent": jobs.BILLING, "event": jobs.DURATION, "period": "day", "aggregate": "p95_est",
         "condition": "gt", "threshold": 30_000, "severity": "warning", "runbook_url": f"{_RUNBOOKS}/billing/slow"},
        {"title": "Billing has stalled", "agent": jobs.BILLING, "event": jobs.COMPLETED, "period": "hour", "aggregate": "sum",
         "condition": "lt", "threshold": 10, "severity": "critical", "runbook_url": f"{_RUNBOOKS}/billing/stall"},
    ],
    THEIRS: [
        {"title": "Gateway errors", "agent": jobs.GATEWAY, "event": jobs.ERRORS, "period": "minute", "aggregate": "sum", "condition": "gt",
         "threshold": 25, "severity": "error", "runbook_url": f"{_RUNBOOKS}/gateway/errors"},
    ],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message that must arrive.

    Attributes:
        at: The minute of its transition.
        label: What stands before the policy's title.
        says: A pattern for its sentence.
    """

    at: datetime
    channel: str
    label: str
    title: str
    says: str

    def __str__(self) -> str:
        """Say it on one line."""
        return f"{self.at:%d %b %H:%M}  #{self.channel}  {self.label}: {self.title}  ({self.says})"


def wanted(story: Story, entries: Sequence[Entry]) -> list[Wanted]:
    """List the messages that the story must lead to, by time."""
    retries, queue, slow, stalled = (policy["title"] for policy in POLICIES[OURS])
    (errors,) = (policy["title"] for policy in POLICIES[THEIRS])
    full = _first(entries, jobs.BACKLOG, story.stall, above=500)
    drained = _first(entries, jobs.BACKLOG, full.at, upto=500)
    tenth = [entry for entry in entries if entry.event == jobs.COMPLETED and entry.at >= story.stall + HOUR][9]
    broken = _first(entries, jobs.ERRORS, story.errors, above=25)
    mended = _first(entries, jobs.ERRORS, broken.at, upto=25)
    found = [
        Wanted(_minute(full.at), OURS, "Warning", queue, rf"highest {full.value} so far this minute, limit 500"),
        Wanted(_closed(drained.at), OURS, "Recovered", queue, "recovered after .+"),
        Wanted(story.stall + HOUR + MINUTE, OURS, "Critical", stalled, "no logs this hour, expected at least 10"),
        Wanted(_minute(tenth.at), OURS, "Recovered", stalled, "recovered after .+"),
        Wanted(story.midnight + MINUTE, OURS, "Warning", slow, r"p95 [\d,.]+ ms this day, limit 30,000 ms"),
        Wanted(story.burst, OURS, "Error", retries, r"2[1-8] so far this hour, limit 20"),
        Wanted(_minute(broken.at), THEIRS, "Error", errors, rf"{broken.value} so far this minute, limit 25"),
        Wanted(_closed(mended.at), THEIRS, "Recovered", errors, "recovered after .+"),
    ]
    if story.midnight + DAY + MINUTE <= story.end:  # else the day that would end it is not over
        found.append(Wanted(story.midnight + DAY + MINUTE, OURS, "Recovered", slow, "recovered after .+"))
    return sorted(found, key=lambda each: each.at)


def _first(entries: Iterable[Entry], event: str, since: datetime, *, above: float = -1, upto: float = float("inf")) -> Entry:
    return next(entry for entry in entries if entry.event == event and entry.at >= since and above < entry.value <= upto)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0)


def _closed(at: datetime) -> datetime:
    """Return the tick that judges a minute: one minute after its end."""
    return _minute(at) + 2 * MINUTE
