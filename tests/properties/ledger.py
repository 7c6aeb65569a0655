"""What the pipeline keeps in tables, in dictionaries instead: its own judging, a hundred times as fast as on moto. No streams, no faults."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock
from uuid import UUID

from nightjar.core.alerts import Alert, Transition
from nightjar.core.due import group_of
from nightjar.core.instants import HOUR
from nightjar.core.periods import Bin, Period, Zones
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.core.state import Decision, State, from_text, to_text
from nightjar.pipeline import evaluate, judge
from nightjar.storage import alerts, clock, open_rows, policies, rollups
from nightjar.storage.clock import Clock
from nightjar.storage.open_rows import OpenRow, WatchRow


@dataclass
class Ledger:
    """The tables. Each method stands for the function of `nightjar.storage` that has its name.

    Attributes:
        raw: The time of each stored log, by event and log_id.
        new: Transitions that the stream would bring.
    """

    clock: Clock | None = None
    policies: dict[str, Policy] = field(default_factory=dict)
    zones: dict[str, Zones] = field(default_factory=dict)
    known_groups: set[str] = field(default_factory=set)
    buckets: dict[str, dict[Bin, Bucket]] = field(default_factory=lambda: defaultdict(dict))
    raw: dict[str, dict[UUID, int]] = field(default_factory=lambda: defaultdict(dict))
    states: dict[str, tuple[int, str]] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    rows: dict[str, OpenRow] = field(default_factory=dict)
    watched: dict[tuple[str, bool], WatchRow] = field(default_factory=dict)
    new: list[Transition] = field(default_factory=list)

    def put(self, policy: Policy) -> None:
        """Store a policy, new or edited."""
        self.policies[policy.policy_id] = policy
        if policy.enabled:
            self.known_groups.add(group_of(policy))

    def read_clock(self, _store: None) -> Clock | None:
        return self.clock

    def begin_tick(self, _store: None, tick: int) -> None:
        if self.clock is None or self.clock.tick < tick:
            self.clock = Clock(tick, self.clock.reach if self.clock else None)

    def finish_tick(self, _store: None, tick: int) -> None:
        assert self.clock is not None
        self.clock = replace(self.clock, reach=max(tick, self.clock.reach or tick))

    def read(self, _store: None, event_id: str, bins: Iterable[Bin], **_: Any) -> dict[Bin, Bucket]:
        known = self.buckets[event_id]
        return {key: Bucket.unpack(known[key].pack()) for key in set(bins) if key in known}

    def read_by_event(self, store: None, wanted: Iterable[tuple[str, Bin]], **_: Any) -> dict[str, dict[Bin, Bucket]]:
        by_event: dict[str, set[Bin]] = defaultdict(set)
        for event_id, key in wanted:
            by_event[event_id].add(key)
        return {event_id: self.read(store, event_id, keys) for event_id, keys in by_event.items()}

    def first_log(self, _store: None, event_id: str, **_: Any) -> int | None:
        known = self.buckets[event_id]
        hour = min((start for letter, start in known if letter == "h"), default=None)
        return None if hour is None else min(start for letter, start in known if letter == "m" and hour <= start < hour + HOUR)

    def load_state(self, _store: None, policy_id: str) -> State | None:
        return from_text(policy_id, *self.states[policy_id]) if policy_id in self.states else None

    def get_alert(self, _store: None, alert_id: str) -> Alert | None:
        return self.alerts.get(alert_id)

    def commit(self, _store: None, before: State, decision: Decision, *, due: int | None = None) -> None:
        state, name = decision.state, before.policy_id
        assert state is not None
        assert self.states.get(name, (0, ""))[0] == before.version
        self.states[name] = before.version + 1, to_text(state)
        self.alerts |= {alert.alert_id: alert for alert in decision.alerts}
        self.new += decision.transitions
        self.rows.pop(name, None)
        if state.open is not None:
            self.rows[name] = OpenRow(name, state.open.alert_id, state.open.last_end, due, unrouted=False, revision=state.revision)
        elif state.quiet:
            self.rows[name] = OpenRow(name, None, 0, None, unrouted=False, revision=state.revision)

    def read_open(self, _store: None) -> tuple[list[OpenRow], list[WatchRow]]:
        return list(self.rows.values()), list(self.watched.values())

    def watch(self, _store: None, row: WatchRow) -> None:
        key = row.policy_id, row.held is None
        known = self.watched.get(key)
        earlier = known.closed if known and row.held is None else None
        edited = row.edited or (known.edited if known else 0)
        reminders = row.reminders or (known is not None and known.reminders)
        self.watched[key] = replace(row, edited=edited, closed=row.closed if earlier is None else earlier, reminders=reminders)

    def unwatch(self, _store: None, row: WatchRow) -> None:
        key = row.policy_id, row.held is None
        if self.watched.get(key) == row:
            del self.watched[key]

    def postpone(self, _store: None, state: State, due: int, *, instead_of: int | None = None) -> None:
        if state.open is not None and instead_of in (None, self.rows[state.policy_id].due):
            self.rows[state.policy_id] = replace(self.rows[state.policy_id], due=due or None)

    def groups(self, _store: None) -> list[str]:
        return sorted(self.known_groups)

    def due(self, _store: None, group: str) -> Iterator[list[Policy]]:
        yield [policy for policy in self.policies.values() if policy.enabled and group_of(policy) == group]

    def get(self, _store: None, policy_id: str) -> Policy | None:
        return self.policies.get(policy_id)

    def is_behind(self, _store: None, policy: Policy, period: Period, applied: int) -> bool:
        return sum(period.start <= time < period.end for time in self.raw[policy.event_id].values()) > applied


_STORAGE = {
    clock: ("read_clock",),
    rollups: ("read", "read_by_event", "first_log"),
    alerts: ("load_state", "get_alert", "commit"),
    open_rows: ("read_open", "watch", "unwatch", "postpone"),
    policies: ("groups", "due", "get"),
    judge: ("is_behind",),
    evaluate: ("read_clock", "begin_tick", "finish_tick"),
}
# Sending is another story: what is told is held against the reference in test_messages.
_NOTHING = {evaluate: ("release", "route_again", "ring_again", "count"), judge: ("count",)}


@contextmanager
def kept_in(ledger: Ledger) -> Iterator[None]:
    """Put a ledger in the place of the tables, and judge one policy after the other."""

    def one_by_one(work: Any, items: Sequence[Any]) -> None:
        for item in items:
            work(item)

    with ExitStack() as patches:
        for module, names in _STORAGE.items():
            for name in names:
                patches.enter_context(mock.patch.object(module, name, getattr(ledger, name)))
        for module, names in _NOTHING.items():
            for name in names:
                patches.enter_context(mock.patch.object(module, name))
        patches.enter_context(mock.patch.object(evaluate, "_each", one_by_one))
        yield
