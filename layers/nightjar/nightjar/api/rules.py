"""Rules across a policy's fields, and settings that users regret. Pure: a policy in, sentences out."""

from collections.abc import Iterator

from nightjar.core.due import HORIZONS
from nightjar.core.instants import DAY, HOUR, floor
from nightjar.core.periods import DAYS_BEFORE, local_time
from nightjar.core.policies import Policy

_WIDEST_MINUTES = 120
_MINUTE_BUCKETS_LIVE = 35  # days
_DAYS_WITH_MINUTES = _MINUTE_BUCKETS_LIVE - HORIZONS["day"] // DAY
_LOW = {"lt", "lte"}
_HIGH = {"gt", "gte"}
_FARTHEST_BACK = 30 * DAY
_FARTHEST_AHEAD = 3_653 * DAY


def problems(policy: Policy) -> list[str]:
    """List the rules across fields that a policy breaks, each as "field: what is wrong with it".

    Rule: API.md, Policies.
    """
    return [*_window(policy), *_counts(policy), *_recovery(policy), *_reach(policy)]


def active_from_problem(active_from: int, now: int) -> str | None:
    """Say what is wrong with an `active_from` that a client named (µs)."""
    if active_from < now - _FARTHEST_BACK:
        return "active_from: must be at most 30 days back"
    return "active_from: must be at most ten years ahead" if active_from > now + _FARTHEST_AHEAD else None


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


def _reach(policy: Policy) -> Iterator[str]:
    """Check that the buckets of the oldest day that a policy asks for still live then.

    Hours live for years, minutes for 35 days. A day of a zone off the hour has minutes at its edges, and late data judges
    days again for as long as the horizon is.
    """
    if policy.period != "day" or policy.window != "calendar":
        return
    days = policy.evaluation_periods + policy.recovery_periods - 1
    before = DAYS_BEFORE.get(policy.compare, 1) if policy.compare else 0
    if before + days <= _DAYS_WITH_MINUTES or not _is_off_the_hour(policy):
        return
    where = f"in timezone {policy.zones[-1][1]}, where days begin off the hour"
    why = f"over {days} days {where}: they need minutes, which are kept for {_MINUTE_BUCKETS_LIVE} days"
    if days <= _DAYS_WITH_MINUTES:
        yield f"compare: no rollups are kept for {policy.compare} {why}"
        return
    field = "evaluation_periods" if policy.evaluation_periods >= policy.recovery_periods else "recovery_periods"
    yield f"{field}: no rollups are kept {why}"


def _is_off_the_hour(policy: Policy) -> bool:
    """Tell whether the zone of a policy's event is off the hour at any time of the year: Lord Howe is in winter only."""
    since, name = policy.zones[-1]
    first = floor(max(since, policy.updated_at), HOUR)
    return any(local_time(name, first + week * 7 * DAY).minute for week in range(53))


def warnings(policy: Policy) -> list[str]:
    """List settings of a policy that users regret."""
    found = list(_reach(policy))  # refused when it is made; a new timezone of its event may bring it about later
    if policy.condition in _LOW and policy.missing == "ignore":
        found.append(f"{policy.condition} on {policy.aggregate} says nothing once nothing is logged: set missing to breach to hear of silence, or watch count")
    if policy.compare and not policy.min_count:
        found.append("compare without min_count: a change from a few logs to a few more is a large percentage, and from 0 there is none: set min_count")
    return found
