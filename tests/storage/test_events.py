"""Events in the config table."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from nightjar.core.events import new_event
from nightjar.storage import events
from nightjar.storage.client import Store
from nightjar.storage.config import Stale, Taken

from tests.contract.world import NOW, simulated, tables

EVENT = new_event("worker.billing", "job.run", NOW)


@pytest.fixture
def store() -> Iterator[Store]:
    with simulated() as db, tables(db) as found:
        yield found


def test_the_first_log_makes_an_event_and_the_second_finds_it(store: Store) -> None:
    assert events.get(store, EVENT.event_id) is None
    assert events.ensure(store, EVENT) == EVENT
    edited = replace(EVENT, title="Runs", version=2)
    events.replace(store, edited)
    assert events.ensure(store, replace(EVENT, created_at=NOW + 1)) == edited
    assert events.list_all(store) == [edited]


def test_an_event_is_created_once(store: Store) -> None:
    events.create(store, EVENT)
    with pytest.raises(Taken):
        events.create(store, EVENT)


def test_who_read_an_older_version_writes_nothing(store: Store) -> None:
    events.create(store, EVENT)
    events.replace(store, replace(EVENT, unit="ms", version=2))
    with pytest.raises(Stale):
        events.replace(store, replace(EVENT, unit="s", version=2))
    found = events.get(store, EVENT.event_id)
    assert found
    assert found.unit == "ms"
