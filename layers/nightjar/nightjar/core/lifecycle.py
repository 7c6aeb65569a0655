"""How an alert begins, goes on and ends: the writes and transitions of one step, numbered."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nightjar.core import ids
from nightjar.core.alerts import WORDS, Alert, Ending, Transition, TransitionType, recalled, remembered
from nightjar.core.decimals import EXACT
from nightjar.core.due import LEAD, is_closed
from nightjar.core.periods import Period, zone_at
from nightjar.core.policies import Policy
from nightjar.core.state import Decision, Span, State
from nightjar.core.verdicts import Verdict, held_change

if TYPE_CHECKING:
    from nightjar.core.evidence import Evidence


@dataclass(slots=True)
class Step:
    """Collects what one step changes.

    Attributes:
        state: The state as it becomes.
        clock: The engine's clock (µs).
        at: The instant (µs) to show in alerts and messages.
        first: The earliest period whose verdict may be asked for; none where nothing is judged.
        reason: What happened last, as a word; empty while nothing has.
    """

    state: State
    clock: int
    at: int
    first: Period | None = None
    reason: str = ""
    transitions: list[Transition] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)

    def update(self, alert: Alert, reason: str, *, written_at: int | None = None) -> None:
        """Write an alert without telling anybody: its values, unless they were written before (written_at)."""
        alert = replace(alert, written_at=self.clock if written_at is None else written_at)
        self.alerts[alert.alert_id] = alert
        self.reason = reason
        if alert.is_open:
            self.state = replace(self.state, open=alert)

    def tell(self, kind: TransitionType, alert: Alert, reason: str) -> None:
        """Write an alert and the transition that tells of it."""
        self.update(alert, reason)
        number = self.state.number + 1
        self.state = replace(self.state, number=number)
        self.transitions.append(Transition(number=number, type=kind, clock=self.clock, at=self.at, alert=self.alerts[alert.alert_id]))

    def open(self, kind: TransitionType, alert: Alert) -> None:
        """Open or reopen an alert: triggered, whatever it was before."""
        fresh = replace(alert, status="triggered", acknowledged_at=None, resolved_at=None, archived_at=None, resolved_by=None, healed=None)
        self.tell(kind, replace(fresh, opened_at=self.at, reminded_at=None), kind)

    def end(self, alert: Alert, ending: Ending, span: Span) -> None:
        """Resolve the open alert; its span keeps later data of the same periods from opening another."""
        opened_now = any(transition.alert.alert_id == alert.alert_id for transition in self.transitions)
        self.tell("resolved", replace(alert, status="resolved", resolved_at=self.at, resolved_by=ending), "over" if opened_now else ending)
        self.state = replace(self.state, open=None, spans=(*self.state.spans, replace(span, judged=self.clock + LEAD)))

    def forget(self, span: Span) -> None:
        """Drop a span: its alert is open again."""
        self.state = replace(self.state, spans=tuple(other for other in self.state.spans if other != span))

    def decision(self, *, look: bool = False) -> Decision:
        """Close the step."""
        return Decision(self.reason, self.state, tuple(self.transitions), tuple(self.alerts.values()), look=look)


def span_to_latest(alert: Alert, ending: Ending) -> Span:
    """Return the span of an alert that ended without a recovery: all periods up to its latest in alarm."""
    return Span(alert.alert_id, alert.period_start, alert.last_start + 1, ending)


def first_alert(policy: Policy, period: Period, verdict: Verdict, step: Step, *, early: bool) -> Alert:
    """Make the alert that opens with a period."""
    copied: dict[str, Any] = {name: getattr(policy, name) for name in _COPIED}
    return Alert(
        alert_id=ids.alert_id(policy.policy_id, policy.revision, period.start),
        period_start=period.start,
        triggered_at=step.at,
        worst_value=verdict.value,
        worst_change=verdict.change,
        in_alarm=(period.start,) if policy.window == "calendar" else (),
        older=0 if policy.window == "calendar" else 1,
        **_measured(policy, period, verdict, early=early),
        **copied,
    )


_COPIED = (
    *WORDS, "policy_id", "revision", "event_id", "agent", "event", "period",
    "aggregate", "condition", "threshold", "window", "window_minutes", "evaluation_periods", "datapoints_to_alarm", "compare",
)  # fmt: skip
_NOTED = 4  # a day's horizon holds two ended days, with a delay three, and the running one


def reworded(alert: Alert, policy: Policy) -> Alert:
    """Give an alert the title, severity, runbook and other words that its policy has now.

    Rule: ENGINE.md, Alerts: these change in place.
    """
    return replace(alert, **{name: getattr(policy, name) for name in WORDS})


def _zone(policy: Policy, period: Period) -> str:
    """Name the timezone whose date a calendar day is; nothing in UTC, whose dates need no name of a zone to be found."""
    zone = zone_at(policy.zones, period.start) if policy.period == "day" and policy.window == "calendar" else ""
    return "" if zone == "UTC" else zone


def _measured(policy: Policy, period: Period, verdict: Verdict, *, early: bool) -> dict[str, Any]:
    return {
        "last_start": period.start, "last_end": period.end, "zone": _zone(policy, period), "value": verdict.value, "count": verdict.count, "min": verdict.low,
        "max": verdict.high, "previous_value": verdict.previous, "change_percent": verdict.change, "early": early,
    }  # fmt: skip


def as_reopened(alert: Alert, period: Period, *, early: bool) -> Alert:
    """Take out of a corrected alert all that it had: the period with which it comes back is its first, and its only one."""
    return replace(alert, period_start=period.start, last_start=period.start, early=early, in_alarm=(), older=0, priors=())


def with_period(alert: Alert, policy: Policy, period: Period, verdict: Verdict, *, early: bool = False) -> Alert:
    """Count a period in alarm (once), keep the worst value, and show the latest period's values."""
    if policy.window == "rolling":  # windows are never judged again, so they need no list; two ticks at once may bring them in any order
        older = alert.older + (0 if alert.period_start <= period.start <= alert.last_start else 1)
        in_alarm = alert.in_alarm
    else:
        older = alert.older
        in_alarm = tuple(sorted({*alert.in_alarm, period.start}))
    updated = replace(
        alert,
        in_alarm=in_alarm,
        older=older,
        periods=older + len(in_alarm),
        period_start=min(alert.period_start, period.start),
        **_worst(policy, alert, verdict),
    )
    measured = _measured(policy, period, verdict, early=alert.early if period.start == alert.last_start else early)
    if period.start < alert.last_start:
        return replace(updated, priors=_noted(alert.priors, measured)) if policy.window == "calendar" else updated
    if period.start > alert.last_start and policy.window == "calendar":
        updated = replace(updated, priors=_noted(alert.priors, {name: getattr(alert, name) for name in measured}))
    return replace(updated, **measured)


