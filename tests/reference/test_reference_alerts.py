"""What the cases leave out: alerts that join, are corrected, reopened, reminded, left open, and people's actions."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.cases.script import instant
from tests.reference.alerts import Conflict
from tests.reference.engine import Engine
from tests.reference.logs import Log
from tests.reference.periods import DAY, HOUR, MINUTE, SECOND

START = instant("2026-03-03T14:00:00Z")
EVENT = ("", "job")


class World:
    """An engine, its minutes counted from 14:00, with one policy p on one event."""

    def __init__(self, **fields: Any) -> None:
        self.engine = Engine()
        self.engine.tick(START)
        self.now = 0
        self.logs = 0
        defaults = {"event": "job", "period": "minute", "aggregate": "sum", "condition": "gt", "threshold": 20, "missing": "ignore", "early": False}
        self.engine.put_policy(START, "p", {**defaults, "active_from": START, **fields})

    def log(self, minute: int, *values: int, at: float | None = None) -> None:
        """Apply a batch of logs of a minute, at that minute unless another is named."""
        self.logs += 1
        moment = START + int((minute if at is None else at) * MINUTE) + 30 * SECOND
        time = START + minute * MINUTE
        self.engine.roll_up(moment, [Log(EVENT, UUID(int=self.logs * 1000 + index), time, Decimal(value)) for index, value in enumerate(values)])

    def tick(self, minute: int) -> None:
        """Handle each minute's tick up to this one."""
        for one in range(self.now + 1, minute + 1):
            self.engine.tick(START + one * MINUTE)
        self.now = minute

    def told(self) -> list[tuple[str, int, int]]:
        """Return (kind or reason, minute of the step, minute of the alert's first period) of each transition."""
        return [(one.resolved_by or one.kind, (one.at - START) // MINUTE, (one.alert.first.start - START) // MINUTE) for one in self.engine.transitions]


def test_a_late_breach_before_an_open_alert_joins_it() -> None:
    world = World()
    world.log(5, 30)
    world.tick(10)
    world.log(3, 40, at=10)
    assert world.told() == [("opened", 7, 3)]
    assert (world.engine.alerts[0].periods, world.engine.alerts[0].value, world.engine.alerts[0].worst_value) == (2, Decimal(30), Decimal(40))
    assert world.engine.alerts[0].key == ("p", 1, START + 5 * MINUTE)


def test_a_late_breach_with_a_healthy_period_between_is_an_alert_of_its_own() -> None:
    world = World()
    world.log(4, 1)
    world.log(5, 30)
    world.tick(10)
    world.log(3, 40, at=10)
    assert world.told() == [("opened", 7, 5), ("opened", 10, 3), ("recovered", 10, 3)]
    assert [alert.is_open for alert in world.engine.alerts] == [True, False]


def test_a_late_batch_over_two_periods_is_one_alert() -> None:
    world = World(missing="zero")
    world.tick(10)
    logs = [Log(EVENT, UUID(int=index), START + minute * MINUTE, Decimal(30)) for index, minute in enumerate((3, 4))]
    world.engine.roll_up(START + 10 * MINUTE, logs)
    assert world.told() == [("opened", 10, 3), ("recovered", 10, 3)]
    assert world.engine.alerts[0].periods == 2


def test_a_breach_inside_the_span_of_an_ended_alert_changes_its_values_only() -> None:
    world = World()
    world.log(3, 30)
    world.log(5, 1)
    world.tick(8)
    world.log(4, 50, at=8)
    assert world.told() == [("opened", 5, 3), ("recovered", 7, 3)]
    assert (world.engine.alerts[0].value, world.engine.alerts[0].periods) == (Decimal(50), 2)


def test_an_early_breach_that_is_undone_is_corrected_at_the_close_and_reopened_by_later_data() -> None:
    world = World(early=True)
    world.log(3, 30)
    world.tick(3)
    world.log(3, -20)
    world.tick(6)
    assert world.told() == [("opened", 3, 3), ("corrected", 5, 3)]
    world.log(3, 25, at=6)
    assert world.told()[2:] == [("reopened", 6, 3)]
    assert len(world.engine.alerts) == 1


def test_m_of_n_counts_late_slots() -> None:
    world = World(evaluation_periods=3, datapoints_to_alarm=2)
    world.log(3, 30)
    world.tick(7)
    assert world.told() == []
    world.log(2, 30, at=7)
    assert world.told() == [("opened", 7, 3)]


def test_m_of_n_starts_anew_after_a_person_has_resolved() -> None:
    world = World(evaluation_periods=3, datapoints_to_alarm=2)
    for minute in range(2, 8):
        world.log(minute, 30)
        world.tick(minute)
        if minute == 5:
            world.engine.act(START + 5 * MINUTE, world.engine.alerts[0].key, "resolve")
    world.tick(9)
    assert world.told() == [("opened", 5, 3), ("person", 5, 3), ("opened", 7, 5)]


def test_without_auto_resolve_a_healthy_policy_leaves_its_alert_open_and_the_next_breach_reopens_it() -> None:
    world = World(auto_resolve=False)
    world.log(3, 30)
    world.log(4, 1)
    world.tick(6)
    alert = world.engine.alerts[0]
    world.engine.act(START + 6 * MINUTE, alert.key, "acknowledge")
    assert (alert.status, alert.healthy) == ("acknowledged", True)
    world.log(7, 40)
    world.tick(9)
    assert (alert.status, alert.healthy, alert.periods) == ("triggered", False, 2)
    assert world.told() == [("opened", 5, 3), ("acknowledged", 6, 3), ("reopened", 9, 3)]


def test_an_alert_left_open_and_healthy_does_not_end_as_no_data() -> None:
    world = World(auto_resolve=False)
    world.log(3, 30)
    world.log(4, 1)
    world.tick(6)
    world.engine.tick(START + 2 * DAY)
    assert world.engine.alerts[0].is_open


def test_reminders_come_on_the_grid_of_the_opening_until_somebody_acknowledges() -> None:
    world = World(renotify_minutes=5)
    world.log(3, 30)
    world.tick(16)
    world.engine.tick(START + 31 * MINUTE)
    world.engine.act(START + 31 * MINUTE, world.engine.alerts[0].key, "acknowledge")
    world.engine.tick(START + 40 * MINUTE)
    assert [entry[:2] for entry in world.told()] == [("opened", 5), ("reminded", 10), ("reminded", 15), ("reminded", 31), ("acknowledged", 31)]
    assert [one.number for one in world.engine.transitions] == [1, 2, 3, 4, 5]


def test_two_healthy_periods_in_a_row_and_nothing_but_silence_between() -> None:
    world = World(recovery_periods=2)
    for minute, value in ((3, 30), (4, 1), (5, 30), (6, 1), (9, 1)):
        world.log(minute, value)
        world.tick(minute)
    world.tick(11)
    assert world.told() == [("opened", 5, 3), ("recovered", 11, 3)]


def test_a_rolling_policy_is_judged_at_ticks_and_quiet_after_a_person_until_it_was_healthy() -> None:
    world = World(period="hour", window="rolling", window_minutes=3)
    world.log(3, 30)
    assert world.told() == []
    world.tick(5)
    world.engine.act(START + 5 * MINUTE, world.engine.alerts[0].key, "resolve")
    world.log(6, 30)
    world.log(7, 50)
    world.tick(11)
    assert world.told() == [("opened", 5, 1), ("person", 5, 1)]
    world.log(11, 2)
    world.tick(13)
    world.log(13, 60)
    world.tick(15)
    assert [entry[:2] for entry in world.told()[2:]] == [("opened", 15)]


def test_a_rolling_window_above_two_hours_is_judged_at_full_hours() -> None:
    world = World(period="day", window="rolling", window_minutes=180)
    world.log(3, 30)
    world.tick(60)
    assert world.told() == []
    world.tick(61)
    assert world.told() == [("opened", 61, -120)]


def test_disabling_and_enabling_and_deleting() -> None:
    world = World()
    world.log(3, 30)
    world.tick(6)
    world.engine.put_policy(START + 6 * MINUTE, "p", {"enabled": False})
    world.log(7, 30)
    world.tick(10)
    world.engine.put_policy(START + 10 * MINUTE, "p", {"enabled": True})
    world.log(11, 30)
    world.tick(13)
    world.engine.delete_policy(START + 13 * MINUTE, "p")
    assert world.told() == [("opened", 5, 3), ("policy_disabled", 6, 3), ("opened", 13, 11), ("policy_deleted", 13, 11)]
    assert [alert.revision for alert in world.engine.alerts] == [1, 3]


def test_what_a_person_may_do_and_what_not() -> None:
    world = World()
    world.log(3, 30)
    world.tick(6)
    key = world.engine.alerts[0].key
    with pytest.raises(Conflict):
        world.engine.act(START, key, "archive")
    for action in ("acknowledge", "acknowledge", "resolve", "resolve"):
        world.engine.act(START, key, action)
    with pytest.raises(Conflict):
        world.engine.act(START, key, "acknowledge")
    for action in ("archive", "archive"):
        world.engine.act(START, key, action)
    with pytest.raises(Conflict):
        world.engine.act(START, key, "resolve")
    assert [entry[0] for entry in world.told()] == ["opened", "acknowledged", "person", "person"]


def test_missed_ticks_are_made_up_for_inside_the_horizon() -> None:
    world = World()
    for minute in (3, 50, 51):
        world.log(minute, 30)
    world.engine.tick(START + 100 * MINUTE)
    assert world.told() == [("opened", 100, 50)]
    assert min(world.engine.verdicts["p", 1]) == START + 40 * MINUTE


def test_data_beyond_the_horizon_is_not_judged() -> None:
    world = World()
    world.tick(70)
    world.log(9, 30, at=70)
    assert world.told() == []
    world.log(10, 30, at=70)
    assert world.told() == [("opened", 70, 10)]


def test_a_zone_that_skips_midnight_begins_its_day_an_hour_late() -> None:
    engine = Engine()
    engine.put_event(START, EVENT, "Africa/Cairo")
    day = engine.calendar(EVENT).day(instant("2026-04-24T12:00:00Z"))
    assert (day.start, day.end - day.start) == (instant("2026-04-23T22:00:00Z"), 23 * HOUR)


def test_a_change_of_timezone_that_has_not_taken_effect_is_given_up_for_the_next_one() -> None:
    engine = Engine()
    engine.put_event(START, EVENT, "UTC")
    engine.put_event(START, EVENT, "Asia/Tokyo")
    assert engine.calendar(EVENT).day(START).end == instant("2026-03-03T15:00:00Z")
    engine.put_event(START, EVENT, "UTC")
    assert engine.calendar(EVENT).day(START).end == instant("2026-03-04T00:00:00Z")


def test_numbers_are_exact_and_duplicates_count_once() -> None:
    engine = Engine()
    values = [Decimal(value) for value in ("0.1", "1e29", "-7.25", "0")]
    logs = [Log(EVENT, UUID(int=index), START, value) for index, value in enumerate(values)]
    engine.roll_up(START, [*logs, *logs])
    engine.roll_up(START, logs)
    bucket = engine.bucket(EVENT, START, START + MINUTE)
    assert (bucket.count, bucket.sum, bucket.min, bucket.max) == (4, Decimal("99999999999999999999999999992.85"), Decimal("-7.25"), Decimal("1e29"))
    assert bucket.squares == Decimal("1" + "0" * 56 + "52.5725")
    assert bucket.quantile(Decimal("0.5")) == Decimal("0.05")


def test_a_period_never_makes_a_second_alert_even_when_its_alert_was_joined_and_has_ended() -> None:
    world = World(aggregate="average")
    world.log(5, 30)
    world.tick(10)
    world.log(3, 40, at=10)
    world.log(5, 0, at=11)
    world.log(5, 100, at=12)
    assert world.told() == [("opened", 7, 3), ("recovered", 11, 3), ("reopened", 12, 3)]
    assert len(world.engine.alerts) == 1
