"""What a policy is: which aggregate of which event is held against which threshold."""

import json
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from nightjar.core.periods import UTC_ZONES, Kind, Zones
from nightjar.core.rows import members_of

Aggregate = Literal["sum", "count", "average", "min", "max", "p50_est", "p95_est", "p99_est", "stddev"]
Condition = Literal["gt", "gte", "lt", "lte", "eq", "ne"]
Severity = Literal["info", "warning", "error", "critical"]
Missing = Literal["zero", "ignore", "breach"]
Previous = Literal["previous_window", "previous_1d", "previous_7d", "previous_1m"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")

# What a policy measures: a change of one of these starts a revision (ENGINE.md, Alerts).
MEASURING = frozenset({
    "event_id", "period", "aggregate", "condition", "threshold", "missing", "window", "window_minutes", "evaluation_periods",
    "datapoints_to_alarm", "compare", "recovery_periods", "recovery_threshold", "min_count",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveHours:
    """When messages may be sent: days name the day a span begins, times are "HH:MM" in an IANA zone."""

    days: tuple[str, ...]
    start: str
    end: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy as stored; the meaning of each field is in API.md and docs/semantics.md.

    Instants are microseconds since the epoch. `zones` and `unit` are its event's, carried along so that judging
    needs no second read. `revision` counts the changes that start a new line of judgement; `version` counts all writes.
    What ended at or before `closed_upto` was closed by a tick before its delay was made longer, and stays closed.
    """

    policy_id: str
    event_id: str
    agent: str = ""
    event: str
    title: str = ""
    description: str = ""
    channel: str = "default"
    period: Kind
    aggregate: Aggregate
    condition: Condition
    threshold: Decimal
    severity: Severity = "warning"
    enabled: bool = True
    missing: Missing = "ignore"
    window: Literal["calendar", "rolling"] = "calendar"
    window_minutes: int | None = None
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    compare: Previous | None = None
    recovery_periods: int = 1
    recovery_threshold: Decimal | None = None
    min_count: int = 0
    early: bool = True
    delay_seconds: int = 60
    active_from: int = 0
    active_hours: ActiveHours | None = None
    mute_until: int | None = None
    renotify_minutes: int | None = None
    auto_resolve: bool = True
    runbook_url: str = ""
    zones: Zones = UTC_ZONES
    unit: str = ""
    closed_upto: int = 0
    revision: int = 1
    version: int = 1
    created_at: int = 0
    updated_at: int = 0


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Policy)}


def to_text(policy: Policy) -> str:
    """Write a policy as compact JSON; fields at their default are left out."""
    found = {name: getattr(policy, name) for name in _DEFAULTS if getattr(policy, name) != _DEFAULTS[name]}
    for name in ("threshold", "recovery_threshold"):
        if name in found:
            found[name] = str(found[name])
    if policy.active_hours:
        hours = policy.active_hours
        found["active_hours"] = [list(hours.days), hours.start, hours.end, hours.timezone]
    return json.dumps(found, separators=(",", ":"))


@lru_cache(maxsize=4096)
def from_text(text: str) -> Policy:
    """Read what `to_text` wrote. Cached: a tick meets the same policies every minute."""
    found = json.loads(text)
    for name in ("threshold", "recovery_threshold"):
        if name in found:
            found[name] = Decimal(found[name])
    if "active_hours" in found:
        days, start, end, timezone = found["active_hours"]
        found["active_hours"] = ActiveHours(days=tuple(days), start=start, end=end, timezone=timezone)
    if "zones" in found:
        found["zones"] = tuple((since, name) for since, name in found["zones"])
    return Policy(**members_of(Policy, found))


def default_missing(aggregate: Aggregate) -> Missing:
    """Return what a period without logs means where the client did not say (API.md)."""
    return "zero" if aggregate in {"sum", "count"} else "ignore"


def revised(before: Policy, after: Policy, *, running_start: int, now: int, closed_upto: int) -> Policy:
    """Number an edited policy, and start a revision where the edit changes what is judged.

    Args:
        before: The policy as it was stored.
        after: The same policy with the person's changes.
        running_start: Start (µs) of the period that runs now, by the edited policy's kind.
        now: The instant (µs) of the edit.
        closed_upto: How far (µs) ticks have closed the periods of the policy as it was.

    Returns:
        `after` with version, revision, updated_at, closed_upto and active_from set: a changed measurement counts from the start of the
        running period, never earlier than before; a policy switched on counts from now.
    """
    measured = _measures(before) != _measures(after)
    switched = before.enabled != after.enabled
    explicit = after.active_from != before.active_from
    active_from = after.active_from
    if measured and not explicit:
        active_from = max(before.active_from, running_start)
    if switched and after.enabled and not explicit:
        active_from = now
    return replace(
        after,
        version=before.version + 1,
        revision=before.revision + (1 if measured or switched else 0),
        active_from=active_from,
        closed_upto=max(before.closed_upto, closed_upto),
        updated_at=now,
    )


def _measures(policy: Policy) -> dict[str, Any]:
    """Return what a policy measures; recovery at the threshold is what a policy without recovery_threshold has."""
    found = {name: getattr(policy, name) for name in MEASURING}
    return {**found, "recovery_threshold": policy.threshold if policy.recovery_threshold is None else policy.recovery_threshold}
