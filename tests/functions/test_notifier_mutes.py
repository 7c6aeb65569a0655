"""What mutes hold: held, released, skipped, dropped; and nobody dies or races in between in a way that loses or repeats a message."""

from dataclasses import replace
from typing import Any

import pytest
from nightjar.core.delivery import tray_of
from nightjar.core.instants import HOUR
from nightjar.core.mutes import Mute
from nightjar.core.policies import ActiveHours
from nightjar.core.quiet import DELETED, DISABLED, HELD, OVER, UNTOLD, UNWANTED
from nightjar.pipeline.release import release
from nightjar.pipeline.route import route_again
from nightjar.storage import deliveries, destinations, held, mutes, policies
from nightjar.storage.faults import StorageBusy

from tests.builders import at, policy
from tests.desk import Desk, alert, slack, transition

OPENED = transition(alert())
REMINDED = transition(alert(), "reminded", 2, clock="14:33")
ENDED = transition(alert(), "resolved", 2, clock="14:06")
LATER = transition(alert(), "resolved", 2, clock="15:10")
MUTE = Mute(mute_id="m1", agent="worker.*", until=at("15:00"))


@pytest.fixture
def desk(desk: Desk) -> Desk:
    mutes.put_new(desk.store, MUTE)
    return desk


def tick(desk: Desk, clock: str) -> None:
    """What a tick does for what is held, and the bells that it rings."""
    desk.now = max(desk.now, at(clock))
    release(desk.store, clock=at(clock), now=desk.now, token=clock, queue=desk.queue)
    route_again(desk.store, [OPENED.alert.alert_id], clock=at(clock), now=desk.now, queue=desk.queue)
    desk.deliver_all()


def told(desk: Desk, of: Any = OPENED) -> list[tuple[str, str | None]]:
    """The deliveries of an alert, oldest first, with their reasons."""
    return [(each.status, each.error_message) for each in desk.attempts(of.alert)]


def test_an_opening_is_held_and_sent_once_when_the_mute_ends(desk: Desk) -> None:
    desk.route(OPENED)
    assert (told(desk), desk.bells()) == ([("pending", HELD)], [])
    tick(desk, "14:59")
    assert desk.receivers.posts == []
    tick(desk, "15:00")
    tick(desk, "15:01")
    assert (told(desk), len(desk.receivers.posts), held.read_all(desk.store)) == ([("sent", None)], 1, [])


def test_an_opening_whose_alert_ends_in_the_mute_is_skipped_and_its_ending_not_told(desk: Desk) -> None:
    desk.route(OPENED)
    desk.route(ENDED)
    tick(desk, "15:00")
    assert (told(desk), desk.receivers.posts, held.read_all(desk.store)) == ([("skipped", OVER)], [], [])


def test_an_opening_whose_ending_is_stored_but_not_yet_routed_is_skipped(desk: Desk) -> None:
    desk.route(OPENED)
    desk.write(LATER)
    tick(desk, "15:10")
    desk.route_only([LATER])
    desk.deliver_all()
    assert (told(desk), desk.receivers.posts) == ([("skipped", OVER)], [])


def test_the_ending_of_what_was_told_before_is_held_and_always_sent(desk: Desk) -> None:
    mutes.delete(desk.store, "m1")
    desk.route(OPENED)
    desk.deliver_all()
    mutes.put_new(desk.store, MUTE)
    desk.route(ENDED)
    tick(desk, "14:59")
    assert sorted(told(desk), key=str) == [("pending", HELD), ("sent", None)]
    tick(desk, "15:00")
    tick(desk, "15:01")
    assert ([status for status, _ in told(desk)], len(desk.receivers.posts)) == (["sent", "sent"], 2)


def test_an_ending_after_the_release_is_told_like_any_other(desk: Desk) -> None:
    desk.route(OPENED)
    tick(desk, "15:00")
    desk.route(LATER)
    desk.deliver_all()
    assert [status for status, _ in told(desk)] == ["sent", "sent"]


def test_an_opening_that_was_released_and_not_sent_yet_and_its_ending_are_one_line(desk: Desk) -> None:
    desk.route(OPENED)
    release(desk.store, clock=at("15:00"), now=at("15:00"), token="t", queue=desk.queue)
    desk.route(LATER)
    desk.deliver_all()
    assert ([status for status, _ in told(desk)], len(desk.receivers.posts)) == (["sent", "sent"], 1)


def test_reminders_are_dropped_without_a_record(desk: Desk) -> None:
    mutes.delete(desk.store, "m1")
    desk.route(OPENED)
    desk.deliver_all()
    mutes.put_new(desk.store, MUTE)
    desk.route(REMINDED)
    tick(desk, "15:00")
    assert (told(desk), len(desk.receivers.posts)) == ([("sent", None)], 1)


def test_a_deleted_mute_ends_at_once(desk: Desk) -> None:
    desk.route(OPENED)
    mutes.delete(desk.store, "m1")
    tick(desk, "14:04")
    assert told(desk) == [("sent", None)]


@pytest.mark.parametrize("ends", ["edited", "deleted"])
def test_a_policys_own_mute_is_read_as_it_is_now_and_ends_with_its_policy(desk: Desk, ends: str) -> None:
    mutes.delete(desk.store, "m1")
    quiet = policy(mute_until=at("15:00"))
    policies.put_new(desk.store, quiet)
    desk.route(OPENED)
    if ends == "edited":
        policies.replace(desk.store, quiet, replace(quiet, mute_until=None, version=2))
    else:
        policies.delete(desk.store, quiet, now=desk.now)
    tick(desk, "14:04")
    assert told(desk) == [("sent", None)]


