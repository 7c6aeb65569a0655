"""THE ONE TRANSACTION: who was overtaken reads again, who met a busy storage says so, and a state older than its transitions is told of."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from nightjar.core.state import Decision, State
from nightjar.storage import alerts, outbox
from nightjar.storage.client import Store
from nightjar.storage.faults import Broken, is_fault

from tests.contract.world import simulated, tables
from tests.desk import alert, transition
from tests.storage.test_deliveries import cancelled


@pytest.fixture
def store() -> Iterator[Store]:
    with simulated() as db, tables(db) as found:
        yield found


BEFORE = State(policy_id="p1")


def opening(before: State = BEFORE, of: str = "p1") -> Decision:
    """An alert opens."""
    opened = transition(alert(of), number=before.number + 1)
    state = replace(before, version=before.version + 1, number=opened.number, open=opened.alert)
    return Decision("opened", state, [opened], [opened.alert])


def rows(store: Store) -> list[str]:
    return sorted(item["SK"]["S"] for item in store.db.scan(TableName=store.tables.alerts)["Items"])


def test_a_decision_is_written_whole(store: Store) -> None:
    decision = opening()
    alerts.commit(store, BEFORE, decision)
    assert alerts.load_state(store, "p1") == decision.state
    assert alerts.get_alert(store, decision.alerts[0].alert_id) == decision.alerts[0]
    assert outbox.read(store, [("p1", 1)]) == {("p1", 1): decision.transitions[0]}


def test_a_decision_from_an_older_state_writes_nothing(store: Store) -> None:
    alerts.commit(store, BEFORE, opening())
    there = rows(store)
    with pytest.raises(alerts.Conflict):
        alerts.commit(store, BEFORE, opening())
    assert rows(store) == there


def test_a_state_older_than_its_transitions_is_broken_and_says_what_mends_it(store: Store) -> None:
    alerts.commit(store, BEFORE, opening())
    store.db.delete_item(TableName=store.tables.alerts, Key={"PK": {"S": "p1"}, "SK": {"S": "state"}})
    there = rows(store)
    with pytest.raises(Broken, match=r"transition 1 of p1 is there, but its state knows of 0 only.* delete the rows .* from `t#000001` on") as found:
        alerts.commit(store, BEFORE, opening())
    assert not is_fault(found.value)
    assert rows(store) == there


@pytest.mark.parametrize(
    ("reasons", "raised"),
    [
        (["TransactionConflict", "None", "None"], alerts.Conflict),
        (["None", "TransactionConflict", "ThrottlingError"], alerts.Conflict),
        (["ConditionalCheckFailed", "None", "ConditionalCheckFailed"], alerts.Conflict),
        (["None", "ThrottlingError", "None"], ClientError),
        (["None", "None", "ProvisionedThroughputExceeded"], ClientError),
    ],
)
def test_a_cancelled_transaction_is_a_conflict_only_where_somebody_else_wrote(store: Store, reasons: list[str], raised: type[Exception]) -> None:
    refuse: Callable[..., Any] = cancelled(1, reasons)
    store.db.meta.events.register("before-call.dynamodb.TransactWriteItems", refuse)
    with pytest.raises(raised) as found:
        alerts.commit(store, BEFORE, opening())
    assert is_fault(found.value) == (raised is ClientError)
    alerts.commit(store, BEFORE, opening())
