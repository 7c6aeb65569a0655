"""A quantile sketch: DDSketch's logarithmic bins, never more than 1 % off, mergeable in any order.

Rule: ENGINE.md, Rollups: gamma = 1.01; linear between the order statistics at rank q·(n - 1), each estimated from its place
within its bin; past 2,048 bins the lowest collapse.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cache
from itertools import accumulate
from typing import cast

GAMMA = 1.01
MOST_BINS = 2048

# Bins are numbered in the order of their values: negative bins below 0, zero itself 0, positive bins above.
# Keys of the mapping lie within ±6,943 for magnitudes from 1e-30 to 1e30.
_OFFSET = 8192


@cache
def _mapping() -> tuple[Callable[[float], int], Callable[[int], float]]:
    """Import ddsketch with the first value: who only reads a bucket's head never pays for it."""
    from ddsketch.mapping import LogarithmicMapping

    mapping = LogarithmicMapping.from_gamma_offset(GAMMA, 0.0)
    return cast("tuple[Callable[[float], int], Callable[[int], float]]", (mapping.key, mapping.value))


class Sketch:
    """Counts of values by bin; `bins` maps a bin's number to its count."""

    __slots__ = ("bins",)

    def __init__(self, bins: dict[int, int] | None = None) -> None:
        self.bins = {} if bins is None else bins

    def add(self, value: float, count: int = 1) -> None:
        """Count a value; see `bin_of` for which."""
        self.count(bin_of(value), count)

    def count(self, number: int, count: int = 1) -> None:
        """Count a value by its bin's number."""
        bins = self.bins
        bins[number] = bins.get(number, 0) + count
        if len(bins) > MOST_BINS:
            self._collapse()

    def merge(self, other: "Sketch") -> None:
        """Add another sketch's counts; the outcome is that of one pass over both's values, in any order."""
        bins = self.bins
        for number, count in other.bins.items():
            bins[number] = bins.get(number, 0) + count
        if len(bins) > MOST_BINS:
            self._collapse()

    def _collapse(self) -> None:
        """Put the lowest bins into the lowest one kept.

        What is kept are the 2,048 highest numbers ever seen, whatever the order: that is why merging commutes.
        """
        numbers = sorted(self.bins)
        lowest = numbers[-MOST_BINS]
        for number in numbers[:-MOST_BINS]:
            self.bins[lowest] += self.bins.pop(number)

    def quantile(self, q: float, low: float, high: float) -> float:
        """Estimate one quantile; see `quantiles`."""
        return self.quantiles((q,), low, high)[0]

    def quantiles(self, qs: Iterable[float], low: float, high: float) -> list[float]:
        """Estimate quantiles as spreadsheets and numpy's default define them.

        Args:
            qs: Each from 0 to 1.
            low: The least value counted.
            high: The greatest value counted.

        Returns:
            For each q the point between the two order statistics around rank q·(n - 1), within [low, high].

        Raises:
            ValueError: Nothing was counted.
        """
        if not self.bins:
            raise ValueError("an empty sketch has no quantiles")
        ordered = sorted(self.bins.items())
        upto = list(accumulate(count for _, count in ordered))
        last = upto[-1] - 1

        def statistic(rank: int) -> float:
            if rank <= 0:
                return low
            if rank >= last:
                return high
            place = bisect_right(upto, rank)
            number, count = ordered[place]
            within = (rank - (upto[place] - count) + 0.5) / count
            return min(max(_value(number, within), low), high)

        found = []
        for q in qs:
            rank = q * last
            whole = int(rank)
            below = statistic(whole)
            found.append(below + (statistic(whole + 1) - below) * (rank - whole) if rank > whole else below)
        return found

    def pack(self) -> bytes:
        """Write the bins as varints: the first number (zigzag), then for each bin its count and, where one was skipped, the gap."""
        out = bytearray()
        before: int | None = None
        for number, count in sorted(self.bins.items()):
            gap = 1 if before is None else number - before
            if before is None:
                _put(out, number * 2 if number >= 0 else -number * 2 - 1)
            before = number
            code = count << 1 | (gap > 1)
            if code < 0x80:  # noqa: PLR2004
                out.append(code)
            else:
                _put(out, code)
            if gap > 1:
                _put(out, gap - 2)
        return bytes(out)

    @staticmethod
    def unpack(data: bytes) -> "Sketch":
        """Read what `pack` wrote."""
        bins: dict[int, int] = {}
        if not data:
            return Sketch(bins)
        fields = iter(_varints(data))
        first = next(fields)
        number = (first >> 1 if first & 1 == 0 else -(first + 1 >> 1)) - 1
        for code in fields:
            number += 2 + next(fields) if code & 1 else 1
            bins[number] = code >> 1
        return Sketch(bins)


def bin_of(value: float) -> int:
    """Return the number of the bin that a value falls in.

    Raises:
        ValueError: The value is neither zero nor of a magnitude from 1e-30 to 1e30.
    """
    if not value:
        return 0
    key, _ = _mapping()
    number = key(abs(value)) + _OFFSET
    if not 0 < number < 2 * _OFFSET:
        raise ValueError(f"{value} is outside what a sketch can hold")
    return number if value > 0 else -number


def _value(number: int, within: float) -> float:
    """Return the value at a place within a bin, 0 its lower and 1 its upper end."""
    if not number:
        return 0.0
    _, middle = _mapping()
    key = abs(number) - _OFFSET
    upper = middle(key) * (1 + GAMMA) / 2  # the mapping's value is the one with equal relative distance to both ends
    lower = upper / GAMMA
    return lower + (upper - lower) * within if number > 0 else (upper - lower) * within - upper


def _put(out: bytearray, value: int) -> None:
    """Append a varint: seven bits a byte, the lowest first, the top bit set on all but the last."""
    while value > 0x7F:  # noqa: PLR2004
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _varints(data: bytes) -> list[int]:
    """Read all varints."""
    found = []
    value = shift = 0
    for byte in data:
        if byte > 0x7F:  # noqa: PLR2004
            value |= (byte & 0x7F) << shift
            shift += 7
        elif shift:
            found.append(value | byte << shift)
            value = shift = 0
        else:
            found.append(byte)
    return found