def test_a_deleted_policys_active_hours_still_hold(desk: Desk) -> None:
    mutes.delete(desk.store, "m1")
    quiet = policy(active_hours=ActiveHours(days=("tue",), start="15:00", end="16:00"))
    policies.put_new(desk.store, quiet)
    desk.route(OPENED)
    policies.delete(desk.store, quiet, now=desk.now)
    tick(desk, "14:04")
    assert told(desk) == [("pending", HELD)]
    tick(desk, "15:00")
    assert told(desk) == [("sent", None)]


@pytest.mark.parametrize("now", [{"min_severity": "critical"}, {"scope": "policies", "policy_ids": ("other",)}])
def test_what_a_destination_does_not_want_any_more_when_the_mute_ends_is_skipped_and_so_is_its_ending(desk: Desk, now: dict[str, Any]) -> None:
    desk.route(OPENED)
    desk.change("d1", **now)
    tick(desk, "15:00")
    assert (told(desk), desk.receivers.posts) == ([("skipped", UNWANTED)], [])
    desk.route(ENDED)
    desk.deliver_all()
    assert desk.receivers.posts == []


def test_a_destinations_own_mute_holds_only_its_messages(desk: Desk) -> None:
    mutes.delete(desk.store, "m1")
    desk.add(slack("quiet", mute_until=at("15:00")))
    desk.route(OPENED)
    desk.deliver_all()
    assert [each.status for name in ("d1", "quiet") for each in desk.attempts(OPENED.alert, name)] == ["sent", "pending"]
    desk.route(ENDED)
    tick(desk, "15:00")
    assert desk.statuses(OPENED.alert, "d1") == ["sent 200", "sent 200"]
    assert desk.statuses(OPENED.alert, "quiet") == ["skipped"]


def test_a_destination_disabled_in_the_mute_is_skipped_at_its_end(desk: Desk) -> None:
    desk.route(OPENED)
    desk.change("d1", enabled=False)
    tick(desk, "14:04")
    assert told(desk) == [("pending", HELD)]
    tick(desk, "15:00")
    assert (told(desk), desk.receivers.posts) == ([("skipped", DISABLED)], [])


def test_what_is_held_for_a_deleted_destination_fails_with_the_next_tick(desk: Desk) -> None:
    desk.route(OPENED)
    destinations.delete(desk.store, "d1")
    tick(desk, "14:04")
    assert told(desk) == [("failed", DELETED)]


def test_a_destination_made_in_the_mute_hears_of_it_at_its_end_too(desk: Desk) -> None:
    desk.route(OPENED)
    desk.add(slack("new"))
    tick(desk, "14:04")
    tick(desk, "14:05")
    assert [each.status for each in desk.attempts(OPENED.alert)] == ["pending", "pending"]
    tick(desk, "15:00")
    assert desk.statuses(OPENED.alert) == ["sent 200", "sent 200"]
    tick(desk, "15:01")
    assert deliveries.unrouted(desk.store, OPENED.alert.alert_id) is None


def test_a_destination_made_in_a_mute_of_an_alert_that_found_none_is_held(desk: Desk) -> None:
    destinations.delete(desk.store, "d1")
    mutes.delete(desk.store, "m1")
    desk.route(OPENED)
    mutes.put_new(desk.store, MUTE)
    desk.add(slack("new"))
    tick(desk, "14:30")
    assert told(desk) == [("pending", HELD)]
    tick(desk, "15:00")
    assert told(desk) == [("sent", None)]


def test_a_held_ending_of_an_opening_that_failed_in_the_mute_is_skipped(desk: Desk) -> None:
    mutes.delete(desk.store, "m1")
    desk.receivers.scripts[slack().url] = [503, 410]
    desk.route(OPENED)
    desk.deliver_all()
    mutes.put_new(desk.store, MUTE)
    desk.route(ENDED)
    tick(desk, "14:30")
    desk.deliver(tray_of(slack()))
    assert [each.record.type for each in held.read_all(desk.store)] == ["resolved"]
    tick(desk, "15:00")
    assert ("skipped", UNTOLD) in told(desk)
    assert held.read_all(desk.store) == []


def test_a_mute_that_the_engine_never_reaches_holds_on_whatever_the_wall_clock_says(desk: Desk) -> None:
    desk.now += 10 * HOUR
    desk.route(OPENED)
    release(desk.store, clock=at("14:04"), now=desk.now, token="t", queue=desk.queue)
    assert told(desk) == [("pending", HELD)]


def test_nothing_held_costs_one_query(desk: Desk) -> None:
    seen: list[str] = []
    desk.cloud.after = lambda _, operation, __: seen.append(operation)
    release(desk.store, clock=at("15:00"), now=desk.now, token="t", queue=desk.queue)
    assert seen == ["Query"]


def test_a_message_at_which_the_code_fails_does_not_keep_the_others_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    other = transition(alert("p2"))
    desk.route(OPENED, other)
    real = held.release

    def broken(store: Any, one: Any, row: Any) -> Any:
        if one.policy_id == "p1":
            raise ZeroDivisionError
        return real(store, one, row)

    monkeypatch.setattr(held, "release", broken)
    tick(desk, "15:00")
    assert (told(desk), told(desk, other)) == ([("pending", HELD)], [("sent", None)])
    monkeypatch.setattr(held, "release", real)
    tick(desk, "15:01")
    assert told(desk) == [("sent", None)]


def test_a_fault_of_storage_is_raised_so_that_the_next_tick_does_it_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.route(OPENED)

    def busy(*_: Any) -> Any:
        raise StorageBusy

    monkeypatch.setattr(held, "release", busy)
    with pytest.raises(StorageBusy):
        tick(desk, "15:00")
