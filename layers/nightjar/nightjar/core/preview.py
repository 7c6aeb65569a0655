"""What a policy would have raised over a past range: the engine's own steps over stored buckets, tick by tick, nothing written.

A range is replayed as if every log had come in time: each period is judged once, at the tick at which it is due. So `early`, late
data and people are not replayed; with `early` an alert may have come sooner than `opened_at` says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from nightjar.core.actions import end_silent, silent_from
from nightjar.core.alerts import Alert
from nightjar.core.due import delay, stride, window_length
from nightjar.core.evaluation import judge_period
from nightjar.core.evidence import Evidence
from nightjar.core.instants import DAY, HOUR, MINUTE, floor
from nightjar.core.periods import Bin, Kind, Period, periods_ending
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.core.state import Decision, State, span_containing
from nightjar.core.verdicts import Outcome, says_something

# Measured: what takes longest (a 100-slot policy over 20,160 minutes) takes 7 s on one processor; the gateway waits 29.
MOST_PERIODS: Final = 20_160  # two weeks of minutes
MOST_BUCKETS: Final = 20 * MOST_PERIODS  # merged into them: 4 days of rolling hours

_LENGTH: Final[dict[Kind, int]] = {"minute": MINUTE, "hour": HOUR, "day": DAY}


class TooLong(ValueError):
    """The range holds more than one preview can judge; the message says how long it may be."""


@dataclass(slots=True)
class Preview:
    """What was raised.

    Attributes:
        alerts: By id, each as it is after the range, in the order of their opening.
        outcomes: How many periods breached, were healthy, said nothing.
    """

    alerts: dict[str, Alert] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)


def periods_between(policy: Policy, start: int, end: int, now: int) -> list[Period]:
    """List the periods that the ticks of a past range judge, oldest first.

    Args:
        policy: The policy.
        start: Periods that end after this instant (µs) …
        end: … and at or before this one,
        now: if they are due by this instant.

    Raises:
        TooLong: There are more than one preview can judge.
    """
    upto = min(end, floor(now, MINUTE) - delay(policy))
    if upto - start > (longest := longest_range(policy)):
        raise TooLong(f"a preview of this policy may be {longest // DAY} days long at most")
    if policy.window == "calendar":
        return periods_ending(policy.period, start, upto, policy.zones)
    step = stride(policy)
    return [Period(last - window_length(policy), last) for last in range(floor(start, step) + step, upto + 1, step)]


def longest_range(policy: Policy) -> int:
    """Return how long (µs) a range one preview can judge."""
    if policy.window == "calendar":
        return MOST_PERIODS * _LENGTH[policy.period]
    windows = min(MOST_PERIODS, MOST_BUCKETS * stride(policy) // window_length(policy))
    return windows * stride(policy)


def replay(policy: Policy, periods: Sequence[Period], buckets: Mapping[Bin, Bucket], first_log: int | None = None) -> Preview:
    """Judge some periods of a policy one after the other, each at the tick at which it is due.

    Args:
        policy: The policy, enabled.
        periods: What `periods_between` lists.
        buckets: The event's buckets that `bins_of` these periods names.
        first_log: When (µs) the event's first log lies at the earliest; only `compare` asks.

    Example:
        An hour policy "count gt 20" over 13:00 to 16:00 with 30 logs at 14:20 raises one alert, opened at 15:01 and recovered at
        16:01.
    """
    found = Preview()
    state = State(policy_id=policy.policy_id, revision=policy.revision)
    evidence = Evidence(policy, 0, {}, first_log)
    said = 0
    for period, known in zip(periods, _grown(periods, buckets), strict=True):
        due = period.end + delay(policy)
        state = _note(found, state, _silence(policy, state, said, due - MINUTE))
        evidence.tick, evidence.buckets = due, known
        verdict = evidence.judged(period)
        assert verdict is not None  # noqa: S101  # it is closed
        found.outcomes[verdict.outcome] += 1
        said = period.end if says_something(verdict) else said
        if verdict.outcome == "breach" or state.open is not None:
            state = _note(found, state, _judge(state, period, evidence, found))
        state = _note(found, state, _silence(policy, state, said, due))
    return found


def _grown(periods: Sequence[Period], buckets: Mapping[Bin, Bucket]) -> Iterator[dict[Bin, Bucket]]:
    """Yield, for each period, the buckets that were full when it ended: the engine does not see what is still to come."""
    known: dict[Bin, Bucket] = {}
    waiting = sorted(buckets, key=_end, reverse=True)
    for period in periods:
        while waiting and _end(waiting[-1]) <= period.end:
            key = waiting.pop()
            known[key] = buckets[key]
        yield known


def _end(key: Bin) -> int:
    return key[1] + (HOUR if key[0] == "h" else MINUTE)


def _judge(state: State, period: Period, evidence: Evidence, found: Preview) -> Decision:
    span = span_containing(state, period.start)
    return judge_period(state, period, evidence, ended=found.alerts.get(span.alert_id) if span else None, now=evidence.tick)


def _silence(policy: Policy, state: State, said: int, upto: int) -> Decision:
    """End an open alert whose policy has said nothing for too long, at the tick at which that time was full."""
    if state.open is None:
        return Decision("unchanged")
    full = silent_from(policy, max(said, state.open.last_end))
    return end_silent(state, clock=full) if full <= upto else Decision("unchanged")


def _note(found: Preview, state: State, decision: Decision) -> State:
    found.alerts.update({alert.alert_id: alert for alert in decision.alerts})
    return decision.state or state
