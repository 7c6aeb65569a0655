"""What is told to whom: from transitions, destinations and mutes to messages, as cases.json describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.reference.alerts import Alert, Transition
from tests.reference.engine import Engine
from tests.reference.policies import Policy
from tests.reference.quiet import is_quiet, mute_matches

SEVERITIES = ("info", "warning", "error", "critical")
OPENINGS = ("opened", "reopened")
ENDINGS = {"person": "resolved_by_person"}


@dataclass(frozen=True)
class Message:
    """One thing told: at which instant, which kind, of which alert, to which destination."""

    at: int
    kind: str
    alert: Alert
    destination_id: str

    @property
    def policy_id(self) -> str:
        """The policy it is about."""
        return self.alert.policy_id


@dataclass(frozen=True)
class Skipped:
    """A message that is recorded as skipped: an `opening` or an `ending`."""

    what: str
    alert: Alert
    destination_id: str


@dataclass(eq=False)
class Held:
    """A message that waits for the end of a mute."""

    kind: str
    alert: Alert
    destination_id: str
    is_opening: bool


@dataclass
class Messenger:
    """Follows an engine: call follow() after each of its steps."""

    engine: Engine
    destinations: dict[str, dict[str, Any]] = field(default_factory=dict)
    mutes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    _held: list[Held] = field(default_factory=list)
    _told: set[tuple[Alert, str]] = field(default_factory=set)
    _recorded: set[tuple[Alert, str]] = field(default_factory=set)
    _reached: set[Alert] = field(default_factory=set)
    _policies: dict[Alert, Policy] = field(default_factory=dict)
    _seen: int = 0

    def put_destination(self, destination_id: str, fields: Mapping[str, Any]) -> None:
        """Create a destination or change the fields that are named; policy_ids without a scope means scope `policies`."""
        default = {"enabled": True, "scope": "policies" if fields.get("policy_ids") is not None else "all"}
        self.destinations[destination_id] = {**default, **self.destinations.get(destination_id, {}), **fields}

    def delete_destination(self, destination_id: str) -> None:
        """Delete a destination: what waits for it fails."""
        del self.destinations[destination_id]
        self._held = [held for held in self._held if held.destination_id != destination_id]

    def put_mute(self, mute_id: str, fields: Mapping[str, Any]) -> None:
        """Create a mute across policies."""
        self.mutes[mute_id] = fields

    def delete_mute(self, at: int, mute_id: str) -> None:
        """Delete a mute: it ends at once."""
        del self.mutes[mute_id]
        self._release(at)

    def follow(self, at: int, *, ticked: bool = False) -> None:
        """Tell what the engine has written since the last call; after a tick also what mutes have held and nobody has heard."""
        new = self.engine.transitions[self._seen :]
        self._seen = len(self.engine.transitions)
        told: list[Message] = []
        for transition in new:
            self._policies[transition.alert] = transition.policy
            told += self._route(at, transition)
        self.messages += _joined(told)
        if ticked:
            self._release(at)
            self._route_again(at)

    def _route(self, at: int, transition: Transition) -> list[Message]:
        alert = transition.alert
        if transition.kind in OPENINGS:
            return [one for name in self._matching(alert) for one in self._open(at, transition.kind, alert, name)]
        if transition.kind == "reminded":
            free = [name for name in self._matching(alert) if not self._is_muted(alert, name)]
            return [self._tell(at, "reminder", alert, name) for name in free]
        if transition.kind == "resolved":
            by = str(transition.resolved_by)
            return [one for name in list(self.destinations) for one in self._end(at, ENDINGS.get(by, by), alert, name)]
        return []

    def _open(self, at: int, kind: str, alert: Alert, name: str) -> list[Message]:
        self._recorded.add((alert, name))
        if not self._is_muted(alert, name):
            return [self._tell(at, kind, alert, name)]
        self._held.append(Held(kind, alert, name, is_opening=True))
        return []

    def _end(self, at: int, kind: str, alert: Alert, name: str) -> list[Message]:
        """Tell an ending to a destination that was told; an opening that still waits is skipped and hides the ending."""
        for held in [one for one in self._held if one.is_opening and (one.alert, one.destination_id) == (alert, name)]:
            self._held.remove(held)
            self.skipped.append(Skipped("opening", alert, name))
        if (alert, name) not in self._told:
            return []
        self._told.discard((alert, name))
        if not self.destinations[name]["enabled"]:
            self.skipped.append(Skipped("ending", alert, name))
        elif self._is_muted(alert, name):
            self._held.append(Held(kind, alert, name, is_opening=False))
        else:
            return [Message(at, kind, alert, name)]
        return []

    def _tell(self, at: int, kind: str, alert: Alert, name: str) -> Message:
        self._told.add((alert, name))
        self._reached.add(alert)
        return Message(at, kind, alert, name)

    def _release(self, at: int) -> None:
        """Send what was held and is no longer muted."""
        for held in list(self._held):
            alert, name = held.alert, held.destination_id
            if self._is_muted(alert, name):
                continue
            self._held.remove(held)
            if not self.destinations[name]["enabled"] or (held.is_opening and name not in self._matching(alert)):
                self.skipped.append(Skipped("opening" if held.is_opening else "ending", alert, name))
            else:
                self.messages.append(self._tell(at, held.kind, alert, name) if held.is_opening else Message(at, held.kind, alert, name))

    def _route_again(self, at: int) -> None:
        """Route open alerts that have reached nobody to destinations that have no record of them."""
        for alert in self.engine.alerts:
            if alert.is_open and alert not in self._reached:
                for name in self._matching(alert):
                    if (alert, name) not in self._recorded:
                        self.messages += self._open(at, "opened", alert, name)

    def _matching(self, alert: Alert) -> list[str]:
        """Return the destinations that hear of an alert as things are now."""
        severity = SEVERITIES.index(self._policy(alert).field("severity"))
        return [
            name
            for name, fields in self.destinations.items()
            if fields["enabled"]
            and severity >= SEVERITIES.index(fields.get("min_severity") or "info")
            and (fields["scope"] == "all" or alert.policy_id in (fields.get("policy_ids") or ()))
        ]

    def _is_muted(self, alert: Alert, name: str) -> bool:
        clock, policy = self.engine.clock, self._policy(alert)
        if clock is None:
            return False
        deleted = alert.policy_id not in self.engine.watches
        own = {**policy.fields, "mute_until": None} if deleted else policy.fields  # a mute ends when it is deleted
        quiet = is_quiet(own, clock) or is_quiet(self.destinations[name], clock)
        return quiet or any(mute_matches(mute, policy, clock) for mute in self.mutes.values())

    def _policy(self, alert: Alert) -> Policy:
        """Return the alert's policy as it is now, or as it last was."""
        watch = self.engine.watches.get(alert.policy_id)
        return watch.policy if watch else self._policies[alert]


def _joined(told: list[Message]) -> list[Message]:
    """Make one message, `over`, of the opening and the ending of one alert at one step."""
    joined: list[Message] = []
    for message in told:
        opening = None if message.kind in (*OPENINGS, "reminder") else next((one for one in joined if _opens(one, message)), None)
        if opening is None:
            joined.append(message)
        else:
            joined[joined.index(opening)] = Message(message.at, "over", message.alert, message.destination_id)
    return joined


def _opens(one: Message, ending: Message) -> bool:
    """Say whether one message tells the opening of what another one ends."""
    return one.kind in OPENINGS and one.alert is ending.alert and one.destination_id == ending.destination_id
