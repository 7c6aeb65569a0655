"""When messages are held, and what becomes of them."""

from typing import Any

import pytest
from nightjar.core.delivery import Record, tray_of
from nightjar.core.destinations import Destination
from nightjar.core.instants import DAY, HOUR, MINUTE, parse_instant
from nightjar.core.mutes import Mute, from_text, to_text
from nightjar.core.policies import ActiveHours
from nightjar.core.quiet import DELETED, DISABLED, OVER, UNWANTED, Held, Quiet, is_active, is_due, overtaken, refusal
from nightjar.core.routing import reached, targets, untold

from tests.builders import at, policy
from tests.desk import alert, slack, transition
from tests.reference import quiet as reference

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OPENED = transition(alert())
ENDED = transition(alert(), "resolved", 2, clock="14:06")


def hours(start: str, end: str, *days: str, timezone: str = "UTC") -> ActiveHours:
    return ActiveHours(days=days or WEEK, start=start, end=end, timezone=timezone)


def mute(**given: Any) -> Mute:
    return Mute(**{"mute_id": "m1", "until": at("15:00"), **given})


def record(to: str = "d1", number: int = 1, **given: Any) -> Record:
    return Record(**{"alert_id": OPENED.alert.alert_id, "destination_id": to, "number": number, "type": "opened", "status": "sent", **given})


def held(**given: Any) -> Held:
    return Held(record=record(status="held", **given), policy_id="p1", agent="worker.billing", event="job.run", clock=at("14:03"))


# 6 March 2026 is a Friday.
@pytest.mark.parametrize(
    ("span", "instant", "inside"),
    [
        (hours("09:00", "18:00", "fri"), "2026-03-06T08:59:59.999999Z", False),
        (hours("09:00", "18:00", "fri"), "2026-03-06T09:00:00Z", True),
        (hours("09:00", "18:00", "fri"), "2026-03-06T17:59:59.999999Z", True),
        (hours("09:00", "18:00", "fri"), "2026-03-06T18:00:00Z", False),
        (hours("09:00", "18:00", "fri"), "2026-03-05T12:00:00Z", False),
        (hours("22:00", "06:00", "fri"), "2026-03-06T21:59:59Z", False),
        (hours("22:00", "06:00", "fri"), "2026-03-06T22:00:00Z", True),
        (hours("22:00", "06:00", "fri"), "2026-03-07T05:59:59.999999Z", True),
        (hours("22:00", "06:00", "fri"), "2026-03-07T06:00:00Z", False),
        (hours("22:00", "06:00", "fri"), "2026-03-06T05:00:00Z", False),
        (hours("22:00", "06:00", "sun"), "2026-03-09T03:00:00Z", True),
        (hours("22:00", "06:00", "mon"), "2026-03-09T03:00:00Z", False),
        (hours("22:00", "00:00", "fri"), "2026-03-06T23:59:00Z", True),
        (hours("22:00", "00:00", "fri"), "2026-03-07T00:00:00Z", False),
        (hours("22:00", "24:00", "fri"), "2026-03-06T23:59:59Z", True),
        (hours("22:00", "24:00", "fri"), "2026-03-07T00:00:00Z", False),
        (hours("00:00", "24:00", "fri"), "2026-03-06T00:00:00Z", True),
        (hours("00:00", "24:00", "fri"), "2026-03-07T00:00:00Z", False),
        (hours("09:00", "09:00", "fri"), "2026-03-06T00:00:00Z", True),
        (hours("09:00", "09:00", "fri"), "2026-03-06T23:59:59Z", True),
        (hours("09:00", "09:00", "fri"), "2026-03-07T00:00:00Z", False),
        (hours("22:00", "06:00", "fri", timezone="Asia/Kolkata"), "2026-03-06T16:29:59Z", False),
        (hours("22:00", "06:00", "fri", timezone="Asia/Kolkata"), "2026-03-06T16:30:00Z", True),
        (hours("22:00", "06:00", "fri", timezone="Asia/Kolkata"), "2026-03-07T00:29:59Z", True),
        (hours("22:00", "06:00", "fri", timezone="Asia/Kolkata"), "2026-03-07T00:30:00Z", False),
    ],
)
def test_from_is_inside_and_to_is_not(span: ActiveHours, instant: str, inside: bool) -> None:
    assert is_active(span, parse_instant(instant)) is inside


