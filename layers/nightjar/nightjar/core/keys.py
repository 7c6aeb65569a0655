"""What an API key is: known by its SHA-256 only, with a scope and perhaps a prefix of agents."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal

from nightjar.core.rows import members_of

Scope = Literal["ingest", "admin"]

PREFIX = "chp_"
LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key as stored.

    Attributes:
        key_hash: SHA-256 of the key's text in hexadecimal; nothing else of the key is kept.
        scope: `admin` includes `ingest`.
        agent_prefix: Only logs of agents that begin so are taken; "" for all.
        revoked_at: µs since the epoch; None while it is good.
    """

    key_hash: str
    scope: Scope
    agent_prefix: str = ""
    name: str = ""
    created_at: int = 0
    revoked_at: int | None = None
    version: int = 1

    def may(self, scope: Scope) -> bool:
        """Whether the key reaches as far as a scope."""
        return self.scope in {"admin", scope}

    def may_write(self, agent: str) -> bool:
        """Whether logs of an agent ("" for none) may come with this key."""
        return agent.startswith(self.agent_prefix)


def digest(text: str) -> str:
    """Return what a key is known by."""
    return sha256(text.encode()).hexdigest()


def is_well_formed(text: str) -> bool:
    """Tell whether a text can be a key at all, so that nothing else is looked up."""
    return text.startswith(PREFIX) and len(PREFIX) < len(text) <= LONGEST and text.isascii() and text.isprintable() and " " not in text


def to_text(key: Key) -> str:
    """Write a key as compact JSON."""
    return json.dumps(asdict(key), separators=(",", ":"))


def from_text(text: str) -> Key:
    """Read what `to_text` wrote."""
    return Key(**members_of(Key, json.loads(text)))
