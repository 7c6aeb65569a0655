"""Raw logs as they are counted and listed."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.events import ONE_SHARD, Shards
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND
from nightjar.core.logs import new_log_id
from nightjar.core.sources import hours, raw_key, source_keys
from nightjar.storage.client import Store
from nightjar.storage.logs import RawLog, count_raw, item, list_raw, read_source

from tests.ingesting import NOW, FaultyClient, ingesting

GROWN: Shards = ((0, 1), (NOW - HOUR, 3))


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with ingesting() as ingest:
        yield ingest.store


def put(store: Store, event_id: str, at: int, number: int, shards: Shards = ONE_SHARD) -> None:
    log_id = new_log_id(at, number)
    store.db.put_item(TableName=store.tables.logs, Item=item(raw_key(event_id, shards, at, log_id), Decimal(number), str(number), at, 32))


def values(found: list[RawLog]) -> list[int]:
    return [int(log.value) for log in found]


def test_an_item_holds_key_value_meta_and_when_it_goes() -> None:
    assert item(("p", "s"), Decimal("1E+2"), '{"a":1}', NOW, 32) == {
        "PK": {"S": "p"},
        "SK": {"S": "s"},
        "v": {"S": "100"},
        "m": {"S": '{"a":1}'},
        "x": {"N": str(NOW // SECOND + 32 * 86_400)},
    }
    assert "m" not in item(("p", "s"), Decimal(1), None, NOW, 32)


@pytest.mark.parametrize("shards", [ONE_SHARD, GROWN])
def test_a_window_is_counted_from_its_start_up_to_and_without_its_end(store: Store, shards: Shards) -> None:
    event = f"count {shards}"
    for number, at in enumerate([NOW - HOUR - 1, NOW - HOUR, NOW - 30 * MINUTE, NOW - 1, NOW, NOW + HOUR]):
        put(store, event, at, number, shards)
    assert count_raw(store, event, shards, NOW - HOUR, NOW, 100) == 3
    assert count_raw(store, event, shards, NOW - 2 * HOUR, NOW + 2 * HOUR, 100) == 6
    assert count_raw(store, event, shards, NOW - 2 * HOUR, NOW + 2 * HOUR, 4) == 4
    assert count_raw(store, event, shards, NOW - 2 * DAY, NOW - DAY, 4) == 0
    assert count_raw(store, event, shards, NOW, NOW + DAY, 0) == 0


def test_counting_stops_as_soon_as_there_are_enough_and_is_strongly_consistent(store: Store) -> None:
    for number in range(30):
        put(store, "enough", NOW + number, number)
        put(store, "enough", NOW - HOUR + number, number)
    asked = []

    def query(real: Any, **request: Any) -> Any:
        asked.append(request)
        return real(**request)

    watched = Store(FaultyClient(store.db, query=query), store.tables)  # type: ignore[arg-type]
    assert count_raw(watched, "enough", ONE_SHARD, NOW - DAY, NOW + HOUR, 11) == 11
    assert len(asked) == 1
    assert asked[0]["Limit"] == 11
    assert asked[0]["Select"] == "COUNT"
    assert asked[0]["ConsistentRead"] is True


def test_a_count_goes_on_over_pages(store: Store) -> None:
    for number in range(10):
        put(store, "pages", NOW + number, number)

    def three_at_a_time(real: Any, **request: Any) -> Any:
        return real(**{**request, "Limit": min(3, request["Limit"])})

    paged = Store(FaultyClient(store.db, query=three_at_a_time), store.tables)  # type: ignore[arg-type]
    assert count_raw(paged, "pages", ONE_SHARD, NOW, NOW + HOUR, 100) == 10
    assert count_raw(paged, "pages", ONE_SHARD, NOW, NOW + HOUR, 8) == 8
    assert values(list(read_source(paged, source_keys("pages", ONE_SHARD, NOW, NOW + 1)[0], start=NOW, end=NOW + 5, now=NOW))) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("shards", [ONE_SHARD, GROWN])
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_of_raw_logs_are_newest_first_without_a_gap_or_a_repetition(store: Store, shards: Shards, limit: int) -> None:
    event = f"list {limit} {shards}"
    for number in range(20):
        put(store, event, NOW - (20 - number) * 11 * MINUTE, number, shards)
    found: list[RawLog] = []
    before = None
    for _ in range(30):
        page, before = list_raw(store, event, shards, hours(NOW - DAY, NOW), now=NOW, limit=limit, before=before)
        found += page
        assert len(page) == limit or before is None
        if before is None:
            break
    assert values(found) == list(range(19, -1, -1))
    assert [log.meta for log in found] == [str(number) for number in range(19, -1, -1)]
    assert found[0].at == NOW - 11 * MINUTE


def test_what_has_expired_is_gone_though_it_is_still_there(store: Store) -> None:
    put(store, "expired", NOW - 32 * DAY - SECOND, 1)
    put(store, "expired", NOW - 32 * DAY + SECOND, 2)
    found, _ = list_raw(store, "expired", ONE_SHARD, hours(NOW - 33 * DAY, NOW - 31 * DAY), now=NOW, limit=10)
    assert values(found) == [2]


def test_a_cursor_of_another_make_is_a_value_error(store: Store) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list_raw(store, "e", ONE_SHARD, hours(NOW, NOW + 1), now=NOW, limit=10, before="nonsense")
