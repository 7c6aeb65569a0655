"""Keys of raw logs: a function of event, time and log_id for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.core.events import ONE_SHARD
from nightjar.core.instants import DAY, HOUR, MINUTE, parse_instant
from nightjar.core.logs import FUTURE
from nightjar.core.sources import MOST_SHARDS, Identity, change_shards, hours, raw_key, read_key, shard_count, shard_of, sort_bounds, source_keys
from nightjar.pipeline.known import REMEMBERED

TWO = parse_instant("2026-03-03T14:00:00Z")
GROWN = ((0, 1), (TWO, 4), (TWO + DAY, 2))
INSTANTS = st.integers(TWO - 30 * DAY, TWO + 3 * DAY)


def test_a_key_names_event_hour_shard_time_and_log() -> None:
    assert raw_key("e", ((0, 1),), TWO + 5, "i") == ("e#2026030314#0", "1772546400000005#i")
    assert read_key("e#2026030314#0", "1772546400000005#i") == Identity("e", TWO + 5, "i")


def test_shards_change_on_the_hour_and_only_for_logs_from_then_on() -> None:
    assert [shard_count(GROWN, at) for at in (TWO - 1, TWO, TWO + DAY - 1, TWO + DAY)] == [1, 4, 4, 2]
    assert {shard_of(GROWN, TWO - 1, str(number)) for number in range(50)} == {0}
    assert {shard_of(GROWN, TWO, str(number)) for number in range(50)} == {0, 1, 2, 3}
    assert shard_count((), TWO) == 1


@given(INSTANTS, st.uuids())
def test_the_shard_of_a_log_stays_when_the_history_grows(at: int, log_id: object) -> None:
    longer = (*GROWN, (TWO + 2 * DAY, 7))
    if at < TWO + 2 * DAY:
        assert raw_key("e", GROWN, at, str(log_id)) == raw_key("e", longer, at, str(log_id))


@given(INSTANTS, st.integers(0, 3 * DAY), st.integers(0, 3 * DAY), st.uuids())
def test_a_window_touches_the_partition_of_each_of_its_logs(start: int, length: int, offset: int, log_id: object) -> None:
    at, end = start + offset, start + length
    partition, sort = raw_key("e", GROWN, at, str(log_id))
    low, high = sort_bounds(start, end)
    if at < end:
        assert partition in source_keys("e", GROWN, start, end)
    assert (low <= sort <= high) == (at < end)


def test_a_window_touches_each_hour_once_and_the_newest_first() -> None:
    assert list(hours(TWO + 59 * MINUTE, TWO + HOUR + 1)) == [TWO + HOUR, TWO]
    assert list(hours(TWO, TWO + HOUR)) == [TWO]
    assert list(hours(TWO, TWO)) == []
    assert source_keys("e", GROWN, TWO - HOUR, TWO + HOUR) == [*(f"e#2026030314#{shard}" for shard in range(4)), "e#2026030313#0"]
    assert len(source_keys("e", ((0, 1),), TWO, TWO + DAY)) == 24


def test_a_change_begins_with_the_first_hour_that_is_at_least_25_hours_ahead() -> None:
    assert change_shards(ONE_SHARD, 4, TWO) == ((0, 1), (TWO + 25 * HOUR, 4))
    assert change_shards(ONE_SHARD, 4, TWO + 1) == ((0, 1), (TWO + 26 * HOUR, 4))


def test_a_change_that_no_log_can_lie_in_yet_is_replaced_and_an_older_one_stays() -> None:
    once = change_shards(ONE_SHARD, 4, TWO + 1)
    assert change_shards(once, 8, TWO + HOUR) == ((0, 1), (TWO + 26 * HOUR, 8))
    assert change_shards(once, 8, TWO + HOUR + 1) == ((0, 1), (TWO + 26 * HOUR, 4), (TWO + 27 * HOUR, 8))
    assert change_shards(once, 1, TWO + 2) == ONE_SHARD, "taken back in time"


def test_the_same_number_again_changes_nothing() -> None:
    once = change_shards(ONE_SHARD, 4, TWO)
    assert change_shards(ONE_SHARD, 1, TWO) == ONE_SHARD
    assert change_shards(once, 4, TWO + 1) == change_shards(once, 4, TWO + 9 * DAY) == once


@pytest.mark.parametrize("count", [0, -1, MOST_SHARDS + 1])
def test_a_number_that_makes_no_sense_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to {MOST_SHARDS}"):
        change_shards(ONE_SHARD, count, TWO)


CHANGES = st.lists(st.tuples(st.integers(0, 4 * HOUR), st.integers(1, MOST_SHARDS)), min_size=1, max_size=8)


@given(CHANGES, st.integers(0, REMEMBERED), st.sampled_from([0, HOUR, FUTURE - HOUR, FUTURE]), st.uuids())
def test_however_it_is_changed_a_log_stays_where_an_ingest_put_it_that_had_read_its_event_just_before(
    changes: list[tuple[int, int]], stale: int, ahead: int, log_id: object
) -> None:
    now, histories, received = TWO, [ONE_SHARD], list[int]()
    for later, count in changes:
        now += later
        received.append(now + stale)
        histories.append(change_shards(histories[-1], count, now))
    for known, at in zip(histories, received, strict=False):
        assert raw_key("e", known, at + ahead, str(log_id)) == raw_key("e", histories[-1], at + ahead, str(log_id))
