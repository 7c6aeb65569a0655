"""One step of the engine: state, a period and what the rollups say of it → a Decision.

The rules are ENGINE.md's; docs/semantics.md names the test of each.
"""

from dataclasses import replace

from nightjar.core.alerts import Alert
from nightjar.core.due import having_as_slot, is_closed, oldest_start
from nightjar.core.evidence import Evidence, after, latest_start, looks_back_to, period_from
from nightjar.core.lifecycle import Step, as_reopened, first_alert, reworded, span_to_latest, with_period, without_period
from nightjar.core.periods import Period
from nightjar.core.policies import Policy
from nightjar.core.state import Decision, Span, State, pruned, span_containing, span_covering
from nightjar.core.verdicts import CUT_DAY, Verdict, rests_on_little


def judge_period(state: State, period: Period, evidence: Evidence, *, ended: Alert | None = None, now: int) -> Decision:
    """Judge one period of a policy.

    Args:
        state: The policy's state, at the policy's revision.
        period: The period: one that a tick or new data calls for.
        evidence: The policy, the engine's clock and the buckets.
        ended: The ended alert in whose span the period lies, if `span_containing` finds one.
        now: Wall time (µs): an early judgement is never dated after it.

    Returns:
        What to write and tell. `look` is set when the raw logs must be counted before it is written.
    """
    policy = evidence.policy
    if state.revision > policy.revision or not state.live:
        return Decision("stale_policy")
    verdict = evidence.judged(period)
    if verdict is None:
        return Decision("not_settled")
    if verdict.reason == CUT_DAY:  # it is not judged: an alert that it opened early, while it was whole, is not corrected by that
        return Decision(CUT_DAY)
    first = looks_back_to(policy, state, period, gap=evidence.gap)
    step = Step(pruned(state, oldest_start(policy, evidence.tick)), evidence.tick, _dated(evidence, period, now), first)
    if verdict.outcome == "breach" and evidence.in_alarm(period, state):
        return _in_alarm(step, period, verdict, evidence, ended)
    _heal(step, period, ended)
    return _calm(step, period, verdict, evidence)


def _dated(evidence: Evidence, period: Period, now: int) -> int:
    """Return the instant to show: the clock, for early judgements the later of clock and newest log, at most wall time."""
    tick = evidence.tick
    if is_closed(evidence.policy, period, tick):
        return tick
    newest = evidence.bucket(period).newest
    return max(tick, min(newest, now)) if newest is not None else tick


def _in_alarm(step: Step, period: Period, verdict: Verdict, evidence: Evidence, ended: Alert | None) -> Decision:
    state, policy, alert = step.state, evidence.policy, step.state.open
    if state.quiet:
        return Decision("quiet_until_healthy")
    covering = span_covering(state, period.start)
    if alert is not None and period.start >= alert.period_start and (covering is None or ended is None or covering.first <= alert.period_start):
        return _goes_on(step, alert, period, verdict, evidence)
    if covering is not None and ended is not None:
        return _amended(step, ended, period, verdict, evidence)
    if alert is not None and _joins(alert, period, evidence, state):
        return _goes_on(step, alert, period, verdict, evidence)
    early = not _closed(evidence, period)
    span = span_containing(state, period.start)
    if span is not None and ended is not None:
        if span.ending == "person":
            return Decision("resolved_by_a_person")
        step.forget(span)
        former = as_reopened(ended, period, early=early) if span.ending == "corrected" else ended
        step.open("reopened", reworded(with_period(former, policy, period, verdict, early=early), policy))
    else:
        step.open("opened", first_alert(policy, period, verdict, step, early=early))
    _recover(step, period, evidence)
    if alert is not None:  # the late period lies before the open alert, and what it opened is over
        step.state = replace(step.state, open=alert)
    return step.decision(look=_rests_on_little(policy, period, verdict, evidence))


def _amended(step: Step, ended: Alert, period: Period, verdict: Verdict, evidence: Evidence) -> Decision:
    """Change the values of an ended alert, and nothing else: the period lies inside its span."""
    found = ended if ended.in_alarm or ended.older else replace(ended, last_start=period.start, early=False)  # healed by late data
    updated = with_period(found, evidence.policy, period, verdict)
    if updated == ended:
        return Decision("unchanged")
    step.update(updated, "inside_an_ended_alert")
    return step.decision()


def _heal(step: Step, period: Period, ended: Alert | None) -> None:
    """Take a period that late data has healed out of the ended alert that covers it; without another one its latest values stay as last seen."""
    if ended is None or period.start not in ended.in_alarm or span_covering(step.state, period.start) is None:
        return
    step.update(without_period(ended, period) or replace(ended, in_alarm=(), priors=(), periods=0), "inside_an_ended_alert")


def _joins(alert: Alert, period: Period, evidence: Evidence, state: State) -> bool:
    """Tell whether an earlier period belongs to the open alert: no recovery lies between."""
    if not evidence.policy.auto_resolve or evidence.policy.window == "rolling":
        return True
    upto = alert.period_start - 1
    return evidence.recovered_at(after(evidence.policy, period), upto, state) is None


