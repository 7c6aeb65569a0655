"""Numbers keep the digits that clients wrote, to 30 places."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.core.decimals import LIMIT, in_range, mean, plain, quotient, rounded, tidy

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-LIMIT + 1, max_value=LIMIT - 1)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0E+100", "0"),
        ("1E+5", "100000"),
        ("30.40", "30.4"),
        ("1e-30", "0." + "0" * 29 + "1"),
        ("1e-31", "0"),
        ("5e-31", "0"),  # half to even
        ("15e-31", "0." + "0" * 29 + "2"),
        ("25e-31", "0." + "0" * 29 + "2"),
        ("-1e-999999999999", "0"),
        ("1.1102230246251565e-16", "0.000000000000000111022302462516"),
    ],
)
def test_a_number_is_rounded_half_even_to_thirty_places_and_stored_without_exponent(written: str, stored: str) -> None:
    assert plain(rounded(Decimal(written))) == stored


@given(NUMBERS)
def test_rounding_is_the_nearest_thirtieth_place_and_the_stored_text_is_the_number(value: Decimal) -> None:
    found = rounded(value)
    assert abs(Fraction(found) - Fraction(value)) <= Fraction(1, 2 * 10**30)
    assert Decimal(plain(found)) == found
    assert rounded(found) == found
    assert "E" not in plain(found)


@pytest.mark.parametrize(
    ("written", "inside"),
    [
        ("0E+100", True),
        ("9" * 30, True),
        ("9" * 30 + "." + "9" * 30, True),
        ("1e30", False),
        ("-1e30", False),
        ("1E+999999999999", False),
        ("1E-999999999999", True),
    ],
)
def test_the_range_ends_below_ten_to_the_thirtieth(written: str, inside: bool) -> None:
    assert in_range(Decimal(written)) is inside


def test_a_number_of_a_million_digits_costs_next_to_nothing() -> None:
    assert plain(rounded(Decimal("0." + "3" * 1_000_000))) == "0." + "3" * 30


@given(NUMBERS)
def test_one_number_has_one_spelling(value: Decimal) -> None:
    assert str(tidy(value)) == str(tidy(value + Decimal(0))) or value != value + Decimal(0)
    assert tidy(value) == value


def test_means_have_twenty_eight_digits_and_round_half_even() -> None:
    assert mean(Decimal(10), 3) == Decimal("3.333333333333333333333333333")
    assert mean(Decimal(1), 4) == Decimal("0.25")
    assert quotient(Decimal(2), Decimal(3)) == Decimal("0.6666666666666666666666666667")
