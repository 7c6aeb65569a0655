"""Where alerts go: a destination and the alerts that it wants."""

import json
from dataclasses import dataclass, fields
from typing import Any, Literal

from nightjar.core.policies import ActiveHours, Severity
from nightjar.core.rows import members_of

Channel = Literal["slack", "discord", "telegram", "webhook", "email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination as stored. `url` and `credentials` are secrets: never log or answer them unmasked."""

    destination_id: str
    channel: Channel
    url: str = ""
    credentials: tuple[tuple[str, str], ...] = ()
    scope: Literal["all", "policies"] = "all"
    policy_ids: tuple[str, ...] = ()
    enabled: bool = True
    name: str = ""
    min_severity: Severity = "info"
    active_hours: ActiveHours | None = None
    mute_until: int | None = None
    created_at: int = 0
    updated_at: int = 0
    last_delivered_at: int | None = None
    last_error: str = ""
    version: int = 1


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Destination)}


def to_text(destination: Destination) -> str:
    """Write a destination as compact JSON; fields at their default are left out."""
    found = {name: getattr(destination, name) for name in _DEFAULTS if getattr(destination, name) != _DEFAULTS[name]}
    if destination.active_hours:
        hours = destination.active_hours
        found["active_hours"] = [list(hours.days), hours.start, hours.end, hours.timezone]
    return json.dumps(found, separators=(",", ":"))


def from_text(text: str) -> Destination:
    """Read what `to_text` wrote."""
    found = json.loads(text)
    found["credentials"] = tuple((name, value) for name, value in found.get("credentials", ()))
    found["policy_ids"] = tuple(found.get("policy_ids", ()))
    if "active_hours" in found:
        days, start, end, timezone = found["active_hours"]
        found["active_hours"] = ActiveHours(days=tuple(days), start=start, end=end, timezone=timezone)
    return Destination(**members_of(Destination, found))
