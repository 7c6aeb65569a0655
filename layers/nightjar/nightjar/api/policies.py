"""Policies: which aggregate of which event is held against which threshold."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from uuid6 import uuid7

from nightjar.api import rules
from nightjar.api.edits import again
from nightjar.api.lists import listed_together
from nightjar.api.models.base import read
from nightjar.api.models.policies import PolicyAnswer, PolicyBody
from nightjar.api.requests import Call, Reply, valid_id
from nightjar.core.due import delay, reach, window_length
from nightjar.core.events import Event, new_event
from nightjar.core.instants import MINUTE
from nightjar.core.periods import period_at
from nightjar.core.policies import Policy, default_missing, from_text, revised
from nightjar.core.standing import DISABLED, UNKNOWN, Standing
from nightjar.http import body
from nightjar.http.errors import BadRequest, NotFound, Unprocessable
from nightjar.observability import count, logger
from nightjar.pipeline.edits import announce_edit, judge_edit
from nightjar.pipeline.standing import standings
from nightjar.storage import clock, destinations, events, pages, policies


def list_policies(call: Call) -> Reply:
    """List policies, newest first."""

    def fetch(limit: int, cursor: str | None) -> tuple[list[Policy], str | None]:
        texts, following = pages.newest(call.store, "policy", limit, cursor)
        return [from_text(text) for text in texts], following

    return listed_together(call, fetch, partial(show_all, call))


def create_policy(call: Call) -> Reply:
    """Make a policy; its running period is judged at once."""
    raw = body.read(call.event)
    found = read(PolicyBody, raw, creating=True)
    policy = again(lambda: _create(call, found, raw))
    _judge(call, None, policy)
    return Reply(show(policy, _standing(call, policy)))


def get_policy(call: Call, policy_id: str) -> Reply:
    """Read one policy."""
    (shown,) = show_all(call, [_known(call, policy_id)])
    return Reply(shown)


def update_policy(call: Call, policy_id: str) -> Reply:
    """Change what the request names; what changes the measurement starts a revision and ends an open alert."""
    raw = body.read(call.event)
    found = read(PolicyBody, raw)
    before, after = again(lambda: _update(call, policy_id, found, raw))
    _judge(call, before, after)
    return Reply(show(after, _standing(call, after)))


def delete_policy(call: Call, policy_id: str) -> Reply:
    """Delete a policy: its open alert ends, and destinations forget its id."""
    destinations.remove_policy(call.store, _known(call, policy_id).policy_id)
    policy = again(lambda: _delete(call, policy_id))
    _judge(call, policy, None)
    return Reply(show(policy, DISABLED))


def show_all(call: Call, found: list[Policy]) -> list[dict[str, Any]]:
    """Return policies as they are answered, with how they stand."""
    known = standings(call.store, found, now=call.now)
    return [show(policy, known[policy.policy_id]) for policy in found]


def show(policy: Policy, standing: Standing) -> dict[str, Any]:
    """Return a policy as it is answered."""
    return PolicyAnswer.of(policy, rules.warnings(policy), standing).fields()


def _standing(call: Call, policy: Policy) -> Standing:
    """Tell how a policy stands that was just stored; an answer of 429 would create it a second time."""
    try:
        return standings(call.store, [policy], now=call.now)[policy.policy_id]
    except Exception:  # noqa: BLE001  # whatever it is, the policy is stored
        logger().exception("how a policy stands could not be read")
        return UNKNOWN


def _create(call: Call, found: PolicyBody, raw: Any) -> Policy:
    """Make and store a policy once."""
    event = event_of(call, found, None)
    policy = drafted(call, found, found.changes(raw), event)
    _ensure(call, found, event)
    announce_edit(call.store, None, policy, now=call.now)
    policies.put_new(call.store, policy, event)
    return policy


def drafted(call: Call, found: PolicyBody, named: dict[str, Any], event: Event) -> Policy:
    """Make a policy of what a request names, with the defaults of a new one; nothing is stored.

    Raises:
        BadRequest: A rule is broken.
    """
    assert found.aggregate  # noqa: S101  # one of the required fields
    defaults = {"missing": default_missing(found.aggregate), "active_from": call.now}
    identity = {"policy_id": str(uuid7()), "created_at": call.now, "updated_at": call.now}
    return _checked(call, Policy(**{**defaults, **named, **identity, **_carried(event)}), named)


def _update(call: Call, policy_id: str, found: PolicyBody, raw: Any) -> tuple[Policy, Policy]:
    """Read, change and write a policy once."""
    before = _known(call, policy_id)
    event = event_of(call, found, before)
    named = found.changes(raw)
    if named.get("active_from") == before.active_from:
        del named["active_from"]  # as it was answered, however long ago that is
    if named.get("window") == "calendar":
        named.setdefault("window_minutes", None)
    as_it_was = rules.problems(replace(before, zones=event.zones))  # a new timezone may have made them: no reason to refuse this edit
    edited = _checked(call, replace(before, **named, **_carried(event)), named, as_it_was)
    running = period_at(edited.period, call.now, edited.zones)
    after = revised(before, edited, running_start=running.start, now=call.now, closed_upto=_closed_upto(call, before, edited))
    _ensure(call, found, event)
    announce_edit(call.store, before, after, now=call.now)
    policies.replace(call.store, before, after, event)
    return before, after


def _closed_upto(call: Call, before: Policy, edited: Policy) -> int:
    """Tell how far (µs) finished ticks have closed a policy's periods, if an edit makes its delay longer; else 0."""
    found = clock.read_clock(call.store) if delay(edited) > delay(before) else None
    return reach(before, found.reach) if found and found.reach is not None else 0


