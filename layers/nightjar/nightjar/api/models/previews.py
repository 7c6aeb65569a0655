"""Previews as clients ask for them and read them."""

from typing import Any, ClassVar, Self

from pydantic import Field

from nightjar.api.models.base import Answer, Body
from nightjar.api.models.fields import Digits, Instant, When
from nightjar.api.models.policies import PolicyBody
from nightjar.core.alerts import Alert
from nightjar.core.instants import iso

_INSTANTS = ("period_start", "resolved_at")


class PreviewBody(Body):
    """A policy and a past range.

    The policy's fields may also stand beside `from` and `to`. Its `active_from` and `enabled` do not matter: it is judged as if it had
    been active from `from` on.
    """

    required: ClassVar[tuple[str, ...]] = ("from",)

    policy: PolicyBody | None = Field(None, description="What POST /v1.0/policies takes.")
    start: Instant | None = Field(None, alias="from", description="Periods that end after this instant are judged …")
    to: Instant | None = Field(None, description="… and at or before this one; default now.")


class RaisedAnswer(Answer):
    """An alert that would have been raised: `opened_at` is the tick at which its first period in alarm was due."""

    period_start: When
    opened_at: When
    resolved_at: When | None
    resolved_by: str | None
    value: Digits | None
    count: int
    previous_value: Digits | None
    change_percent: Digits | None
    worst_value: Digits | None
    periods: int

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Show an alert as it is after the range."""
        shown: dict[str, Any] = {name: getattr(alert, name) for name in cls.model_fields}
        shown["opened_at"] = iso(alert.triggered_at)
        for name in _INSTANTS:
            shown[name] = None if shown[name] is None else iso(shown[name])
        return cls(**shown)


class OutcomesAnswer(Answer):
    """How the judged periods turned out."""

    breach: int
    healthy: int
    nothing: int


class PreviewAnswer(Answer):
    """What a policy would have raised: at most 1,000 alerts, newest first, and how many there were.

    Judged as if every log had come in time: with `early` an alert may have come sooner than `opened_at` says.
    """

    start: When = Field(alias="from")
    to: When
    periods: OutcomesAnswer
    total: int
    alerts: list[RaisedAnswer]
    warnings: list[str]
