"""What an alert is, its transitions, and what a person may do to it."""

import json
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Literal

from nightjar.core.periods import Kind
from nightjar.core.policies import Aggregate, Condition, Previous, Severity
from nightjar.core.rows import members_of

Status = Literal["triggered", "acknowledged", "resolved", "archived"]
Ending = Literal["recovered", "person", "corrected", "no_data", "policy_changed", "policy_disabled", "policy_deleted"]
TransitionType = Literal["opened", "reopened", "acknowledged", "resolved", "archived", "reminded"]
Action = Literal["acknowledge", "resolve", "archive"]

OPENINGS: frozenset[TransitionType] = frozenset({"opened", "reopened"})
# What an alert says in its policy's words: these change in place while it is open.
WORDS = ("title", "description", "channel", "severity", "runbook_url", "unit")
TOLD: frozenset[TransitionType] = OPENINGS | {"resolved", "reminded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert, with what it needs to be read after its policy is gone. Instants are µs since the epoch.

    Attributes:
        period_start: Start of its first period in alarm.
        last_start: Start of its latest period in alarm; last_end its end.
        value: The measured aggregate of that latest period; None when it had no logs and `missing` is breach.
        worst_value: The one that lay farthest beyond the threshold of all that were judged (worst_change its change, compare only).
        in_alarm: Starts of its periods in alarm that may still be judged again; `older` counts those that may not.
        priors: What was measured in the periods in alarm before the latest, newest first: should it drop out, and those not be
            judged any more, their values show. The last four: no more days than that can drop out, nor often more hours.
        zone: The timezone whose dates its days are; empty for UTC, and for all that are no days.
        early: Its latest period in alarm was first judged so while it still ran ("so far").
        healed: Start of the period that completed its recovery while it waits for a person (auto_resolve off).
        opened_at: When it was opened or last reopened; reminded_at: the tick of its latest reminder.
        written_at: The engine's clock when its values were last written.
    """

    alert_id: str
    policy_id: str
    revision: int
    event_id: str
    agent: str
    event: str
    title: str = ""
    description: str = ""
    channel: str = "default"
    severity: Severity
    runbook_url: str = ""
    unit: str = ""
    zone: str = ""
    period: Kind
    aggregate: Aggregate
    condition: Condition
    threshold: Decimal
    window: Literal["calendar", "rolling"] = "calendar"
    window_minutes: int | None = None
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    compare: Previous | None = None
    status: Status = "triggered"
    period_start: int
    last_start: int
    last_end: int
    value: Decimal | None
    count: int
    min: Decimal | None
    max: Decimal | None
    worst_value: Decimal | None
    worst_change: Decimal | None = None
    previous_value: Decimal | None = None
    change_percent: Decimal | None = None
    periods: int = 1
    in_alarm: tuple[int, ...] = ()
    older: int = 0
    priors: tuple[dict[str, Any], ...] = ()
    early: bool = False
    healed: int | None = None
    triggered_at: int
    acknowledged_at: int | None = None
    resolved_at: int | None = None
    archived_at: int | None = None
    resolved_by: Ending | None = None
    opened_at: int = 0
    reminded_at: int | None = None
    written_at: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its end."""
        return self.status in {"triggered", "acknowledged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One immutable line of a policy's history: the outbox row from which messages are made.

    Attributes:
        number: 1, 2, … for each policy.
        clock: The engine's clock (µs) when it was written: what mutes are held against.
        at: The instant (µs) to show: triggered_at of an opening, resolved_at of an ending, …
        alert: The alert as it is after the transition.
    """

    number: int
    type: TransitionType
    clock: int
    at: int
    alert: Alert


def in_words_of(transition: Transition, latest: Alert) -> Transition:
    """Give a transition the title, severity, runbook and other words that its alert has by now; what was measured stays."""
    return replace(transition, alert=replace(transition.alert, **{name: getattr(latest, name) for name in WORDS}))


class UnknownAlert(LookupError):
    """There is no alert with this id."""


class Impossible(Exception):
    """The alert's status does not allow this action."""


_DECIMALS = ("threshold", "value", "min", "max", "worst_value", "worst_change", "previous_value", "change_percent")
_ALERT_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Alert)}


def alert_to_dict(alert: Alert) -> dict[str, Any]:
    """Turn an alert into what JSON can hold: decimals as text, defaults left out."""
    found = {name: getattr(alert, name) for name in _ALERT_DEFAULTS if getattr(alert, name) != _ALERT_DEFAULTS[name]}
    return {name: str(value) if name in _DECIMALS and value is not None else value for name, value in found.items()}


def alert_from_dict(found: dict[str, Any]) -> Alert:
    """Read what `alert_to_dict` made, also after a trip through JSON."""
    known = members_of(Alert, found)
    decimals = {name: Decimal(known[name]) for name in _DECIMALS if known.get(name) is not None}
    return Alert(**{**known, **decimals, "in_alarm": tuple(known.get("in_alarm", ())), "priors": tuple(known.get("priors", ()))})


def remembered(measured: dict[str, Any]) -> dict[str, Any]:
    """Turn measured values into what JSON can hold."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in measured.items()}


def recalled(found: dict[str, Any]) -> dict[str, Any]:
    """Read what `remembered` made."""
    return {name: Decimal(value) if name in _DECIMALS and value is not None else value for name, value in found.items()}


def transition_to_text(transition: Transition) -> str:
    """Write a transition as compact JSON."""
    found = {**{name: getattr(transition, name) for name in ("number", "type", "clock", "at")}, "alert": alert_to_dict(transition.alert)}
    return json.dumps(found, separators=(",", ":"))


def transition_from_text(text: str) -> Transition:
    """Read what `transition_to_text` wrote."""
    found = json.loads(text)
    return Transition(**{**members_of(Transition, found), "alert": alert_from_dict(found["alert"])})
