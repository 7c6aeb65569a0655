"""Plays a script of cases to the reference: engine and messenger."""

from collections.abc import Mapping
from typing import Any

from tests.cases.script import DEFAULT_AGENT, Action, Apply, Script, ScriptLog, Step, Store, Tick, instant
from tests.reference.engine import Engine
from tests.reference.logs import Log
from tests.reference.messages import Messenger

INSTANTS = ("active_from", "mute_until", "until")


def replay(script: Script) -> Messenger:
    """Play a whole script; the engine is the messenger's."""
    messenger = Messenger(Engine())
    for event in script.events:
        messenger.engine.put_event(script.start, (event["agent"], event["event"]), event.get("timezone", "UTC"))
    for destination in script.destinations:
        messenger.put_destination(destination["id"], in_instants(destination))
    for policy in script.policies:
        messenger.engine.put_policy(script.start, policy["id"], in_instants(policy))
    for step in script.steps:
        play(messenger, step)
    return messenger


def play(messenger: Messenger, step: Step) -> None:
    """Play one step and let the messenger follow."""
    engine = messenger.engine
    if isinstance(step, Store):
        engine.store(step.at, map(_log, step.logs))
    elif isinstance(step, Apply):
        engine.roll_up(step.at, map(_log, step.logs))
    elif isinstance(step, Tick):
        engine.tick(step.scheduled, step.at)
    else:
        _act(messenger, step)
    messenger.follow(step.at, ticked=isinstance(step, Tick))


def in_instants(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a body of API.md with its times as microseconds; an empty text takes a time away."""
    fields = {name: value for name, value in body.items() if name != "id"}
    return fields | {name: instant(fields[name]) if fields[name] else None for name in INSTANTS if isinstance(fields.get(name), str)}


def _log(log: ScriptLog) -> Log:
    return Log((log.agent, log.event), log.log_id, log.time, log.value)


def _act(messenger: Messenger, action: Action) -> None:
    engine, at, target, body = messenger.engine, action.at, action.target, in_instants(action.body)
    match action.verb, action.noun:
        case _, "alert":
            engine.act(at, [alert for alert in engine.alerts if alert.policy_id == target][-1].key, action.verb)
        case "delete", "policy":
            engine.delete_policy(at, target)
        case _, "policy":
            engine.put_policy(at, target, body)
        case _, "event":
            engine.put_event(at, (body.get("agent", DEFAULT_AGENT), target or body["event"]), body["timezone"])
        case "delete", "destination":
            messenger.delete_destination(target)
        case _, "destination":
            messenger.put_destination(target, body)
        case "delete", "mute":
            messenger.delete_mute(at, target)
        case _, "mute":
            messenger.put_mute(target or f"mute {len(messenger.mutes)}", body)
