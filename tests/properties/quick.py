"""Plays a random history to the pipeline over a ledger: what the handlers on moto do, without requests, streams and tables."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from nightjar.core import ids
from nightjar.core.alerts import Alert, Impossible, Transition
from nightjar.core.due import reach, window_length
from nightjar.core.instants import HOUR, MINUTE, floor, parse_instant
from nightjar.core.periods import MIN, UTC_ZONES, Bin, change_zone, period_at
from nightjar.core.policies import Policy, default_missing, revised
from nightjar.core.rollups import Bucket
from nightjar.pipeline import actions, edits, evaluate, judge

from tests.cases.script import Action, Apply, Script, ScriptLog, Step, Store, Tick
from tests.properties.ledger import Ledger, kept_in

STORE: Any = None  # a ledger is not passed around: it stands in the place of the tables


@dataclass
class QuickPlay:
    """One history on its way. A policy's name is its id."""

    script: Script
    ledger: Ledger = field(default_factory=Ledger)
    now: int = 0
    applied: set[object] = field(default_factory=set)
    transitions: list[tuple[int, Transition]] = field(default_factory=list)

    def run(self) -> None:
        """Set the history up, then play its steps in order."""
        self.now = self.script.start
        with kept_in(self.ledger):
            for event in self.script.events:
                self.ledger.zones[ids.event_id(event["agent"], event["event"])] = ((MIN, event["timezone"]),)
            for body in self.script.policies:
                self._create(body["id"], body)
            for step in self.script.steps:
                self.now = max(self.now, step.at)
                self._play(step)
                self.transitions += [(step.scheduled if isinstance(step, Tick) else step.at, each) for each in self.ledger.new]
                self.ledger.new.clear()

    @property
    def policies(self) -> dict[str, str]:
        """Names and ids."""
        made = [step.target for step in self.script.steps if isinstance(step, Action) and step.verb == "post"]
        return {name: name for name in (*(body["id"] for body in self.script.policies), *made)}

    def name_of(self, policy_id: str) -> str:
        """The name of a policy."""
        return policy_id

    def alerts(self) -> list[Alert]:
        """All alerts, in the order in which they were opened."""
        return [self.ledger.alerts[alert_id] for alert_id in dict.fromkeys(each.alert.alert_id for _, each in self.transitions)]

    def _play(self, step: Step) -> None:
        if isinstance(step, Store):
            for log in step.logs:
                self.ledger.raw[_event_of(log)].setdefault(log.log_id, log.time)
        elif isinstance(step, Apply):
            self._apply(step.logs)
        elif isinstance(step, Tick):
            evaluate.handle_tick(STORE, STORE, floor(step.scheduled, MINUTE), now=self.now)
        elif step.noun == "alert":
            self._act(step)
        elif step.noun == "event":
            self._move(ids.event_id("worker.billing", step.target), step.body["timezone"])
        else:
            self._edit(step)

    def _apply(self, logs: tuple[ScriptLog, ...]) -> None:
        changed: dict[str, set[Bin]] = defaultdict(set)
        for log in logs:
            keys: list[Bin] = [("h", floor(log.time, HOUR)), ("m", floor(log.time, MINUTE))]
            changed[_event_of(log)].update(keys)
            for key in keys if log.log_id not in self.applied else ():
                bucket = self.ledger.buckets[_event_of(log)].setdefault(key, Bucket())
                bucket.add(log.value, log.time)
                bucket.clock = self.ledger.clock.tick if self.ledger.clock else bucket.clock
            self.applied.add(log.log_id)
        for event_id, bins in changed.items():
            if watching := [policy for policy in self.ledger.policies.values() if policy.enabled and policy.event_id == event_id]:
                judge.judge_changed(STORE, watching, bins, now=self.now)

    def _act(self, step: Action) -> None:
        mine = [alert for alert in self.alerts() if alert.policy_id == step.target]
        if mine:
            with suppress(Impossible):
                actions.act(STORE, mine[-1].alert_id, step.verb, now=self.now)  # type: ignore[arg-type]

    def _move(self, event_id: str, timezone: str) -> None:
        self.ledger.zones[event_id] = zones = change_zone(self.ledger.zones.get(event_id, UTC_ZONES), timezone, self.now)
        for policy in list(self.ledger.policies.values()):
            if policy.event_id == event_id:
                edits.announce_zones(STORE, policy, replace(policy, zones=zones), now=self.now)
                self.ledger.put(replace(policy, zones=zones))

    def _edit(self, step: Action) -> None:
        if step.verb == "post":
            self._create(step.target, step.body)
        elif step.verb == "delete":
            edits.announce_edit(STORE, self.ledger.policies[step.target], None, now=self.now)
            edits.judge_edit(STORE, self.ledger.policies.pop(step.target), None, now=self.now)
        else:
            before = self.ledger.policies[step.target]
            edited = replace(before, **_fields(step.body))
            closed = reach(before, self.ledger.clock.reach) if self.ledger.clock and self.ledger.clock.reach else 0
            running = period_at(edited.period, self.now, edited.zones)
            after = revised(before, edited, running_start=running.start, now=self.now, closed_upto=closed)
            edits.announce_edit(STORE, before, after, now=self.now)
            self.ledger.put(after)
            edits.judge_edit(STORE, before, after, now=self.now)

    def _create(self, name: str, body: Any) -> None:
        event_id = ids.event_id(body["agent"], body["event"])
        defaults = {"missing": default_missing(body["aggregate"]), "zones": self.ledger.zones.get(event_id, UTC_ZONES)}
        policy = Policy(policy_id=name, event_id=event_id, **{**defaults, **_fields(body)})
        if policy.window == "rolling":
            policy = replace(policy, window_minutes=window_length(policy) // MINUTE)
        edits.announce_edit(STORE, None, policy, now=self.now)
        self.ledger.put(policy)
        edits.judge_edit(STORE, None, policy, now=self.now)


def _event_of(log: ScriptLog) -> str:
    return ids.event_id(log.agent, log.event)


def _fields(body: Any) -> dict[str, Any]:
    """Return the fields of a policy's body as the core has them."""
    read = {"threshold": Decimal, "recovery_threshold": Decimal, "active_from": parse_instant, "compare": lambda compare: compare["previous"]}
    return {name: read.get(name, lambda same: same)(value) for name, value in body.items() if name != "id"}
