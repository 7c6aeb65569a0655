"""Ids that follow from what they name (UUIDv5, RFC 9562 section 5.5), so that nobody has to store the link."""

import re
from uuid import UUID, uuid5

_EVENTS = UUID("7a3d6c0e-5d4c-5a43-9f0b-6a1f0c1d8e21")
_ALERTS = UUID("c2b1f7d4-0a6e-5c57-8b7d-3f9e4a5b6c70")

_CANONICAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def event_id(agent: str, event: str) -> str:
    """Derive the id of an event from its agent (``""`` for none) and its name."""
    return str(uuid5(_EVENTS, f"{len(agent)}:{agent}{event}"))


def alert_id(policy_id: str, revision: int, period_start: int) -> str:
    """Derive the id of an alert from its policy, the policy's revision and its first period's start."""
    return str(uuid5(_ALERTS, f"{policy_id}/{revision}/{period_start}"))


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID spelt 8-4-4-4-12 in hexadecimal digits of any case."""
    return _CANONICAL.fullmatch(text) is not None


def uuid7_instant(text: str) -> int | None:
    """Read the instant (µs) inside a canonical UUIDv7; None for a UUID of another kind.

    Rule: RFC 9562 section 5.7: 48 bits of milliseconds, version 7, variant 10.
    """
    value = UUID(text)
    if value.version != 7:  # noqa: PLR2004
        return None
    return (value.int >> 80) * 1_000
