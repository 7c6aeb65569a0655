"""Policies as clients write and read them."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from nightjar.api.models.base import Answer, Body, cleared
from nightjar.api.models.fields import Agent, Digits, EventName, Id, Instant, Link, Long, Number, Short, Uuid, When, Whole
from nightjar.api.models.hours import HoursAnswer, HoursBody
from nightjar.core.instants import iso
from nightjar.core.periods import Kind, Period
from nightjar.core.policies import Aggregate, Condition, Missing, Policy, Previous, Severity
from nightjar.core.standing import Standing, StandingState


class CompareBody(Body):
    """Hold the threshold against the change in per cent from an earlier window."""

    previous: Previous


class PolicyBody(Body):
    """A policy to make or to change. Fields that are not named keep their value, or get their default when creating."""

    required: ClassVar[tuple[str, ...]] = ("period", "aggregate", "condition", "threshold")
    either: ClassVar[tuple[str, ...]] = ("event_id", "event")
    clearable: ClassVar[frozenset[str]] = frozenset(
        {"event_id", "compare", "window_minutes", "recovery_threshold", "renotify_minutes", "active_hours", "mute_until", "active_from"}
    )

    event_id: Id | None = Field(None, description="The event that is watched; or `agent` and `event`, which make it if there is none.")
    agent: Agent | None = None
    event: EventName | None = None
    title: Short | None = None
    description: Long | None = None
    channel: Short | None = Field(None, description='A free namespace; blank is "default".')
    period: Kind | None = None
    aggregate: Aggregate | None = None
    condition: Condition | None = None
    threshold: Number | None = Field(None, description="The threshold itself is not beyond it: 20 is not `gt` 20.")
    severity: Severity | None = Field(None, description="Default warning.")
    enabled: bool | None = Field(None, description="Default true.")
    missing: Missing | None = Field(None, description="What a period without logs means. Default: zero for sum and count, ignore otherwise.")
    window: Literal["calendar", "rolling"] | None = Field(None, description="Calendar periods, or the last `window_minutes` at each tick; default calendar.")
    window_minutes: Whole | None = Field(None, ge=2, le=1_440, description="Of a rolling window: 2 to 120, or whole hours; default 60 or 1,440.")
    evaluation_periods: Whole | None = Field(None, ge=1, le=100, description="N: of how many latest periods `datapoints_to_alarm` must breach; default 1.")
    datapoints_to_alarm: Whole | None = Field(None, ge=1, le=100, description="M, at most N; default 1.")
    compare: CompareBody | None = Field(None, description="The threshold is then a change in per cent.")
    recovery_periods: Whole | None = Field(None, ge=1, le=100, description="So many healthy periods in a row end an alert; default 1.")
    recovery_threshold: Number | None = Field(None, description="Healthy is what lies on this threshold's healthy side; default the threshold.")
    min_count: Whole | None = Field(None, ge=0, le=1_000_000_000, description="A period with some logs, but fewer than this, says nothing; default 0.")
    early: bool | None = Field(None, description="May be judged before the period ends, when the outcome can no longer change; default true.")
    delay_seconds: Whole | None = Field(None, ge=0, le=3_600, description="How long after its end a period is judged; default 60.")
    active_from: Instant | None = Field(None, description="Periods before it are not judged; at most 30 days back, ten years ahead; default now.")
    active_hours: HoursBody | None = Field(None, description="When messages may be sent; what comes at other times waits.")
    mute_until: Instant | None = Field(None, description="No messages before this instant; they wait.")
    renotify_minutes: Whole | None = Field(None, ge=5, le=10_080, description="Tell an unacknowledged alert again every so many minutes; default never.")
    auto_resolve: bool | None = Field(None, description="End an alert by itself when healthy; default true.")
    runbook_url: Link | None = Field(None, description="Shown in the message.")

    def changes(self, raw: Any) -> dict[str, Any]:
        """Return the fields of `core.policies.Policy` that the request sets; whose event it is, is another matter.

        Args:
            raw: The body that this was read from: an empty text takes a clearable setting away.
        """
        found = {**self.named(), **cleared(type(self), raw)}
        for name in ("event_id", "agent", "event"):
            found.pop(name, None)
        if found.get("active_from", 0) is None:
            del found["active_from"]
        if self.compare:
            found["compare"] = self.compare.previous
        if self.active_hours:
            found["active_hours"] = self.active_hours.value()
        if found.get("channel") == "":
            found["channel"] = "default"
        return found


class CompareAnswer(Answer):
    """Which earlier window a policy is held against."""

    previous: str


class PeriodAnswer(Answer):
    """A stretch of time; its start is inside, its end is not."""

    start: When
    end: When


class PolicyAnswer(Answer):
    """One policy as stored, how it stands, and sentences on settings that users regret.

    `state` is triggered or acknowledged while its alert is open; else it tells of the latest judged period: ok (healthy, or breaching
    without being an alert), no_data (it said nothing, for lack of logs), pending (none that counts was judged yet). disabled: none is
    judged. unknown: not worked out, in a list that asks for too much (read the policy itself), or for a bucket that cannot be read.
    `last_value` is what was measured in `last_period`, null where there was nothing to measure, and `last_reason` why it was judged as
    it was: condition_holds, condition_does_not_hold, between_thresholds, no_logs, too_few_logs, no_baseline, change_from_zero, no_value,
    cut_day, before_active_from, no_tick_yet, unreadable_bucket. `next_judged_at` is when the next period is due; data may settle it
    sooner.
    """

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
    enabled: bool
    missing: str
    window: str
    window_minutes: int | None
    evaluation_periods: int
    datapoints_to_alarm: int
    compare: CompareAnswer | None
    recovery_periods: int
    recovery_threshold: Digits | None
    min_count: int
    early: bool
    delay_seconds: int
    active_from: When
    active_hours: HoursAnswer | None
    mute_until: When | None
    renotify_minutes: int | None
    auto_resolve: bool
    runbook_url: str
    created_at: When
    updated_at: When
    state: StandingState
    last_value: Digits | None
    last_period: PeriodAnswer | None
    last_reason: str | None
    next_judged_at: When | None
    warnings: list[str]

    @classmethod
    def of(cls, policy: Policy, warnings: list[str], standing: Standing) -> Self:
        """Show a policy."""
        shown: dict[str, Any] = {name: getattr(policy, name) for name in cls.model_fields if hasattr(policy, name)}
        for name in ("active_from", "created_at", "updated_at", "mute_until"):
            shown[name] = None if shown[name] is None else iso(shown[name])
        shown["active_hours"] = HoursAnswer.of(policy.active_hours)
        shown["compare"] = CompareAnswer(previous=policy.compare) if policy.compare else None
        shown |= {name: getattr(standing, name) for name in ("state", "last_value", "last_reason")}
        shown["last_period"] = _period(standing.last_period) if standing.last_period else None
        shown["next_judged_at"] = iso(standing.next_judged_at) if standing.next_judged_at is not None else None
        return cls(**shown, warnings=warnings)


def _period(period: Period) -> PeriodAnswer:
    return PeriodAnswer(start=iso(period.start), end=iso(period.end))
