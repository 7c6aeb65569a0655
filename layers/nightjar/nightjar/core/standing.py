"""How a policy stands, for those who ask why it did not fire: read from the rollups with the engine's own eyes, never stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from nightjar.core.alerts import Alert
from nightjar.core.due import LEAD, delay, last_ended, periods_due, reach, stride, window_length
from nightjar.core.evidence import Evidence, after
from nightjar.core.instants import MINUTE, floor
from nightjar.core.periods import Period, period_at
from nightjar.core.policies import Policy
from nightjar.core.verdicts import Verdict, counts, may_settle, says_something

StandingState = Literal["ok", "triggered", "acknowledged", "no_data", "pending", "disabled", "unknown"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a policy stands.

    Attributes:
        state: `triggered` or `acknowledged`: an alert is open. Else, by the latest judged period: `ok`: it was healthy, or
            breached without (or no longer) being an alert; `no_data`: it said nothing, for lack of logs; `pending`: none that
            counts was judged yet. `disabled`: none is. `unknown`: it was not worked out, or could not be.
        last_reason: Why that period was judged as it was: `core.verdicts.Verdict.reason`; or why there is nothing to tell.
        last_value: What was measured in it; None where there was nothing to measure.
        last_period: The latest judged period; one that still runs if its outcome is settled.
        next_judged_at: The tick (µs) that judges the first period after it that counts; data may settle it sooner.
    """

    state: StandingState
    last_reason: str | None = None
    last_value: Decimal | None = None
    last_period: Period | None = None
    next_judged_at: int | None = None


DISABLED: Final = Standing("disabled")
UNKNOWN: Final = Standing("unknown")


def lately_judged(policy: Policy, tick: int) -> list[Period]:
    """List the periods of which one is the latest judged, newest first: the last closed one, and those that may be settled early.

    Args:
        policy: The policy.
        tick: The engine's clock (µs).
    """
    if policy.window == "rolling":
        return periods_due(policy, None, tick)
    found = [last_ended(policy, reach(policy, tick))]
    while may_settle(policy) and (following := after(policy, found[0])).start <= tick + LEAD:
        found.insert(0, following)
    return found


def standing(alert: Alert | None, evidence: Evidence) -> Standing:
    """Tell how an enabled policy stands.

    Args:
        alert: Its open alert, if there is one.
        evidence: The policy, the engine's clock, and the buckets of `lately_judged`.

    Example:
        A policy "count gt 20" that was judged for 13:00 with 5 logs stands at `Standing("ok", "condition_does_not_hold",
        Decimal(5), Period(13:00, 14:00), 15:01)`.
    """
    policy = evidence.policy
    due = next_judged_at(policy, evidence.tick)
    for period in lately_judged(policy, evidence.tick):
        verdict = evidence.judged(period)
        if verdict is not None and counts(policy, period, missing=verdict.missing):
            return Standing(_state(alert, _calm(verdict)), verdict.reason, verdict.value, period, due)
    return Standing(_state(alert, "pending"), "before_active_from", next_judged_at=due)


def unreadable(alert: Alert | None) -> Standing:
    """Tell how an enabled policy stands that rests on a bucket that cannot be read: `nightjar recount` makes it anew."""
    return Standing(_state(alert, "unknown"), "unreadable_bucket")


def _state(alert: Alert | None, otherwise: StandingState) -> StandingState:
    if alert is None:
        return otherwise
    return "acknowledged" if alert.status == "acknowledged" else "triggered"


def _calm(verdict: Verdict) -> StandingState:
    return "ok" if says_something(verdict) else "no_data"


def next_judged_at(policy: Policy, tick: int) -> int:
    """Return the tick (µs) at which the first period that counts, of those that no tick's reach has closed, is due.

    Args:
        policy: An enabled policy.
        tick: The engine's clock (µs).
    """
    period = next(period for period in _upcoming(policy, reach(policy, tick)) if counts(policy, period, missing=False))
    return _tick(period.end + delay(policy), MINUTE)


def _upcoming(policy: Policy, closed: int) -> Iterator[Period]:
    """Yield the first period that ends after an instant (µs), then the first ones that active_from may let count."""
    if policy.window == "calendar":
        running = period_at(policy.period, closed, policy.zones)
        first = period_at(policy.period, max(policy.active_from, running.end), policy.zones)
        yield from (running, first, after(policy, first))
        return
    step, length = stride(policy), window_length(policy)
    ends = (floor(closed, step) + step, _tick(policy.active_from + 1, step), _tick(policy.active_from + length, step))
    yield from (Period(end - length, end) for end in ends if end > closed)


def _tick(instant: int, step: int) -> int:
    """Return the first multiple of a step at or after an instant (µs)."""
    return -(-instant // step) * step
