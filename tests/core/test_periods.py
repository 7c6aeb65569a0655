"""Where minutes, hours and days begin and end."""

import doctest
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.core import periods
from nightjar.core.instants import DAY, HOUR, MINUTE, iso, parse_instant
from nightjar.core.periods import (
    MIN,
    UTC_ZONES,
    Kind,
    Period,
    Previous,
    Zones,
    change_zone,
    cover,
    is_zone,
    judgeable,
    next_period,
    period_at,
    periods_ending,
    previous_period,
    shifted,
)

NEW_YORK: Zones = ((MIN, "America/New_York"),)
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "Pacific/Apia", "America/Sao_Paulo"]


def zone(name: str) -> Zones:
    return ((MIN, name),)


def span(period: Period) -> tuple[str, str]:
    return iso(period.start), iso(period.end)


def day(at: str, zones: Zones) -> tuple[str, str]:
    return span(period_at("day", parse_instant(at), zones))


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(periods).failed == 0


@pytest.mark.parametrize(("kind", "length"), [("minute", MINUTE), ("hour", HOUR)])
def test_minutes_and_hours_are_cut_on_utc_whatever_the_zone(kind: Kind, length: int) -> None:
    found = period_at(kind, parse_instant("2026-03-03T14:59:59.999999Z"), zone("Asia/Kathmandu"))
    assert found.start % length == 0
    assert found.end - found.start == length
    assert found.start <= parse_instant("2026-03-03T14:59:59.999999Z") < found.end


def test_a_period_holds_its_start_and_not_its_end() -> None:
    noon = parse_instant("2026-03-03T12:00:00Z")
    assert period_at("minute", noon, UTC_ZONES).start == noon
    assert period_at("minute", noon - 1, UTC_ZONES).end == noon


