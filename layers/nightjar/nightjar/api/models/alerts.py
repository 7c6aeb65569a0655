"""Alerts and deliveries as clients read them."""

from dataclasses import asdict
from typing import Any, Self

from pydantic import Field

from nightjar.api.models.base import Answer
from nightjar.api.models.fields import Digits, Uuid, When
from nightjar.core.alerts import Alert
from nightjar.core.delivery import Attempt
from nightjar.core.instants import iso

_INSTANTS = ("period_start", "triggered_at", "acknowledged_at", "resolved_at", "archived_at")


class AlertAnswer(Answer):
    """One alert, with what it needs to be read after its policy is gone.

    `value` is the measured aggregate of its latest period in alarm, with compare too; null when that had no logs.
    """

    alert_id: Uuid
    policy_id: Uuid
    event_id: Uuid
    agent: str
    event: str
    title: str
    description: str
    channel: str
    period: str
    aggregate: str
    condition: str
    threshold: Digits
    severity: str
    status: str
    value: Digits | None
    count: int
    min: Digits | None
    max: Digits | None
    period_start: When
    previous_value: Digits | None
    change_percent: Digits | None
    worst_value: Digits | None
    periods: int
    runbook_url: str
    triggered_at: When
    acknowledged_at: When | None
    resolved_at: When | None
    archived_at: When | None
    resolved_by: str | None
    unrouted: bool | None = Field(description="Whether it has reached nobody: no destination wants it, or none took it; null in lists and after actions.")

    @classmethod
    def of(cls, alert: Alert, *, unrouted: bool | None = None) -> Self:
        """Show an alert, and whether it has reached nobody where that is known."""
        shown: dict[str, Any] = {name: getattr(alert, name) for name in cls.model_fields if name != "unrouted"}
        shown["unrouted"] = unrouted
        for name in _INSTANTS:
            shown[name] = None if shown[name] is None else iso(shown[name])
        return cls(**shown)


class DeliveryAnswer(Answer):
    """One attempt to tell of an alert; what still waits is `pending` and has no attempt_id."""

    attempt_id: str | None
    alert_id: Uuid
    destination_id: Uuid
    channel: str
    target: str
    status: str
    response_status: int | None
    error_message: str | None
    created_at: When
    kind: str

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Show a delivery."""
        return cls(**{**asdict(attempt), "created_at": iso(attempt.created_at)})
