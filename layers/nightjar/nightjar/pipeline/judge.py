"""Judge policies: by a tick, by data, by an edit (pipeline.edits). All three come down to `judge_period`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from nightjar.core import actions, evaluation
from nightjar.core.due import is_closed, periods_due, periods_touched, stride
from nightjar.core.evidence import Evidence, asks_first_log, bins_of, periods_needed
from nightjar.core.instants import MINUTE
from nightjar.core.periods import Bin, Period, period_at
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.core.state import Decision, State, span_containing
from nightjar.observability import count, logger
from nightjar.pipeline.look import applied_to, is_behind
from nightjar.storage import alerts, clock, open_rows, rollups
from nightjar.storage.client import Store
from nightjar.storage.faults import is_fault
from nightjar.storage.open_rows import WatchRow

HELD_BACK = "held_back"  # the reason of a judgement that waits for rollup
_TRIES = 8  # a state is written once a step; so many writers in a row do not meet
WATCHED = 2 * MINUTE  # the ticks that look again after an edit
_AT_ONCE = 8  # policies of one event judged side by side: a thousand that fire on one log must not take rollup's minute


def judge_changed(store: Store, policies: Sequence[Policy], changed: Iterable[Bin], *, now: int) -> None:
    """Judge the policies of one event whose buckets a batch touched, applied now or on an earlier try.

    The clock is read here, after the buckets were written: of this and a tick that closes a period meanwhile, at least one
    sees the other. A tick that began meanwhile may not have seen an alert that was written here, nor judged what ends it:
    those policies are judged again by its clock.

    Raises:
        Exception: A fault of storage, when the others are judged: the batch must come again, for late data has no close that
            judges again. A fault of our own code at one policy is logged and counted, and stops nothing.
    """
    bins, waiting, passing = list(changed), list(policies), list[Exception]()
    judged_at: int | None = None
    while waiting:
        found = clock.read_clock(store)
        if found is None or found.tick == judged_at:
            break
        calls = _Calls(store, bins, judged_at, found.tick, now)
        waiting = calls.judge_all(waiting, passing)
        judged_at = found.tick
    if passing:
        raise passing[0]


@dataclass(frozen=True, slots=True)
class _Calls:
    """What one event's changed buckets call for at one reading of the clock.

    Attributes:
        bins: The changed buckets.
        before: The clock (µs) of the reading before, whose judgements a tick may have overtaken; None at the first.
        tick: The clock (µs).
    """

    store: Store
    bins: Sequence[Bin]
    before: int | None
    tick: int
    now: int

    def periods(self, policy: Policy) -> list[Period]:
        """List the periods that were touched, and those that a tick closed since the reading before."""
        found = set(periods_touched(policy, self.bins, self.tick))
        if self.before is not None:
            found.update(periods_due(policy, self.before, self.tick))
        return sorted(found, key=lambda period: period.start)

    def own(self, policy: Policy) -> set[Period]:
        """Return the periods of a policy whose own data changed."""
        return {period_at(policy.period, start, policy.zones) for letter, start in self.bins if letter == "m"}

    def buckets(self, policies: Sequence[Policy]) -> dict[Bin, Bucket] | None:
        """Read once what all policies ask for first; None where the code fails at one of them: each reads for itself then."""
        try:
            wanted = {key for policy in policies for key in bins_of(policy, self.periods(policy))}
            return rollups.read(self.store, policies[0].event_id, wanted, now=self.now)
        except Exception as error:
            if is_passing(error):
                raise
            return None

    def judge_all(self, policies: Sequence[Policy], passing: list[Exception]) -> list[Policy]:
        """Judge policies, several side by side; return those of which something was written, and note errors that go away by themselves."""
        buckets = self.buckets(policies)
        if len(policies) == 1:
            return [policy for policy in policies if self.judge(policy, buckets, passing)]
        with ThreadPoolExecutor(min(_AT_ONCE, len(policies))) as pool:
            written = list(pool.map(lambda policy: self.judge(policy, buckets, passing), policies))
        return [policy for policy, wrote in zip(policies, written, strict=True) if wrote]

    def judge(self, policy: Policy, buckets: dict[Bin, Bucket] | None, passing: list[Exception]) -> bool:
        """Judge a policy; tell whether an alert was written, and note an error that goes away by itself."""
        try:
            periods = self.periods(policy)
            echoes = set(periods) - self.own(policy) if policy.evaluation_periods > 1 else ()
            return judge_all(self.store, policy, periods, buckets, tick=self.tick, now=self.now, echoes=echoes)
        except Exception as error:  # noqa: BLE001 (whatever it is, it stops no other policy)
            logger().exception("judgement failed", policy_id=policy.policy_id)
            count("JudgementErrors")
            if is_passing(error):
                passing.append(error)
            return False


def is_passing(error: Exception) -> bool:
    """Tell whether an error goes away by itself: storage was busy, or others kept writing the same state."""
    return is_fault(error) or isinstance(error, alerts.Conflict)


def judge_all(
    store: Store,
    policy: Policy,
    periods: Sequence[Period],
    buckets: dict[Bin, Bucket] | None = None,
    *,
    tick: int,
    now: int,
    echoes: Collection[Period] = (),
) -> bool:
    """Judge some periods of a policy, oldest first; read its state only if one of them says something.

    Args:
        store: Where.
        policy: The policy.
        periods: What to judge.
        buckets: What the periods rest on; None to read it.
        tick: The engine's clock (µs).
        now: Wall time (µs).
        echoes: Those of the periods whose own data did not change: they have one that did as a slot, or were closed meanwhile.

    Returns:
        Whether anything was written.
    """
    if not periods:
        return False
    if buckets is None:
        buckets = rollups.read(store, policy.event_id, bins_of(policy, periods), now=now)
    first, written = first_log(store, policy, tick, buckets, periods), False
    for period in periods:
        called = period not in echoes
        verdict = Evidence(policy, tick, buckets, first, now=period if called else None).judged(period)
        if verdict is not None and (verdict.outcome != "nothing" or is_closed(policy, period, tick)):
            written |= judge_one(store, policy, period, tick=tick, now=now, called=called).changed
    return written


def judge_one(store: Store, policy: Policy, period: Period, *, tick: int, now: int, called: bool = True, gap: bool = False) -> Decision:
    """Judge one period and write what follows, again and again until nobody else wrote in between.

    Args:
        store: Where.
        policy: The policy.
        period: What to judge.
        tick: The engine's clock (µs).
        now: Wall time (µs).
        called: Its own data or its close calls for it; else only what it was judged already is weighed again.
        gap: Missed ticks left periods just before unjudged: a recovery may lie there.

    Raises:
        alerts.Conflict: Others kept writing; the caller's own retry (or the next tick) comes again.
    """
    done: Decision | None = None
    for _ in range(_TRIES):
        state = current_state(store, policy, tick=tick, now=now)
        periods = periods_needed(policy, state, period, tick, gap=gap)
        bins = bins_of(policy, periods)
        buckets = rollups.read(store, policy.event_id, bins, now=now)
        first = first_log(store, policy, tick, buckets, periods)
        evidence = Evidence(policy, tick, buckets, first, now=period if called else None, gap=gap)
        decision = _decide(store, state, period, evidence, now=now)
        if done is not None and not decision.changed:
            return done
        if decision.look and is_behind(store, policy, period, applied_to(buckets, period)):
            return done or _held_back(store, policy, period, tick)
        if write(store, policy, state, decision):
            done = done or decision
            # A rollup that has written since these buckets were read may have judged before it could see the alert: then once more.
            leaves_open = decision.state is not None and decision.state.open is not None
            if not leaves_open or _applied(rollups.read(store, policy.event_id, bins, now=now)) == _applied(buckets):
                return done
    if done is not None:
        return done
    raise alerts.Conflict(policy.policy_id)


def _applied(buckets: Mapping[Bin, Bucket]) -> dict[Bin, tuple[int, int]]:
    """Count the logs of each bucket: the counts grow with every write of rollup."""
    return {key: (bucket.count, bucket.parked) for key, bucket in buckets.items()}


def _held_back(store: Store, policy: Policy, period: Period, tick: int) -> Decision:
    """Count and log a judgement that is held back; a wide rolling window, which no change of a rollup judges, is left to the next tick."""
    count("SilentAlertsHeldBack")
    logger().warning("held back: raw logs wait for rollup", policy_id=policy.policy_id, period_start=period.start)
    if policy.window == "rolling" and stride(policy) > MINUTE:
        open_rows.watch(store, WatchRow(policy.policy_id, tick, tick + WATCHED, period.end - 1, policy.revision))
    return Decision(HELD_BACK)


def current_state(store: Store, policy: Policy, *, tick: int, now: int) -> State:
    """Read a policy's state, brought to the policy's revision."""
    state = alerts.load_state(store, policy.policy_id)
    if state is None:
        return State(policy_id=policy.policy_id, revision=policy.revision, live=policy.enabled)
    if state.revision < policy.revision:
        settle_revision(store, policy.policy_id, policy, tick=tick, now=now, edited=True)
        return alerts.load_state(store, policy.policy_id) or state
    return state


def _decide(store: Store, state: State, period: Period, evidence: Evidence, *, now: int) -> Decision:
    span = span_containing(state, period.start)
    ended = alerts.get_alert(store, span.alert_id) if span else None
    return evaluation.judge_period(state, period, evidence, ended=ended, now=now)


def settle_revision(store: Store, policy_id: str, policy: Policy | None, *, tick: int, now: int, edited: bool) -> None:
    """End what an earlier revision left open, so that nothing judged by it can be written any more."""
    for _ in range(_TRIES):
        state = alerts.load_state(store, policy_id)
        if state is None and not edited:
            return
        decision = actions.revise(state or State(policy_id=policy_id), policy, clock=tick, now=now)
        if write(store, policy, state or State(policy_id=policy_id), decision):
            return
    raise alerts.Conflict(policy_id)


def write(store: Store, policy: Policy | None, state: State, decision: Decision) -> bool:
    """Write a decision; False if somebody else wrote the state first."""
    if decision.changed:
        try:
            alerts.commit(store, state, decision, due=next_look(policy, decision.state))
        except alerts.Conflict:
            return False
        for transition in decision.transitions:
            logger().info(
                "transition",
                policy_id=state.policy_id, alert_id=transition.alert.alert_id, type=transition.type, reason=decision.reason, number=transition.number,
            )  # fmt: skip
            count(f"Alerts{transition.type.capitalize()}")
    return True


def next_look(policy: Policy | None, state: State | None) -> int | None:
    """Return the tick (µs) at which an open alert is next looked at besides judgement: a reminder, or silence."""
    if policy is None or state is None or state.open is None:
        return None
    silence = None if state.open.healed is not None else actions.silent_from(policy, state.open.last_end)
    found = [instant for instant in (silence, actions.reminder_due(state, policy)) if instant is not None]
    return min(found, default=None)


def first_log(store: Store, policy: Policy, tick: int, buckets: Mapping[Bin, Bucket], periods: Iterable[Period]) -> int | None:
    """Return the start (µs) of the event's first minute with logs (or hour, if long ago), where the verdicts of some periods need it."""
    return rollups.first_log(store, policy.event_id, now=tick) if asks_first_log(policy, buckets, periods) else None


def first_logs(
    store: Store, due: Iterable[tuple[Policy, Sequence[Period]]], by_event: Mapping[str, Mapping[Bin, Bucket]], tick: int
) -> dict[str, int | None]:
    """Return the first logs of those events of which the verdicts of some policies' periods need it (see `first_log`), several read at once."""
    wanted = sorted({policy.event_id for policy, periods in due if asks_first_log(policy, by_event.get(policy.event_id, {}), periods)})
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(_AT_ONCE, len(wanted))) as pool:
        return dict(zip(wanted, pool.map(lambda event_id: rollups.first_log(store, event_id, now=tick), wanted), strict=True))