def _goes_on(step: Step, alert: Alert, period: Period, verdict: Verdict, evidence: Evidence) -> Decision:
    """Update the open alert with one more (or the same) period in alarm."""
    policy = evidence.policy
    updated = with_period(alert, policy, period, verdict, early=not _closed(evidence, period))
    if alert.healed is not None and period.start >= alert.healed:
        latest = latest_start(policy, period, evidence.tick)
        recovery = evidence.recovered_at(after(policy, period), latest, step.state)
        upto = recovery.start if recovery else latest
        step.open("reopened", _with_later(updated, period, upto, evidence, step.state))  # once for all that no recovery parts
        _recover(step, period, evidence)  # a late period may be followed by healthy ones
        return step.decision(look=_rests_on_little(policy, period, verdict, evidence))
    if updated == alert:
        return Decision("unchanged")
    same_periods = (updated.in_alarm, updated.periods) == (alert.in_alarm, alert.periods)
    if same_periods and alert.written_at == evidence.tick and not _closed(evidence, period):
        return Decision("written_this_minute")
    step.update(updated, "still_in_alarm")
    _recover(step, period, evidence)
    return step.decision()


def _calm(step: Step, period: Period, verdict: Verdict, evidence: Evidence) -> Decision:
    """Judge a period that is not in alarm: it may correct the open alert, end it, or say nothing."""
    state, alert = step.state, step.state.open
    if state.quiet and evidence.is_healthy(period, state):
        return Decision("quiet_no_more", state=replace(state, quiet=False))
    if alert is None:
        return step.decision() if step.reason else Decision(verdict.outcome if verdict.outcome != "breach" else "not_yet_in_alarm")
    if period.start in alert.in_alarm:
        latest = latest_start(evidence.policy, period, evidence.tick)
        left = without_period(alert, period, evidence) or without_period(_with_later(alert, period, latest, evidence, state), period, evidence)
        if left is None:
            step.end(alert, "corrected", span_to_latest(alert, "corrected"))
            return step.decision()
        step.update(left, "corrected_period")
    _recover(step, period, evidence)
    return step.decision() if step.reason else Decision("still_open")


def _with_later(alert: Alert, period: Period, upto: int, evidence: Evidence, state: State) -> Alert:
    """Count the later periods in alarm that came with the same data as what takes the only one out of the alert, or reopens it: it goes on with them.

    Up to the one that begins at `upto` (µs). Each is judged by itself too; what rests on little data only there, behind a look at
    the raw logs. Of a policy that compares none: later periods may look otherwise only by what they are compared with, which
    judges nothing.
    """
    policy = evidence.policy
    if policy.compare is not None:
        return alert
    while (period := after(policy, period)).start <= upto:
        verdict = evidence.judged(period)
        if verdict is None or verdict.outcome != "breach" or period.start in alert.in_alarm or not evidence.in_alarm(period, state):
            continue
        if span_covering(state, period.start) is None and not _rests_on_little(policy, period, verdict, evidence):
            alert = with_period(alert, policy, period, verdict, early=not _closed(evidence, period))
    return alert


def _recover(step: Step, period: Period, evidence: Evidence) -> None:
    """End the open alert if enough healthy periods follow its latest in alarm; without auto_resolve, mark it."""
    alert, policy = step.state.open, evidence.policy
    if alert is None:
        return
    if alert.healed is not None:
        if policy.auto_resolve:  # switched on since: it waits for nothing more
            step.end(alert, "recovered", Span(alert.alert_id, alert.period_start, alert.healed, "recovered"))
        return
    if _latest_is_judged_next(alert, period, evidence, step.state):
        return
    following = after(policy, period_from(policy, alert.last_start))
    since = max(step.first or following, following, key=lambda p: p.start)
    found = evidence.recovered_at(since, latest_start(policy, period, evidence.tick), step.state)
    if found is None:
        return
    if not policy.auto_resolve:
        step.update(replace(alert, healed=found.start), "healthy_but_kept_open")
        return
    step.end(alert, "recovered", Span(alert.alert_id, alert.period_start, found.start, "recovered"))


def _latest_is_judged_next(alert: Alert, period: Period, evidence: Evidence, state: State) -> bool:
    """Tell whether the alert's latest period has this one as a slot, and is no longer in alarm with it: its own judgement takes it out."""
    policy = evidence.policy
    if policy.window == "rolling" or not any(later.start == alert.last_start for later in having_as_slot(policy, period, evidence.tick)):
        return False
    return not evidence.in_alarm(period_from(policy, alert.last_start), state)


def _rests_on_little(policy: Policy, period: Period, verdict: Verdict, evidence: Evidence) -> bool:
    """Tell whether the raw logs must be counted first: what is settled early rests on data, and more of it changes nothing."""
    return _closed(evidence, period) and rests_on_little(policy, verdict)


def _closed(evidence: Evidence, period: Period) -> bool:
    return is_closed(evidence.policy, period, evidence.tick)
