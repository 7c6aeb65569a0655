"""What a stored bucket holds, how buckets become one, and the bytes they are kept as.

A bucket is packed as a fixed head (version, flags, count, parked, p50, p95, p99, newest, clock, where the bins begin), the
sums as decimal text, then the sketch's bins. Most judgements read the head only, so the rest is parsed on demand.
"""

from collections.abc import Iterable
from decimal import Decimal
from struct import Struct

from nightjar.core.sketch import Sketch, bin_of
from nightjar.core.sums import Sums

HEAD_QUANTILES = (0.5, 0.95, 0.99)

_VERSION = 1
_HEAD = Struct("<BBQQdddqqH")
_NEWEST, _CLOCK = 0x40, 0x80


class Bucket:
    """What is known of the logs of one event in a stretch of time.

    Attributes:
        count: How many logs.
        parked: How many logs could not be applied because the code failed on them.
        newest: Time (µs) of the newest log, None without logs.
        clock: The engine's clock (µs) when logs were last applied, None before its first tick.

    Example:
        >>> bucket = Bucket()
        >>> for value in ("0.1", "0.2", "0.3"):
        ...     bucket.add(Decimal(value), 0)
        >>> bucket.total, bucket.quantile(0.5) == Bucket.unpack(bucket.pack()).quantile(0.5)
        (Decimal('0.6'), True)
    """

    __slots__ = ("_bins_at", "_packed", "_parts", "_quantiles", "_sketch", "_sums", "clock", "count", "newest", "parked")

    def __init__(self, packed: bytes = b"", parts: tuple["Bucket", ...] = ()) -> None:
        """Make an empty bucket; `unpack` and `merge` make the others.

        Args:
            packed: What `pack` wrote.
            parts: The buckets that this one stands for.
        """
        self._packed = packed
        self._parts = parts
        self._sums: Sums | None = None
        self._sketch: Sketch | None = None
        # The flags and p50, p95, p99 of a stored bucket, while nothing has been added to it.
        self._quantiles: tuple[int, float, float, float] | None = None
        self.count = 0
        self.parked = 0
        self.newest: int | None = None
        self.clock: int | None = None
        if packed:
            self._read_head()
        elif parts:
            self._join_heads()

    def _read_head(self) -> None:
        version, flags, self.count, self.parked, p50, p95, p99, newest, clock, self._bins_at = _HEAD.unpack_from(self._packed)
        if version != _VERSION:
            raise ValueError(f"a bucket of version {version}")
        self.newest = newest if flags & _NEWEST else None
        self.clock = clock if flags & _CLOCK else None
        self._quantiles = (flags, p50, p95, p99)

    def _join_heads(self) -> None:
        for part in self._parts:
            self.count += part.count
            self.parked += part.parked
            self.newest = _latest(self.newest, part.newest)
            self.clock = _latest(self.clock, part.clock)

    @property
    def sums(self) -> Sums:
        """The exact figures."""
        if self._sums is None:
            self._sums = self._read_sums()
        return self._sums

    @property
    def sketch(self) -> Sketch:
        """The bins."""
        if self._sketch is None:
            self._sketch = self._read_sketch()
        return self._sketch

    @property
    def total(self) -> Decimal:
        """The exact sum of the values."""
        return self.sums.total

    @property
    def squares(self) -> Decimal:
        """The exact sum of the values' squares."""
        return self.sums.squares

    @property
    def low(self) -> Decimal | None:
        """The least value."""
        return self.sums.low

    @property
    def high(self) -> Decimal | None:
        """The greatest value."""
        return self.sums.high

    def add(self, value: Decimal, at: int) -> None:
        """Take one log in, or none of it where it cannot be held.

        Args:
            value: As the client wrote it, rounded to 30 places; magnitude below 1e30.
            at: Its time, µs.

        Raises:
            ArithmeticError, ValueError: The value is none that a client could have sent.
        """
        number = bin_of(float(value))
        self.sums.add(value)
        self.sketch.count(number)
        self.count += 1
        self.newest = at if self.newest is None else max(at, self.newest)
        self._quantiles = None

    def absorb(self, other: "Bucket") -> None:
        """Take another bucket's logs in."""
        self.sums.merge(other.sums)
        self.sketch.merge(other.sketch)
        self.count += other.count
        self.parked += other.parked
        self.newest = _latest(self.newest, other.newest)
        self.clock = _latest(self.clock, other.clock)
        self._quantiles = None

    def quantile(self, q: float) -> Decimal:
        """Estimate a quantile: at most 1 % off, within [low, high], exact for one value.

        Args:
            q: From 0 to 1; 0.5, 0.95 and 0.99 of a stored bucket are read from its head.

        Raises:
            ValueError: The bucket has no logs.
        """
        if not self.count:
            raise ValueError("an empty bucket has no quantiles")
        if self._quantiles is not None and q in HEAD_QUANTILES:
            place = HEAD_QUANTILES.index(q)
            return self._exact(self._quantiles[place + 1], self._quantiles[0] >> 2 * place)
        (value,) = self._estimates((q,))
        return self._exact(value, self._ends(value))

    def _exact(self, value: float, ends: int) -> Decimal:
        """Return an estimate as a decimal; at an end, that end with all its digits."""
        exact = self.low if ends & 1 else self.high if ends & 2 else None
        return Decimal(repr(value)) if exact is None else exact

    def _ends(self, value: float) -> int:
        """Tell whether an estimate lies at the lower (1) or the upper (2) end."""
        return int(value <= float(self.low or 0)) | 2 * int(value >= float(self.high or 0))

    def _estimates(self, qs: tuple[float, ...]) -> list[float]:
        return self.sketch.quantiles(qs, float(self.low or 0), float(self.high or 0))

    def pack(self) -> bytes:
        """Write the bucket as bytes: for the same logs the same bytes, in whatever order they came."""
        values = self._estimates(HEAD_QUANTILES) if self.count else [0.0, 0.0, 0.0]
        flags = sum(self._ends(value) << 2 * place for place, value in enumerate(values))
        flags |= (_NEWEST if self.newest is not None else 0) | (_CLOCK if self.clock is not None else 0)
        text = self.sums.pack()
        head = _HEAD.pack(_VERSION, flags, self.count, self.parked, *values, self.newest or 0, self.clock or 0, _HEAD.size + len(text))
        return head + text + self.sketch.pack()

    @staticmethod
    def unpack(data: bytes) -> "Bucket":
        """Read the head of what `pack` wrote; sums and bins are read when asked for.

        Raises:
            ValueError: The bytes are of a version that this code does not know, or there are none: that is no empty bucket.
        """
        if not data:
            raise ValueError("no bytes")
        return Bucket(data)

    def check(self) -> None:
        """Read all that was packed; `unpack` reads the head only.

        Raises:
            Exception: Some of it cannot be read, whatever was done to it, or is not of as many logs as the head says.
        """
        if sum(self.sketch.bins.values()) != self.count or (self.count and None in {self.low, self.high}):
            raise ValueError("head, sums and bins are not of the same logs")

    def _read_sums(self) -> Sums:
        if self._packed:
            return Sums.unpack(self._packed[_HEAD.size : self._bins_at])
        found = Sums()
        for part in self._parts:
            found.merge(part.sums)
        return found

    def _read_sketch(self) -> Sketch:
        if self._packed:
            return Sketch.unpack(self._packed[self._bins_at :])
        found = Sketch()
        for part in self._parts:
            found.merge(part.sketch)
        return found


class _Empty(Bucket):
    """The bucket of nothing, shared by all who need one: it takes nothing in."""

    __slots__ = ()

    def add(self, value: Decimal, at: int) -> None:
        raise TypeError(f"EMPTY is shared: {value} at {at} belongs in a Bucket()")

    def absorb(self, other: Bucket) -> None:
        raise TypeError(f"EMPTY is shared: {other} belongs in a Bucket()")


EMPTY: Bucket = _Empty()


def merge(buckets: Iterable[Bucket]) -> Bucket:
    """Make one bucket of many, as if it had taken in all their logs; none gives EMPTY, one itself.

    Sums and bins are put together when they are asked for: a day's count reads 24 heads.
    """
    parts = tuple(bucket for bucket in buckets if bucket.count or bucket.parked)
    if len(parts) < 2:  # noqa: PLR2004
        return parts[0] if parts else EMPTY
    return Bucket(parts=parts)


def _latest(one: int | None, other: int | None) -> int | None:
    """Return the later of two instants, of which either may be none."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
