"""Instants are read as API.md spells them, and cut to microseconds."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.core.instants import EXPECTED, HOUR, MINUTE, floor, iso, parse_instant

TWO = 1772546400000000  # 2026-03-03T14:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-03T14:00:00Z", "2026-03-03t14:00:00z", "2026-03-03 14:00:00Z", "2026-03-03T14:00:00", "2026-03-03 14:00:00",
        "2026-03-03T14:00:00+00:00", "2026-03-03T14:00:00-00:00", "2026-03-03T14:00:00+0000", "2026-03-03T15:00:00+01:00",
        "2026-03-03T15:00:00+0100", "2026-03-03T08:30:00-05:30", "2026-03-04T13:59:00+23:59", "2026-03-03T14:00:00.0Z",
        "2026-03-03T14:00:00,0000000000Z", "2026-03-03T14:00:00.0000009Z",
    ],
)  # fmt: skip
def test_one_instant_has_many_spellings(text: str) -> None:
    assert parse_instant(text) == TWO


@pytest.mark.parametrize(
    ("fraction", "micros"),
    [(".5", 500_000), (",5", 500_000), (".000001", 1), (".0000019", 1), (".999999999", 999_999), ("." + "9" * 1000, 999_999)],
)
def test_a_fraction_is_cut_to_microseconds_and_never_rounded_up(fraction: str, micros: int) -> None:
    assert parse_instant(f"2026-03-03T14:00:00{fraction}Z") == TWO + micros


def test_a_fraction_before_1970_counts_forward_too() -> None:
    assert parse_instant("1969-12-31T23:59:59.9Z") == -100_000


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-03-03", "20260303T140000Z", "2026-03-03T14:00Z", "2026-03-03T24:00:00Z", "2026-03-03T14:00:60Z", "2026-02-30T14:00:00Z",
        "2026-03-03T14:00:00.Z", "2026-03-03T14:00:00 Z", "2026-03-03T14:00:00+01", "2026-03-03T14:00:00+24:00", "2026-03-03T14:00:00+01:60",
        "2026-03-03T14:00:00+1:00", "-000001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2026-W10-2T14:00:00Z", "2026-03-03T14:00:00Z\n",
        "٢٠٢٦-03-03T14:00:00Z", "1772542800", "1772542800000", "2026-03-03T14:00:00[UTC]", "2026-3-3T14:00:00Z", " 2026-03-03T14:00:00Z",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_the_message_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match=EXPECTED):
        parse_instant(text)


@given(st.text(max_size=40))
def test_whatever_the_text_nothing_but_value_error_comes_out(text: str) -> None:
    with suppress(ValueError):
        parse_instant(text)


@given(st.datetimes(), st.integers(-1439, 1439))
def test_any_datetime_is_read_as_python_means_it(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (naive - datetime(1970, 1, 1)) // timedelta(microseconds=1) - minutes * MINUTE
    assert parse_instant(moment.isoformat()) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_writing_and_reading_gives_the_same_instant(moment: datetime) -> None:
    instant = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_instant(iso(instant)) == instant


def test_written_instants_are_rfc_3339_with_a_fraction_only_where_there_is_one() -> None:
    assert iso(TWO) == "2026-03-03T14:00:00Z"
    assert iso(TWO + 500_000) == "2026-03-03T14:00:00.5Z"
    assert iso(parse_instant("0001-01-01T00:00:00Z")) == "0001-01-01T00:00:00Z"


def test_floor_cuts_down_before_1970_too() -> None:
    assert floor(TWO + 59 * MINUTE, HOUR) == TWO
    assert floor(-1, HOUR) == -HOUR
