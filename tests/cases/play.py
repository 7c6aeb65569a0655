"""Plays a case's steps to the real handlers, and notes what each step led to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nightjar.core.alerts import OPENINGS, Alert, Transition
from nightjar.core.instants import iso
from nightjar.storage import deliveries

from tests.cases.script import DEFAULT_AGENT, Action, Apply, Script, ScriptLog, Step, Store, Tick
from tests.world import World

KINDS = {"opened": "opened", "reopened": "reopened", "reminded": "reminder"}
ENDINGS = {"person": "resolved_by_person"}


@dataclass
class Play:
    """One case on its way through the product.

    Attributes:
        policies: The case's name of a policy → its id; mutes likewise; a destination → the ids of its twins.
        messages: The instant (µs) of the step that led to each, destination, kind and policy, in the words of cases.json.
        texts: The fallback texts of the Slack messages.
        posted: The instant (µs) of the step that led to each Slack message, and its body.
        transitions: The instant (µs) of the step that wrote each, and the transition.
    """

    world: World
    script: Script
    policies: dict[str, str] = field(default_factory=dict)
    mutes: dict[str, str] = field(default_factory=dict)
    destinations: dict[str, list[str]] = field(default_factory=dict)
    transitions: list[tuple[int, Transition]] = field(default_factory=list)
    messages: list[tuple[int, str, str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    posted: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def run(self) -> None:
        """Set the case up, then play its steps in order."""
        self.world.now = self.script.start
        for event in self.script.events:
            self.world.made("POST", "/v1.0/events", dict(event))
        for policy in self.script.policies:
            self._create(policy)
        for destination in self.script.destinations:
            self._add(destination)
        for step in self.script.steps:
            self.world.now = max(self.world.now, step.at)
            self._play(step)
            self._note(step.scheduled if isinstance(step, Tick) else step.at)

    def _create(self, body: Mapping[str, Any]) -> None:
        fields = {"agent": DEFAULT_AGENT, "event": "job.run", **{name: value for name, value in body.items() if name != "id"}}
        self.policies[body["id"]] = self.world.made("POST", "/v1.0/policies", fields)["policy_id"]

    def _add(self, body: Mapping[str, Any]) -> None:
        """Make a destination twice: in Slack, as the case says, and as a webhook, whose posts say what they tell of."""
        fields = self._named(body)
        for made in ({"channel": "slack", "url": slack_url(body["id"])}, {"channel": "webhook", "url": webhook_url(body["id"])}):
            destination_id = self.world.made("POST", "/v1.0/destinations", {**fields, **made})["destination_id"]
            self.destinations.setdefault(body["id"], []).append(destination_id)

    def _named(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body as it is sent: with the policies' ids in the place of their names."""
        fields = {name: value for name, value in body.items() if name not in {"id", "channel"}}
        if "policy_ids" in fields:
            fields["policy_ids"] = [self.policies[name] for name in fields["policy_ids"]]
        return fields

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
            case "post", "destination":
                self._add({"id": step.target, **step.body})
            case "put", "destination":
                for destination_id in self.destinations[step.target]:
                    self.world.made("PUT", f"/v1.0/destinations/{destination_id}", self._named(step.body))
            case "post", "mute":
                self.mutes[step.target] = self.world.made("POST", "/v1.0/mutes", self._named(step.body))["mute_id"]
            case "delete", _:
                self._delete(step)
            case _, "alert":
                latest = [each for each in self.alerts() if each.policy_id == self.policies[step.target]][-1]
                self.world.made("POST", f"/v1.0/alerts/{latest.alert_id}/{step.verb}", None)
            case _:
                raise AssertionError(f"no case needed this yet: {step}")

    def _delete(self, step: Action) -> None:
        """Delete a policy, a mute, or a destination with its twin."""
        ids = {"policy": [self.policies.get(step.target)], "mute": [self.mutes.get(step.target)], "destination": self.destinations.get(step.target, [])}
        kinds = {"policy": "policies", "mute": "mutes", "destination": "destinations"}
        for each in ids[step.noun]:
            self.world.made("DELETE", f"/v1.0/{kinds[step.noun]}/{each}", None)

    def _note(self, at: int) -> None:
        self.transitions += [(at, transition) for transition in self.world.transitions()]
        self.world.notify()
        for post in self.world.receivers.posts:
            name, body = post.url.rpartition("/")[2], json.loads(post.body)
            if post.url == slack_url(name):
                self.texts.append(body["text"])
                self.posted.append((at, body))
            else:
                self.messages += [(at, name, kind, self.name_of(policy_id)) for kind, policy_id in self.told_in(body)]
        self.world.receivers.posts.clear()

    def told_in(self, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield what a webhook's post tells, as the cases say it."""
        return told_in(body)

    def alerts(self) -> list[Alert]:
        """All alerts, in the order in which they were opened."""
        found = {alert.alert_id: alert for alert in self.world.alerts()}
        return [found[alert_id] for alert_id in dict.fromkeys(each.alert.alert_id for _, each in self.transitions) if alert_id in found]

    def skipped(self) -> list[tuple[str, str]]:
        """What is recorded as skipped in the Slack channel: an `opening` or an `ending`, and of which policy."""
        found = (deliveries.history(self.world.store, alert.alert_id)[0] for alert in self.alerts())
        rows = [(alert, record) for alert, records in zip(self.alerts(), found, strict=True) for record in records]
        told = [(alert, record) for alert, record in rows if record.status == "skipped" and record.channel == "slack"]
        return [("opening" if record.type in OPENINGS else "ending", self.name_of(alert.policy_id)) for alert, record in told]

    def step_of(self, alert: Alert, *kinds: str) -> int | None:
        """Return the instant (µs) of the latest step that wrote such a transition of an alert."""
        found = [at for at, each in self.transitions if each.alert.alert_id == alert.alert_id and each.type in kinds]
        return found[-1] if found else None

    def name_of(self, policy_id: str) -> str:
        """Return the case's name of a policy."""
        return next(name for name, known in self.policies.items() if known == policy_id)


def slack_url(name: str) -> str:
    """The webhook of a destination's channel."""
    return f"https://hooks.slack.com/services/T/B/{name}"


def webhook_url(name: str) -> str:
    """The webhook of its twin."""
    return f"https://receiver.example/{name}"


def told_in(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a webhook's post tells: kind and policy_id; an opening and the ending of its alert are one."""
    by_alert: dict[str, list[Any]] = {}
    for each in body["transitions"]:
        by_alert.setdefault(each["alert"]["alert_id"], []).append(each)
    for told in by_alert.values():
        kinds = [KINDS.get(each["type"]) or ENDINGS.get(each["alert"]["resolved_by"], each["alert"]["resolved_by"]) for each in told]
        yield "over" if len(kinds) > 1 and kinds[-1] == "recovered" else kinds[-1], told[-1]["alert"]["policy_id"]


def _body(log: ScriptLog) -> dict[str, Any]:
    return {"agent": log.agent, "event": log.event, "log_id": str(log.log_id), "occurred_at": iso(log.time), "value": log.value}
