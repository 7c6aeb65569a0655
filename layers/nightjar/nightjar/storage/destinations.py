"""Destinations in the config table: PK `destination`, SK destination_id (a UUIDv7, so in order of creation)."""

from dataclasses import replace as changed

from nightjar.core.destinations import Destination, from_text, to_text
from nightjar.storage import config
from nightjar.storage.client import Store


def get(store: Store, destination_id: str) -> Destination | None:
    """Read one destination, strongly consistent; None if there is none."""
    text = config.get(store, "destination", destination_id)
    return from_text(text) if text else None


def list_all(store: Store) -> list[Destination]:
    """Read all destinations, oldest first, strongly consistent: routing asks what is there now."""
    return [from_text(text) for text in config.texts(store, "destination")]


def put_new(store: Store, destination: Destination) -> None:
    """Store a new destination.

    Raises:
        Taken: There is one with this id.
    """
    config.insert(store, "destination", destination.destination_id, to_text(destination))


def replace(store: Store, destination: Destination) -> None:
    """Store an edited destination whose `version` is one above the stored one.

    Raises:
        Stale: Somebody else was faster, or deleted it.
    """
    config.swap(store, "destination", destination.destination_id, to_text(destination), destination.version)


def delete(store: Store, destination_id: str) -> None:
    """Delete a destination; one that is not there is no error."""
    config.remove(store, "destination", destination_id)


def remove_policy(store: Store, policy_id: str) -> None:
    """Take a deleted policy's id out of every destination.

    Rule: API.md, Policies ("Deleting a policy takes its id out of every destination").
    """
    for found in list_all(store):
        _without(store, found, policy_id)


def _without(store: Store, destination: Destination, policy_id: str) -> None:
    """Take an id out of one destination, reading it again for as long as others write it too."""
    current: Destination | None = destination
    while current and policy_id in current.policy_ids:
        kept = tuple(known for known in current.policy_ids if known != policy_id)
        try:
            replace(store, changed(current, policy_ids=kept, version=current.version + 1))
        except config.Stale:
            current = get(store, current.destination_id)
        else:
            return
