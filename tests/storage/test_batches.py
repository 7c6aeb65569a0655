"""Writing many logs: everything is stored or the caller is told, and a retry has less to do."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from nightjar.core.events import ONE_SHARD
from nightjar.core.logs import new_log_id
from nightjar.core.sources import raw_key
from nightjar.settings import Tables
from nightjar.storage.batches import LOOK_FIRST, Item, Place, seen_in, write
from nightjar.storage.client import Store
from nightjar.storage.faults import StorageBusy
from nightjar.storage.logs import item

from tests.ingesting import NOW, Clock, FaultyClient, Ingest, ingesting

Fault = Callable[..., Any]


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with ingesting() as running:
        yield running


def items(count: int) -> dict[Place, Item]:
    """So many logs of one event."""
    found: dict[Place, Item] = {}
    for number in range(count):
        key = raw_key("e", ONE_SHARD, NOW + number, new_log_id(NOW, number))
        found[key] = item(key, Decimal(number), None, NOW + number, 32)
    return found


def faulty(ingest: Ingest, **faults: Fault) -> Store:
    return Store(FaultyClient(ingest.store.db, **faults), ingest.store.tables)  # type: ignore[arg-type]


def throttled(code: str = "ProvisionedThroughputExceededException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "slow down"}}, "BatchWriteItem")


def leaving(count: int, times: int) -> Fault:
    """BatchWriteItem that leaves the last `count` of each call unprocessed, `times` times a set of items."""
    seen: dict[str, int] = {}

    def batch_write_item(real: Any, *, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803
        (table, requests), = RequestItems.items()
        last = requests[-1]["PutRequest"]["Item"]["SK"]["S"]
        seen[last] = seen.get(last, 0) + 1
        if seen[last] > times:
            return real(RequestItems=RequestItems)
        if requests[:-count]:
            real(RequestItems={table: requests[:-count]})
        return {"UnprocessedItems": {table: requests[-count:]}}

    return batch_write_item


def test_what_is_left_unprocessed_is_sent_again_until_all_is_stored(ingest: Ingest) -> None:
    sent = items(60)
    assert write(faulty(ingest, batch_write_item=leaving(7, times=2)), sent, ingest.clock.patience(3)) == []
    assert len(ingest.logs()) == 60


def test_what_is_always_left_ends_as_busy_before_the_deadline(ingest: Ingest) -> None:
    with pytest.raises(StorageBusy):
        write(faulty(ingest, batch_write_item=leaving(7, times=10**6)), items(25), ingest.clock.patience(3))
    assert ingest.clock.seconds <= 103
    assert len(ingest.logs()) == 18


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError"])
def test_a_throttled_call_is_made_again(ingest: Ingest, code: str) -> None:
    calls = []

    def twice(real: Any, **request: Any) -> Any:
        calls.append(1)
        if len(calls) < 3:
            raise throttled(code)
        return real(**request)

    assert write(faulty(ingest, batch_write_item=twice), items(3), ingest.clock.patience(3)) == []
    assert len(ingest.logs()) == 3


@pytest.mark.parametrize("fault", [throttled("ResourceNotFoundException"), throttled("AccessDeniedException"), EndpointConnectionError(endpoint_url="http://x")])
def test_other_faults_of_storage_come_out_at_once(ingest: Ingest, fault: Exception) -> None:
    def fail(_real: Any, **_request: Any) -> Any:
        raise fault

    with pytest.raises(type(fault)):
        write(faulty(ingest, batch_write_item=fail), items(100), ingest.clock.patience(3))
    assert ingest.clock.seconds == 100


def test_a_malformed_item_is_named_and_the_others_are_stored(ingest: Ingest) -> None:
    sent = items(60)
    places = list(sent)
    sent[places[7]] = {**sent[places[7]], "v": {"S": 5}}  # type: ignore[typeddict-item]
    sent[places[40]] = {**sent[places[40]], "v": {"Q": "x"}}  # type: ignore[typeddict-unknown-key]
    assert set(write(ingest.store, sent, ingest.clock.patience(3))) == {places[7], places[40]}
    assert len(ingest.logs()) == 58


def test_a_validation_error_of_the_table_is_found_item_by_item(ingest: Ingest) -> None:
    def picky(real: Any, *, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803
        if any(request["PutRequest"]["Item"]["v"]["S"] == "3" for request in RequestItems["logs"]):
            raise throttled("ValidationException")
        return real(RequestItems=RequestItems)

    refused = write(faulty(ingest, batch_write_item=picky), items(10), ingest.clock.patience(3))
    assert [sort for _, sort in refused] == [f"{NOW + 3}#{new_log_id(NOW, 3)}"]
    assert len(ingest.logs()) == 9


class Partition:
    """One partition's table in memory, that takes 2,500 writes in the three seconds of a try (moto would take minutes for 20,000 logs)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.written: list[str] = []
        self.there: set[str] = set()

    def batch_write_item(self, *, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803
        keys = [request["PutRequest"]["Item"]["SK"]["S"] for request in RequestItems["logs"]]
        self.clock.sleep(len(keys) / 2_500 * 3)
        self.written += keys
        self.there.update(keys)
        return {"UnprocessedItems": {}}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        asked = RequestItems["logs"]
        assert asked["ProjectionExpression"] == "PK, SK"
        assert len(asked["Keys"]) <= 100
        self.clock.sleep(0.002)
        return {"Responses": {"logs": [key for key in asked["Keys"] if key["SK"]["S"] in self.there]}}


def test_a_large_array_makes_progress_at_each_try_under_a_throttle_and_writes_nothing_twice() -> None:
    clock, sent = Clock(), items(20_000)
    partition = Partition(clock)
    store = Store(partition, Tables("logs", "", "", "", "", ""))  # type: ignore[arg-type]
    tries, stored = 0, 0
    while stored < 20_000:
        tries += 1
        try:
            assert write(store, sent, clock.patience(3)) == []
        except StorageBusy:
            assert len(partition.written) >= stored + 1_000
        stored = len(partition.written)
    assert len(partition.there) == stored == 20_000
    assert 8 <= tries <= 15
    assert write(store, sent, clock.patience(3)) == []


def test_another_process_finds_out_by_reading_what_is_stored() -> None:
    clock, sent = Clock(), items(2_000)
    partition = Partition(clock)
    tables = Tables("logs", "", "", "", "", "")
    assert write(Store(partition, tables), sent, clock.patience(9)) == []  # type: ignore[arg-type]
    seen_in.cache_clear()
    partition.there.difference_update(list(partition.there)[:300])
    assert write(Store(partition, tables), sent, clock.patience(9)) == []  # type: ignore[arg-type]
    assert len(partition.there) == 2_000
    assert len(partition.written) == 2_300


def test_an_array_of_ordinary_size_is_not_read_first(ingest: Ingest) -> None:
    def read(_real: Any, **_request: Any) -> Any:
        raise AssertionError

    assert write(faulty(ingest, batch_get_item=read), items(LOOK_FIRST), ingest.clock.patience(3)) == []


def test_when_the_look_itself_is_throttled_everything_is_written(ingest: Ingest) -> None:
    def read(_real: Any, **_request: Any) -> Any:
        raise throttled()

    assert write(faulty(ingest, batch_get_item=read), items(LOOK_FIRST + 1), ingest.clock.patience(30)) == []
    assert len(ingest.logs()) == LOOK_FIRST + 1


def test_no_call_holds_more_than_25_items(ingest: Ingest) -> None:
    sizes: list[int] = []

    def measure(real: Any, *, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803
        sizes.append(len(RequestItems["logs"]))
        return real(RequestItems=RequestItems)

    write(faulty(ingest, batch_write_item=measure), items(110), ingest.clock.patience(3))
    assert sorted(sizes) == [10, 25, 25, 25, 25]
    assert write(ingest.store, {}, ingest.clock.patience(3)) == []
