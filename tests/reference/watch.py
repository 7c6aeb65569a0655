"""One revision of a policy under watch: its verdicts, its alerts, and what a new verdict does to them."""

from dataclasses import dataclass, field
from enum import Enum

from tests.reference.alerts import Alert, Transition
from tests.reference.judging import Reading
from tests.reference.periods import Calendar, Period
from tests.reference.policies import Policy
from tests.reference.verdicts import Judged, State, Verdicts


@dataclass(frozen=True)
class Moment:
    """When something happens: the step's instant, the engine's clock, and the triggered_at that an alert opened now has."""

    at: int
    clock: int
    triggered_at: int


@dataclass
class Outbox:
    """All alerts and all transitions of an engine, in the order written."""

    alerts: list[Alert] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    def write(self, moment: Moment, kind: str, policy: Policy, alert: Alert) -> None:
        """Write a transition, numbered per policy."""
        number = 1 + sum(one.policy_id == policy.policy_id for one in self.transitions)
        self.transitions.append(Transition(moment.at, moment.clock, number, kind, policy, alert, alert.resolved_by))


class Plan(Enum):
    """What a breaching period in alarm does."""

    OPEN = "opens an alert, or reopens the one that this period has already made"
    AGAIN = "reopens the alert that auto_resolve off left open"
    JOIN = "becomes the first period of the open alert"
    VALUES = "changes the values of the alert it lies in"
    QUIET = "nothing: a person has resolved this period's alert, or a rolling policy's and it has not been healthy since"


