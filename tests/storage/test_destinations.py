"""Destinations in the config table."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from nightjar.core.destinations import Destination
from nightjar.storage import destinations
from nightjar.storage.client import Store
from nightjar.storage.config import Stale

from tests.contract.world import simulated, tables

ONE = Destination(destination_id="d1", channel="slack", url="https://hooks.slack.com/services/T/B/x", policy_ids=("p1", "p2"))
TWO = replace(ONE, destination_id="d2", policy_ids=("p2",))


@pytest.fixture
def store() -> Iterator[Store]:
    with simulated() as db, tables(db) as found:
        destinations.put_new(found, ONE)
        destinations.put_new(found, TWO)
        yield found


def test_all_destinations_are_listed_oldest_first(store: Store) -> None:
    assert destinations.list_all(store) == [ONE, TWO]


def test_a_deleted_destination_is_gone_and_deleting_it_again_is_no_error(store: Store) -> None:
    for _ in range(2):
        destinations.delete(store, "d1")
    assert (destinations.get(store, "d1"), destinations.list_all(store)) == (None, [TWO])
    with pytest.raises(Stale):
        destinations.replace(store, replace(ONE, version=2))


def test_a_deleted_policy_leaves_every_destination(store: Store) -> None:
    destinations.remove_policy(store, "p2")
    assert [found.policy_ids for found in destinations.list_all(store)] == [("p1",), ()]
    destinations.remove_policy(store, "p2")
    assert [found.version for found in destinations.list_all(store)] == [2, 2]


def test_an_edit_at_the_same_time_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = replace(ONE, name="ops", version=2)
    listed = destinations.list_all(store)
    monkeypatch.setattr(destinations, "list_all", lambda _store: listed)
    destinations.replace(store, edited)
    destinations.remove_policy(store, "p1")
    assert destinations.get(store, "d1") == replace(edited, policy_ids=("p2",), version=3)
