"""What waits together is given up together, by the time for which its receiver was not merely busy."""

from nightjar.core.delivery import Outcome, Row, row_key
from nightjar.core.instants import HOUR, SECOND
from nightjar.core.stories import settle_all

from tests.builders import at

NOW = at("14:03")
DOWN, BUSY = Outcome("down", 503, "503"), Outcome("busy", 429, "429")


def row(number: int, type: str = "opened", *, hours: int = 0, to: str = "d1", alert: str = "a1", busy: int = 0) -> Row:
    """A row that was put into its tray so many hours ago, and last met a busy receiver so many."""
    return Row(
        tray="x", key=row_key(NOW, "p1", number, to) + alert, policy_id="p1", number=number, alert_id=alert, destination_id=to,
        type=type, put_at=NOW - hours * HOUR, busy_since=NOW - busy * HOUR if busy else 0,
    )  # type: ignore[arg-type]  # fmt: skip


def after(outcome: Outcome, *rows: Row) -> list[str]:
    return [one.status for one in settle_all(rows, outcome, "slack", "s", NOW)]


def test_an_ending_and_a_reminder_are_given_up_with_the_opening_that_waits_before_them() -> None:
    assert after(DOWN, row(1, hours=24), row(2, "reminded", hours=1), row(3, "resolved")) == ["failed"] * 3
    assert after(DOWN, row(1, hours=23), row(2, "reminded", hours=1), row(3, "resolved")) == ["pending"] * 3


def test_an_ending_whose_opening_does_not_wait_has_a_day_of_its_own_also_behind_an_old_reminder() -> None:
    assert after(DOWN, row(2, "reminded", hours=24), row(3, "resolved", hours=1)) == ["failed", "pending"]


def test_a_reopening_begins_anew() -> None:
    rows = [row(1, hours=24), row(2, "resolved", hours=23), row(3, "reopened", hours=1), row(4, "resolved")]
    assert after(DOWN, *rows) == ["failed", "failed", "pending", "pending"]


def test_another_alert_and_another_destination_are_not_concerned() -> None:
    rows = [row(1, hours=24), row(2, "resolved", to="d2"), row(2, "resolved", alert="a2"), row(2, "resolved")]
    assert after(DOWN, *rows) == ["failed", "pending", "pending", "failed"]


def test_the_time_for_which_a_receiver_was_busy_does_not_count() -> None:
    assert after(DOWN, row(1, hours=30, busy=7)) == ["pending"]
    assert after(DOWN, row(1, hours=30, busy=6)) == ["failed"]
    assert after(DOWN, row(1, hours=30, busy=7), row(2, "resolved")) == ["pending"] * 2


def test_a_busy_receiver_is_noted_on_what_waits_until_it_answers_otherwise() -> None:
    (first,) = settle_all([row(1, hours=2)], BUSY, "slack", "s", NOW)
    assert (first.row.put_at, first.row.busy_since, first.changed) == (NOW - 2 * HOUR, NOW, True)
    (second,) = settle_all([first.row], BUSY, "slack", "s", NOW + HOUR)
    assert (second.row.put_at, second.row.busy_since) == (NOW - HOUR, NOW + HOUR)
    (third,) = settle_all([second.row], DOWN, "slack", "s", NOW + HOUR + SECOND)
    assert (third.row.put_at, third.row.busy_since, third.changed) == (NOW - HOUR + SECOND, 0, True)
    (fourth,) = settle_all([third.row], DOWN, "slack", "s", NOW + 2 * HOUR)
    assert (fourth.row, fourth.changed) == (third.row, False)