def _delete(call: Call, policy_id: str) -> Policy:
    """Read and delete a policy once."""
    policy = _known(call, policy_id)
    announce_edit(call.store, policy, None, now=call.now)
    policies.delete(call.store, policy, now=call.now)
    return policy


def _known(call: Call, policy_id: str) -> Policy:
    """Read a policy that must be there.

    Raises:
        BadRequest: The id is no UUID.
        NotFound: There is no such policy.
    """
    policy = policies.get(call.store, valid_id("policy_id", policy_id))
    if policy is None:
        raise NotFound("policy_id: there is no such policy")
    return policy


def event_of(call: Call, found: PolicyBody, before: Policy | None) -> Event:
    """Find the event that a request names, or that the policy has; agent and event may name one that is not stored yet.

    Raises:
        BadRequest: It names an agent without an event, or two events that differ.
        Unprocessable: There is no event with this event_id.
    """
    if found.event_id is not None:
        return _event_by_id(call, found, found.event_id)
    if before and found.agent is None and found.event is None:
        return _event_by_id(call, found, before.event_id)
    agent = found.agent if found.agent is not None else before.agent if before else ""
    name = found.event or (before.event if before else "")
    if not name:
        raise BadRequest("event: is required with agent" if agent else "event_id: is required, or agent and event")
    named = new_event(agent, name, call.now)
    return events.get(call.store, named.event_id) or named


def _event_by_id(call: Call, found: PolicyBody, event_id: str) -> Event:
    """Find an event by its id, and hold it against the agent and event that the request names besides."""
    event = events.get(call.store, event_id)
    if event is None:
        raise Unprocessable("event_id: there is no such event")
    if found.agent not in {None, event.agent} or found.event not in {None, event.event}:
        raise BadRequest("event_id: is not the event of agent and event")
    return event


def _ensure(call: Call, found: PolicyBody, event: Event) -> None:
    """Store an event that a request named by agent and event, unless it is there; where it differs, storing the policy says so."""
    if found.event_id is None and (found.agent, found.event) != (None, None):
        events.ensure(call.store, event)


def _carried(event: Event) -> dict[str, Any]:
    """Return what a policy carries along of its event."""
    return {"event_id": event.event_id, "agent": event.agent, "event": event.event, "zones": event.zones, "unit": event.unit}


def _checked(call: Call, policy: Policy, named: dict[str, Any], known: Sequence[str] = ()) -> Policy:
    """Check the rules across fields and write a rolling window's length out.

    Raises:
        BadRequest: A rule is broken.
    """
    if policy.window == "rolling" and policy.window_minutes is None:
        policy = replace(policy, window_minutes=window_length(policy) // MINUTE)
    found = [problem for problem in rules.problems(policy) if problem not in known]
    if "active_from" in named and (problem := rules.active_from_problem(policy.active_from, call.now)):
        found.append(problem)
    if found:
        raise BadRequest("; ".join(found))
    return policy


def _judge(call: Call, before: Policy | None, after: Policy | None) -> None:
    """Have the engine take up an edit. What is stored is stored: where this fails, the next ticks do it.

    An answer of 429 would make the client create the policy a second time.
    """
    try:
        judge_edit(call.store, before, after, now=call.now)
    except Exception:  # noqa: BLE001  # whatever it is, the ticks do it again, and an answer of 429 would create the policy twice
        logger().exception("an edit is left to the next ticks")
        count("EditsLeftToTicks")
