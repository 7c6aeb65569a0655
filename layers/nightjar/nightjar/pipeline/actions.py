"""What a person does to an alert: acknowledge, resolve, archive."""

from dataclasses import replace

from nightjar.core.actions import act_on_open
from nightjar.core.alerts import Action, Alert, Impossible, Status, UnknownAlert
from nightjar.core.lifecycle import Step
from nightjar.core.state import Decision, State
from nightjar.pipeline.judge import write
from nightjar.storage import alerts, clock, policies
from nightjar.storage.client import Store

_TRIES = 8
_AFTER: dict[Action, Status] = {"acknowledge": "acknowledged", "resolve": "resolved", "archive": "archived"}


def act(store: Store, alert_id: str, action: Action, *, now: int) -> Alert:
    """Do what a person asked for.

    Args:
        store: Where.
        alert_id: The alert.
        action: triggered → acknowledge, resolve; acknowledged → resolve; resolved → archive.
        now: Wall time (µs).

    Returns:
        The alert as it is then; the same action again changes nothing.

    Raises:
        UnknownAlert: There is no such alert.
        Impossible: Its status does not allow the action.
    """
    for _ in range(_TRIES):
        alert = alerts.get_alert(store, alert_id)
        if alert is None:
            raise UnknownAlert(alert_id)
        if alert.status == _AFTER[action]:
            return alert
        state = alerts.load_state(store, alert.policy_id) or State(policy_id=alert.policy_id)
        found = clock.read_clock(store)
        decision = _decide(state, alert, action, clock=found.tick if found else 0, now=now)
        if decision is not None and write(store, policies.get(store, alert.policy_id), state, decision):
            return alerts.get_alert(store, alert_id) or alert
    raise alerts.Conflict(alert_id)


def _decide(state: State, alert: Alert, action: Action, *, clock: int, now: int) -> Decision | None:
    """Decide on an action; None when the alert was written between the two reads: read again."""
    if alert.is_open != (state.open is not None and state.open.alert_id == alert.alert_id):
        return None
    if alert.is_open:
        return act_on_open(state, action, clock=clock, now=now)
    if action != "archive" or alert.status != "resolved":
        raise Impossible(f"an alert that is {alert.status} cannot be changed by {action}")
    step = Step(state, clock, now)
    step.tell("archived", replace(alert, status="archived", archived_at=now), "archived")
    return step.decision()
