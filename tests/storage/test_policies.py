"""The rows of a policy: one transaction keeps them equal."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from nightjar.core.events import Event, new_event
from nightjar.core.policies import Policy
from nightjar.storage import events, pages, policies
from nightjar.storage.client import Store
from nightjar.storage.config import Stale

from tests import builders
from tests.contract.world import NOW, simulated, tables

EVENT = new_event("worker.billing", "job.run", NOW)
POLICY = builders.policy()


@pytest.fixture
def store() -> Iterator[Store]:
    with simulated() as db, tables(db) as found:
        yield found


def found_by(store: Store, policy: Policy) -> set[str]:
    """Where judging finds a policy, and with which content."""
    by_event = [one for one in policies.for_event(store, policy.event_id) if one == policy]
    by_group = [group for group in policies.groups(store) for page in policies.due(store, group) for one in page if one == policy]
    return {*(["event"] if by_event else []), *by_group}


def test_a_new_policy_is_found_by_id_by_event_and_by_group(store: Store) -> None:
    policies.put_new(store, POLICY)
    assert policies.get(store, POLICY.policy_id) == POLICY
    assert policies.list_all(store) == [POLICY]
    assert found_by(store, POLICY) == {"event", "hour#1"}


def test_a_disabled_policy_is_found_by_id_alone(store: Store) -> None:
    policies.put_new(store, replace(POLICY, enabled=False))
    assert policies.get(store, POLICY.policy_id) == replace(POLICY, enabled=False)
    assert (policies.for_event(store, POLICY.event_id), policies.groups(store)) == ([], [])
    assert policies.of_event(store, POLICY.event_id) == [replace(POLICY, enabled=False)]


def test_switching_off_and_on_takes_the_rows_away_and_puts_them_back(store: Store) -> None:
    off, on = replace(POLICY, enabled=False, version=2), replace(POLICY, version=3)
    policies.put_new(store, POLICY)
    policies.replace(store, POLICY, off)
    assert found_by(store, off) == set()
    policies.replace(store, off, on)
    assert found_by(store, on) == {"event", "hour#1"}


@pytest.mark.parametrize(
    ("change", "group"),
    [
        ({"period": "minute"}, "minute#1"),
        ({"delay_seconds": 180}, "hour#3"),
        ({"window": "rolling", "window_minutes": 60}, "rolling#1"),
        ({"title": "x"}, "hour#1"),
    ],
)
def test_an_edit_moves_the_due_row_to_its_group(store: Store, change: dict[str, object], group: str) -> None:
    after = replace(POLICY, version=2, **change)  # type: ignore[arg-type]
    policies.put_new(store, POLICY)
    policies.replace(store, POLICY, after)
    assert found_by(store, after) == {"event", group}
    assert [one for page in policies.due(store, "hour#1") for one in page] == ([after] if group == "hour#1" else [])


def test_another_event_moves_the_row_by_event(store: Store) -> None:
    after = replace(POLICY, version=2, event_id="other")
    policies.put_new(store, POLICY)
    policies.replace(store, POLICY, after)
    assert (policies.for_event(store, POLICY.event_id), policies.for_event(store, "other")) == ([], [after])


def test_a_deleted_policy_leaves_nothing_but_its_groups_name(store: Store) -> None:
    policies.put_new(store, POLICY)
    policies.delete(store, POLICY, now=NOW)
    assert (policies.get(store, POLICY.policy_id), found_by(store, POLICY)) == (None, set())
    assert policies.groups(store) == ["hour#1"]


def test_who_read_an_older_version_writes_nothing(store: Store) -> None:
    policies.put_new(store, POLICY)
    second = replace(POLICY, version=2, title="second")
    policies.replace(store, POLICY, second)
    with pytest.raises(Stale):
        policies.replace(store, POLICY, replace(POLICY, version=2, period="minute"))
    with pytest.raises(Stale):
        policies.delete(store, POLICY, now=NOW)
    assert (policies.get(store, POLICY.policy_id), found_by(store, second)) == (second, {"event", "hour#1"})
    assert [one for page in policies.due(store, "minute#1") for one in page] == []


def test_an_id_is_taken_once(store: Store) -> None:
    policies.put_new(store, POLICY)
    with pytest.raises(Stale):
        policies.put_new(store, replace(POLICY, title="again"))


@pytest.mark.parametrize("stored", [None, replace(EVENT, version=2)])
def test_a_policy_is_not_stored_with_the_zones_of_an_event_that_was_edited_meanwhile(store: Store, stored: Event | None) -> None:
    if stored:
        events.create(store, EVENT)
        events.replace(store, stored)
    with pytest.raises(Stale):
        policies.put_new(store, POLICY, EVENT)
    assert policies.list_all(store) == []


def test_known_ids_are_those_of_policies(store: Store) -> None:
    for number in range(120):
        policies.put_new(store, replace(POLICY, policy_id=f"p{number:03d}"))
    known = {f"p{number:03d}" for number in range(120)}
    assert pages.known_policies(store, [*known, *known, "nobody"]) == known
    assert pages.known_policies(store, []) == set()


def test_a_group_is_read_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        policies.put_new(store, replace(POLICY, policy_id=f"p{number}"))
    query = store.db.query
    limited = store.db.get_paginator("query")
    monkeypatch.setattr(limited, "_method", lambda **given: query(**given, Limit=2))
    monkeypatch.setattr(store.db, "get_paginator", lambda _name: limited)
    assert [[one.policy_id for one in page] for page in policies.due(store, "hour#1")] == [["p0", "p1"], ["p2", "p3"], ["p4"]]
