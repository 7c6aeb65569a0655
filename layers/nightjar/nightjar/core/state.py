"""A policy's state between two steps of the engine: its open alert, and the spans of those that ended lately."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nightjar.core.alerts import Alert, Ending, Transition, alert_from_dict, alert_to_dict
from nightjar.core.ids import alert_id
from nightjar.core.periods import MIN
from nightjar.core.rows import members_of


@dataclass(frozen=True, slots=True)
class Span:
    """The periods that an ended alert covers: those that begin in [first, until).

    Rule: docs/semantics.md: up to, and without, the period that ended it; every ending but that covers all periods up to the
    latest in alarm. `corrected` covers nothing: it comes back with its first period. Whatever the ending, the period that an alert's
    id was made from finds it (a late one may have moved its first period back, and its own have dropped out), since "a policy and
    a period make at most one alert" (ENGINE.md).

    Attributes:
        judged: No period that it has had begins later than this (µs).
    """

    alert_id: str
    first: int
    until: int
    ending: Ending
    judged: int = MIN

    def covers(self, start: int) -> bool:
        """Tell whether a period lies in the alert: what it says there changes the alert's values only."""
        return self.ending != "corrected" and self.first <= start < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the engine remembers of one policy. Instants are µs since the epoch.

    Attributes:
        version: Counts writes; each write is conditional on it.
        revision: The policy's revision that this state belongs to.
        number: The latest transition's number.
        open: The open alert, if there is one.
        spans: Ended alerts whose periods may still be judged again.
        slots_from: Periods that begin earlier are no slots of M of N (a person resolved them).
        quiet: A rolling policy that a person resolved says nothing until it has been healthy once.
        live: False once the policy was disabled or deleted.
    """

    policy_id: str
    version: int = 0
    revision: int = 0
    number: int = 0
    open: Alert | None = None
    spans: tuple[Span, ...] = ()
    slots_from: int = MIN
    quiet: bool = False
    live: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What one step decided, and why.

    Attributes:
        reason: The outcome as a word, also when nothing changes: log field, metric and test oracle.
        state: The state to write; None when nothing changes.
        transitions: Their rows, oldest first.
        alerts: Alert rows to write (the latest of each).
        look: Count the raw logs of the judged period first: the alert rests on little or no data.
    """

    reason: str
    state: State | None = None
    transitions: Sequence[Transition] = ()
    alerts: Sequence[Alert] = ()
    look: bool = False

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.state is not None


def span_covering(state: State, start: int) -> Span | None:
    """Find the ended alert that covers a period, of several the one that begins last."""
    return _last(span for span in state.spans if span.covers(start))


def span_containing(state: State, start: int) -> Span | None:
    """Find the ended alert that covers a period; else the one that the period once made."""
    named = alert_id(state.policy_id, state.revision, start)
    made = (span for span in state.spans if span.alert_id == named or (span.ending == "corrected" and start == span.first))
    return span_covering(state, start) or _last(made)


def _last(spans: Iterable[Span]) -> Span | None:
    return max(reversed(list(spans)), key=lambda span: span.first, default=None)


def pruned(state: State, oldest: int) -> State:
    """Forget spans, and merge counts of periods, that no judgement can reach any more.

    Args:
        state: The state.
        oldest: Periods that begin before this instant (µs) are not judged again.
    """
    spans = tuple(span for span in state.spans if max(span.until, span.first + 1, span.judged) > oldest)
    alert = state.open
    if alert is not None:
        kept = tuple(start for start in alert.in_alarm if start >= oldest or start >= alert.last_start)
        alert = replace(alert, in_alarm=kept, older=alert.older + len(alert.in_alarm) - len(kept))
    return replace(state, spans=spans, open=alert)


def to_text(state: State) -> str:
    """Write a state as compact JSON (without its version and policy, which the row has of its own)."""
    found = {
        "revision": state.revision,
        "number": state.number,
        "open": alert_to_dict(state.open) if state.open else None,
        "spans": [[span.alert_id, span.first, span.until, span.ending, span.judged] for span in state.spans],
        "slots_from": state.slots_from,
        "quiet": state.quiet,
        "live": state.live,
    }
    return json.dumps(found, separators=(",", ":"))


def from_text(policy_id: str, version: int, text: str) -> State:
    """Read what `to_text` wrote."""
    found = json.loads(text)
    alert = alert_from_dict(found["open"]) if found["open"] else None
    spans = tuple(Span(*span[:5]) for span in found["spans"])
    return State(**{**members_of(State, found), "policy_id": policy_id, "version": version, "open": alert, "spans": spans})
