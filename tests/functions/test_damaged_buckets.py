"""A bucket that this code cannot read, damaged or of a newer version, holds up no other: its logs are parked beside it until it is mended."""

from collections.abc import Iterator
from typing import Any

import pytest
from nightjar.core import rollups as core
from nightjar.core.instants import HOUR, MINUTE
from nightjar.storage import events, rollups
from nightjar.storage.bucket_items import key

from tests.world import START, World, world

BATCH = [{"agent": "a", "event": name, "value": 1} for name in ("ill", "well")]


@pytest.fixture
def deployed() -> Iterator[World]:
    """One log each of two events, counted."""
    with world() as made:
        made.tick(START)
        made.send(BATCH)
        made.roll_up()
        yield made


def place(on: World, name: str) -> tuple[str, tuple[Any, int]]:
    (event,) = [each for each in events.list_all(on.store) if each.event == name]
    return event.event_id, ("h", START)


def packed(on: World, name: str, put: bytes | None = None) -> bytes:
    """Read the bytes of an event's hour, or put others in their place."""
    event_id, bin = place(on, name)
    if put is not None:
        on.store.db.update_item(
            TableName=on.store.tables.rollups,
            Key=key(event_id, bin),
            UpdateExpression="SET b = :b",
            ExpressionAttributeValues={":b": {"B": put}},
        )
    return rollups.read_stored(on.store, event_id, [bin], now=on.now)[bin].packed


def counts(on: World, name: str) -> tuple[int, int]:
    """The logs of an event's hour that were counted, and those that were parked."""
    event_id, bin = place(on, name)
    found = rollups.read(on.store, event_id, [bin], now=on.now)[bin]
    return found.count, found.parked


@pytest.mark.parametrize("put", [b"\x01", b"\x02 of a newer version", b"\x01" * 80])
def test_a_bucket_that_cannot_be_read_stays_as_it_is_and_holds_up_no_other(deployed: World, put: bytes) -> None:
    packed(deployed, "ill", put)
    deployed.send(BATCH)
    assert deployed.roll_up() == {"batchItemFailures": []}
    assert packed(deployed, "ill") == put
    assert counts(deployed, "well") == (2, 0)


def test_what_cannot_be_added_to_a_readable_head_is_parked_too(deployed: World) -> None:
    whole = packed(deployed, "ill")
    packed(deployed, "ill", whole[: core._HEAD.size])  # the sums are gone
    deployed.send(BATCH)
    assert deployed.roll_up() == {"batchItemFailures": []}
    assert packed(deployed, "ill") == whole[: core._HEAD.size]
    assert counts(deployed, "ill") == (1, 1)
    assert counts(deployed, "well") == (2, 0)


def test_what_cannot_be_packed_is_parked(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = packed(deployed, "ill")
    for _ in range(2):
        deployed.send(BATCH[:1])
        with monkeypatch.context() as broken:
            broken.setattr("nightjar.core.rollups.Bucket.pack", lambda _: 1 / 0)
            assert deployed.roll_up() == {"batchItemFailures": []}
    assert packed(deployed, "ill") == whole
    assert counts(deployed, "ill") == (1, 2)


def test_parked_logs_are_known_when_the_code_can_read_the_bucket_again_and_come_twice_for_nothing(deployed: World) -> None:
    whole = packed(deployed, "ill")
    packed(deployed, "ill", b"\x02 of a newer version")
    for _ in range(3):
        deployed.send(BATCH)
        batch = list(deployed.logs)
        deployed.roll_up(batch)
        deployed.roll_up(batch)
    packed(deployed, "ill", whole)
    assert counts(deployed, "ill") == (1, 3)
    deployed.send(BATCH)
    deployed.roll_up()
    assert counts(deployed, "ill") == (2, 3)
    assert counts(deployed, "well") == (5, 0)


def test_recount_counts_what_was_parked(deployed: World) -> None:
    from nightjar.pipeline.recount import Target, recount

    packed(deployed, "ill", b"rubbish")
    deployed.send(BATCH)
    deployed.roll_up()
    deployed.now += 3 * HOUR
    event = next(each for each in events.list_all(deployed.store) if each.event == "ill")

    def pause() -> None:
        deployed.now += MINUTE

    assert len(list(recount(deployed.store, [Target(event, START)], now=lambda: deployed.now, pause=pause))) == 1
    assert counts(deployed, "ill") == (2, 0)
