"""What ends or marks an alert besides judgement: people, edited policies, silence, reminders."""

from dataclasses import replace
from typing import Final

from nightjar.core.alerts import Action, Ending, Impossible
from nightjar.core.due import delay
from nightjar.core.instants import DAY, MINUTE
from nightjar.core.lifecycle import Step, reworded, span_to_latest
from nightjar.core.periods import MIN
from nightjar.core.policies import Policy
from nightjar.core.state import Decision, State

GONE: Final = 2**53  # the revision of a deleted policy: above any that an edit overtaken by the deletion could bring
SILENCE: Final = {"minute": DAY, "hour": DAY, "day": 3 * DAY}


def act_on_open(state: State, action: Action, *, clock: int, now: int) -> Decision:
    """Acknowledge or resolve a policy's open alert.

    Args:
        state: The state of the policy, with the alert open.
        action: What the person does.
        clock: The engine's clock (µs).
        now: The instant (µs) of the action.

    Raises:
        Impossible: The alert's status does not allow it.
    """
    alert = state.open
    if alert is None or action == "archive":
        raise Impossible("an open alert must be resolved before it is archived")
    step = Step(state, clock, now)
    if action == "acknowledge":
        if alert.status == "acknowledged":
            return Decision("unchanged")
        step.tell("acknowledged", replace(alert, status="acknowledged", acknowledged_at=now), "acknowledged")
        return step.decision()
    step.end(alert, "person", span_to_latest(alert, "person"))
    rolling = alert.window == "rolling"
    step.state = replace(step.state, quiet=rolling, slots_from=state.slots_from if rolling else max(state.slots_from, alert.last_end))
    return step.decision()


def revise(state: State, policy: Policy | None, *, clock: int, now: int) -> Decision:
    """Bring a state to its policy's revision: an open alert of an earlier one ends, with its reason; one of this takes its words.

    Args:
        state: The state, of any revision.
        policy: The policy as it is now; None when it was deleted.
        clock: The engine's clock (µs).
        now: The instant (µs) of the edit.
    """
    live = policy is not None and policy.enabled
    if policy is not None and state.revision == policy.revision and state.live == live:
        return _reword(state, policy, clock=clock, now=now)
    if policy is not None and state.revision > policy.revision:
        return Decision("unchanged")
    if policy is None and not state.live and state.open is None:
        return Decision("unchanged")
    step = Step(state, clock, now, reason="revised")
    if state.open is not None:
        ending: Ending = "policy_deleted" if policy is None else "policy_changed" if live else "policy_disabled"
        step.end(state.open, ending, span_to_latest(state.open, ending))
    # spans of earlier revisions are forgotten: the revision is in an alert's id, so a period may alert again; slots likewise
    step.state = replace(step.state, revision=policy.revision if policy else GONE, live=live, spans=(), slots_from=MIN, quiet=False)
    return step.decision()


def _reword(state: State, policy: Policy, *, clock: int, now: int) -> Decision:
    """Bring the open alert's title, severity and the like up to date; its values, and when they were written, stay."""
    alert = state.open
    if alert is None or reworded(alert, policy) == alert:
        return Decision("unchanged")
    step = Step(state, clock, now)
    step.update(reworded(alert, policy), "reworded", written_at=alert.written_at)
    return step.decision()


def silent_from(policy: Policy, last_end: int) -> int:
    """Return the instant (µs) at which an alert has been given nothing to judge for so long that it ends."""
    return last_end + delay(policy) + SILENCE[policy.period]


def end_silent(state: State, *, clock: int) -> Decision:
    """End an open alert whose policy was given nothing to judge for 24 hours (day policies: three days)."""
    if state.open is None or state.open.healed is not None:
        return Decision("unchanged")
    step = Step(state, clock, clock)
    step.end(state.open, "no_data", span_to_latest(state.open, "no_data"))
    return step.decision()


def reminder_due(state: State, policy: Policy) -> int | None:
    """Return the tick (µs) at which the open alert is told again; None for never."""
    alert = state.open
    if alert is None or policy.renotify_minutes is None or alert.status != "triggered":
        return None
    every = policy.renotify_minutes * MINUTE
    told = alert.reminded_at if alert.reminded_at is not None else alert.opened_at
    return alert.opened_at + ((told - alert.opened_at) // every + 1) * every


def remind(state: State, policy: Policy, *, clock: int) -> Decision:
    """Tell an alert again that nobody has acknowledged, if the time has come."""
    due = reminder_due(state, policy)
    if state.open is None or due is None or clock < due:
        return Decision("unchanged")
    step = Step(state, clock, clock)
    step.tell("reminded", replace(state.open, reminded_at=clock), "reminded")
    return step.decision()
