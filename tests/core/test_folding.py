"""A batch folded into piles, and piles counted onto buckets exactly once."""

import itertools
from decimal import Decimal

import pytest
from nightjar.core.folding import Arrival, Marks, Pile, fold
from nightjar.core.instants import HOUR, MINUTE
from nightjar.core.rollups import Bucket


def arrival(number: int, value: object = 1, *, at: int = 0, event: str = "e", source: str = "s#0") -> Arrival:
    return Arrival(event, source, str(number).zfill(40), at, str(value))


def piles(*arrivals: Arrival) -> dict[tuple[str, str, int], Pile]:
    found, _ = fold(arrivals)
    return {(pile.event_id, *pile.bin): pile for pile in found}


def put(bucket: Bucket, marks: Marks, *arrivals: Arrival) -> Marks:
    """Bring a batch of one minute into a bucket."""
    return piles(*arrivals)["e", "m", 0].onto(bucket, marks) or marks


def test_a_batch_touches_a_minute_and_an_hour_for_each_event() -> None:
    found = piles(arrival(1), arrival(2, at=MINUTE), arrival(3, at=HOUR), arrival(4, event="f"))
    counts = {key: pile.folded.count for key, pile in found.items()}
    assert counts == {
        ("e", "m", 0): 1, ("e", "m", MINUTE): 1, ("e", "m", HOUR): 1, ("f", "m", 0): 1, ("e", "h", 0): 2, ("e", "h", HOUR): 1, ("f", "h", 0): 1,
    }  # fmt: skip


def test_a_log_on_the_boundary_lies_in_the_later_minute() -> None:
    assert set(piles(arrival(1, at=MINUTE - 1))) == {("e", "m", 0), ("e", "h", 0)}
    assert ("e", "m", MINUTE) in piles(arrival(1, at=MINUTE))


def test_a_log_that_comes_twice_in_a_batch_counts_once() -> None:
    assert piles(arrival(7), arrival(7))["e", "h", 0].folded.count == 1


def test_a_batch_that_comes_again_changes_nothing() -> None:
    bucket, batch = Bucket(), (arrival(1), arrival(2), arrival(3))
    marks = put(bucket, {}, *batch)
    assert marks == {"s#0": "3".zfill(40)}
    assert piles(*batch)["e", "m", 0].onto(bucket, marks) is None
    assert bucket.count == 3


def test_of_a_batch_that_overlaps_only_what_is_new_counts() -> None:
    bucket = Bucket()
    marks = put(bucket, {}, arrival(1, 1), arrival(2, 10))
    marks = put(bucket, marks, arrival(2, 10), arrival(3, 100), arrival(4, 1000))
    assert (bucket.count, str(bucket.total), marks) == (4, "1111", {"s#0": "4".zfill(40)})


def test_an_older_batch_of_a_slow_worker_does_not_move_the_mark_back() -> None:
    bucket = Bucket()
    marks = put(bucket, {}, *(arrival(number) for number in range(1, 10)))
    assert piles(arrival(3), arrival(4))["e", "m", 0].onto(bucket, marks) is None
    assert put(bucket, marks, arrival(3), arrival(10)) == {"s#0": "10".zfill(40)}
    assert bucket.count == 10


def test_numbers_are_compared_as_numbers_whatever_their_length() -> None:
    bucket = Bucket()
    marks = put(bucket, {}, arrival(999))
    put(bucket, marks, arrival(1_000))
    assert bucket.count == 2


def test_write_shards_and_streams_are_counted_apart() -> None:
    bucket = Bucket()
    marks = put(bucket, {}, arrival(100, source="old#0"), arrival(5, source="old#1"))
    marks = put(bucket, marks, arrival(3, source="new#0"))  # a re-enabled stream counts from the start again
    marks = put(bucket, marks, arrival(6, source="old#1"), arrival(99, source="old#0"))
    assert bucket.count == 4
    assert marks == {"old#0": "100".zfill(40), "old#1": "6".zfill(40), "new#0": "3".zfill(40)}


@pytest.mark.parametrize("value", ["", "NaN", "Infinity", "1e31x", "1e-400"])
def test_a_log_on_which_the_code_fails_is_parked_and_the_others_count(value: str) -> None:
    found, parked = fold([arrival(1), arrival(2, value), arrival(3)])
    assert [failed.arrival.number for failed in parked] == ["2".zfill(40)]
    assert [(pile.folded.count, pile.folded.parked) for pile in found] == [(2, 1), (2, 1)]


def test_a_parked_log_is_parked_once_however_often_it_comes() -> None:
    bucket = Bucket()
    marks = put(bucket, {}, arrival(1, "NaN"))
    marks = put(bucket, marks, arrival(1, "NaN"), arrival(2))
    put(bucket, marks, arrival(1, "NaN"), arrival(2), arrival(3, "NaN"))
    assert (bucket.count, bucket.parked) == (1, 2)


def test_every_split_of_a_batch_makes_the_same_bucket() -> None:
    batch = [arrival(number, Decimal(number) / 7) for number in range(1, 7)]
    whole = Bucket()
    put(whole, {}, *batch)
    for cuts in itertools.combinations(range(1, 6), 2):
        bucket = Bucket()
        marks: Marks = {}
        for start, end in itertools.pairwise((0, *cuts, 6)):
            marks = put(bucket, marks, *batch[start:end])
        assert bucket.pack() == whole.pack()
