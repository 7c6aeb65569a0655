"""What the rollups say of a policy's periods: which are judged, and how. Read from buckets, never stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from nightjar.core.due import LEAD, is_closed, stride, window_length
from nightjar.core.periods import MIN, Bin, Kind, Period, cover, next_period, period_at, previous_period, shifted
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket, merge
from nightjar.core.state import State
from nightjar.core.verdicts import Verdict, baseline_value, judge, settled

# Periods that a recovery may reach back over: more than the silence that ends an alert as no_data, a day or, of day policies, three.
# Of rolling windows, which may lie a minute apart, three days in minutes: after an outage too.
LOOKBACK: Final = 1_500
_LOOKBACK_OF_ROLLING: Final = 4_400


@dataclass(slots=True)
class Evidence:
    """The buckets that a step may need, and the verdicts that follow from them.

    Attributes:
        policy: The policy under judgement.
        tick: The engine's clock (µs).
        buckets: The event's buckets by bin; a bin without logs is absent.
        first_log: When (µs) the event's first log lies at the earliest; None if unknown or never. See `asks_first_log`.
        now: The period that new data just touched: judged with the clock of now, not of its latest write.
        gap: Missed ticks left periods just before unjudged, and outside the horizon.
    """

    policy: Policy
    tick: int
    buckets: Mapping[Bin, Bucket]
    first_log: int | None = None
    now: Period | None = None
    gap: bool = False
    _known: dict[Period, Verdict] = field(default_factory=dict)

    def bucket(self, period: Period) -> Bucket:
        """Merge all that was logged in a period."""
        found = [self.buckets[key] for key in cover(period.start, period.end) if key in self.buckets]
        return found[0] if len(found) == 1 else merge(found)

    def judged(self, period: Period) -> Verdict | None:
        """Return a period's verdict; None if it was not judged yet.

        A closed period was judged at its close and again by late data. One that no tick's reach has closed was judged when
        its latest log came, if its outcome was settled and it began at most five minutes after the clock of that moment.
        """
        verdict = self._known.get(period)
        if verdict is None and (verdict := self._judged(period)):
            self._known[period] = verdict
        return verdict

    def _judged(self, period: Period) -> Verdict | None:
        bucket = self.bucket(period)
        if is_closed(self.policy, period, self.tick) or self.policy.window == "rolling":
            return judge(self.policy, period, bucket, self._baseline(period))
        clock = self.tick if period == self.now else bucket.clock
        if clock is None or period.start > clock + LEAD:
            return None
        return settled(self.policy, period, bucket)

    def _baseline(self, period: Period) -> Decimal | None:
        before = compared(self.policy, period)
        return baseline_value(self.policy, self.bucket(before), before.end, self.first_log) if before else None

    def in_alarm(self, period: Period, state: State) -> bool:
        """Tell whether at least M of the last N periods up to this one breach (ENGINE.md, "M of N")."""
        policy = self.policy
        if policy.evaluation_periods == 1:
            return _breaches(self.judged(period))
        return self._breaching_slots(period, state) >= policy.datapoints_to_alarm

    def is_healthy(self, period: Period, state: State) -> bool:
        """Tell whether a period is judged healthy and fewer than M of the last N breach."""
        verdict = self.judged(period)
        if verdict is None or verdict.outcome != "healthy":
            return False
        return self.policy.evaluation_periods == 1 or not self.in_alarm(period, state)

    def _breaching_slots(self, period: Period, state: State) -> int:
        breaching, slot, first = 0, period, _slots_from(state, period)
        for _ in range(self.policy.evaluation_periods):
            if slot.start < first:
                break
            breaching += _breaches(self.judged(slot))
            slot = before(self.policy, slot)
        return breaching

    def recovered_at(self, since: Period, upto: int, state: State) -> Period | None:
        """Find the period that completes a recovery.

        Args:
            since: The first period that counts: it lies after the latest in alarm.
            upto: Periods that begin after this instant (µs) do not exist yet.
            state: For the slots of M of N.

        Returns:
            The period with which `recovery_periods` healthy ones in a row, with nothing but silence between, are full; None
            while they are not.
        """
        run, period = 0, since
        while period.start <= upto:
            verdict = self.judged(period)
            if self.is_healthy(period, state):
                run += 1
                if run >= self.policy.recovery_periods:
                    return period
            elif verdict is not None and verdict.outcome != "nothing":
                run = 0
            period = after(self.policy, period)
        return None


def _slots_from(state: State, period: Period) -> int:
    """Return the start (µs) before which nothing is a slot of a period: where the latest alert ended that a person resolved before it.

    Late data of a period before the latest one has the slots that it had then.
    """
    cuts = [span.until for span in state.spans if span.ending == "person"]
    return max((cut for cut in (*cuts, state.slots_from) if cut <= period.start), default=MIN)


def _breaches(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.outcome == "breach"


def period_from(policy: Policy, start: int) -> Period:
    """Return the period of a policy that begins at an instant (µs)."""
    if policy.window == "rolling":
        return Period(start, start + window_length(policy))
    return period_at(policy.period, start, policy.zones)


def after(policy: Policy, period: Period) -> Period:
    """Return the period that a policy judges next after one."""
    if policy.window == "rolling":
        return Period(period.start + stride(policy), period.end + stride(policy))
    return next_period(policy.period, period, policy.zones)


def before(policy: Policy, period: Period) -> Period:
    """Return the period that a policy judges just before one."""
    if policy.window == "rolling":
        return Period(period.start - stride(policy), period.end - stride(policy))
    return previous_period(policy.period, period, policy.zones)


def compared(policy: Policy, period: Period) -> Period | None:
    """Return the period that `compare` holds a period against; None for a policy that compares nothing."""
    if policy.compare is None:
        return None
    if policy.window == "rolling" and policy.compare == "previous_window":
        return Period(period.start - window_length(policy), period.start)
    kind: Kind = "hour" if policy.window == "rolling" else policy.period  # a rolling window is no calendar day
    return shifted(kind, period, policy.compare, policy.zones)


def asks_first_log(policy: Policy, buckets: Mapping[Bin, Bucket], periods: Iterable[Period]) -> bool:
    """Tell whether the verdicts of some periods depend on when the event's first log lies: a baseline without logs is zero only behind it."""
    if policy.compare is None or policy.missing != "zero":
        return False
    baselines = (cover(before.start, before.end) for period in periods if (before := compared(policy, period)))
    return any(not any(buckets[key].count for key in keys if key in buckets) for keys in baselines)


