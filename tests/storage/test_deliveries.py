"""Records, attempts and trays: written together, once, and found again in order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from nightjar.core.delivery import Attempt, Outcome, Record, Row, row_key, settled
from nightjar.core.instants import DAY, MINUTE, SECOND
from nightjar.storage import deliveries, outbox, settling, trays

from tests.builders import at
from tests.desk import Desk, alert, record, transition

NOW = at("14:03")
TRAY = "f" * 64


@pytest.fixture
def desk() -> Desk:
    return Desk()


def row(number: int = 1, to: str = "d1", alert_id: str = "a1") -> Row:
    key = row_key(NOW, "p1", number, to)
    return Row(tray=TRAY, key=key, policy_id="p1", number=number, alert_id=alert_id, destination_id=to, type="opened", put_at=NOW)


def pending(number: int = 1, to: str = "d1", alert_id: str = "a1") -> Record:
    return Record(alert_id=alert_id, destination_id=to, number=number, type="opened", status="pending", target="s", created_at=NOW)


def announce(desk: Desk, number: int = 1, to: str = "d1", after: tuple[int, ...] = ()) -> str:
    return deliveries.announce(desk.store, pending(number, to), row(number, to), after)


def settle(desk: Desk, outcome: Outcome, *rows: Row, now: int = NOW) -> None:
    settling.settle(desk.store, [settled(each, outcome, "slack", "s", now) for each in rows])


def statuses(desk: Desk) -> list[tuple[str, int, str, int]]:
    return [(each.destination_id, each.number, each.status, each.attempts) for each in deliveries.history(desk.store, "a1")[0]]


def test_a_transition_is_put_into_a_tray_once(desk: Desk) -> None:
    assert [announce(desk), announce(desk), announce(desk, to="d2")] == ["new", "known", "new"]
    assert trays.read_tray(desk.store, TRAY, 10) == [row(), row(to="d2")]
    assert trays.puts(desk.store, TRAY) == 2


def test_a_record_that_is_done_is_not_announced_again(desk: Desk) -> None:
    announce(desk)
    settle(desk, Outcome("sent", 200), row())
    assert announce(desk) == "known"
    assert trays.read_tray(desk.store, TRAY, 10) == []


def test_an_ending_is_not_announced_once_its_opening_has_failed(desk: Desk) -> None:
    announce(desk)
    settle(desk, Outcome("failed", 404), row())
    assert announce(desk, 2, after=(1,)) == "untold"
    assert announce(desk, 3, after=(99, 1)) == "untold"
    announce(desk, 4)
    assert announce(desk, 5, after=(1, 4)) == "new"


def test_what_waits_on_stays_in_its_tray_with_its_attempts_counted(desk: Desk) -> None:
    announce(desk)
    settle(desk, Outcome("down", 500, "500"), row())
    settle(desk, Outcome("busy", 429, "429"), row(), now=NOW + 1)
    assert statuses(desk) == [("d1", 1, "pending", 2)]
    assert trays.read_tray(desk.store, TRAY, 10) == [row()]
    settle(desk, Outcome("sent", 200), row(), now=NOW + 2)
    assert statuses(desk) == [("d1", 1, "sent", 3)]
    assert trays.read_tray(desk.store, TRAY, 10) == []


def test_hundreds_of_rows_are_settled(desk: Desk) -> None:
    rows = [row(number) for number in range(70)]
    settle(desk, Outcome("sent", 200), *rows)
    assert len(deliveries.deliveries(desk.store, "a1", limit=1_000)) == 70


def test_deliveries_list_what_waits_first_then_attempts_newest_first(desk: Desk) -> None:
    announce(desk, 1)
    announce(desk, 2)
    settle(desk, Outcome("down", 500, "500 no"), row(1))
    settle(desk, Outcome("sent", 200), row(1), now=NOW + MINUTE)
    found = deliveries.deliveries(desk.store, "a1")
    assert [(each.status, each.response_status, each.attempt_id is None, each.error_message) for each in found] == [
        ("pending", None, True, None), ("sent", 200, False, None), ("failed", 500, False, "500 no"),
    ]  # fmt: skip
    assert deliveries.deliveries(desk.store, "a1", limit=1, offset=1) == found[1:2]


def test_tests_are_listed_apart(desk: Desk) -> None:
    test = Attempt(attempt_id="t", alert_id="a1", destination_id="d1", channel="slack", target="s", status="sent", created_at=NOW, kind="test")
    deliveries.keep_attempt(desk.store, test)
    announce(desk)
    assert deliveries.deliveries(desk.store, "a1", "test") == [test]
    assert [each.status for each in deliveries.deliveries(desk.store, "a1")] == ["pending"]
    assert len(deliveries.deliveries(desk.store, "a1", "all")) == 2


def test_a_skip_is_recorded_once_with_its_reason(desk: Desk) -> None:
    skipped = replace(pending(), status="skipped", reason="off")
    attempt = settled(row(), Outcome("skipped", None, "off"), "slack", "s", NOW).attempt
    deliveries.skip(desk.store, skipped, attempt)
    deliveries.skip(desk.store, skipped, replace(attempt, attempt_id="other"))
    assert [(each.status, each.error_message) for each in deliveries.deliveries(desk.store, "a1")] == [("skipped", "off")]


def test_which_transitions_are_routed_is_remembered_with_their_trays(desk: Desk) -> None:
    deliveries.mark_routed(desk.store, "a1", 1, {"y", "x"}, NOW)
    deliveries.mark_routed(desk.store, "a1", 2, [], NOW)
    announce(desk)
    records, routed = deliveries.history(desk.store, "a1")
    assert (len(records), routed) == (1, {1: ["x", "y"], 2: []})


def test_an_opening_that_reached_nobody_is_remembered_until_it_does(desk: Desk) -> None:
    assert deliveries.unrouted(desk.store, "a1") is None
    deliveries.note_unrouted(desk.store, "a1", "p1", 7, desk.now)
    assert deliveries.unrouted(desk.store, "a1") == ("p1", 7)
    deliveries.forget_unrouted(desk.store, "a1")
    assert deliveries.unrouted(desk.store, "a1") is None


def test_records_and_attempts_live_400_days_and_trays_for_ever(desk: Desk) -> None:
    announce(desk)
    settle(desk, Outcome("down", 500, ""), row())
    items = desk.store.db.scan(TableName=desk.store.tables.deliveries)["Items"]
    assert {item["SK"]["S"][:2]: int(item["x"]["N"]) for item in items if "x" in item} == dict.fromkeys(("a#", "r#"), (NOW + 400 * DAY) // SECOND)


def test_a_tray_is_cleared_only_if_nothing_was_put_into_it_since(desk: Desk) -> None:
    announce(desk)
    seen = trays.puts(desk.store, TRAY)
    assert seen == 1
    announce(desk, 2)
    assert not trays.clear(desk.store, TRAY, seen)
    assert trays.waiting_since(desk.store, NOW) == [TRAY]
    assert trays.clear(desk.store, TRAY, 2)
    assert trays.waiting_since(desk.store, NOW) == []
    assert trays.puts(desk.store, TRAY) is None


def test_a_tray_is_old_when_its_oldest_row_is(desk: Desk) -> None:
    announce(desk)
    deliveries.announce(desk.store, pending(2), replace(row(2), put_at=NOW + 10 * MINUTE))
    assert trays.waiting_since(desk.store, NOW - 1) == []
    assert trays.waiting_since(desk.store, NOW) == [TRAY]


def cancelled(times: int, reasons: Sequence[str] = ("None", "None", "TransactionConflict")) -> Callable[..., None]:
    """Let so many transactions be cancelled: they meet another one, or what the reasons say."""
    left = [times]

    def refuse(params: Any, **_: Any) -> Any:
        if left[0]:
            left[0] -= 1
            body = {"__type": "TransactionCanceledException", "CancellationReasons": [{"Code": reason} for reason in reasons]}
            return _response(400), {"Error": {"Code": "TransactionCanceledException", "Message": "x"}, **body}
        return None

    return refuse


def _response(status: int) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(status_code=status, headers={}, content=b"")


def test_a_transaction_that_meets_another_is_made_again(desk: Desk) -> None:
    desk.store.db.meta.events.register("before-call.dynamodb.TransactWriteItems", cancelled(3))
    assert announce(desk) == "new"
    assert trays.puts(desk.store, TRAY) == 1


def test_a_transaction_that_always_meets_another_is_a_fault(desk: Desk) -> None:
    desk.store.db.meta.events.register("before-call.dynamodb.TransactWriteItems", cancelled(100))
    with pytest.raises(desk.store.db.exceptions.TransactionCanceledException):
        announce(desk)


def test_transitions_are_read_from_the_stream_and_by_name(desk: Desk) -> None:
    told = [transition(alert(), number=1), transition(alert(), "resolved", 2, clock="14:06")]
    for each in told:
        desk.write(each)
    assert [outbox.from_stream(record(each)) for each in told] == told
    assert outbox.read(desk.store, [("p1", 1), ("p1", 2), ("p1", 3), ("p2", 1)]) == {("p1", 1): told[0], ("p1", 2): told[1]}


@pytest.mark.parametrize(
    "change", [{"eventName": "MODIFY"}, {"eventName": "REMOVE"}, {"dynamodb": {"Keys": {}, "NewImage": {"SK": {"S": "state"}}}}, {"dynamodb": {}}]
)
def test_any_other_stream_record_is_no_transition(change: dict[str, Any]) -> None:
    assert outbox.from_stream(record(transition(alert()), **change)) is None


def test_the_transitions_of_one_alert_lie_together(desk: Desk) -> None:
    first, second = alert(opened="14:03"), alert(opened="14:13")
    told = [
        transition(first),
        transition(first, "resolved", 2),
        transition(second, number=3),
        transition(second, "reminded", 4),
        transition(second, "resolved", 5),
    ]
    for each in told:
        desk.write(each)
    assert outbox.before(desk.store, told[4]) == told[2:4]
    assert outbox.before(desk.store, told[0]) == []
    assert outbox.after(desk.store, (told[2].alert.policy_id, told[2].number), told[2].alert.alert_id) == told[3:]
    assert outbox.after(desk.store, (told[0].alert.policy_id, told[0].number), told[0].alert.alert_id) == told[1:2]
