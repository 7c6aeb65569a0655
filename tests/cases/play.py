"""Plays a case's steps to the real handlers, and notes what each step led to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nightjar.core.alerts import Alert, Transition
from nightjar.core.instants import parse_instant
from tests.cases.script import DEFAULT_AGENT, Action, Apply, Script, ScriptLog, Step, Store, Tick
from tests.world import World


@dataclass
class Play:
    """One case on its way through the product.

    Attributes:
        policies: The case's name of a policy → its id.
        transitions: The instant (µs) of the step that wrote each, and the transition.
    """

    world: World
    script: Script
    policies: dict[str, str] = field(default_factory=dict)
    transitions: list[tuple[int, Transition]] = field(default_factory=list)

    def run(self) -> None:
        """Set the case up, then play its steps in order."""
        self.world.now = self.script.start
        for event in self.script.events:
            self.world.made("POST", "/v1.0/events", dict(event))
        for policy in self.script.policies:
            self._create(policy)
        for step in self.script.steps:
            self.world.now = max(self.world.now, step.at)
            self._play(step)
            self._note(step.scheduled if isinstance(step, Tick) else step.at)

    def _create(self, body: Mapping[str, Any]) -> None:
        fields = {"agent": DEFAULT_AGENT, "event": "job.run", **{name: value for name, value in body.items() if name != "id"}}
        self.policies[body["id"]] = self.world.made("POST", "/v1.0/policies", fields)["policy_id"]

    def _play(self, step: Step) -> None:
        if isinstance(step, Store):
            answer = self.world.send([_body(log) for log in step.logs])
            assert (answer.status, answer.body["rejected"]) == (200, []), answer.body
        elif isinstance(step, Apply):
            wanted = {str(log.log_id) for log in step.logs}
            batch = [record for record in self.world.logs if record["dynamodb"]["Keys"]["SK"]["S"].partition("#")[2] in wanted]
            assert self.world.roll_up(batch) == {"batchItemFailures": []}
        elif isinstance(step, Tick):
            self.world.tick(step.scheduled)
        else:
            self._act(step)
            self.world.read_streams()

    def _act(self, step: Action) -> None:
        match step.verb, step.noun:
            case "put", "policy":
                self.world.made("PUT", f"/v1.0/policies/{self.policies[step.target]}", dict(step.body))
            case "post", "policy":
                self._create({"id": step.target, **step.body})
            case "put", "event":
                (event,) = [each for each in self.world.made("GET", "/v1.0/events", None) if each["event"] == step.target]
                self.world.made("PUT", f"/v1.0/events/{event['event_id']}", dict(step.body))
            case _, "alert":
                latest = [each for each in self.alerts() if each.policy_id == self.policies[step.target]][-1]
                self.world.made("POST", f"/v1.0/alerts/{latest.alert_id}/{step.verb}", None)
            case _:
                raise AssertionError(f"no case needed this yet: {step}")

    def _note(self, at: int) -> None:
        self.transitions += [(at, transition) for transition in self.world.transitions()]
        self.world.outbox.clear()

    def alerts(self) -> list[Alert]:
        """All alerts, in the order in which they were opened."""
        found = {alert.alert_id: alert for alert in self.world.alerts()}
        return [found[alert_id] for alert_id in dict.fromkeys(each.alert.alert_id for _, each in self.transitions) if alert_id in found]

    def step_of(self, alert: Alert, *kinds: str) -> int | None:
        """Return the instant (µs) of the latest step that wrote such a transition of an alert."""
        found = [at for at, each in self.transitions if each.alert.alert_id == alert.alert_id and each.type in kinds]
        return found[-1] if found else None

    def name_of(self, policy_id: str) -> str:
        """Return the case's name of a policy."""
        return next(name for name, known in self.policies.items() if known == policy_id)


def _body(log: ScriptLog) -> dict[str, Any]:
    from nightjar.core.instants import iso

    return {"agent": log.agent, "event": log.event, "log_id": str(log.log_id), "occurred_at": iso(log.time), "value": log.value}


def moments(expected: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the instants that an expected alert names."""
    for name in ("period_start", "opened_at", "resolved_at"):
        if name in expected:
            yield name, parse_instant(expected[name])
