"""Rules across a policy's fields, and settings that users regret. Pure: a policy in, sentences out."""

from collections.abc import Iterator

from nightjar.core.instants import DAY
from nightjar.core.periods import DAYS_BEFORE, cover, period_at
from nightjar.core.policies import Policy

_WIDEST_MINUTES = 120
_MINUTE_BUCKETS_LIVE = 35  # days
_LOW = {"lt", "lte"}
_HIGH = {"gt", "gte"}
_FARTHEST_BACK = 30 * DAY


def problems(policy: Policy) -> list[str]:
    """List the rules across fields that a policy breaks, each as "field: what is wrong with it".

    Rule: API.md, Policies.
    """
    return [*_window(policy), *_counts(policy), *_recovery(policy), *_compare(policy)]


def active_from_problem(active_from: int, now: int) -> str | None:
    """Say what is wrong with an `active_from` that a client named (µs)."""
    return "active_from: must be at most 30 days back" if active_from < now - _FARTHEST_BACK else None


def _window(policy: Policy) -> Iterator[str]:
    """Check calendar and rolling windows."""
    if policy.window == "calendar":
        if policy.window_minutes is not None:
            yield "window_minutes: needs window rolling"
        return
    if policy.period == "minute":
        yield "window: rolling needs period hour or day"
    minutes = policy.window_minutes or 0
    if minutes > _WIDEST_MINUTES and minutes % 60:
        yield f"window_minutes: must be 2 to {_WIDEST_MINUTES}, or whole hours up to 1440"
    if policy.evaluation_periods > 1:
        yield "evaluation_periods: must be 1 with window rolling"


def _counts(policy: Policy) -> Iterator[str]:
    """Check M of N."""
    if policy.datapoints_to_alarm > policy.evaluation_periods:
        yield "datapoints_to_alarm: must be at most evaluation_periods"


def _recovery(policy: Policy) -> Iterator[str]:
    """Check that the recovery threshold lies on the healthy side."""
    if policy.recovery_threshold is None:
        return
    if policy.condition not in _LOW | _HIGH:
        yield "recovery_threshold: needs condition gt, gte, lt or lte"
    if policy.condition in _HIGH and policy.recovery_threshold > policy.threshold:
        yield "recovery_threshold: must be at most the threshold with gt and gte"
    if policy.condition in _LOW and policy.recovery_threshold < policy.threshold:
        yield "recovery_threshold: must be at least the threshold with lt and lte"


def _compare(policy: Policy) -> Iterator[str]:
    """Check that the buckets of the earlier window still live when it is asked for.

    Hours live for years, minutes for 35 days. A day of a zone off the hour has minutes at its edges; the earlier window of
    its oldest slot must still have them.
    """
    if policy.compare is None or policy.period != "day" or policy.window != "calendar":
        return
    day = period_at("day", policy.zones[-1][0] if len(policy.zones) > 1 else policy.created_at, policy.zones)
    off_the_hour = any(letter == "m" for letter, _ in cover(day.start, day.end))
    reach = DAYS_BEFORE.get(policy.compare, 1) + policy.evaluation_periods + 1
    if off_the_hour and reach > _MINUTE_BUCKETS_LIVE:
        yield f"compare: no rollups are kept for {policy.compare} over {policy.evaluation_periods} days in timezone {policy.zones[-1][1]}"


def warnings(policy: Policy) -> list[str]:
    """List settings of a policy that users regret."""
    found = list(_compare(policy))  # refused when it is made; a new timezone of its event may bring it about later
    if policy.condition in _LOW and policy.missing == "ignore":
        found.append(f"{policy.condition} on {policy.aggregate} says nothing once nothing is logged: set missing to breach to hear of silence, or watch count")
    if policy.compare and not policy.min_count:
        found.append("compare without min_count: a change from a few logs to a few more is a large percentage, and from 0 there is none: set min_count")
    return found
