"""Logs as clients write them: for the OpenAPI document only, since ingest checks them without pydantic."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field, WithJsonSchema

from nightjar.api.models.base import Answer, Body
from nightjar.api.models.fields import Agent, EventName, Id, Instant

Value = Annotated[Decimal, WithJsonSchema({"type": "number", "exclusiveMinimum": -1e30, "exclusiveMaximum": 1e30})]


class LogBody(Body):
    """One log. Its time is occurred_at, else the time inside a UUIDv7 log_id, else when it is received."""

    required: ClassVar[tuple[str, ...]] = ("event", "value")
    clearable: ClassVar[frozenset[str]] = frozenset({"log_id", "occurred_at"})

    event: EventName | None = None
    value: Value | None = None
    agent: Agent | None = None
    log_id: Id | None = Field(None, description="A log sent twice under one id counts once. None: the server makes one.")
    occurred_at: Instant | None = Field(None, description="At most 30 days ago and 1 day ahead.")
    meta: Any = Field(None, description="Any JSON of at most 1 KB; an object has at most 10 keys.")


class Rejected(Answer):
    """One log that was not taken, and why."""

    index: int
    code: str
    message: str


class AcceptedAnswer(Answer):
    """How many logs were taken, and which were not."""

    accepted: int
    rejected: list[Rejected]
