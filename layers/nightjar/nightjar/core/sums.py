"""The figures of a bucket that are exact to the digit, as the client wrote them."""

from decimal import Decimal

from nightjar.core.decimals import EXACT, ZERO, plain


class Sums:
    """The exact figures: sum, sum of squares, least and greatest value (None while there is none)."""

    __slots__ = ("high", "low", "squares", "total")

    def __init__(self) -> None:
        self.total = ZERO
        self.squares = ZERO
        self.low: Decimal | None = None
        self.high: Decimal | None = None

    def add(self, value: Decimal) -> None:
        """Take one value in, or, where that raises, nothing of it."""
        total, self.squares = EXACT.add(self.total, value), EXACT.fma(value, value, self.squares)
        self.total = total
        if self.low is None or value < self.low:
            self.low = value
        if self.high is None or value > self.high:
            self.high = value

    def merge(self, other: "Sums") -> None:
        """Take another's values in."""
        self.total = EXACT.add(self.total, other.total)
        self.squares = EXACT.add(self.squares, other.squares)
        if other.low is not None and (self.low is None or other.low < self.low):
            self.low = other.low
        if other.high is not None and (self.high is None or other.high > self.high):
            self.high = other.high

    def pack(self) -> bytes:
        """Write the figures as text; least and greatest are left out where there are none."""
        figures = (self.total, self.squares, self.low, self.high)
        return " ".join(plain(figure) for figure in figures if figure is not None).encode()

    @staticmethod
    def unpack(text: bytes) -> "Sums":
        """Read what `pack` wrote."""
        found = Sums()
        found.total, found.squares, *ends = map(Decimal, text.decode().split(" "))
        if ends:
            found.low, found.high = ends
        return found
