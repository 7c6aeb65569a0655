"""API keys in the config table: PK `key`, SK the SHA-256 of the key."""

import secrets
from dataclasses import replace

from nightjar.core.keys import PREFIX, Key, Scope, digest, from_text, to_text
from nightjar.storage import config
from nightjar.storage.client import Store

_RANDOM_BYTES = 24


def find(store: Store, key_hash: str) -> Key | None:
    """Read one key, strongly consistent; None for an unknown one."""
    text = config.get(store, "key", key_hash)
    return from_text(text) if text else None


def create_key(store: Store, *, scope: Scope, now: int, name: str = "", agent_prefix: str = "", text: str | None = None) -> tuple[str, Key]:
    """Make and store a key.

    Args:
        store: The tables.
        scope: What it may do.
        now: The instant in µs.
        name: For people.
        agent_prefix: Restricts the agents whose logs it may write.
        text: The key itself (local runner: "chp_local"); None: 192 random bits.

    Returns:
        The key's text, to be shown this once, and what is stored of it.

    Raises:
        nightjar.storage.config.Taken: There is such a key already.
    """
    text = text or PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    key = Key(key_hash=digest(text), scope=scope, agent_prefix=agent_prefix, name=name, created_at=now)
    config.insert(store, "key", key.key_hash, to_text(key))
    return text, key


def list_keys(store: Store) -> list[Key]:
    """Read all keys, revoked ones too, oldest first."""
    return sorted((from_text(text) for text in config.texts(store, "key")), key=lambda key: key.created_at)


def revoke_key(store: Store, key_hash: str, *, now: int) -> Key | None:
    """Revoke a key for ever; it works for at most another minute where it is cached.

    Returns:
        The revoked key (revoked before: unchanged); None if there is no such key.

    Raises:
        nightjar.storage.config.Stale: Somebody changed it meanwhile.
    """
    key = find(store, key_hash)
    if key is None or key.revoked_at is not None:
        return key
    revoked = replace(key, revoked_at=now, version=key.version + 1)
    config.swap(store, "key", key_hash, to_text(revoked), revoked.version)
    return revoked
