"""The rollups table: reading, writing on a condition, expiry."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from nightjar.core.periods import Bin
from nightjar.core.rollups import Bucket
from nightjar.storage import rollups
from nightjar.storage.client import Store
from nightjar.storage.faults import StorageBusy
from nightjar.storage.rollups import Row

from tests.aws import Cloud
from tests.streams import store_on
from tests.world import stack

NOON = parse_instant("2026-03-03T12:00:00Z")


@pytest.fixture
def store() -> Store:
    return store_on(Cloud(stack()))


def bucket(count: int = 1) -> Bucket:
    made = Bucket()
    for _ in range(count):
        made.add(Decimal("0.1"), NOON)
    return made


def put(store: Store, bin: Bin, count: int = 1, event_id: str = "e") -> None:
    assert rollups.write_row(store, event_id, bin, Row(bucket(count), {"s#0": "1"}))


class Faulty:
    """A client whose answers a test changes."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def batch_get_item(self, **request: Any) -> Any:
        """Leave out all keys but the first."""
        self.calls.append(request["RequestItems"])
        ((table, wanted),) = request["RequestItems"].items()
        answer = self._db.batch_get_item(RequestItems={table: {**wanted, "Keys": wanted["Keys"][:1]}})
        left = wanted["Keys"][1:]
        return {**answer, "UnprocessedKeys": {table: {**wanted, "Keys": left}} if left else {}}


def test_a_bucket_is_read_back_with_its_marks_and_version(store: Store) -> None:
    put(store, ("h", NOON), 10)
    row = rollups.read_row(store, "e", ("h", NOON), now=NOON)
    assert (row.bucket.count, str(row.bucket.total), row.marks, row.version) == (10, "1", {"s#0": "1"}, 1)
    assert rollups.read_rows(store, [("e", ("h", NOON))], now=NOON)["e", ("h", NOON)].marks == row.marks


def test_a_bucket_that_does_not_exist_is_absent_to_readers_and_empty_to_writers(store: Store) -> None:
    assert rollups.read(store, "e", [("h", NOON)], now=NOON) == {}
    assert rollups.read_row(store, "e", ("h", NOON), now=NOON).version == 0
    assert rollups.read_rows(store, [("e", ("h", NOON))], now=NOON)["e", ("h", NOON)].version == 0


def test_of_two_writers_that_read_the_same_only_one_writes(store: Store) -> None:
    assert rollups.write_row(store, "e", ("m", NOON), Row(bucket(1)))
    assert not rollups.write_row(store, "e", ("m", NOON), Row(bucket(5)))
    one, two = (rollups.read_row(store, "e", ("m", NOON), now=NOON) for _ in range(2))
    assert rollups.write_row(store, "e", ("m", NOON), one)
    assert not rollups.write_row(store, "e", ("m", NOON), two)
    assert rollups.read_row(store, "e", ("m", NOON), now=NOON).version == 2


