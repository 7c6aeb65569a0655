"""What an event is: the pair of an agent and an event name, with its timezone and shard history."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from nightjar.core.ids import event_id
from nightjar.core.periods import UTC_ZONES, Zones
from nightjar.core.rows import members_of

# (first UTC hour's start in µs, number of write shards), oldest first
Shards = tuple[tuple[int, int], ...]
ONE_SHARD: Shards = ((0, 1),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as stored in the config table. Instants are µs since the epoch."""

    event_id: str
    agent: str
    event: str
    title: str = ""
    description: str = ""
    unit: str = ""
    public: bool = False
    share_token: str = ""
    zones: Zones = UTC_ZONES
    shards: Shards = ONE_SHARD
    created_at: int = 0
    version: int = 1

    @property
    def timezone(self) -> str:
        """The IANA zone that was set last (it may take effect only at its next midnight)."""
        return self.zones[-1][1]


def new_event(agent: str, event: str, now: int) -> Event:
    """Make the event that appears by itself with its first log."""
    return Event(event_id=event_id(agent, event), agent=agent, event=event, created_at=now)


def to_text(event: Event) -> str:
    """Write an event as compact JSON."""
    return json.dumps(asdict(event), separators=(",", ":"))


def from_text(text: str) -> Event:
    """Read what `to_text` wrote."""
    found: dict[str, Any] = json.loads(text)
    found["zones"] = tuple((since, name) for since, name in found["zones"])
    found["shards"] = tuple((since, count) for since, count in found["shards"])
    return Event(**members_of(Event, found))
