"""Rollup points and raw logs as clients read them."""

from typing import Any, Self

from nightjar.api.models.base import Answer
from nightjar.api.models.fields import Digits, Uuid, When
from nightjar.core.decimals import ZERO
from nightjar.core.events import Event
from nightjar.core.instants import iso
from nightjar.core.periods import Kind
from nightjar.core.rollups import Bucket


class Point(Answer):
    """What the logs of one minute, hour or day came to.

    `value` is the sum, `squares` the sum of squares; quantiles are estimates, never more than 1 % off.
    """

    event_id: Uuid
    agent: str
    event: str
    period: str
    occurred_at: When
    count: int
    value: Digits
    squares: Digits
    min: Digits
    max: Digits
    p50: Digits
    p95: Digits
    p99: Digits

    @classmethod
    def of(cls, event: Event, period: Kind, start: int, bucket: Bucket) -> Self:
        """Show a bucket that has logs.

        Args:
            event: Whose it is.
            period: Its kind.
            start: Its start, µs.
            bucket: The logs.
        """
        return cls(
            event_id=event.event_id,
            agent=event.agent,
            event=event.event,
            period=period,
            occurred_at=iso(start),
            count=bucket.count,
            value=bucket.total,
            squares=bucket.squares,
            min=bucket.low or ZERO,
            max=bucket.high or ZERO,
            p50=bucket.quantile(0.5),
            p95=bucket.quantile(0.95),
            p99=bucket.quantile(0.99),
        )


class RawPoint(Answer):
    """One raw log."""

    event_id: Uuid
    agent: str
    event: str
    period: str
    log_id: Uuid
    occurred_at: When
    value: Digits
    meta: Any
