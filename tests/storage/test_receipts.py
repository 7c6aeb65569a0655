"""First receipts: a log_id that tells no time gets one, and keeps it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from nightjar.core.instants import DAY, SECOND
from nightjar.storage.client import Store
from nightjar.storage.faults import StorageBusy
from nightjar.storage.receipts import first_receipts

from tests.ingesting import NOW, FaultyClient, Ingest, ingesting


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with ingesting() as running:
        yield running


def settle(ingest: Ingest, names: list[tuple[str, str]], now: int, store: Store | None = None) -> dict[tuple[str, str], int]:
    return first_receipts(store or ingest.store, names, now=now, ttl_days=32, patience=ingest.clock.patience(3))


def test_a_retry_finds_the_first_receipt_again(ingest: Ingest) -> None:
    assert settle(ingest, [("e", "a"), ("e", "a")], NOW) == {("e", "a"): NOW}
    assert settle(ingest, [("e", "a"), ("e", "b"), ("f", "a")], NOW + SECOND) == {("e", "a"): NOW, ("e", "b"): NOW + SECOND, ("f", "a"): NOW + SECOND}


def test_a_guard_lives_as_long_as_its_log_and_is_then_gone_though_it_is_still_there(ingest: Ingest) -> None:
    settle(ingest, [("e", "a")], NOW)
    (guard,) = ingest.items()
    assert guard["PK"]["S"] == "g#e#a"
    assert guard["SK"]["S"] == "g"
    assert int(guard["x"]["N"]) == (NOW + 32 * DAY) // SECOND
    assert settle(ingest, [("e", "a")], NOW + 32 * DAY - SECOND) == {("e", "a"): NOW}
    assert settle(ingest, [("e", "a")], NOW + 32 * DAY) == {("e", "a"): NOW + 32 * DAY}


def test_many_are_read_before_they_are_written_so_that_tries_make_progress(ingest: Ingest) -> None:
    names = [("e", str(number)) for number in range(500)]
    writes: list[str] = []

    def put_item(real: Any, **request: Any) -> Any:
        ingest.clock.sleep(0.02)
        writes.append(request["Item"]["PK"]["S"])
        return real(**request)

    slow = Store(FaultyClient(ingest.store.db, put_item=put_item), ingest.store.tables)  # type: ignore[arg-type]
    for attempt in range(10):
        try:
            times = settle(ingest, names, NOW + attempt, slow)
            break
        except StorageBusy:
            pass
    assert len(writes) == len(set(writes)) == 500
    assert attempt > 1
    assert times["e", "0"] == NOW
    assert times["e", "499"] == NOW + attempt


def test_a_fault_comes_out(ingest: Ingest) -> None:
    def put_item(_real: Any, **_request: Any) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "m"}}, "PutItem")

    broken = Store(FaultyClient(ingest.store.db, put_item=put_item), ingest.store.tables)  # type: ignore[arg-type]
    with pytest.raises(ClientError):
        settle(ingest, [("e", "a")], NOW, broken)
