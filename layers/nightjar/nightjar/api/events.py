"""Events: the pairs of agent and event name that logs belong to."""

from dataclasses import replace
from functools import partial

from nightjar.api.edits import again
from nightjar.api.lists import listed, sliced
from nightjar.api.models.base import read
from nightjar.api.models.events import EventAnswer, EventBody
from nightjar.api.requests import Call, Reply, valid_id
from nightjar.core.events import Event, new_event
from nightjar.core.periods import MIN, change_zone
from nightjar.http import body
from nightjar.http.errors import BadRequest, Conflict, NotFound
from nightjar.pipeline.edits import announce_zones
from nightjar.storage import events, policies
from nightjar.storage.config import Taken


def list_events(call: Call) -> Reply:
    """List events, newest first."""
    rows = sorted(events.list_all(call.store), key=_place, reverse=True)
    return listed(call, sliced(rows, _place), show)


def create_event(call: Call) -> Reply:
    """Make an event before its first log; its id follows from agent and event."""
    found = read(EventBody, body.read(call.event), creating=True)
    event = _changed(new_event(found.agent or "", found.event or "", call.now), found, call.now)
    if found.timezone:  # no change of timezone: it never had another
        event = replace(event, zones=((MIN, found.timezone),))
    try:
        events.create(call.store, event)
    except Taken:
        raise Conflict("event: this agent and event exist already", event_id=event.event_id) from None
    return Reply(show(event))


def get_event(call: Call, event_id: str) -> Reply:
    """Read one event."""
    return Reply(show(known(call, event_id)))


def update_event(call: Call, event_id: str) -> Reply:
    """Change what the request names; a new timezone begins at its next midnight, for the event's policies too."""
    found = read(EventBody, body.read(call.event))
    event = again(lambda: _update(call, event_id, found))
    if found.timezone or found.unit is not None:
        for policy in policies.of_event(call.store, event.event_id):
            again(partial(_carry, call, policy.policy_id))
    return Reply(show(event))


def known(call: Call, event_id: str) -> Event:
    """Read an event that must be there.

    Raises:
        BadRequest: The id is no UUID.
        NotFound: There is no such event.
    """
    event = events.get(call.store, valid_id("event_id", event_id))
    if event is None:
        raise NotFound("event_id: there is no such event")
    return event


def show(event: Event) -> dict[str, object]:
    """Return an event as it is answered."""
    return EventAnswer.of(event).fields()


def _update(call: Call, event_id: str, found: EventBody) -> Event:
    """Read, change and write an event once."""
    event = known(call, event_id)
    if (found.agent, found.event) not in _spellings(event):
        raise BadRequest("event: agent and event are an event's identity and cannot be changed")
    changed = _changed(event, found, call.now)
    if changed != event:
        changed = replace(changed, version=event.version + 1)
        events.replace(call.store, changed)
    return changed


def _spellings(event: Event) -> set[tuple[str | None, str | None]]:
    """Return the pairs that a request may name for an event: the same, or less."""
    return {(agent, name) for agent in (None, event.agent) for name in (None, event.event)}


def _changed(event: Event, found: EventBody, now: int) -> Event:
    """Return an event with what a request names."""
    named = {name: value for name, value in found.named().items() if name not in {"agent", "event", "timezone"}}
    zones = change_zone(event.zones, found.timezone, now) if found.timezone else event.zones
    return replace(event, **named, zones=zones)


def _carry(call: Call, policy_id: str) -> None:
    """Copy an event's timezone history and unit into one of its policies: the days that it judges follow, its revision stays."""
    policy = policies.get(call.store, policy_id)
    event = events.get(call.store, policy.event_id) if policy else None
    if policy and event and (policy.zones, policy.unit) != (event.zones, event.unit):
        after = replace(policy, zones=event.zones, unit=event.unit, version=policy.version + 1, updated_at=call.now)
        announce_zones(call.store, policy, after, now=call.now)
        policies.replace(call.store, policy, after, event)


def _place(event: Event) -> str:
    """Return what orders events in a list: their creation, then their ids."""
    return f"{event.created_at:016d}#{event.event_id}"
