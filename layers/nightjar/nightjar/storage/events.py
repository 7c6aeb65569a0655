"""Events in the config table: PK `event`, SK event_id."""

from dataclasses import replace as changed

from nightjar.core.events import Event, from_text, to_text
from nightjar.core.sources import change_shards
from nightjar.storage import config
from nightjar.storage.client import Store
from nightjar.storage.config import Taken


def get(store: Store, event_id: str) -> Event | None:
    """Read one event, strongly consistent; None if there is none."""
    text = config.get(store, "event", event_id)
    return from_text(text) if text else None


def ensure(store: Store, event: Event) -> Event:
    """Store an event unless it is there already, and return the one that is.

    Args:
        store: The tables.
        event: The event as it would be if it were new (its version is 1).

    Returns:
        The stored event: `event` itself, or what somebody stored before under its id.
    """
    try:
        create(store, event)
    except Taken:
        return get(store, event.event_id) or event
    return event


def create(store: Store, event: Event) -> None:
    """Store a new event.

    Raises:
        Taken: There is an event with this id, that is, of this agent and name.
    """
    config.insert(store, "event", event.event_id, to_text(event))


def list_all(store: Store) -> list[Event]:
    """Read all events, strongly consistent, in no useful order."""
    return [from_text(text) for text in config.texts(store, "event")]


def replace(store: Store, event: Event) -> None:
    """Store an edited event whose `version` is one above the stored one.

    Raises:
        Stale: Somebody else was faster.
    """
    config.swap(store, "event", event.event_id, to_text(event), event.version)


def set_shards(store: Store, event_id: str, count: int, *, now: int) -> Event | None:
    """Set an event's number of write shards, from the first hour for which no log can have been stored yet.

    Args:
        store: The tables.
        event_id: The event.
        count: How many.
        now: The instant (µs) of the change.

    Returns:
        The event, with the change in its history; None if there is no such event.

    Raises:
        ValueError: There cannot be so many.
        Stale: Somebody else was faster: nothing is changed.
    """
    event = get(store, event_id)
    if event is None:
        return None
    shards = change_shards(event.shards, count, now)
    if shards == event.shards:
        return event
    after = changed(event, shards=shards, version=event.version + 1)
    replace(store, after)
    return after