@pytest.mark.parametrize(
    ("span", "instant", "inside"),
    [
        # Berlin springs from 02:00 to 03:00 on 29 March 2026 (01:00Z), and goes back from 03:00 to 02:00 on 25 October (01:00Z).
        (hours("02:30", "06:00", timezone="Europe/Berlin"), "2026-03-29T00:59:59Z", False),
        (hours("02:30", "06:00", timezone="Europe/Berlin"), "2026-03-29T01:00:00Z", True),
        (hours("22:00", "02:30", timezone="Europe/Berlin"), "2026-03-29T00:59:59Z", True),
        (hours("22:00", "02:30", timezone="Europe/Berlin"), "2026-03-29T01:00:00Z", False),
        (hours("02:00", "03:00", timezone="Europe/Berlin"), "2026-10-25T00:30:00Z", True),
        (hours("02:00", "03:00", timezone="Europe/Berlin"), "2026-10-25T01:30:00Z", True),
        (hours("02:00", "03:00", timezone="Europe/Berlin"), "2026-10-25T02:00:00Z", False),
        (hours("09:00", "18:00", "mon", timezone="Europe/Berlin"), "2026-03-30T07:00:00Z", True),
        (hours("09:00", "18:00", "mon", timezone="Europe/Berlin"), "2026-03-23T07:59:59Z", False),
    ],
)
def test_hours_are_those_of_the_clocks_on_the_wall_when_they_are_moved(span: ActiveHours, instant: str, inside: bool) -> None:
    assert is_active(span, parse_instant(instant)) is inside


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"])
@pytest.mark.parametrize(
    ("start", "end"), [("09:00", "18:00"), ("22:00", "06:00"), ("02:15", "02:45"), ("00:00", "24:00"), ("07:00", "07:00"), ("23:30", "00:00")]
)
def test_every_quarter_of_an_hour_is_as_the_reference_has_it(zone: str, start: str, end: str) -> None:
    span = hours(start, end, "mon", "wed", "sun", timezone=zone)
    fields = {"days": ["mon", "wed", "sun"], "from": start, "to": end, "timezone": zone}
    for day in ("2026-03-27", "2026-10-23", "2018-11-02", "2026-04-03", "2011-12-29"):
        first = parse_instant(f"{day}T00:00:00Z")
        for instant in range(first, first + 4 * DAY, 15 * MINUTE):
            assert is_active(span, instant) == reference.is_active(fields, instant)


@pytest.mark.parametrize(
    ("named", "matches"),
    [
        ({}, True),
        ({"agent": "worker.*"}, True),
        ({"agent": "worker.billing"}, True),
        ({"agent": "worker"}, False),
        ({"agent": "Worker.*"}, False),
        ({"agent": "*"}, True),
        ({"agent": "*.billing"}, False),
        ({"agent": ""}, False),
        ({"event": "job*"}, True),
        ({"event": "JOB*"}, False),
        ({"agent": "worker.*", "event": "other"}, False),
        ({"policy_ids": ("p0", "p1")}, True),
        ({"policy_ids": ("p2",)}, False),
        ({"agent": "worker.*", "event": "job.run", "policy_ids": ("p1",)}, True),
    ],
)
def test_a_mute_holds_what_matches_all_that_it_names(named: dict[str, Any], matches: bool) -> None:
    assert Quiet({}, [mute(**named)]).holds(OPENED.alert, slack(), at("14:03")) is matches
    assert from_text(to_text(mute(**named))) == mute(**named)


@pytest.mark.parametrize(("clock", "waits"), [("14:59", True), ("15:00", False), ("15:01", False)])
def test_every_mute_is_over_at_the_first_tick_at_its_end(clock: str, waits: bool) -> None:
    until, quiet_hours = at("15:00"), hours("15:00", "24:00")
    for quiet, to in [
        (Quiet({}, [mute()]), slack()),
        (Quiet({"p1": policy(mute_until=until)}), slack()),
        (Quiet({"p1": policy(active_hours=quiet_hours)}), slack()),
        (Quiet(), slack(mute_until=until)),
        (Quiet(), slack(active_hours=quiet_hours)),
    ]:
        assert quiet.holds(OPENED.alert, to, at(clock)) is waits
        assert is_due(held(), to, quiet, at(clock)) is not waits


