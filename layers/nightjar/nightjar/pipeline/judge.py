"""Judge policies: by a tick, by data, by a person's edit. All three come down to `judge_period`."""

from collections.abc import Iterable, Sequence

from nightjar.core import actions, evaluation
from nightjar.core.due import is_closed, periods_touched
from nightjar.core.evidence import Evidence, bins_of, periods_needed
from nightjar.core.instants import MINUTE
from nightjar.core.periods import Bin, Period, period_at, periods_ending
from nightjar.core.policies import Policy
from nightjar.core.state import Decision, State, span_containing
from nightjar.observability import count, logger
from nightjar.pipeline.look import is_behind
from nightjar.storage import alerts, clock, open_rows, rollups
from nightjar.storage.client import Store
from nightjar.storage.faults import is_fault

_TRIES = 8  # a state is written once a step; so many writers in a row do not meet
_WATCHED = 2 * MINUTE  # the ticks that look again after an edit


def judge_edit(store: Store, before: Policy | None, after: Policy | None, *, now: int) -> None:
    """Bring the engine up to date with a policy that a person has just stored, and judge its running period at once.

    Args:
        store: Where.
        before: The policy as it was; None when it is new.
        after: The policy as it is stored; None when it was deleted.
        now: Wall time (µs).
    """
    policy = after or before
    if policy is None:
        return
    found = clock.read_clock(store)
    tick = found.tick if found else 0
    open_rows.watch(store, policy.policy_id, edited=tick or now, until=max(tick, now) + _WATCHED)
    settle_revision(store, policy.policy_id, after, tick=tick, now=now, edited=before is not None)
    if after is not None and after.enabled and found is not None:
        judge_running(store, after, since=tick, tick=tick, now=now)


def judge_running(store: Store, policy: Policy, *, since: int, tick: int, now: int) -> None:
    """Judge the periods of a policy that ran between an edit and the engine's clock, as data would; a rolling policy has none."""
    if policy.window == "calendar":
        before = period_at(policy.period, since, policy.zones).start
        ended = [period for period in periods_ending(policy.period, before, tick, policy.zones) if not is_closed(policy, period, tick)]
        periods = [*ended, period_at(policy.period, tick, policy.zones)]
        judge_all(store, policy, periods, tick=tick, now=now)


def judge_changed(store: Store, policies: Sequence[Policy], changed: Iterable[Bin], *, now: int) -> None:
    """Judge the policies of one event whose buckets a batch touched, applied now or on an earlier try.

    The clock is read here, after the buckets were written: of this and a tick that closes a period meanwhile, at least one
    sees the other.

    Raises:
        Exception: A fault of storage, when the others are judged: the batch must come again, for late data has no close that
            judges again. A fault of our own code at one policy is logged and counted, and stops nothing.
    """
    found = clock.read_clock(store)
    if found is None:
        return
    bins = list(changed)
    passing: list[Exception] = []
    for policy in policies:
        try:
            judge_all(store, policy, periods_touched(policy, bins, found.tick), tick=found.tick, now=now)
        except Exception as error:  # noqa: BLE001 (whatever it is, it stops no other policy)
            logger().exception("judgement failed", policy_id=policy.policy_id)
            count("JudgementErrors")
            if is_passing(error):
                passing.append(error)
    if passing:
        raise passing[0]


def is_passing(error: Exception) -> bool:
    """Tell whether an error goes away by itself: storage was busy, or others kept writing the same state."""
    return is_fault(error) or isinstance(error, alerts.Conflict)


def judge_all(store: Store, policy: Policy, periods: Sequence[Period], *, tick: int, now: int) -> None:
    """Judge some periods of a policy, oldest first; read its state only if one of them says something."""
    if not periods:
        return
    buckets = rollups.read(store, policy.event_id, bins_of(policy, periods), now=now)
    for period in periods:
        evidence = Evidence(policy, tick, buckets, first_log(store, policy, tick), now=period)
        verdict = evidence.judged(period)
        if verdict is not None and (verdict.outcome != "nothing" or is_closed(policy, period, tick)):
            judge_one(store, policy, period, tick=tick, now=now)


def judge_one(store: Store, policy: Policy, period: Period, *, tick: int, now: int) -> Decision:
    """Judge one period and write what follows, again and again until nobody else wrote in between.

    Raises:
        alerts.Conflict: Others kept writing; the caller's own retry (or the next tick) comes again.
    """
    for _ in range(_TRIES):
        state = current_state(store, policy, tick=tick, now=now)
        decision = _decide(store, policy, state, period, tick=tick, now=now)
        if decision.look and is_behind(store, policy, period, now=now):
            count("SilentAlertsHeldBack")
            logger().warning("held back: raw logs wait for rollup", policy_id=policy.policy_id, period_start=period.start)
            return Decision("held_back")
        if write(store, policy, state, decision):
            return decision
    raise alerts.Conflict(policy.policy_id)


def current_state(store: Store, policy: Policy, *, tick: int, now: int) -> State:
    """Read a policy's state, brought to the policy's revision."""
    state = alerts.load_state(store, policy.policy_id)
    if state is None:
        return State(policy_id=policy.policy_id, revision=policy.revision, live=policy.enabled)
    if state.revision < policy.revision:
        settle_revision(store, policy.policy_id, policy, tick=tick, now=now, edited=True)
        return alerts.load_state(store, policy.policy_id) or state
    return state


def _decide(store: Store, policy: Policy, state: State, period: Period, *, tick: int, now: int) -> Decision:
    needed = bins_of(policy, periods_needed(policy, state, period, tick))
    buckets = rollups.read(store, policy.event_id, needed, now=now)
    evidence = Evidence(policy, tick, buckets, first_log(store, policy, tick), now=period)
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


def first_log(store: Store, policy: Policy, tick: int) -> int | None:
    """Return the start (µs) of the event's first bucket, for `compare` only: before it there is no baseline."""
    return rollups.first_start(store, policy.event_id, now=tick) if policy.compare else None
