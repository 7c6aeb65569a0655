"""How long a webhook rests: as long as it asks, else longer with each failure of the same kind in a row, whatever came before."""

from decimal import Decimal

from nightjar.channels.transport import Answer
from nightjar.core.delivery import tray_of
from nightjar.storage import trays

from tests.desk import Desk, Step, alert, slack, transition

TRAY, URL = tray_of(slack()), slack().url
ASKED = Answer(429, {"retry-after": "1"}, b"slow down")


def rests(desk: Desk, *answers: Step) -> list[int]:
    """Post one after the other, and return how long the bell rested each time."""
    desk.receivers.scripts[URL] = [*answers, 503]
    before = len(desk.hidden)
    for _ in answers:
        desk.deliver(TRAY)
    return desk.hidden[before:]


def test_a_503_after_many_429_waits_like_the_first(desk: Desk) -> None:
    desk.route(transition(alert()))
    assert rests(desk, *[ASKED] * 9, 503, 503, 503) == [1] * 9 + [2, 4, 8]


def test_a_429_that_says_nothing_after_many_that_do_waits_a_second(desk: Desk) -> None:
    desk.route(transition(alert()))
    assert rests(desk, *[ASKED] * 8, 429, 429, 429) == [1] * 8 + [1, 2, 4]


def test_kinds_in_turns_never_grow(desk: Desk) -> None:
    desk.route(transition(alert()))
    assert rests(desk, 503, 503, 429, 503, ASKED, 503, 429) == [2, 4, 1, 2, 1, 2, 1]


def test_a_message_that_was_taken_in_between_begins_anew(desk: Desk) -> None:
    desk.route(*(transition(alert(f"p{number:02d}")) for number in range(50)))
    assert rests(desk, 503, 503) == [2, 4]
    assert rests(desk, 200, 503) == [2, 4]  # the first of two messages is taken, the second is not, twice


def test_what_is_put_in_meanwhile_changes_nothing(desk: Desk) -> None:
    desk.route(transition(alert()))
    assert rests(desk, 503, 503) == [2, 4]
    desk.route(transition(alert("p2")))
    assert rests(desk, 503) == [8]


def test_a_tray_that_was_emptied_forgets_its_failures(desk: Desk) -> None:
    desk.route(transition(alert()))
    assert rests(desk, 503, 503) == [2, 4]
    assert rests(desk, 200) == []
    desk.route(transition(alert("p2")))
    assert rests(desk, 503) == [2]


def test_two_receivers_that_share_a_tray_for_a_while_rest_as_long_as_the_slower_asks(desk: Desk) -> None:
    desk.add(slack("d2", url=URL))
    desk.route(transition(alert()))
    desk.change("d2", url=slack("d2").url)
    desk.receivers.scripts[slack("d2").url] = [Answer(429, {"retry-after": str(Decimal(30))}, b"")]
    assert rests(desk, 503, 503, 503) == [30, 30, 30]
    desk.receivers.scripts[slack("d2").url] = [503]
    assert rests(desk, 503, 503) == [2, 4]


def test_a_failure_of_a_tray_that_is_gone_leaves_nothing_behind(desk: Desk) -> None:
    assert trays.count_failure(desk.store, TRAY, "down x") == 1
    assert trays.puts(desk.store, TRAY) is None
