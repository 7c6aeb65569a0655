"""What an edit calls for is done by the next ticks where the edit's own judgement fails, or whoever stores it dies."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from unittest import mock

import pytest
from nightjar.core.instants import MINUTE, SECOND, iso
from nightjar.pipeline import judge
from nightjar.storage import alerts, open_rows, policies
from nightjar.storage.faults import StorageBusy

from tests.world import START, World, world


class Died(BaseException):
    """The process is gone."""


@pytest.fixture
def on_moto() -> Iterator[World]:
    with world() as made:
        tick(made, 0)
        yield made


def tick(on: World, *minutes: int) -> None:
    for minute in minutes:
        on.now = START + minute * MINUTE + 2 * SECOND
        on.tick(START + minute * MINUTE)


def policy(on: World, **given: Any) -> str:
    body = {"event": "job", "period": "hour", "active_from": "2026-03-02T00:00:00Z", **given}
    return str(on.made("POST", "/v1.0/policies", body)["policy_id"])


def log(on: World, value: int, count: int = 1) -> None:
    on.send([{"event": "job", "value": value, "occurred_at": iso(on.now)} for _ in range(count)])
    on.roll_up()


def busy(*_: Any, **__: Any) -> None:
    raise StorageBusy("settling: try again")


def die(*_: Any, **__: Any) -> None:
    raise Died


@pytest.mark.parametrize("dies", [False, True])
def test_what_a_shorter_delay_releases_is_judged_though_the_edit_fails(on_moto: World, dies: bool) -> None:
    slow = policy(on_moto, aggregate="average", condition="gt", threshold=20, delay_seconds=3_600)
    log(on_moto, 50)
    tick(on_moto, 30, 60, 69)
    if dies:
        with mock.patch("nightjar.api.policies._judge", die), pytest.raises(Died):
            on_moto("PUT", f"/v1.0/policies/{slow}", {"delay_seconds": 60})
    else:
        with mock.patch.object(judge, "settle_revision", busy):
            assert on_moto("PUT", f"/v1.0/policies/{slow}", {"delay_seconds": 60}).status == 200
    assert on_moto.alerts() == []
    tick(on_moto, 70, 71, 72, 73)
    assert [iso(alert.triggered_at) for alert in on_moto.alerts()] == ["2026-03-03T15:10:00Z"]


def test_new_reminders_come_though_the_edit_fails(on_moto: World) -> None:
    daily = policy(on_moto, period="day", aggregate="count", condition="gt", threshold=0)
    log(on_moto, 1)
    tick(on_moto, 1)
    with mock.patch.object(judge, "settle_revision", busy):
        assert on_moto("PUT", f"/v1.0/policies/{daily}", {"renotify_minutes": 30}).status == 200
    tick(on_moto, *range(2, 65))
    assert [each.type for each in on_moto.transitions()] == ["opened", "reminded", "reminded"]


def test_a_wide_rolling_window_that_was_held_back_is_judged_by_the_next_tick(on_moto: World) -> None:
    policy(on_moto, window="rolling", window_minutes=180, aggregate="count", condition="lt", threshold=5, active_from="2026-03-03T12:00:00Z")
    log(on_moto, 1)
    tick(on_moto, 1)
    on_moto.send([{"event": "job", "value": 1, "occurred_at": iso(START + 5 * MINUTE)}])
    tick(on_moto, 60, 61, 62, 63, 64)
    assert (on_moto.alerts(), on_moto.held_back() > 0) == ([], True)
    on_moto.roll_up()
    tick(on_moto, 65, 66)
    assert [iso(alert.triggered_at) for alert in on_moto.alerts()] == ["2026-03-03T15:05:00Z"]


def test_a_shorter_delay_of_a_wide_rolling_policy_does_not_lose_its_full_hour(on_moto: World) -> None:
    slow = policy(on_moto, window="rolling", window_minutes=180, aggregate="count", condition="gt", threshold=2, delay_seconds=3_600)
    log(on_moto, 1, 5)
    tick(on_moto, *range(30, 91, 10))
    on_moto.made("PUT", f"/v1.0/policies/{slow}", {"delay_seconds": 60})
    tick(on_moto, 91, 92)
    assert [iso(alert.triggered_at) for alert in on_moto.alerts()] == ["2026-03-03T15:31:00Z"]


@pytest.mark.parametrize("dies", [False, True])
def test_a_shorter_delay_loses_nothing_of_a_tick_that_has_died_or_still_runs(on_moto: World, dies: bool) -> None:
    slow = policy(on_moto, aggregate="count", condition="lt", threshold=10, delay_seconds=600, active_from="2026-03-03T14:00:00Z")
    tick(on_moto, 30, 60, 69)
    groups = policies.groups

    def edited(store: Any) -> list[str]:
        found = groups(store)
        if dies:
            raise StorageBusy("throttled: try again")
        assert on_moto("PUT", f"/v1.0/policies/{slow}", {"delay_seconds": 60}).status == 200
        return found

    with mock.patch.object(policies, "groups", edited), suppress(StorageBusy):
        tick(on_moto, 70)
    if dies:
        assert on_moto("PUT", f"/v1.0/policies/{slow}", {"delay_seconds": 60}).status == 200
    tick(on_moto, 71, 72, 73)
    assert [iso(alert.period_start) for alert in on_moto.alerts()] == ["2026-03-03T14:00:00Z"]


def test_a_new_timezone_loses_no_day_of_a_tick_that_runs(on_moto: World) -> None:
    event = on_moto.made("POST", "/v1.0/events", {"event": "job", "timezone": "UTC"})["event_id"]
    policy(on_moto, period="day", aggregate="count", condition="lt", threshold=10, active_from="2026-03-03T00:00:00Z")
    midnight = 10 * 60
    tick(on_moto, midnight)
    groups = policies.groups

    def moved(store: Any) -> list[str]:
        found = groups(store)
        assert on_moto("PUT", f"/v1.0/events/{event}", {"timezone": "Europe/Berlin"}).status == 200
        return found

    with mock.patch.object(policies, "groups", moved):
        tick(on_moto, midnight + 1)
    assert on_moto.alerts() == []
    tick(on_moto, midnight + 2, midnight + 3)
    assert [(iso(alert.period_start), iso(alert.triggered_at)) for alert in on_moto.alerts()] == [("2026-03-03T00:00:00Z", "2026-03-04T00:02:00Z")]


def test_a_tick_before_the_edit_is_stored_leaves_a_rolling_policy_to_the_next_ones(on_moto: World) -> None:
    watched = policy(on_moto, window="rolling", window_minutes=2, aggregate="count", condition="gt", threshold=0, auto_resolve=False)
    log(on_moto, 1)
    tick(on_moto, *range(1, 8))
    replace = policies.replace

    def late(*args: Any, **given: Any) -> Any:
        tick(on_moto, 8)
        return replace(*args, **given)

    with mock.patch.object(policies, "replace", late), mock.patch("nightjar.api.policies.judge_edit", busy):
        assert on_moto("PUT", f"/v1.0/policies/{watched}", {"title": "jobs"}).status == 200
    tick(on_moto, 9, 10, 11)
    assert on_moto.alerts()[0].title == "jobs"


def test_a_tick_that_has_nothing_to_say_does_not_unwind_the_next_look_of_what_was_reopened_meanwhile(on_moto: World) -> None:
    watched = policy(on_moto, aggregate="count", condition="gt", threshold=0)
    log(on_moto, 1)
    state = alerts.load_state(on_moto.store, watched)
    assert state is not None
    (row,), _ = open_rows.read_open(on_moto.store)
    open_rows.postpone(on_moto.store, state, 0, instead_of=(row.due or 0) + 1)
    assert open_rows.read_open(on_moto.store)[0] == [row]
    open_rows.postpone(on_moto.store, state, 0, instead_of=row.due)
    assert open_rows.read_open(on_moto.store)[0][0].due is None
