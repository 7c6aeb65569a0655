"""Mutes across policies: no messages for what matches, for a deploy or a maintenance."""

import json
from dataclasses import asdict, dataclass

from nightjar.core.rows import members_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """One mute as stored. What it does not name (None) matches everything; instants are µs.

    Attributes:
        agent: An agent, or with `*` at its end the beginning of some.
        event: An event's name, or with `*` at its end the beginning of some.
        policy_ids: Only these policies.
        until: The engine's clock at which it ends.
    """

    mute_id: str
    agent: str | None = None
    event: str | None = None
    policy_ids: tuple[str, ...] | None = None
    until: int
    reason: str = ""
    created_at: int = 0

    def matches(self, policy_id: str, agent: str, event: str) -> bool:
        """Tell whether all that it names matches.

        Rule: API.md, Mutes: case-sensitive; each may end in `*`.

        Example:
            >>> Mute(mute_id="m", agent="worker.*", until=0).matches("p1", "worker.mail", "job.run")
            True
        """
        named = self.policy_ids is None or policy_id in self.policy_ids
        return named and _fits(self.agent, agent) and _fits(self.event, event)


def to_text(mute: Mute) -> str:
    """Write a mute as compact JSON."""
    return json.dumps(asdict(mute), separators=(",", ":"))


def from_text(text: str) -> Mute:
    """Read what `to_text` wrote."""
    found = json.loads(text)
    if found["policy_ids"] is not None:
        found["policy_ids"] = tuple(found["policy_ids"])
    return Mute(**members_of(Mute, found))


def _fits(pattern: str | None, name: str) -> bool:
    """Hold a name against a pattern: only a `*` at the end stands for something else than itself."""
    if pattern is None:
        return True
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
