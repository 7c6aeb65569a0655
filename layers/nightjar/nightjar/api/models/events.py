"""Events as clients write and read them."""

from typing import ClassVar, Self

from nightjar.api.models.base import Answer, Body
from nightjar.api.models.fields import Agent, EventName, Short, Timezone, Uuid, When
from nightjar.api.models.fields import Long as Description
from nightjar.core.events import Event
from nightjar.core.instants import iso


class EventBody(Body):
    """An event to make or to change; the pair of agent and event is its identity and never changes."""

    required: ClassVar[tuple[str, ...]] = ("event",)

    agent: Agent | None = None
    event: EventName | None = None
    title: Short | None = None
    description: Description | None = None
    unit: Short | None = None
    timezone: Timezone | None = None
    public: bool | None = None
    share_token: Short | None = None


class EventAnswer(Answer):
    """One event. `public` and `share_token` are kept and grant nothing."""

    event_id: Uuid
    agent: str
    event: str
    title: str
    description: str
    unit: str
    timezone: str
    public: bool
    share_token: str
    created_at: When

    @classmethod
    def of(cls, event: Event) -> Self:
        """Show an event."""
        same = {name: getattr(event, name) for name in cls.model_fields if name != "created_at"}
        return cls(**same, created_at=iso(event.created_at))