def test_minutes_live_35_days_and_hours_three_years(store: Store) -> None:
    put(store, ("m", NOON))
    put(store, ("h", NOON))
    expiries = {item["SK"]["S"][0]: int(item["x"]["N"]) for item in store.db.scan(TableName=store.tables.rollups)["Items"]}
    assert expiries == {"m": (NOON + 35 * DAY) // SECOND, "h": (NOON + 1_095 * DAY) // SECOND}


def test_an_expired_bucket_is_gone_although_it_still_lies_there(store: Store) -> None:
    put(store, ("m", NOON), 3)
    late = NOON + 35 * DAY
    assert rollups.read(store, "e", [("m", NOON)], now=late - 1)
    assert rollups.read(store, "e", [("m", NOON)], now=late) == {}
    assert rollups.query(store, "e", "m", 0, late, now=late) == []


def test_an_expired_bucket_is_started_anew(store: Store) -> None:
    put(store, ("m", NOON), 3)
    row = rollups.read_row(store, "e", ("m", NOON), now=NOON + 35 * DAY)
    assert (row.bucket.count, row.marks, row.version) == (0, {}, 1)
    assert rollups.write_row(store, "e", ("m", NOON), row)


def test_hundreds_of_buckets_of_many_events_are_read_at_once_and_each_once(store: Store) -> None:
    places: list[tuple[str, Bin]] = [(f"e{number % 7}", ("m", NOON + number * MINUTE)) for number in range(250)]
    for event_id, bin in places[::2]:
        put(store, bin, event_id=event_id)
    found = rollups.read_many(store, places + places, now=NOON)
    assert set(found) == set(places[::2])


def test_what_dynamodb_left_out_is_asked_for_again_after_a_wait(store: Store) -> None:
    bins: list[Bin] = [("m", NOON + number * MINUTE) for number in range(4)]
    for bin in bins:
        put(store, bin)
    faulty, waits = Faulty(store.db), list[int]()
    found = rollups.read_many(Store(faulty, store.tables), [("e", bin) for bin in bins], now=NOON, wait=waits.append)  # type: ignore[arg-type]
    assert {bin for _, bin in found} == set(bins)
    assert waits == [1, 2, 3]
    assert all(request[store.tables.rollups]["ConsistentRead"] for request in faulty.calls)


def test_what_dynamodb_keeps_leaving_out_is_a_fault_of_storage(store: Store) -> None:
    wanted: list[tuple[str, Bin]] = [("e", ("m", NOON + number * MINUTE)) for number in range(50)]
    with pytest.raises(StorageBusy, match="42 buckets"):
        rollups.read_rows(Store(Faulty(store.db), store.tables), wanted, now=NOON, wait=lambda _: None)  # type: ignore[arg-type]


def test_a_stretch_of_time_is_read_in_either_order(store: Store) -> None:
    for number in (0, 1, 3, 4):
        put(store, ("h", NOON + number * HOUR), number + 1)
    put(store, ("m", NOON + HOUR), 9)
    put(store, ("h", NOON), 9, event_id="f")
    found = rollups.query(store, "e", "h", NOON + HOUR, NOON + 4 * HOUR, now=NOON)
    assert [(start - NOON, bucket.count) for start, bucket in found] == [(HOUR, 2), (3 * HOUR, 4)]
    newest = rollups.query(store, "e", "h", 0, NOON + 9 * HOUR, now=NOON, newest_first=True, limit=3)
    assert [bucket.count for _, bucket in newest] == [5, 4, 2]


def test_a_stretch_that_begins_within_a_bucket_begins_with_the_next(store: Store) -> None:
    put(store, ("h", NOON))
    assert rollups.query(store, "e", "h", NOON + 1, NOON + HOUR, now=NOON) == []
    assert len(rollups.query(store, "e", "h", NOON - 1, NOON + 1, now=NOON)) == 1
    assert rollups.query(store, "e", "h", NOON, NOON, now=NOON) == []
    assert len(rollups.query(store, "e", "h", -HOUR, NOON + 1, now=NOON)) == 1


def test_a_limit_is_filled_past_expired_buckets_over_many_pages(store: Store) -> None:
    for number in range(6):
        put(store, ("m", NOON + number * MINUTE))
    now = NOON + 3 * MINUTE + 35 * DAY
    assert [start for start, _ in rollups.query(store, "e", "m", 0, now, now=now, limit=2)] == [NOON + 4 * MINUTE, NOON + 5 * MINUTE]


def test_the_first_hour_of_an_event(store: Store) -> None:
    assert rollups.first_start(store, "e", now=NOON) is None
    for number in (2, 1, 3):
        put(store, ("h", NOON + number * HOUR))
    put(store, ("m", NOON))
    assert rollups.first_start(store, "e", now=NOON) == NOON + HOUR
    assert rollups.first_start(store, "e", now=NOON + HOUR + 1_095 * DAY) == NOON + 2 * HOUR
