"""Logs as clients write them: for the OpenAPI document only, since ingest checks them without pydantic."""

from typing import Any, ClassVar

from nightjar.api.models.base import Answer, Body
from nightjar.api.models.fields import Agent, EventName, Id, Instant, Number


class LogBody(Body):
    """One log. Its time is occurred_at, else the time inside a UUIDv7 log_id, else when it is received."""

    required: ClassVar[tuple[str, ...]] = ("event", "value")
    clearable: ClassVar[frozenset[str]] = frozenset({"log_id", "occurred_at"})

    event: EventName | None = None
    value: Number | None = None
    agent: Agent | None = None
    log_id: Id | None = None
    occurred_at: Instant | None = None
    meta: Any = None


class Rejected(Answer):
    """One log that was not taken, and why."""

    index: int
    code: str
    message: str


class AcceptedAnswer(Answer):
    """How many logs were taken, and which were not."""

    accepted: int
    rejected: list[Rejected]
