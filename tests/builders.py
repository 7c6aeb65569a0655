"""Makes the nouns of the core with only what a test is about."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from nightjar.core import ids
from nightjar.core.evidence import Evidence
from nightjar.core.instants import parse_instant
from nightjar.core.periods import Bin, Period, period_at
from nightjar.core.policies import Policy, default_missing
from nightjar.core.rollups import Bucket
from nightjar.core.state import State

EVENT = ids.event_id("worker.billing", "job.run")


def at(text: str) -> int:
    """An instant of 3 March 2026 ("14:03", "14:03:20"), or any instant written out."""
    if "T" in text:
        return parse_instant(text)
    return parse_instant(f"2026-03-03T{text if text.count(':') == 2 else text + ':00'}Z")


def policy(**given: Any) -> Policy:
    """A policy: hour count gt 20, active from 00:00 of 3 March 2026, unless said otherwise; threshold may be a plain number."""
    fields: dict[str, Any] = {
        "policy_id": "p1", "event_id": EVENT, "agent": "worker.billing", "event": "job.run", "period": "hour", "aggregate": "count",
        "condition": "gt", "threshold": 20, "active_from": at("00:00"), **given,
    }  # fmt: skip
    for name in ("threshold", "recovery_threshold"):
        if fields.get(name) is not None:
            fields[name] = Decimal(str(fields[name]))
    return Policy(**{"missing": default_missing(fields["aggregate"]), **fields})


def bucket(values: Iterable[object] = (), *, newest: str = "14:00", clock: str | None = "14:00") -> Bucket:
    """A bucket of some values."""
    made = Bucket()
    for value in values:
        made.add(Decimal(str(value)), at(newest))
    made.clock = at(clock) if clock else None
    return made


def hour(text: str) -> Period:
    """The hour that begins at "14:00"."""
    return period_at("hour", at(text), policy().zones)


def minute(text: str) -> Period:
    """The minute that begins at "14:03"."""
    return period_at("minute", at(text), policy().zones)


def hours(counts: dict[str, int], clock: str = "00:00") -> dict[Bin, Bucket]:
    """Hour buckets by start: so many logs of value 1 each."""
    return {("h", at(start)): bucket([1] * count, newest=start, clock=clock) for start, count in counts.items()}


def minutes(counts: dict[str, int], clock: str = "00:00") -> dict[Bin, Bucket]:
    """Minute buckets by start: so many logs of value 1 each."""
    return {("m", at(start)): bucket([1] * count, newest=start, clock=clock) for start, count in counts.items()}


def evidence(watched: Policy, tick: str, buckets: dict[Bin, Bucket], now: Period | None = None) -> Evidence:
    """What the rollups say at a tick."""
    return Evidence(watched, at(tick), buckets, None, now)


def state(watched: Policy, **given: Any) -> State:
    """The state of a policy that was never in alarm."""
    return replace(State(policy_id=watched.policy_id, revision=watched.revision), **given)
