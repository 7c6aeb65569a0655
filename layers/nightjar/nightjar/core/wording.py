"""An alert in words that fit its case; how a channel lays them out is the channel's business."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from nightjar.core.alerts import Alert, Ending, Transition, in_words_of
from nightjar.core.instants import MINUTE
from nightjar.core.numbers import exact, length, shown, signed, sparkline, unit_of, with_unit
from nightjar.core.policies import Aggregate, Condition, Previous, Severity
from nightjar.core.when import is_current, is_past, moment, span, stretch

NoticeKind = Literal["opened", "reopened", "reminder", "ended", "over"]

_OPENINGS: Final = frozenset({"opened", "reopened"})
_ICONS: Final[dict[Severity, str]] = {"info": "🔵", "warning": "🟡", "error": "🟠", "critical": "🔴"}
_ENDED: Final = "✅"
_CLOSED: Final = "⚪"

_AGGREGATES: Final[dict[Aggregate, str]] = {
    "count": "", "sum": "", "average": "average ", "min": "lowest ", "max": "highest ",
    "p50_est": "p50 ", "p95_est": "p95 ", "p99_est": "p99 ", "stddev": "deviation ",
}  # fmt: skip
_NAMES: Final[dict[Aggregate, str]] = {
    "count": "count", "sum": "sum", "average": "average", "min": "minimum", "max": "maximum",
    "p50_est": "p50", "p95_est": "p95", "p99_est": "p99", "stddev": "deviation",
}  # fmt: skip
_EXPECTED: Final[dict[Condition, str]] = {
    "gt": "limit {}", "gte": "expected below {}", "lt": "expected at least {}", "lte": "expected more than {}",
    "eq": "expected anything but {}", "ne": "expected {}",
}  # fmt: skip
# Of a change "limit" is how far up or down it may go: a rise of at least 10 % that is expected is no limit.
_CHANGE: Final[dict[Condition, str]] = {**_EXPECTED, "gt": "expected at most {}", "lte": "expected above {}"}
_TITLES: Final[dict[Condition, str]] = {
    "gt": "above {}", "gte": "at least {}", "lt": "below {}", "lte": "at most {}", "eq": "equal to {}", "ne": "other than {}",
}  # fmt: skip
_BEFORE: Final[dict[Previous, str]] = {"previous_1d": "1 day before", "previous_7d": "7 days before", "previous_1m": "30 days before"}
_ENDINGS: Final[dict[Ending, str]] = {
    "recovered": "recovered after {lasted}",
    "person": "resolved by hand after {lasted}",
    "corrected": "closed: later logs corrected the values",
    "no_data": "closed: no data for {silence} that could be judged",
    "policy_changed": "closed: the policy was changed",
    "policy_disabled": "closed: the policy was disabled",
    "policy_deleted": "closed: the policy was deleted",
}


@dataclass(frozen=True, slots=True)
class Background:
    """What rollups say around an alert's latest period.

    Attributes:
        day_before: The same window a day before; None when nothing was measured then.
        trend: The last windows, oldest first, the alert's own last; empty when it was not read.
    """

    day_before: Decimal | None = None
    trend: tuple[Decimal | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One line of a message, or all of it: what the transitions of one alert come to. All texts are as typed, unescaped.

    Attributes:
        icon: An emoji in the severity's colour, or one for an ending.
        label: "Critical", "Still critical", "Recovered", …: what stands before the title.
        sentence: The value against the threshold in words, or how it ended.
        facts: Names and values to show beside it.
        trend: A row of bars and what they are; empty when there is none.
        transitions: What is told, oldest first.
        alert_url: Where the API shows the alert; empty where that is not known, and then a fact names the alert.
    """

    kind: NoticeKind
    icon: str
    label: str
    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    description: str
    trend: str
    runbook_url: str
    agent: str
    event: str
    transitions: tuple[Transition, ...]
    alert_url: str = ""

    @property
    def heading(self) -> str:
        """Icon, label and title on one line."""
        return f"{self.icon} {self.label}: {self.title}"

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Names and URLs of what it links to."""
        return tuple((name, url) for name, url in (("Runbook", self.runbook_url), ("Alert", self.alert_url)) if url)

    @property
    def source(self) -> str:
        """Agent and event on one line."""
        return f"{self.agent} · {self.event}" if self.agent else self.event


def notice(
    transitions: Sequence[Transition], background: Background | None = None, *, now: int | None = None, latest: Alert | None = None, api_url: str = ""
) -> Notice:
    """Put what is told of one alert into words.

    Args:
        transitions: Of one alert, in order of their numbers; those that wait in one tray become one notice.
        background: What rollups say; None leaves it out.
        now: The instant (µs) at which it is told; None: that of its latest transition.
        latest: The alert as it is by now, where it is told late: its words are new, and while it is open its values too.
        api_url: Where the API is; empty if that is not known.

    Rule: ENGINE.md, Notifying: "The words fit the case"; opening and recovery of one alert become one line.
    """
    told = tuple(in_words_of(each, latest) if latest else each for each in transitions)
    alert, kind = shown_alert(told[-1], latest), _kind(told)
    now = told[-1].at if now is None else now
    icon, label = _label(alert, kind)
    return Notice(
        kind=kind,
        icon=icon,
        label=label,
        title=title_of(alert),
        sentence=_sentence(alert, kind, now),
        facts=_facts(alert, kind, background, now) + (() if api_url else (("Alert", alert.alert_id),)),
        description=alert.description,
        trend=_trend(alert, background, now) if background and background.trend else "",
        runbook_url=alert.runbook_url,
        agent=alert.agent,
        event=alert.event,
        transitions=told,
        alert_url=f"{api_url}/v1.0/alerts/{alert.alert_id}" if api_url else "",
    )


def shown_alert(last: Transition, latest: Alert | None) -> Alert:
    """Return the alert whose values are shown: as it is by now while it is open, else as the transition left it."""
    return latest if latest is not None and latest.is_open and last.type != "resolved" else last.alert


def title_of(alert: Alert) -> str:
    """Return the policy's title, or one that says what it watches.

    Example: "job.run: count above 20".
    """
    if alert.title:
        return alert.title
    change = "change of " if alert.compare else ""
    return f"{alert.event}: {change}{_NAMES[alert.aggregate]} {_TITLES[alert.condition].format(_threshold(alert))}"


def measured(alert: Alert, now: int) -> str:
    """Say what was measured against what was expected.

    Args:
        alert: With the values of its latest period in alarm.
        now: The instant (µs) at which it is said: a period that has not just ended is named.

    Example: "27 so far this hour, limit 20"; "no logs this hour, expected at least 10"; "160, 60 % more than 7 days
    before (100), limit +50 %"; two hours later "27 on 3 Mar, … UTC, limit 20".
    """
    if alert.value is None:  # `missing: breach`, which comes before any comparison
        return f"no logs {stretch(alert, now)}, but some were expected"
    if alert.compare:
        limits = (alert.condition == "gt" and alert.threshold >= 0) or (alert.condition == "lt" and alert.threshold <= 0)
        return f"{_changed(alert, now)}, {('limit {}' if limits else _CHANGE[alert.condition]).format(_threshold(alert))}"
    return f"{_value(alert, now)}, {_EXPECTED[alert.condition].format(_threshold(alert))}"


def lasted(alert: Alert) -> int:
    """Return how long (µs) an alert was open; of one that ended at once, how long its periods in alarm were."""
    opened = (alert.resolved_at or alert.triggered_at) - alert.triggered_at
    return opened if opened >= MINUTE // 60 else alert.last_end - alert.period_start


def _kind(transitions: Sequence[Transition]) -> NoticeKind:
    """Say what several transitions of one alert come to."""
    told = [transition.type for transition in transitions]
    opened = _OPENINGS.intersection(told)
    if told[-1] == "resolved":
        return "over" if opened else "ended"
    if "reopened" in told:
        return "reopened"
    return "opened" if opened else "reminder"


def _label(alert: Alert, kind: NoticeKind) -> tuple[str, str]:
    """Return the emoji and the words before the title."""
    icon, name = _ICONS[alert.severity], alert.severity
    if alert.healed is not None and kind not in ("ended", "over"):
        return _CLOSED, "Healthy, still open"
    if kind in ("ended", "over"):
        ended = {"recovered": (_ENDED, "Recovered"), "person": (_ENDED, "Resolved")}.get(alert.resolved_by or "", (_CLOSED, "Closed"))
        return (ended[0], "Over") if kind == "over" else ended
    if kind == "reminder":
        return icon, f"Still {name}"
    return icon, f"{name.capitalize()} again" if kind == "reopened" else name.capitalize()


def _sentence(alert: Alert, kind: NoticeKind, now: int) -> str:
    """Say what happened."""
    if kind == "ended":
        return _ending(alert, now)
    if kind == "over":
        return f"{measured(alert, now)}; {_ending(alert, now)}"
    if alert.healed is not None:
        return f"healthy again, and waits to be resolved; last in alarm: {measured(alert, now)}"
    return measured(alert, now)


def _ending(alert: Alert, now: int) -> str:
    """Say how an alert ended; and when, if that is no news any more."""
    silence = "3 days" if alert.period == "day" else "24 hours"
    how = _ENDINGS[alert.resolved_by or "recovered"].format(lasted=length(lasted(alert)), silence=silence)
    ended = alert.resolved_at
    return f"{how} ({moment(ended, now)})" if ended is not None and is_past(ended, now) else how


def _facts(alert: Alert, kind: NoticeKind, background: Background | None, now: int) -> tuple[tuple[str, str], ...]:
    """List what stands beside the sentence."""
    facts = [("Event", alert.event)]
    if alert.agent:
        facts.append(("Agent", alert.agent))
    facts.append(("Period", span(alert.last_start, alert.last_end, alert.zone)))
    if alert.evaluation_periods > 1:
        facts.append(("Rule", f"{alert.datapoints_to_alarm} of the last {alert.evaluation_periods} {alert.period}s"))
    if alert.periods > 1:
        facts.append(("In alarm", f"{alert.periods} {_unit_of_time(alert)}s"))
    if kind == "ended":
        facts.append(("Last in alarm", measured(alert, now)))
    if alert.worst_value is not None and alert.worst_value != alert.value:
        facts.append(("Worst", _worst(alert, alert.worst_value)))
    if background and background.day_before is not None and alert.compare != "previous_1d":
        facts.append(("A day before", _number(alert, background.day_before)))
    return tuple(facts)


def _worst(alert: Alert, value: Decimal) -> str:
    """Write the worst value; of a change with its change, which is what made it the worst."""
    change = alert.worst_change if alert.compare else None
    return f"{_number(alert, value)} ({_more_or_less(alert, change)})" if change and change.is_finite() else _number(alert, value)


def _more_or_less(alert: Alert, change: Decimal) -> str:
    """Write a change in words: "60 % more"."""
    return f"{shown(abs(change), abs(alert.threshold))} % {'more' if change > 0 else 'less'}"


def _trend(alert: Alert, background: Background, now: int) -> str:
    """Draw the last windows, and say what they are."""
    windows = f"{len(background.trend)} {_unit_of_time(alert)}s"
    return f"{sparkline(background.trend)} {f'last {windows}' if is_current(alert, now) else f'{windows} up to then'}"


def _value(alert: Alert, now: int) -> str:
    """Say what was measured, and when."""
    if not alert.count:
        return f"no logs {stretch(alert, now)}"
    return f"{_AGGREGATES[alert.aggregate]}{_number(alert, alert.value)} {stretch(alert, now)}"


def _changed(alert: Alert, now: int) -> str:
    """Say what was measured against the window before."""
    before = _BEFORE.get(alert.compare or "previous_window", f"the {_unit_of_time(alert)} before")
    value = f"{_AGGREGATES[alert.aggregate]}{_number(alert, alert.value)}" if alert.count and is_current(alert, now) else _value(alert, now)
    previous, change = alert.previous_value, alert.change_percent
    if previous is None:
        return value
    if change is None or not change.is_finite():
        return f"{value}, {'up' if (alert.value or 0) > previous else 'down'} from {_number(alert, previous)} ({before})"
    if not change:
        return f"{value}, the same as {before}"
    return f"{value}, {_more_or_less(alert, change)} than {before} ({_number(alert, previous)})"


def _number(alert: Alert, value: Decimal | None) -> str:
    """Write a value of the alert's aggregate with its unit."""
    return with_unit(shown(value or Decimal(0), None if alert.compare else alert.threshold), _unit(alert))


def _threshold(alert: Alert) -> str:
    """Write the threshold as the person gave it."""
    return signed(alert.threshold) if alert.compare else with_unit(exact(alert.threshold), _unit(alert))


def _unit(alert: Alert) -> str:
    """Return the unit of what is measured: the event's, else what its name tells; a count has none."""
    return "" if alert.aggregate == "count" else alert.unit or unit_of(alert.event)


def _unit_of_time(alert: Alert) -> str:
    """Name one of the stretches that are judged: rolling ones overlap, so thirty of half an hour are not thirty hours."""
    return "window" if alert.window == "rolling" else alert.period
