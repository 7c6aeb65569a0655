"""Keys of raw logs: a function of event, time and log_id for ever."""

from hypothesis import given
from hypothesis import strategies as st
from nightjar.core.instants import DAY, HOUR, MINUTE, parse_instant
from nightjar.core.sources import Identity, hours, raw_key, read_key, shard_count, shard_of, sort_bounds, source_keys

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