def test_another_policys_settings_hold_nothing() -> None:
    assert not Quiet({"p2": policy(policy_id="p2", mute_until=at("15:00"))}).holds(OPENED.alert, slack(), at("14:03"))


def test_what_counts_is_the_engines_clock_at_the_transition() -> None:
    quiet = Quiet({}, [mute(until=at("14:03"))])
    assert not targets(OPENED, [slack()], [], quiet)[0].held
    assert targets(transition(alert(), clock="14:02"), [slack()], [], quiet)[0].held
    assert targets(OPENED, [slack()], [], quiet, at("14:02"))[0].held


def test_openings_and_endings_are_held_and_reminders_dropped() -> None:
    quiet = Quiet({}, [mute()])
    for kind in ("opened", "reopened"):
        assert [one.held for one in targets(transition(alert(), kind), [slack()], [], quiet)] == [True]
    (ending,) = targets(ENDED, [slack()], [record()], quiet)
    assert (ending.held, ending.after) == (True, (1,))
    assert targets(transition(alert(), "reminded"), [slack("quiet", mute_until=at("15:00"))], [], quiet) == []
    assert [one.destination_id for one in targets(transition(alert(), "reminded"), [slack("quiet", mute_until=at("15:00")), slack("d2")], [])] == ["d2"]


def test_what_is_held_has_reached_nobody_and_is_not_told_of_the_end() -> None:
    assert not reached([record(status="held")])
    assert targets(ENDED, [slack()], [record(status="held")]) == []
    assert [one.destination_id for one in untold(OPENED, [slack(), slack("new")], [record(status="held")])] == ["new"]


def test_a_destination_that_is_disabled_or_gone_is_skipped_not_held() -> None:
    found = targets(ENDED, [slack("off", enabled=False)], [record("off"), record("gone")], Quiet({}, [mute()]))
    assert [(one.destination_id, one.held, one.skipped) for one in found] == [("gone", False, DELETED), ("off", False, DISABLED)]


def test_an_ending_overtakes_the_openings_before_it_that_are_still_held() -> None:
    records = [record(status="held"), record("d2"), record("d3", 3, status="held"), record("d4", type="resolved", status="held")]
    assert overtaken(ENDED, records) == [records[0]]


@pytest.mark.parametrize(
    ("type", "to", "over", "wanted", "expected"),
    [
        ("opened", slack(), False, True, None),
        ("opened", slack(), True, True, ("skipped", OVER)),
        ("opened", slack(), False, False, ("skipped", UNWANTED)),
        ("reopened", slack(), True, True, ("skipped", OVER)),
        ("reopened", slack(), False, False, ("skipped", UNWANTED)),
        ("resolved", slack(), True, True, None),
        ("resolved", slack(), True, False, None),
        ("opened", slack(enabled=False), False, False, ("skipped", DISABLED)),
        ("resolved", slack(enabled=False), True, True, ("skipped", DISABLED)),
        ("opened", None, False, True, ("failed", DELETED)),
        ("resolved", None, True, True, ("failed", DELETED)),
    ],
)
def test_what_is_due_is_sent_or_refused_with_a_reason(type: str, to: Destination | None, over: bool, wanted: bool, expected: Any) -> None:
    assert refusal(held(type=type), to, over=over, wanted=wanted) == expected


def test_what_waits_for_a_deleted_destination_is_due_at_once() -> None:
    assert is_due(held(), None, Quiet({}, [mute()]), at("14:03"))


def test_a_released_message_lies_in_its_tray_where_it_would_have_lain() -> None:
    row = held().row(slack(), at("14:03") + HOUR)
    assert (row.tray, row.key, row.put_at) == (tray_of(slack()), f"{at('14:03'):016d}#p1#000001#d1", at("15:03"))
    assert (row.policy_id, row.number, row.alert_id, row.type) == ("p1", 1, OPENED.alert.alert_id, "opened")