def without_period(alert: Alert, period: Period, evidence: "Evidence | None" = None) -> Alert | None:
    """Take a period out of an alert that late data or the close found not in alarm; None when no other is left to show.

    Without evidence (an ended alert: its buckets were not read) another one shows only as it was noted; else its values stay as last seen.
    """
    from nightjar.core.evidence import period_from

    in_alarm = tuple(start for start in alert.in_alarm if start != period.start)
    if not in_alarm and not alert.older:
        return None
    priors = _without(alert.priors, period.start)
    updated = replace(alert, in_alarm=in_alarm, periods=alert.older + len(in_alarm), priors=priors)
    if period.start != alert.last_start:
        return updated
    if priors and (not in_alarm or priors[0]["last_start"] == in_alarm[-1]):  # as it was judged: it may not be judged any more
        return replace(updated, **recalled(priors[0]), priors=priors[1:])
    if not in_alarm or evidence is None:
        return updated
    last = period_from(evidence.policy, in_alarm[-1])
    verdict = evidence.judged(last)
    return replace(updated, **_measured(evidence.policy, last, verdict, early=not is_closed(evidence.policy, last, evidence.tick))) if verdict else updated


def _noted(priors: tuple[dict[str, Any], ...], measured: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Note what was measured in a period in alarm that is not the latest; the oldest gives way."""
    others = _without(priors, measured["last_start"])
    return tuple(sorted((*others, remembered(measured)), key=lambda prior: prior["last_start"], reverse=True)[:_NOTED])


def _without(priors: tuple[dict[str, Any], ...], start: int) -> tuple[dict[str, Any], ...]:
    return tuple(prior for prior in priors if prior["last_start"] != start)


def _worst(policy: Policy, alert: Alert, verdict: Verdict) -> dict[str, Any]:
    """Return what a period in alarm changes of the worst value: nothing, unless it lies farther beyond the threshold."""
    if verdict.value is None:
        return {}
    if alert.worst_value is not None and _badness(policy, alert.worst_value, alert.worst_change) >= _badness(policy, verdict.value, verdict.change):
        return {}
    return {"worst_value": verdict.value, "worst_change": verdict.change}


def _badness(policy: Policy, value: Decimal, change: Decimal | None) -> tuple[Decimal, Decimal]:
    """Tell how far a breaching value lies on the wrong side; of equal changes the value decides."""
    held = value if policy.compare is None else held_change(value, change)
    if policy.condition in {"gt", "gte"}:
        return held, value
    if policy.condition in {"lt", "lte"}:
        return held.copy_negate(), value.copy_negate()
    return EXACT.subtract(held, policy.threshold).copy_abs(), value
