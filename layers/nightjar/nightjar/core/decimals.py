"""Exact decimal arithmetic for what clients wrote: |value| < 1e30, at most 30 decimal places."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation

PLACES = Decimal(1).scaleb(-30)
LIMIT = Decimal(10) ** 30
LIMIT_DIGITS = 30

# 400 digits hold the sum of squares of any number of logs that fits in a lifetime: an Inexact here is a bug, not a rounding.
EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation, DivisionByZero])
_ROUND = Context(prec=400, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_MEAN = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero])

ZERO = Decimal(0)


def in_range(value: Decimal) -> bool:
    """Tell whether a finite number lies below 1e30 in magnitude, whatever its number of digits.

    Reads the exponent only: `abs` and comparisons would round or expand a hostile number first.
    """
    return not value or value.adjusted() < LIMIT_DIGITS


def rounded(value: Decimal) -> Decimal:
    """Round a number that is `in_range` to 30 decimal places, half to even; -0 becomes 0."""
    return tidy(value.quantize(PLACES, context=_ROUND))


def tidy(value: Decimal) -> Decimal:
    """Drop trailing zeros and the sign of zero: one number, one spelling."""
    return EXACT.normalize(value) if value else ZERO


def plain(value: Decimal) -> str:
    """Write a number without exponent, without trailing zeros: the form in which it is stored.

    Example:
        >>> plain(Decimal("1E+5")), plain(Decimal("30.40"))
        ('100000', '30.4')
    """
    return format(tidy(value), "f")


def mean(total: Decimal, count: int) -> Decimal:
    """Divide to 28 significant digits, half to even."""
    return tidy(_MEAN.divide(total, Decimal(count)))


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Divide to 28 significant digits, half to even; the denominator is not zero."""
    return tidy(_MEAN.divide(numerator, denominator))
