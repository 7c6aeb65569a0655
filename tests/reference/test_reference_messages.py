"""Who is told what: the rules of routing and of mutes that the cases leave out."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.cases.script import instant
from tests.reference.engine import Engine
from tests.reference.logs import Log
from tests.reference.messages import Messenger
from tests.reference.periods import MINUTE
from tests.reference.quiet import is_active

START = instant("2026-03-03T14:00:00Z")
EVENT = ("", "job")


class Desk:
    """A messenger, its minutes counted from 14:00, with one policy p: a minute's sum above 20."""

    def __init__(self, destinations: dict[str, dict[str, Any]], **fields: Any) -> None:
        self.messenger = Messenger(Engine())
        self.engine = self.messenger.engine
        for name, body in destinations.items():
            self.messenger.put_destination(name, body)
        self.engine.tick(START)
        plain = {"event": "job", "period": "minute", "aggregate": "sum", "condition": "gt", "threshold": 20, "missing": "ignore", "active_from": START}
        self.engine.put_policy(START, "p", {**plain, **fields})
        self.now = 0

    def log(self, minute: int, value: int) -> None:
        """Apply a log at its minute."""
        at = START + minute * MINUTE
        self.engine.roll_up(at, [Log(EVENT, UUID(int=minute), at, Decimal(value))])
        self.messenger.follow(at)

    def tick(self, minute: int) -> None:
        """Handle each minute's tick up to this one."""
        for one in range(self.now + 1, minute + 1):
            self.engine.tick(START + one * MINUTE)
            self.messenger.follow(START + one * MINUTE, ticked=True)
        self.now = minute

    def told(self, name: str = "d") -> list[tuple[int, str]]:
        """Return (minute, kind) of what a destination was told."""
        return [((one.at - START) // MINUTE, one.kind) for one in self.messenger.messages if one.destination_id == name]

    def skipped(self) -> list[tuple[str, str]]:
        """Return (what, destination) of what was skipped."""
        return [(one.what, one.destination_id) for one in self.messenger.skipped]


def test_an_alert_that_has_reached_nobody_is_routed_again_to_a_destination_made_later() -> None:
    desk = Desk({})
    desk.log(3, 30)
    desk.tick(4)
    desk.messenger.put_destination("d", {})
    desk.tick(5)
    desk.log(6, 1)
    desk.tick(8)
    assert desk.told() == [(5, "opened"), (8, "recovered")]


def test_severity_and_policies_and_being_enabled_choose_the_destinations() -> None:
    destinations: dict[str, dict[str, Any]] = {
        "d": {"min_severity": "warning"},
        "high": {"min_severity": "error"},
        "other": {"policy_ids": ["q"]},
        "off": {"enabled": False},
    }
    desk = Desk(destinations)
    desk.log(3, 30)
    assert [one.destination_id for one in desk.messenger.messages] == ["d"]


def test_an_ending_goes_to_those_who_were_told_whatever_the_severity_is_now() -> None:
    desk = Desk({"d": {"min_severity": "warning"}})
    desk.log(3, 30)
    desk.engine.put_policy(START + 4 * MINUTE, "p", {"severity": "info"})
    desk.log(5, 1)
    desk.tick(7)
    assert desk.told() == [(3, "opened"), (7, "recovered")]


def test_a_destination_disabled_in_between_gets_nothing_and_the_ending_is_skipped() -> None:
    desk = Desk({"d": {}})
    desk.log(3, 30)
    desk.messenger.put_destination("d", {"enabled": False})
    desk.log(5, 1)
    desk.tick(7)
    assert (desk.told(), desk.skipped()) == ([(3, "opened")], [("ending", "d")])


def test_reminders_are_dropped_in_a_mute_and_a_deleted_mute_ends_at_once() -> None:
    desk = Desk({"d": {}}, renotify_minutes=5)
    desk.log(3, 30)
    desk.messenger.put_mute("m", {"event": "jo*", "until": START + 60 * MINUTE})
    desk.tick(9)
    desk.log(10, 1)
    desk.tick(12)
    desk.messenger.delete_mute(START + 12 * MINUTE, "m")
    assert desk.told() == [(3, "opened"), (12, "recovered")]


def test_a_destinations_own_mute_holds_its_messages_only() -> None:
    desk = Desk({"d": {"mute_until": START + 6 * MINUTE}, "e": {}})
    desk.log(3, 30)
    desk.tick(7)
    assert (desk.told("d"), desk.told("e")) == ([(6, "opened")], [(3, "opened")])


def test_a_person_who_resolves_and_a_changed_policy_are_told_in_their_own_words() -> None:
    desk = Desk({"d": {}})
    desk.log(3, 30)
    desk.engine.act(START + 4 * MINUTE, desk.engine.alerts[0].key, "resolve")
    desk.messenger.follow(START + 4 * MINUTE)
    desk.log(5, 30)
    desk.engine.put_policy(START + 6 * MINUTE, "p", {"threshold": 40})
    desk.messenger.follow(START + 6 * MINUTE)
    assert desk.told() == [(3, "opened"), (4, "resolved_by_person"), (5, "opened"), (6, "policy_changed")]


def test_active_hours_by_days_edges_and_midnight() -> None:
    office = {"days": ["tue"], "from": "09:00", "to": "24:00"}
    assert [is_active(office, instant(f"2026-03-03T{at}Z")) for at in ("08:59:59", "09:00:00", "23:59:59")] == [False, True, True]
    assert not is_active(office, instant("2026-03-04T10:00:00Z"))
    night = {"days": ["tue"], "from": "22:00", "to": "06:00"}
    times = ("2026-03-03T05:00:00Z", "2026-03-03T22:00:00Z", "2026-03-04T05:59:59Z", "2026-03-04T06:00:00Z")
    assert [is_active(night, instant(at)) for at in times] == [False, True, True, False]
    assert is_active({"days": ["tue"], "from": "09:00", "to": "09:00"}, instant("2026-03-03T03:00:00Z"))