@dataclass
class Watch:
    """A revision of a policy.

    `reached` is how far ticks have closed its periods, `touched_at` the last create or edit by a person, `touched_from` the clock then.
    Ticks judge nothing that ends at or before `begun`.
    """

    policy: Policy
    revision: int
    calendar: Calendar
    outbox: Outbox
    reached: int | None
    touched_at: int
    touched_from: int = 0
    verdicts: Verdicts = field(default_factory=Verdicts)
    open: Alert | None = None
    ended: list[Alert] = field(default_factory=list)
    quiet: bool = False
    begun: int | None = None
    later: set[int] = field(default_factory=set)  # starts of what was judged with the period that is being weighed, and is weighed after it
    waiting: Period | None = None  # a wide rolling window that was held back: the next tick judges it, if it is the latest still

    def state(self, judged: Judged) -> State:
        """Return the policy's state at a judged period."""
        return self.verdicts.state(self.policy, self.calendar, judged)

    def weighed(self, judged: Judged) -> State:
        """Return the policy's state at a judged period as it was when that was judged: it may look otherwise by now.

        What is compared with may have changed ("compare": "Late data judges the period it lies in, not those compared with it"), or a
        slot by data that was too late to judge anything ("Horizon").
        """
        return self.verdicts.weighed.get(judged.period.start, self.state(judged))

    def record(self, period: Period, reading: Reading) -> Judged:
        """Remember a verdict in place of an earlier one."""
        self.verdicts.judged[period.start] = judged = Judged(period, reading)
        self.verdicts.known.pop(period.start, None)
        return judged

    def after(self, period: Period) -> Period:
        """Return the period, or the rolling window, that is judged next after one."""
        return period.shifted(self.policy.stride) if self.policy.rolling else self.calendar.after(self.policy.kind, period)

    def before(self, period: Period) -> Period:
        """Return the period, or the rolling window, that is judged just before one."""
        return period.shifted(-self.policy.stride) if self.policy.rolling else self.calendar.before(self.policy.kind, period)

    def owner(self, start: int) -> Alert | None:
        """Return the alert in whose span a period lies, of several the one that begins last."""
        candidates = [alert for alert in (self.open, *self.ended) if alert is not None and alert.covers(start)]
        return max(candidates, key=lambda alert: alert.first.start, default=None)

    def recovery_after(self, start: int, before: int | None = None) -> Judged | None:
        """Return the first period after `start` (and before `before`) that fulfils a recovery.

        Rule: ENGINE.md, Alerts: "`recovery_periods` healthy periods in a row, with nothing but silence between".
        """
        healthy = 0
        for judged in self.verdicts.said_since(start + 1):
            if before is not None and judged.period.start >= before:
                return None
            state = self.state(judged)
            healthy = healthy + 1 if state is State.HEALTHY else healthy if state is State.SILENT else 0
            if healthy >= self.policy.field("recovery_periods"):
                return judged
        return None

    def plan(self, judged: Judged) -> Plan | None:
        """Say what a judged period does, none when it is not a breaching one in alarm."""
        if not judged.breaches or self.state(judged) is not State.ALARM:
            return None
        start = judged.period.start
        owner = self.owner(start)
        if owner is not None:
            again = owner is self.open and owner.healthy_from is not None and start >= owner.healthy_from
            return Plan.AGAIN if again else Plan.VALUES
        stays_open = not self.policy.field("auto_resolve")  # the alert would have been kept open over any healthy period between
        if self.open is not None and (stays_open or self.recovery_after(start, self.open.first.start) is None):
            return Plan.JOIN
        former = self._former(start)
        return Plan.QUIET if self.quiet or (former is not None and former.resolved_by == "person") else Plan.OPEN

    def apply(self, plan: Plan, judged: Judged, moment: Moment) -> None:
        """Do what was planned."""
        if plan is Plan.OPEN:
            self._open(judged, moment)
        elif plan is Plan.AGAIN and self.open is not None:
            self._trigger_again(self.open, moment)
            self._recover(self.open, self.recovery_after(judged.period.start), moment)  # what its batch has behind it brings it back once more
        elif plan is Plan.JOIN and self.open is not None:
            self.open.first = judged.period
        elif plan is Plan.VALUES:
            self._take_values(self.owner(judged.period.start))

    def heal(self, judged: Judged) -> None:
        """Take the values of the ended alert that covers a period which is not in alarm (any more)."""
        owner = self.owner(judged.period.start)
        if owner is not None and owner is not self.open:
            self._take_values(owner)

    def settle(self, moment: Moment) -> None:
        """Bring the open alert up to date: values, `corrected`, recovery after the last state in alarm."""
        alert = self.open
        if alert is None or self._is_still_in_alarm(alert):
            return
        self._take_values(alert)
        if alert.periods == 0:
            self.resolve(alert, "corrected", moment)
            return
        last = self._in_alarm(alert)[-1]
        self._recover(alert, self.recovery_after(last.period.start), moment)

    def resolve(self, alert: Alert, by: str, moment: Moment, until: int | None = None) -> None:
        """End an alert. `until` bounds its span; without it the span ends with its latest period in alarm."""
        latest = self._latest_in_alarm(alert)
        alert.span_end = until if until is not None else latest.end
        alert.status, alert.resolved_at, alert.resolved_by, alert.healthy_from = "resolved", moment.at, by, None
        if alert is self.open:
            self.open = None
        self.ended.append(alert)
        if by == "person":
            self.verdicts.cuts.append(latest.start)
            self.quiet = self.policy.rolling
        self.outbox.write(moment, "resolved", self.policy, alert)

    def _open(self, judged: Judged, moment: Moment) -> None:
        """Open an alert, and resolve it at once if later periods already fulfil its recovery."""
        start = judged.period.start
        beside = self.open is not None
        former = self._former(start)
        alert = former or self._new_alert(judged, moment)
        if former is not None:
            self.ended.remove(former)
            former.first = judged.period if former.resolved_by == "corrected" else min(former.first, judged.period)
            former.span_end, former.resolved_at, former.resolved_by = None, None, None
            self._trigger_again(former, moment)
        if not beside:
            self.open = alert
        recovery = self.recovery_after(start)
        if recovery is not None and (beside or self.policy.field("auto_resolve")):
            self.resolve(alert, "recovered", moment, recovery.period.start)
            self._take_values(alert)
        else:
            self._take_values(alert)
            self._recover(alert, recovery, moment)

    def _former(self, start: int) -> Alert | None:
        """Return the ended alert that a period has already made, in whose span it no longer lies.

        Rule: ENGINE.md, Alerts: "A policy and a period make at most one alert".
        """
        return next((one for one in self.ended if start == one.key[2] or (one.resolved_by == "corrected" and start == one.first.start)), None)

    def _new_alert(self, judged: Judged, moment: Moment) -> Alert:
        key = (self.policy.policy_id, self.revision, judged.period.start)
        triggered = moment.triggered_at
        alert = Alert(self.policy, self.revision, judged.period, moment.at, triggered, key, remind_from=triggered, reminded_at=triggered)
        self.outbox.alerts.append(alert)
        self.outbox.write(moment, "opened", self.policy, alert)
        return alert

    def _trigger_again(self, alert: Alert, moment: Moment) -> None:
        alert.status, alert.acknowledged_at, alert.healthy_from = "triggered", None, None
        alert.remind_from = alert.reminded_at = moment.triggered_at
        self.outbox.write(moment, "reopened", self.policy, alert)

    def _recover(self, alert: Alert, recovery: Judged | None, moment: Moment) -> None:
        if recovery is None:
            return
        if self.policy.field("auto_resolve"):
            self.resolve(alert, "recovered", moment, recovery.period.start)
        elif alert.healthy_from is None:
            alert.healthy_from = recovery.period.start

    def _in_alarm(self, alert: Alert) -> list[Judged]:
        """Return an alert's periods in alarm, oldest first: those that a batch brings into alarm once they are weighed, or once no other is left.

        Rule: ENGINE.md, "Out of order": "A recovery is decided by what was judged healthy after the last state in alarm".
        """
        found = [each for each in self.verdicts.since(alert.first.start) if self.weighed(each) is State.ALARM and self.owner(each.period.start) is alert]
        return [judged for judged in found if not self._is_still_to_come(judged.period.start)] or found

    def _is_still_to_come(self, start: int) -> bool:
        """Tell whether a period was not in alarm, and what was judged of it anew is weighed later."""
        return start in self.later and self.verdicts.weighed.get(start) is not State.ALARM

    def _is_still_in_alarm(self, alert: Alert) -> bool:
        """Tell whether an alert has a period in alarm that is weighed anew later: its own turn decides what is left of the alert."""
        return any(self.verdicts.weighed.get(start) is State.ALARM and self.owner(start) is alert for start in self.later)

    def _take_values(self, alert: Alert | None) -> None:
        if alert is not None:
            alert.take([judged for judged in self._in_alarm(alert) if judged.breaches])

    def _latest_in_alarm(self, alert: Alert) -> Period:
        return max((judged.period for judged in self._in_alarm(alert) if judged.breaches), default=alert.first)
