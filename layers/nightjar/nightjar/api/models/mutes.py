"""Mutes across policies, as clients write and read them."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, WithJsonSchema

from nightjar.api.models.base import Answer, Body
from nightjar.api.models.fields import Id, Instant, Long, Uuid, When, text
from nightjar.core.instants import iso
from nightjar.core.mutes import Mute

_LONGEST = 129  # a name of 128 characters, and a star

Agents = Annotated[str, BeforeValidator(text(_LONGEST)), WithJsonSchema({"type": "string", "maxLength": _LONGEST})]
Names = Annotated[str, BeforeValidator(text(_LONGEST, shortest=1)), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST})]


class MuteBody(Body):
    """A mute to make: no messages for what matches all that it names. `agent` and `event` may end in `*`."""

    required: ClassVar[tuple[str, ...]] = ("until",)

    agent: Agents | None = Field(None, description="Blank: events without an agent.")
    event: Names | None = None
    policy_ids: list[Id] | None = Field(None, min_length=1, max_length=1_000)
    until: Instant | None = None
    reason: Long | None = None


class MuteAnswer(Answer):
    """One mute; what it does not name is null. `warnings` are sentences on what users regret."""

    mute_id: Uuid
    agent: str | None
    event: str | None
    policy_ids: list[str] | None
    until: When
    reason: str
    created_at: When
    warnings: list[str]

    @classmethod
    def of(cls, mute: Mute, now: int) -> Self:
        """Show a mute as it is at an instant (µs)."""
        shown: dict[str, Any] = {name: getattr(mute, name) for name in cls.model_fields if name != "warnings"}
        for name in ("until", "created_at"):
            shown[name] = iso(shown[name])
        shown["policy_ids"] = None if mute.policy_ids is None else list(mute.policy_ids)
        return cls(**shown, warnings=["until is past: this mute holds nothing"] if mute.until <= now else [])
