"""Mutes in the config table: PK `mute`, SK mute_id (a UUIDv7, so in order of creation). A month after its end a mute expires."""

from nightjar.core.instants import DAY
from nightjar.core.mutes import Mute, from_text, to_text
from nightjar.storage import config
from nightjar.storage.client import Store

# The engine's clock, which ends a mute, may lie behind after an outage.
_KEPT = 30 * DAY


def get(store: Store, mute_id: str) -> Mute | None:
    """Read one mute, strongly consistent; None if there is none."""
    text = config.get(store, "mute", mute_id)
    return from_text(text) if text else None


def list_all(store: Store) -> list[Mute]:
    """Read all mutes, also those that are over, strongly consistent: routing asks what is there now."""
    return [from_text(text) for text in config.texts(store, "mute")]


def put_new(store: Store, mute: Mute) -> None:
    """Store a new mute.

    Raises:
        Taken: There is one with this id.
    """
    config.insert(store, "mute", mute.mute_id, to_text(mute), gone_after=mute.until + _KEPT)


def delete(store: Store, mute_id: str) -> None:
    """Delete a mute; one that is not there is no error."""
    config.remove(store, "mute", mute_id)
