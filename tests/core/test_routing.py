"""Who is told of what."""

import pytest
from nightjar.core.delivery import Record, RecordStatus
from nightjar.core.routing import reached, targets, untold

from tests.desk import alert, slack, transition

OPENED = transition(alert(severity="error"))
ENDED = transition(alert(severity="error"), "resolved", 3, clock="14:06")


def record(to: str = "d1", number: int = 1, type: str = "opened", status: RecordStatus = "sent") -> Record:
    return Record(alert_id=OPENED.alert.alert_id, destination_id=to, number=number, type=type, status=status)  # type: ignore[arg-type]


def names(found: list[object]) -> list[str]:
    return [target.destination_id for target in found if not target.skipped]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["opened", "reopened", "reminded"])
def test_an_opening_goes_to_all_that_want_it(kind: str) -> None:
    told = transition(alert(severity="error"), kind)  # type: ignore[arg-type]
    wanting = [slack("all"), slack("mine", scope="policies", policy_ids=("p1",)), slack("severe", min_severity="error")]
    others = [slack("off", enabled=False), slack("other", scope="policies", policy_ids=("p2",)), slack("critical", min_severity="critical")]
    assert names(list(targets(told, [*others, *wanting], []))) == ["all", "mine", "severe"]


def test_an_ending_goes_to_those_who_were_told_of_the_opening_whatever_they_want_now() -> None:
    now = [slack("sent", min_severity="critical"), slack("waits", scope="policies"), slack("failed"), slack("new")]
    records = [record("sent"), record("waits", status="pending"), record("failed", status="failed")]
    assert names(list(targets(ENDED, now, records))) == ["sent", "waits"]


def test_an_ending_names_the_transitions_that_told_of_the_alert_those_that_were_sent_first() -> None:
    (found,) = targets(ENDED, [slack()], [record(number=0, status="failed"), record(number=1, status="pending"), record(number=2, type="reminded")])
    assert found.after == (2, 1)


def test_a_destination_disabled_or_deleted_in_between_is_skipped_with_the_reason() -> None:
    found = targets(ENDED, [slack("off", enabled=False)], [record("off"), record("gone")])
    assert {target.destination_id: target.skipped for target in found} == {"off": "the destination was disabled", "gone": "the destination was deleted"}


def test_an_ending_is_not_told_again_to_who_has_heard_of_an_earlier_one() -> None:
    records = [record("old", 1), record("old", 2, "resolved"), record("new", 3, "reopened")]
    ended = transition(alert(), "resolved", 4)
    assert names(list(targets(ended, [slack("old"), slack("new")], records))) == ["new"]


def test_who_was_only_reminded_hears_of_the_end_too() -> None:
    assert names(list(targets(ENDED, [slack()], [record(number=2, type="reminded")]))) == ["d1"]


def test_an_alert_has_reached_somebody_once_an_opening_is_sent_or_waits() -> None:
    assert not reached([])
    assert not reached([record(status="failed"), record(type="resolved")])
    assert reached([record(status="pending")])
    assert reached([record("a", status="failed"), record("b")])


def test_what_reached_nobody_is_routed_again_only_to_who_has_no_record() -> None:
    assert names(list(untold(OPENED, [slack("had"), slack("new"), slack("off", enabled=False)], [record("had", status="failed")]))) == ["new"]
