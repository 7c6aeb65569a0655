"""How long to wait, when to give up, what is told together."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from nightjar.core.delivery import Outcome, Row, attempt_id, delivery_id, row_key, same_alert, settled, tray_of
from nightjar.core.instants import HOUR, SECOND
from nightjar.core.retries import retry_after, wait_seconds

from tests.builders import at
from tests.desk import slack

NOW = at("14:03")


def http_date(seconds: int) -> str:
    return format_datetime(datetime(2026, 3, 3, 14, 3, tzinfo=UTC) + timedelta(seconds=seconds), usegmt=True)


def row(number: int = 1, *, alert: str = "a1", to: str = "d1", put_at: int = NOW) -> Row:
    key = row_key(NOW, "p1", number, to)
    return Row(tray="x", key=key, policy_id="p1", number=number, alert_id=alert, destination_id=to, type="opened", put_at=put_at)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("1", 1, 3), ("1.5", 1.5, 4), (http_date(20), 19, 22), (http_date(86_400), 900, 910), (http_date(-60), 1, 3), (None, 1, 3), ("", 1, 3),
        ("abc", 1, 3), ("-5", 1, 3), ("0", 1, 3), ("86400", 900, 910), ("999999999", 900, 910), ("1e999", 900, 910), ("NaN", 1, 3), ("Infinity", 1, 3),
        ("9" * 400, 900, 910), ("0.0001", 1, 3), ("Mon, 99 Foo 2026 00:00:00 GMT", 1, 3), ("1 2", 1, 3), ("\u0665", 1, 10),
    ],
)  # fmt: skip
def test_a_429_waits_as_long_as_its_header_says_within_limits(header: str | None, least: float, most: float) -> None:
    assert least <= wait_seconds(Outcome("busy", 429, retry_after=retry_after(header, NOW)), 1) <= most


def test_without_a_header_the_wait_grows_from_a_second_to_a_quarter_of_an_hour() -> None:
    waits = [wait_seconds(Outcome("busy", 429), failures) for failures in (1, 2, 3, 4, 11, 1_000)]
    assert waits == [1, 2, 4, 8, 900, 900]


def test_a_receiver_that_is_down_is_tried_again_at_growing_distances() -> None:
    waits = [wait_seconds(Outcome("down", 500), failures) for failures in (1, 2, 3, 10, 1_000)]
    assert waits == [2, 4, 8, 900, 900]


def test_a_receiver_that_is_down_is_given_up_by_age_and_not_before() -> None:
    young = settled(row(put_at=NOW - 24 * HOUR + SECOND), Outcome("down", 500, "500 oops"), "slack", "s", NOW)
    old = settled(row(put_at=NOW - 24 * HOUR), Outcome("down", 500, "500 oops"), "slack", "s", NOW)
    assert (young.status, young.attempt.status) == ("pending", "failed")
    assert (old.status, old.attempt.error_message) == ("failed", "given up after 24 hours: 500 oops")


def test_a_429_is_never_given_up() -> None:
    assert settled(row(put_at=NOW - 100 * HOUR), Outcome("busy", 429), "slack", "s", NOW).status == "pending"


def test_destinations_with_one_url_share_a_tray_and_others_do_not() -> None:
    one = slack("d1", url="https://hooks.slack.com/services/a")
    assert tray_of(one) == tray_of(slack("d2", url="https://hooks.slack.com/services/a"))
    assert tray_of(one) != tray_of(slack("d1", url="https://hooks.slack.com/services/b"))
    telegram = [slack(channel="telegram", url="", credentials=(("bot_token", token), ("chat_id", "1"))) for token in ("1:a", "1:b")]
    assert tray_of(telegram[0]) != tray_of(telegram[1])


def test_rows_lie_in_the_order_of_the_clock_then_of_the_policys_transitions() -> None:
    keys = [row_key(1, "p", 2, "d"), row_key(1, "p", 10, "d"), row_key(2, "a", 1, "d"), row_key(10**15, "a", 1, "d")]
    assert keys == sorted(keys)


def test_rows_of_one_alert_become_one_group_in_the_place_of_the_first() -> None:
    rows = [row(1, alert="a1"), row(2, alert="a2"), row(3, alert="a1"), row(4, alert="a3")]
    assert [[found.number for found in group] for group in same_alert(rows)] == [[1, 3], [2], [4]]


def test_a_message_is_named_by_what_is_in_it_whoever_it_is_for() -> None:
    assert delivery_id([row(1), row(2)]) == delivery_id([row(2, to="d2"), row(1), row(2)])
    assert delivery_id([row(1)]) != delivery_id([row(1), row(2)])
    assert attempt_id(row(1), NOW) != attempt_id(row(1), NOW + 1)


def test_seconds_of_any_spelling_are_read_as_decimals() -> None:
    assert retry_after(" 1.50 ", NOW) == Decimal("1.5")
