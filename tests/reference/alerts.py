"""Alerts and their transitions."""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.reference.judging import Reading
from tests.reference.logs import EXACT
from tests.reference.periods import Period
from tests.reference.policies import Policy
from tests.reference.verdicts import Judged

AlertKey = tuple[str, int, int]


class Conflict(Exception):
    """An action that is impossible in the alert's status: 409."""


@dataclass(frozen=True)
class Transition:
    """One row of the outbox. `at` is the step that wrote it, `clock` the engine's clock then, `number` counts per policy."""

    at: int
    clock: int
    number: int
    kind: str
    policy: Policy
    alert: "Alert"
    resolved_by: str | None = None

    @property
    def policy_id(self) -> str:
        """The policy it belongs to."""
        return self.policy.policy_id


@dataclass(eq=False)
class Alert:
    """An alert. opened_at and resolved_at name the step that wrote the transition, triggered_at is ENGINE.md's."""

    policy: Policy
    revision: int
    first: Period
    opened_at: int
    triggered_at: int
    key: AlertKey
    status: str = "triggered"
    acknowledged_at: int | None = None
    resolved_at: int | None = None
    resolved_by: str | None = None
    healthy_from: int | None = None
    span_end: int | None = None
    remind_from: int = 0
    reminded_at: int = 0
    latest: Judged | None = None
    worst: Reading | None = None
    periods: int = 0
    kinds: list[str] = field(default_factory=list)

    @property
    def policy_id(self) -> str:
        """The policy it belongs to."""
        return self.policy.policy_id

    @property
    def period_start(self) -> int:
        """The start of its first period."""
        return self.first.start

    @property
    def healthy(self) -> bool:
        """Whether it is left open by auto_resolve off while the policy is healthy."""
        return self.healthy_from is not None

    @property
    def is_open(self) -> bool:
        """Whether it is triggered or acknowledged."""
        return self.status in ("triggered", "acknowledged")

    @property
    def value(self) -> Decimal | None:
        """The value of the latest breaching period."""
        return self.latest.reading.value if self.latest else None

    @property
    def worst_value(self) -> Decimal | None:
        """The value of the worst reading ever taken of one of its periods."""
        return self.worst.value if self.worst else None

    @property
    def previous_value(self) -> Decimal | None:
        """What that was compared with."""
        return self.latest.reading.before if self.latest else None

    @property
    def change_percent(self) -> Decimal | None:
        """The change in per cent."""
        return self.latest.reading.percent if self.latest else None

    @property
    def count(self) -> int:
        """The number of logs in the latest breaching period."""
        return self.latest.reading.bucket.count if self.latest else 0

    @property
    def min(self) -> Decimal | None:
        """The least value in the latest breaching period."""
        return self.latest.reading.bucket.min if self.latest else None

    @property
    def max(self) -> Decimal | None:
        """The greatest value in the latest breaching period."""
        return self.latest.reading.bucket.max if self.latest else None

    def covers(self, start: int) -> bool:
        """Say whether a period lies in the alert's span: to the end while it is open, nothing once it is corrected."""
        if start < self.first.start or self.resolved_by == "corrected":
            return False
        return self.span_end is None or start < self.span_end

    def take(self, breaching: list[Judged]) -> None:
        """Take the values of its periods in alarm, in order of time; without any, they stay as last seen."""
        self.periods = len(breaching)
        if breaching:
            self.latest = breaching[-1]
        for judged in breaching:
            reading = judged.reading
            if reading.value is not None and (self.worst is None or badness(self.policy, reading) > badness(self.policy, self.worst)):
                self.worst = reading


def badness(policy: Policy, reading: Reading) -> tuple[Decimal, Decimal]:
    """Say how far a breaching reading lies beyond the threshold, by the change where it is compared; of equal changes the value decides."""
    value = reading.value if reading.value is not None else Decimal(0)
    held = value if policy.previous is None or reading.percent is None else reading.percent
    if policy.condition in ("gt", "gte"):
        return held, value
    if policy.condition in ("lt", "lte"):
        return held.copy_negate(), value.copy_negate()
    return (held if held.is_infinite() else EXACT.subtract(held, policy.threshold)).copy_abs(), value
