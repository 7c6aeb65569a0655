"""An hour's buckets made anew from its raw logs."""

from decimal import Decimal

import pytest
from nightjar.core.folding import Arrival, fold
from nightjar.core.instants import HOUR, MINUTE
from nightjar.core.recounting import bins_of_hour, counted, differing, joined
from nightjar.core.rollups import Bucket

from tests.builders import at

HOUR_START = at("14:00")
LOGS = [(HOUR_START + 1, "0.1"), (HOUR_START + 2, "-5"), (HOUR_START + 61_000_000, "1e3"), (HOUR_START + HOUR - 1, "0")]


def test_an_hour_has_one_hour_and_sixty_minutes() -> None:
    found = bins_of_hour(HOUR_START)
    assert (len(found), found[0], found[1], found[-1]) == (61, ("h", HOUR_START), ("m", HOUR_START), ("m", HOUR_START + HOUR - MINUTE))


def test_raw_logs_counted_anew_are_the_same_bytes_as_the_streams() -> None:
    arrivals = [Arrival("e", "s#0", f"{place:040d}", instant, value) for place, (instant, value) in enumerate(LOGS)]
    piles, _ = fold(arrivals)
    wanted = counted(reversed(LOGS))
    assert {pile.bin: pile.folded.pack() for pile in piles} == {key: bucket.pack() for key, bucket in wanted.items()}


@pytest.mark.parametrize("value", ["", "x", "NaN", "1e400"])
def test_a_log_on_which_the_code_fails_is_parked_again(value: str) -> None:
    found = counted([*LOGS, (HOUR_START, value)])
    assert [(found[key].count, found[key].parked) for key in (("h", HOUR_START), ("m", HOUR_START))] == [(4, 1), (2, 1)]


def test_the_highest_number_of_each_source_is_kept() -> None:
    assert joined([{"a#0": "01", "a#1": "07"}, {"a#0": "03", "b#0": "02"}, {}]) == {"a#0": "03", "a#1": "07", "b#0": "02"}


def test_what_is_as_it_should_be_is_left_alone() -> None:
    wanted = counted(LOGS)
    for clock in (None, at("14:05")):
        for bucket in wanted.values():
            bucket.clock = clock
        stored = {key: bucket.pack() for key, bucket in wanted.items()}
        assert not differing(stored, counted(LOGS), at("17:00"))


def test_damage_of_any_kind_is_found() -> None:
    stored = {key: bucket.pack() for key, bucket in counted(LOGS).items()}
    first, second, third = (("m", HOUR_START + minute * MINUTE) for minute in (0, 1, 59))
    other = Bucket()
    other.add(Decimal(7), HOUR_START)
    damaged = {**stored, first: b"\x01rubbish", ("m", HOUR_START + 5 * MINUTE): other.pack()}
    del damaged[second]
    found = differing(damaged, counted(LOGS), at("17:00"))
    assert {key: bucket.count for key, bucket in found.items()} == {first: 2, second: 1, ("m", HOUR_START + 5 * MINUTE): 0}
    assert third not in found
    assert (found[first].clock, found[second].clock, found["m", HOUR_START + 5 * MINUTE].clock) == (at("17:00"), at("17:00"), None)
