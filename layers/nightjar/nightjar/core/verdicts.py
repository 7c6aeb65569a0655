"""When a policy fires: what one period says. Missing data, then min_count, then compare, then the condition."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from nightjar.core.aggregates import change_percent, measure
from nightjar.core.decimals import ZERO
from nightjar.core.periods import Period, judgeable
from nightjar.core.policies import Condition, Policy
from nightjar.core.rollups import Bucket

Outcome = Literal["breach", "healthy", "nothing"]

HOLDS: Final[dict[Condition, Callable[[Decimal, Decimal], bool]]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip
CUT_DAY: Final = "cut_day"  # the reason of a day that a change of timezone has made too short or too long to be judged
BETWEEN: Final = "between_thresholds"
_ABOVE: Final = frozenset({"gt", "gte"})
_BELOW: Final = frozenset({"lt", "lte"})
_BEYOND: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one period says of one policy.

    Attributes:
        outcome: Whether it breaches, is healthy, or says nothing.
        reason: Why, as a word for logs and tests.
        value: The measured aggregate; None when there was nothing to measure.
        previous: The baseline's aggregate, and change against it in per cent (compare only).
        missing: The period had no logs, so `missing` decided.
    """

    outcome: Outcome
    reason: str
    value: Decimal | None = None
    count: int = 0
    low: Decimal | None = None
    high: Decimal | None = None
    previous: Decimal | None = None
    change: Decimal | None = None
    missing: bool = False


def judge(policy: Policy, period: Period, bucket: Bucket, baseline: Decimal | None = None) -> Verdict:
    """Judge one period that has ended (or whose outcome is settled).

    Args:
        policy: What to measure and against which threshold.
        period: The period.
        bucket: All of the period's logs, merged.
        baseline: The aggregate of the period that `compare` names; None when there is none.

    Returns:
        The verdict. Rule: ENGINE.md, "Order of rules".

    Example:
        An hour with 27 retries and a policy "sum gt 20" gives `Verdict("breach", "condition_holds", Decimal(27), 27, …)`.
    """
    if not judgeable(policy.period, period) and policy.window == "calendar":
        return Verdict("nothing", CUT_DAY)
    if not bucket.count:
        return _without_logs(policy, period, baseline)
    if bucket.count < policy.min_count:
        return Verdict("nothing", "too_few_logs", count=bucket.count)
    value = measure(policy.aggregate, bucket)
    return _held(policy, period, value, bucket, baseline)


def _without_logs(policy: Policy, period: Period, baseline: Decimal | None) -> Verdict:
    if policy.missing == "ignore":
        return Verdict("nothing", "no_logs", missing=True)
    if policy.missing == "zero":
        return _held(policy, period, ZERO, None, baseline)
    if period.start < policy.active_from:
        return Verdict("nothing", "before_active_from", missing=True)
    return Verdict("breach", "no_logs", missing=True)


def _held(policy: Policy, period: Period, value: Decimal | None, bucket: Bucket | None, baseline: Decimal | None) -> Verdict:
    """Hold a measured value (or its change) against the threshold."""
    count, low, high = (bucket.count, bucket.low, bucket.high) if bucket else (0, None, None)
    if value is None:  # an aggregate of some logs always has a value: nothing to say is the safe answer
        return Verdict("nothing", "no_value", count=count)
    previous = change = None
    held = value
    if policy.compare:
        if baseline is None:
            return Verdict("nothing", "no_baseline", value, count, low, high)
        previous, change = baseline, change_percent(value, baseline)
        if change is None and not (policy.min_count and count >= policy.min_count):
            return Verdict("nothing", "change_from_zero", value, count, low, high, previous)
        held = held_change(value, change)
    outcome, reason = _outcome(policy, held)
    if not counts(policy, period, missing=not count):
        outcome, reason = "nothing", "before_active_from"
    return Verdict(outcome, reason, value, count, low, high, previous, change, missing=not count)


def held_change(value: Decimal, change: Decimal | None) -> Decimal:
    """Return what is held against the threshold of a change; one without a percentage (from zero) lies beyond all in its direction."""
    return change if change is not None else _BEYOND.copy_sign(value)


def _outcome(policy: Policy, held: Decimal) -> tuple[Outcome, str]:
    holds = HOLDS[policy.condition]
    if holds(held, policy.threshold):
        return "breach", "condition_holds"
    if policy.recovery_threshold is not None and holds(held, policy.recovery_threshold):
        return "nothing", BETWEEN
    return "healthy", "condition_does_not_hold"


def counts(policy: Policy, period: Period, *, missing: bool) -> bool:
    """Tell whether active_from lets a period count: what rests on little or no data only if it begins at or after it.

    Args:
        policy: The policy.
        period: The period.
        missing: The period has no logs.
    """
    if policy.condition in _ABOVE and not missing and not policy.compare:
        return period.end > policy.active_from
    return period.start >= policy.active_from


def settled(policy: Policy, period: Period, bucket: Bucket) -> Verdict | None:
    """Judge a period that still runs, if its outcome can no longer change.

    Returns:
        The verdict, or None while it may still change. Rule: ENGINE.md, "Early".
    """
    if not bucket.count or bucket.count < policy.min_count or not may_settle(policy):
        return None
    final = _final(policy, only_grows=policy.aggregate != "sum" or (bucket.low is not None and bucket.low >= 0))
    if not final:
        return None
    verdict = judge(policy, period, bucket)
    return verdict if verdict.outcome in final else None


def may_settle(policy: Policy) -> bool:
    """Tell whether any period of a policy may be judged before its end."""
    return policy.early and not policy.compare and policy.window == "calendar" and bool(_final(policy, only_grows=True))


def _final(policy: Policy, *, only_grows: bool) -> set[Outcome]:
    """Return the outcomes that more logs cannot change, of a value that only grows (or, of a minimum, only falls)."""
    rising = policy.aggregate in {"count", "max", "sum"} and only_grows
    final: set[Outcome] = set()
    if (rising and policy.condition in _ABOVE) or (policy.aggregate == "min" and policy.condition in _BELOW):
        final.add("breach")
    if (rising and policy.condition in _BELOW) or (policy.aggregate == "min" and policy.condition in _ABOVE):
        final.add("healthy")
    return final


def rests_on_little(policy: Policy, verdict: Verdict) -> bool:
    """Tell whether a breach rests on little or no data, so that the raw logs are counted before it opens an alert."""
    if verdict.missing or policy.condition in {"eq", "ne"}:
        return True
    return policy.condition in _BELOW


def says_something(verdict: Verdict | None) -> bool:
    """Tell whether a period gave its policy something to judge: between the two thresholds an alert neither goes on nor ends, but there is data."""
    return verdict is not None and (verdict.outcome != "nothing" or verdict.reason == BETWEEN)


def baseline_value(policy: Policy, bucket: Bucket, end: int, first_log: int | None) -> Decimal | None:
    """Measure the period that `compare` names.

    Args:
        policy: The policy.
        bucket: That period's logs.
        end: That period's end (µs).
        first_log: When (µs) the event's first known log lies at the earliest; None if it never had one.

    Returns:
        Its aggregate; without logs 0 where `missing` is zero, else None; before the event's first log None.
    """
    if bucket.count:
        return measure(policy.aggregate, bucket)
    if policy.missing != "zero" or first_log is None or end <= first_log:
        return None
    return ZERO