@pytest.mark.parametrize(
    ("name", "at", "start", "end"),
    [
        ("UTC", "2026-03-03T23:59:59Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"),
        ("America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),  # 23 hours
        ("America/New_York", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),  # 25 hours
        ("Asia/Kathmandu", "2026-03-03T18:15:00Z", "2026-03-03T18:15:00Z", "2026-03-04T18:15:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"),  # 24 and a half
    ],
)
def test_a_day_is_the_local_date(name: str, at: str, start: str, end: str) -> None:
    assert day(at, zone(name)) == (start, end)


def test_a_day_whose_midnight_is_skipped_begins_where_the_clocks_moved_to() -> None:
    assert day("2018-11-04T12:00:00Z", zone("America/Sao_Paulo")) == ("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z")


def test_a_day_begins_with_the_jump_when_the_skipped_hour_began_before_midnight() -> None:
    # Toronto went from 23:30 of 30 March to 00:30 of 31 March.
    assert day("1919-03-31T12:00:00Z", zone("America/Toronto")) == ("1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z")


def test_a_date_that_does_not_exist_is_no_day() -> None:
    before = period_at("day", parse_instant("2011-12-29T12:00:00Z"), zone("Pacific/Apia"))
    assert span(before) == ("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z")
    assert span(next_period("day", before, zone("Pacific/Apia"))) == ("2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z")


def test_a_midnight_that_comes_twice_begins_the_day_the_first_time() -> None:
    # Havana went back from 01:00 to 00:00 on 3 November 2024.
    assert day("2024-11-03T12:00:00Z", zone("America/Havana")) == ("2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z")


def test_an_evening_repeated_after_midnight_lies_in_the_new_day() -> None:
    # St. John's went back from 00:01 to 23:01 of the day before: 7 November 2010 had begun a minute earlier.
    assert day("2010-11-07T03:15:00Z", zone("America/St_Johns")) == ("2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z")


@given(st.sampled_from(ZONES), st.integers(parse_instant("2001-01-01T00:00:00Z"), parse_instant("2036-12-31T00:00:00Z")))
def test_days_follow_one_another_without_gaps(name: str, at: int) -> None:
    found = period_at("day", at, zone(name))
    assert found.start <= at < found.end
    assert next_period("day", found, zone(name)).start == found.end
    assert previous_period("day", found, zone(name)).end == found.start
    assert period_at("day", found.start, zone(name)) == period_at("day", found.end - 1, zone(name)) == found


def test_a_changed_zone_takes_effect_at_its_own_next_midnight_and_cuts_the_running_day() -> None:
    zones = change_zone(UTC_ZONES, "America/New_York", parse_instant("2026-03-03T23:55:00Z"))
    days = periods_ending("day", parse_instant("2026-03-03T00:00:00Z"), parse_instant("2026-03-05T05:00:00Z"), zones)
    assert [(*span(each), judgeable("day", each)) for each in days] == [
        ("2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z", True),
        ("2026-03-04T00:00:00Z", "2026-03-04T05:00:00Z", False),
        ("2026-03-04T05:00:00Z", "2026-03-05T05:00:00Z", True),
    ]


def test_a_zone_set_exactly_at_its_midnight_takes_effect_a_day_later() -> None:
    midnight = parse_instant("2026-03-04T05:00:00Z")
    assert change_zone(UTC_ZONES, "America/New_York", midnight)[-1][0] == midnight + DAY


def test_the_same_zone_again_changes_nothing() -> None:
    assert change_zone(NEW_YORK, "America/New_York", 0) == NEW_YORK


def test_a_change_that_has_not_taken_effect_is_replaced_or_taken_back() -> None:
    now = parse_instant("2026-03-03T23:55:00Z")
    pending = change_zone(UTC_ZONES, "America/New_York", now)
    assert change_zone(pending, "UTC", now + HOUR) == UTC_ZONES
    assert [name for _, name in change_zone(pending, "Asia/Tokyo", now + HOUR)] == ["UTC", "Asia/Tokyo"]


def test_a_change_that_has_taken_effect_stays_in_the_history() -> None:
    pending = change_zone(UTC_ZONES, "America/New_York", parse_instant("2026-03-03T23:55:00Z"))
    later = change_zone(pending, "Asia/Tokyo", parse_instant("2026-03-06T12:00:00Z"))
    assert [name for _, name in later] == ["UTC", "America/New_York", "Asia/Tokyo"]
    assert later[:2] == pending


@given(
    st.lists(st.tuples(st.sampled_from(ZONES), st.integers(0, 40 * DAY)), max_size=5),
    st.integers(0, 60 * DAY),
)
def test_days_follow_one_another_through_any_history_of_zones(changes: list[tuple[str, int]], after: int) -> None:
    base = parse_instant("2026-02-20T00:00:00Z")
    zones = UTC_ZONES
    for name, at in sorted(changes, key=lambda change: change[1]):
        zones = change_zone(zones, name, base + at)
    assert list(zones) == sorted(zones)
    days = periods_ending("day", base + after, base + after + 20 * DAY, zones)
    assert all(one.end == other.start for one, other in itertools.pairwise(days))
    assert all(period_at("day", (each.start + each.end) // 2, zones) == each for each in days)


def test_periods_ending_holds_the_upper_bound_and_not_the_lower() -> None:
    one = parse_instant("2026-03-03T01:00:00Z")
    found = periods_ending("hour", one, one + 2 * HOUR, UTC_ZONES)
    assert [period.end for period in found] == [one + HOUR, one + 2 * HOUR]
    assert periods_ending("hour", one, one, UTC_ZONES) == []


@pytest.mark.parametrize(
    ("name", "known"),
    [("Europe/Berlin", True), ("UTC", True), ("europe/berlin", False), ("Europe/Berlin ", False), ("", False), ("../zones", False), ("CEST", False)],
)
def test_a_zone_must_be_spelt_as_tzdata_spells_it(name: str, known: bool) -> None:
    assert is_zone(name) is known


def test_a_name_that_is_no_zone_has_no_days() -> None:
    with pytest.raises(ValueError, match="is no timezone"):
        period_at("day", 0, zone("Europe/Atlantis"))


def test_every_zone_of_tzdata_has_days() -> None:
    for name in sorted(periods._zone_names()):
        found = period_at("day", parse_instant("2026-03-29T12:00:00Z"), zone(name))
        # Troll station moves its clocks by two hours: its two odd days a year are 22 and 26 hours long, and not judged.
        assert judgeable("day", found) is (name != "Antarctica/Troll"), name


@pytest.mark.parametrize(
    ("previous", "start"),
    [
        ("previous_window", "2026-03-03T13:00:00Z"),
        ("previous_1d", "2026-03-02T14:00:00Z"),
        ("previous_7d", "2026-02-24T14:00:00Z"),
        ("previous_1m", "2026-02-01T14:00:00Z"),
    ],
)
def test_an_hour_is_compared_with_an_hour_a_whole_number_of_days_before(previous: Previous, start: str) -> None:
    hour = period_at("hour", parse_instant("2026-03-03T14:00:00Z"), NEW_YORK)
    assert shifted("hour", hour, previous, NEW_YORK) == Period(parse_instant(start), parse_instant(start) + HOUR)


@pytest.mark.parametrize(
    ("previous", "start", "end"),
    [
        ("previous_window", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),  # the day of 23 hours
        ("previous_1d", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
        ("previous_7d", "2026-03-02T05:00:00Z", "2026-03-03T05:00:00Z"),
        ("previous_1m", "2026-02-07T05:00:00Z", "2026-02-08T05:00:00Z"),
    ],
)
def test_a_day_is_compared_with_a_local_day(previous: Previous, start: str, end: str) -> None:
    monday = period_at("day", parse_instant("2026-03-09T12:00:00Z"), NEW_YORK)
    assert span(shifted("day", monday, previous, NEW_YORK)) == (start, end)


def test_a_day_after_a_change_of_zone_is_compared_with_a_whole_day_of_its_own_zone() -> None:
    zones = change_zone(UTC_ZONES, "America/New_York", parse_instant("2026-03-03T23:55:00Z"))
    first = period_at("day", parse_instant("2026-03-04T12:00:00Z"), zones)
    assert span(shifted("day", first, "previous_window", zones)) == ("2026-03-03T05:00:00Z", "2026-03-04T05:00:00Z")


def test_a_day_is_compared_with_the_day_before_a_date_that_does_not_exist() -> None:
    after = period_at("day", parse_instant("2011-12-31T00:00:00Z"), zone("Pacific/Apia"))  # local 31 December
    assert span(shifted("day", after, "previous_1d", zone("Pacific/Apia"))) == ("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z")


def test_a_rolling_window_is_moved_by_its_own_length() -> None:
    window = Period(5 * MINUTE, 95 * MINUTE)
    assert shifted("hour", window, "previous_window", NEW_YORK) == Period(-85 * MINUTE, 5 * MINUTE)
    assert shifted("day", window, "previous_1d", NEW_YORK) == Period(5 * MINUTE - DAY, 95 * MINUTE - DAY)


def test_a_whole_hour_is_one_bucket_and_a_day_on_the_half_hour_has_minutes_at_both_ends() -> None:
    assert cover(HOUR, 2 * HOUR) == [("h", HOUR)]
    kathmandu = period_at("day", parse_instant("2026-03-03T12:00:00Z"), zone("Asia/Kathmandu"))
    letters = [letter for letter, _ in cover(kathmandu.start, kathmandu.end)]
    assert letters == ["m"] * 45 + ["h"] * 23 + ["m"] * 15


@given(st.integers(-3_000, 3_000), st.integers(0, 3_000))
def test_the_buckets_of_a_window_are_all_of_it_once_and_no_more(start: int, minutes: int) -> None:
    bins = cover(start * MINUTE, (start + minutes) * MINUTE)
    covered = [at for letter, first in bins for at in range(first, first + (HOUR if letter == "h" else MINUTE), MINUTE)]
    assert covered == [at * MINUTE for at in range(start, start + minutes)]
    assert all(first % HOUR == 0 for letter, first in bins if letter == "h")
    assert sum(letter == "m" for letter, _ in bins) < 2 * 60
