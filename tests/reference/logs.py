"""Logs and what can be said of a window of them, each figure computed from the distinct logs."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from uuid import UUID

EventKey = tuple[str, str]

EXACT = Context(prec=500, rounding=ROUND_HALF_EVEN)
ROUNDED = Context(prec=28, rounding=ROUND_HALF_EVEN)
PLACES = Decimal("1e-30")
QUANTILES = {"p50_est": Decimal("0.5"), "p95_est": Decimal("0.95"), "p99_est": Decimal("0.99")}


@dataclass(frozen=True)
class Log:
    """One log: event_key is (agent, event), time is in microseconds."""

    event_key: EventKey
    log_id: UUID
    time: int
    value: Decimal


@dataclass(frozen=True)
class Bucket:
    """A window's values in ascending order."""

    values: tuple[Decimal, ...]
    newest: int | None = None

    @property
    def count(self) -> int:
        """The number of logs."""
        return len(self.values)

    @property
    def sum(self) -> Decimal:
        """The exact sum."""
        return _total(self.values)

    @property
    def squares(self) -> Decimal:
        """The exact sum of squares."""
        return _total(EXACT.multiply(value, value) for value in self.values)

    @property
    def min(self) -> Decimal | None:
        """The least value, none without logs."""
        return self.values[0] if self.values else None

    @property
    def max(self) -> Decimal | None:
        """The greatest value, none without logs."""
        return self.values[-1] if self.values else None

    def quantile(self, q: Decimal) -> Decimal:
        """Return the quantile as numpy's default does: linear between the order statistics at rank q (n - 1)."""
        rank = EXACT.multiply(q, Decimal(self.count - 1))
        low = int(rank)
        high = min(low + 1, self.count - 1)
        step = EXACT.subtract(self.values[high], self.values[low])
        return EXACT.add(self.values[low], EXACT.multiply(step, EXACT.subtract(rank, Decimal(low))))

    def measure(self, aggregate: str) -> Decimal:
        """Return the aggregate of API.md of a window that has logs."""
        if aggregate in QUANTILES:
            return self.quantile(QUANTILES[aggregate])
        plain = {"count": Decimal(self.count), "sum": self.sum, "min": self.values[0], "max": self.values[-1]}
        if aggregate in plain:
            return plain[aggregate]
        return {"average": self._average, "stddev": self._deviation}[aggregate]()

    def _average(self) -> Decimal:
        return ROUNDED.divide(self.sum, Decimal(self.count))

    def _deviation(self) -> Decimal:
        total = self.sum
        spread = EXACT.subtract(EXACT.multiply(Decimal(self.count), self.squares), EXACT.multiply(total, total))
        return ROUNDED.divide(EXACT.sqrt(spread), Decimal(self.count))


def _total(values: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return total


class Book:
    """The distinct logs, each once by (event, log_id); of two values under one identity the first counts."""

    def __init__(self) -> None:
        """Begin empty."""
        self._seen: set[tuple[EventKey, UUID]] = set()
        self._by_event: dict[EventKey, list[tuple[int, UUID, Decimal]]] = {}

    def add(self, log: Log) -> None:
        """Take a log in, its value rounded half even to 30 places."""
        if (log.event_key, log.log_id) in self._seen:
            return
        self._seen.add((log.event_key, log.log_id))
        insort(self._by_event.setdefault(log.event_key, []), (log.time, log.log_id, log.value.quantize(PLACES, context=EXACT)))

    def window(self, event_key: EventKey, start: int, end: int) -> Bucket:
        """Return what lies in [start, end)."""
        logs = self._by_event.get(event_key, [])
        inside = logs[bisect_left(logs, (start,)) : bisect_left(logs, (end,))]
        return Bucket(tuple(sorted(value for _, _, value in inside)), inside[-1][0] if inside else None)

    def first_time(self, event_key: EventKey) -> int | None:
        """Return the time of the event's first log."""
        logs = self._by_event.get(event_key)
        return logs[0][0] if logs else None