def bins_of(policy: Policy, periods: Iterable[Period]) -> set[Bin]:
    """List the buckets that the verdicts of some periods rest on, baselines included."""
    found: set[Bin] = set()
    for period in periods:
        found.update(cover(period.start, period.end))
        other = compared(policy, period)
        if other:
            found.update(cover(other.start, other.end))
    return found


def looks_back_to(policy: Policy, state: State, period: Period, *, gap: bool = False) -> Period:
    """Find the earliest period whose verdict a step asks for, apart from the slots of M of N.

    With one healthy period enough to recover, nothing before the judged one matters: an earlier healthy one would have
    ended the alert, unless missed ticks left a gap there.
    """
    alert = state.open
    if alert is None or period.start < alert.last_start or alert.healed is not None:
        return period
    if period.start == alert.last_start and len(alert.in_alarm) > 1:
        return period_from(policy, alert.in_alarm[-2])  # should this one drop out, that one's values show
    if policy.recovery_periods == 1 and policy.evaluation_periods == 1 and not gap:
        return period
    latest = alert.last_start
    if period.start == latest and alert.priors:
        latest = alert.priors[0]["last_start"]
    first = period
    for _ in range(_LOOKBACK_OF_ROLLING if policy.window == "rolling" else LOOKBACK):
        if first.start <= latest:
            break
        first = before(policy, first)
    return first


def periods_needed(policy: Policy, state: State, period: Period, tick: int, *, gap: bool = False) -> list[Period]:
    """List the periods that a step may ask for: its own slots, those since the open alert's latest, and the later ones.

    Args:
        policy: The policy.
        state: Its state.
        period: The period under judgement.
        tick: The engine's clock (µs): later periods are looked at up to five minutes after it.
        gap: Missed ticks left periods just before unjudged.
    """
    first = looks_back_to(policy, state, period, gap=gap)
    for _ in range(policy.evaluation_periods - 1):
        first = before(policy, first)
    found = [first]
    upto = latest_start(policy, period, tick)
    while (following := after(policy, found[-1])).start <= upto:
        found.append(following)
    return found


def latest_start(policy: Policy, period: Period, tick: int) -> int:
    """Return the start (µs) of the latest period that may be judged already."""
    return period.start if policy.window == "rolling" else max(tick + LEAD, period.start)
