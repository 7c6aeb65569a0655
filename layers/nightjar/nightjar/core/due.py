"""Which periods a tick or a changed bucket calls for, and which groups of policies a tick must read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, floor
from nightjar.core.periods import MIN, Bin, Kind, Period, judgeable, next_period, period_at, periods_ending
from nightjar.core.policies import Policy

HORIZONS: Final[dict[Kind, int]] = {"minute": 60 * MINUTE, "hour": 24 * HOUR, "day": 2 * DAY}
LEAD: Final = 5 * MINUTE  # a period that begins later than this after the clock is not judged early
WIDEST_MINUTE_WINDOW: Final = 120  # minutes; a wider rolling window is judged at full hours, over hour buckets
_ROLLING_KEPT: Final = 60
_DEFAULT_WINDOW: Final[dict[Kind, int]] = {"minute": 60, "hour": 60, "day": 1_440}


def delay(policy: Policy) -> int:
    """Return how long (µs) after its end a period is judged: ticks lie on whole minutes, so whole minutes count."""
    return -(-policy.delay_seconds * SECOND // MINUTE) * MINUTE


def window_length(policy: Policy) -> int:
    """Return the length (µs) of a rolling policy's window."""
    return (policy.window_minutes or _DEFAULT_WINDOW[policy.period]) * MINUTE


def stride(policy: Policy) -> int:
    """Return how far (µs) apart a rolling policy's windows lie: a minute, above 120 minutes an hour."""
    return HOUR if window_length(policy) > WIDEST_MINUTE_WINDOW * MINUTE else MINUTE


def group_of(policy: Policy) -> str:
    """Name the group of due rows that a policy lies in: policies whose periods end at the same ticks.

    Returns:
        `minute#1`, `hour#1`, `day#1#Europe/Berlin` (delay in minutes; `*` for a zone that ever changed), or
        `rolling#1` and `rollhour#1` for rolling windows judged each minute and each full hour.
    """
    minutes = delay(policy) // MINUTE
    if policy.window == "rolling":
        return f"{'rolling' if stride(policy) == MINUTE else 'rollhour'}#{minutes}"
    if policy.period == "day":
        return f"day#{minutes}#{policy.zones[0][1] if len(policy.zones) == 1 else '*'}"
    return f"{policy.period}#{minutes}"


def is_due(group: str, previous: int | None, tick: int) -> bool:
    """Tell whether a period of a group's policies became due after the previous tick and at or before this one.

    Args:
        group: A name from `group_of`.
        previous: The tick (µs) whose reach is done; None before the first.
        tick: This tick (µs).
    """
    kind, minutes, *zone = group.split("#")
    if previous is None or kind in {"minute", "rolling"} or zone == ["*"]:
        return True
    after, upto = previous - int(minutes) * MINUTE, tick - int(minutes) * MINUTE
    if kind == "day":
        return bool(periods_ending("day", max(after, upto - HORIZONS["day"]), upto, ((MIN, zone[0]),)))
    return floor(upto, HOUR) > after


def periods_due(policy: Policy, previous: int | None, tick: int) -> list[Period]:
    """List the periods of a policy that a tick judges, oldest first.

    Calendar periods that ended after the previous tick's reach and at or before `tick - delay`, inside the horizon; of a
    rolling policy the latest window only. The first tick ever judges the last ended period (ENGINE.md, Evaluating).
    """
    upto = tick - delay(policy)
    if policy.window == "rolling":
        end = floor(upto, stride(policy))
        fresh = previous is None or end > max(floor(previous - delay(policy), stride(policy)), policy.closed_upto)
        return [Period(end - window_length(policy), end)] if fresh else []
    if previous is None:
        return [last_ended(policy, upto)]
    after = max(reach(policy, previous), oldest_end(policy, tick))
    return periods_ending(policy.period, after, upto, policy.zones)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Periods of a policy that missed ticks left outside the horizon: so many, from `start` to `end` (µs)."""

    start: int
    end: int
    periods: int


def skipped(policy: Policy, previous: int | None, tick: int) -> Skipped | None:
    """Find the periods that missed ticks left behind outside the horizon: nothing will ever judge them.

    Rule: ENGINE.md, Evaluating: "What is older is skipped, logged and counted".
    """
    if previous is None or policy.window == "rolling":
        return None
    oldest = oldest_end(policy, tick)
    if policy.active_from >= oldest:
        return None
    first = period_at(policy.period, max(reach(policy, previous), policy.active_from), policy.zones)
    if first.end > oldest:
        return None
    end = period_at(policy.period, oldest, policy.zones).start
    if policy.period != "day":
        return Skipped(first.start, end, (end - first.start) // (first.end - first.start))
    days = sum(judgeable("day", day) for day in periods_ending("day", first.start, end, policy.zones))
    return Skipped(first.start, end, days) if days else None


def last_ended(policy: Policy, upto: int) -> Period:
    """Return the latest calendar period that ended at or before an instant."""
    running = period_at(policy.period, upto, policy.zones)
    return period_at(policy.period, running.start - 1, policy.zones)


def oldest_end(policy: Policy, tick: int) -> int:
    """Return the instant after which a period must end to lie inside the horizon.

    A delay as long as the horizon must not put every period outside of it, so the period that is due now is always in.
    """
    return tick - max(HORIZONS[policy.period], delay(policy) + 1)


def oldest_start(policy: Policy, tick: int) -> int:
    """Return the start (µs) of the first period inside the horizon: the one that its edge lies in.

    Rolling windows are judged once; but a tick may be handled twice at once, or after the next one: so the last sixty count.
    """
    if policy.window == "rolling":
        return tick - delay(policy) - window_length(policy) - _ROLLING_KEPT * stride(policy)
    return period_at(policy.period, oldest_end(policy, tick), policy.zones).start


def reach(policy: Policy, tick: int) -> int:
    """Return how far (µs) ticks up to one have closed a policy's periods: what was closed stays so when the delay is made longer."""
    return max(policy.closed_upto, tick - delay(policy))


def is_closed(policy: Policy, period: Period, tick: int) -> bool:
    """Tell whether a tick's reach has closed a period."""
    return period.end <= reach(policy, tick)


def having_as_slot(policy: Policy, period: Period, tick: int) -> Iterator[Period]:
    """Yield the later periods that have one as a slot of M of N and may have been judged by the clock (µs): they are judged with it."""
    for _ in range(policy.evaluation_periods - 1):
        period = next_period(policy.period, period, policy.zones)
        if period.start > tick + LEAD:
            return
        yield period


def periods_touched(policy: Policy, changed: Iterable[Bin], tick: int) -> list[Period]:
    """List the calendar periods of a policy that changed buckets call for, oldest first.

    Those that contain a changed bucket, with M of N also the later ones that have it as a slot: closed ones inside the
    horizon, others if they begin at most five minutes after the clock. Rolling policies are judged by ticks only.

    Args:
        policy: The policy.
        changed: Buckets that a batch touched.
        tick: The engine's clock (µs).
    """
    if policy.window == "rolling":
        return []
    letters = {"minute": "m", "hour": "h", "day": "hm"}[policy.period]
    oldest = oldest_end(policy, tick)
    changed_periods = {period_at(policy.period, start, policy.zones) for letter, start in changed if letter in letters}
    touched = {period for period in changed_periods if period.end > oldest}  # what is older is not judged, nor what has it as a slot
    for period in list(touched):
        touched.update(having_as_slot(policy, period, tick))
    return sorted((period for period in touched if period.start <= tick + LEAD), key=lambda period: period.start)
