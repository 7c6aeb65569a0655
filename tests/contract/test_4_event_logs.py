"""API.md, Events: …/logs and …/analytics."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, floor, parse_instant
from nightjar.core.sources import raw_key
from nightjar.storage import logs

from tests.contract.lists import following
from tests.contract.table import Table, asks, every, holds, table
from tests.contract.world import NOW, Api, logged

POINT = "event_id, agent, event, period, occurred_at, count, value, squares, min, max, p50, p95, p99"
UNKNOWN, NO_UUID = "event_id: there is no such event", "event_id: must be a UUID"
DAMAGED = "cannot be read: `nightjar recount --from 2026-03-03T13:00:00Z`"
AT_HALF_PAST = {"occurred_at": "2026-03-03T14:30:00Z", "value": 1000}

# {busy}: 5 at 14:10, 3 and 1 at 13:20, 100 a week ago at 14:20, 1000 in the running minute
LOGS = table(
    "GET /v1.0/events/<event_id>/logs",
    asks("hours by default, newest first", "{busy}", 200, [
        {"occurred_at": "2026-03-03T14:00:00Z", "period": "hour", "count": 2, "value": 1005},
        {"occurred_at": "2026-03-03T13:00:00Z", "count": 2, "value": 4, "squares": 10, "min": 1, "max": 3, "p50": 2},
        {"occurred_at": "2026-02-24T14:00:00Z", "agent": "worker.billing", "event": "job.run", "event_id": "{busy}"},
    ]),
    asks("by the minute", "{busy}?period=minute&limit=2", 200, [AT_HALF_PAST, {"occurred_at": "2026-03-03T14:10:00Z", "value": 5}]),
    asks("by the hour", "{busy}?period=hour&limit=1", 200, [{"period": "hour"}]),
    asks("by the day", "{busy}?period=day", 200, [
        {"occurred_at": "2026-03-03T00:00:00Z", "period": "day", "count": 4, "value": 1009, "min": 1, "max": 1000},
        {"occurred_at": "2026-02-24T00:00:00Z", "count": 1},
    ]),
    asks("an offset", "{busy}?period=minute&offset=1&limit=1", 200, [{"value": 5}]),
    asks("an offset beyond them", "{busy}?offset=3", 200, []),
    asks("an event without logs", "{event}", 200, []),
    asks("another period", "{event}?period=week", 400, "period: must be one of minute, hour, day, raw"),
    asks("a limit of 1,000", "{event}?limit=1000", 200, []),
    asks("more", "{event}?limit=1001", 400, "limit: must be a whole number from 1 to 1000"),
    asks("a limit of none", "{event}?limit=0", 400, "limit: must be a whole number"),
    asks("a limit in words", "{event}?limit=x", 400, "limit: must be a whole number"),
    asks("an offset below zero", "{event}?offset=-1", 400, "offset: must be a whole number"),
    asks("an offset in powers", "{event}?offset=1e3", 400, "offset: must be a whole number"),
    asks("a cursor of nobody's", "{event}?cursor=xyz", 400, "cursor: must come from the Link header of this list"),
    asks("a cursor of no letters", "{event}?cursor=%F0%9F%98%80", 400, "cursor: must come from"),
    asks("blank is absent", "{busy}?period=&limit=&offset=&cursor=", 200, [{"period": "hour"}, {}, {}]),
    asks("unknown", "{nobody}", 404, UNKNOWN),
    asks("no UUID", "evt_123", 400, NO_UUID),
    asks("an hour that cannot be read", "{damaged}", 409, DAMAGED),
    asks("a minute that cannot be read", "{damaged}?period=minute", 409, DAMAGED),
    asks("a day with an hour that cannot be read", "{damaged}?period=day", 409, DAMAGED),
    fields=POINT,
)  # fmt: skip
ANALYTICS = table(
    "GET /v1.0/events/<event_id>/analytics",
    asks("an hour against the one before", "{busy}?view=window&period=1h&previous=previous_window", 200, {
        "event_id": "{busy}", "view": "window", "period": "1h", "previous": "previous_window",
        "data": {
            "current_value": 5, "current_count": 1, "previous_value": 4, "previous_count": 2, "value_delta": 1, "count_delta": -1,
            "value_pct_change": 25, "count_pct_change": -50, "current_mean": 5, "previous_mean": 2, "mean_delta": 3, "mean_pct_change": 150,
            "current_stddev": 0, "previous_stddev": 1,
        },
    }),
    asks("a day ends at the last full minute too", "{busy}?period=1d&previous=previous_7d", 200, {"data": {"current_value": 9, "previous_value": 100}}),
    asks("a week at the last full hour", "{busy}?period=7d&previous=previous_window", 200, {"data": {"current_value": 104, "previous_value": 0}}),
    asks("a month likewise", "{busy}?period=1m&previous=previous_window", 200, {"data": {"current_value": 104, "current_count": 3}}),
    asks("at takes the place of now", "{busy}?period=1h&previous=previous_window&at=2026-02-24T15:00:59Z", 200, {"data": {"current_value": 100}}),
    asks("at in any spelling", "{busy}?period=1h&previous=previous_window&at=2026-02-24%2020:30:00%2B0530", 200, {"data": {"current_value": 100}}),
    asks("a percentage over zero", "{event}?period=1h&previous=previous_7d", 200, {"data": {
        "current_value": 0, "value_delta": 0, "value_pct_change": None, "count_pct_change": None, "current_mean": None, "previous_mean": None,
        "mean_delta": None, "mean_pct_change": None, "current_stddev": None, "previous_stddev": None,
    }}),
    asks("no period", "{event}?previous=previous_window", 400, "period: must be one of 1h, 1d, 7d, 1m"),
    asks("no previous", "{event}?period=1h", 400, "previous: must be one of previous_window"),
    asks("another view", "{event}?view=list&period=1h&previous=previous_window", 400, "view: must be one of window"),
    asks("a pair that is not in the table", "{event}?period=7d&previous=previous_1d", 400, "previous"),
    asks("at is no instant", "{event}?period=1h&previous=previous_window&at=yesterday", 400, "at: must be an instant like 2026-03-03T14:00:00Z"),
    asks("at is a bare date", "{event}?period=1h&previous=previous_window&at=2026-03-03", 400, "at: must be an instant"),
    asks("at is before there were logs", "{event}?period=1h&previous=previous_window&at=0001-01-01T00:00:00Z", 400, "at: must lie between 1971 and 9999"),
    asks("at is at the end of time", "{event}?period=1h&previous=previous_window&at=9999-12-31T23:59:59Z", 400, "at: must lie between 1971 and 9999"),
    asks("at needs minutes that are gone", "{busy}?period=1h&previous=previous_window&at=2026-01-27T16:15:00Z", 400,
         "at: this range needs the minute of 2026-01-27T14:15:00Z, and minutes are kept for 35 days"),
    asks("so does the earlier window", "{busy}?period=1h&previous=previous_1m&at=2026-02-24T14:20:00Z", 400, "the minute of 2026-01-25T13:20:00Z"),
    asks("at a full hour none are needed", "{busy}?period=1h&previous=previous_1m&at=2026-02-24T15:00:00Z", 200, {"data": {"current_value": 100}}),
    asks("at needs hours that are gone", "{busy}?period=7d&previous=previous_window&at=2022-03-03T14:00:00Z", 400, "hours are kept for 1095 days"),
    asks("unknown", "{nobody}?period=1h&previous=previous_window", 404, UNKNOWN),
    asks("no UUID", "evt_123?period=1h&previous=previous_window", 400, NO_UUID),
    asks("an hour that cannot be read", "{damaged}?period=7d&previous=previous_window", 409, DAMAGED),
    fields="event_id, view, period, previous, data",
)  # fmt: skip


@every(LOGS, ANALYTICS)
def test_event_logs(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


PAIRS = {
    "1h": ["previous_window", "previous_1d", "previous_7d", "previous_1m"],
    "1d": ["previous_window", "previous_7d", "previous_1m"],
    "7d": ["previous_window", "previous_1m"],
    "1m": ["previous_window"],
}


@pytest.mark.parametrize("period", ["1h", "1d", "7d", "1m", "1w"])
def test_only_the_pairs_of_the_table_are_compared(api: Api, period: str) -> None:
    event_id = api.made("/v1.0/events", {"event": "e"})["event_id"]
    for previous in ("previous_window", "previous_1d", "previous_7d", "previous_1m", "previous_1y"):
        expected = 200 if previous in PAIRS.get(period, []) else 400
        assert api.get(f"/v1.0/events/{event_id}/analytics?period={period}&previous={previous}").status == expected


@pytest.fixture
def event_id(api: Api) -> str:
    return str(api.made("/v1.0/events", {"agent": "a", "event": "job.ms"})["event_id"])


def test_sums_are_exact_up_to_the_digit(api: Api, event_id: str) -> None:
    logged(api, event_id, "2026-03-03T14:10:00Z", *["0.1"] * 10)
    logged(api, event_id, "2026-03-03T13:10:00Z", "12345678901234567890.5")
    newest, older = api.get(f"/v1.0/events/{event_id}/logs").body
    assert (newest["value"], newest["squares"], older["value"]) == (1, Decimal("0.1"), Decimal("12345678901234567890.5"))


def test_a_day_is_that_of_the_events_timezone(api: Api) -> None:
    event_id = api.made("/v1.0/events", {"event": "job.ms", "timezone": "Asia/Kolkata"})["event_id"]
    api.now = NOW + 3 * DAY  # the zone begins at its next midnight, 18:30Z
    for at, value in (("2026-03-04T18:29:59Z", 1), ("2026-03-04T18:30:00Z", 2), ("2026-03-05T18:29:00Z", 4), ("2026-03-05T18:31:00Z", 8)):
        logged(api, event_id, at, value)
    points = api.get(f"/v1.0/events/{event_id}/logs?period=day").body
    assert [(point["occurred_at"], point["value"]) for point in points] == [
        ("2026-03-05T18:30:00Z", 8),
        ("2026-03-04T18:30:00Z", 6),
        ("2026-03-03T18:30:00Z", 1),
    ]


def test_days_without_logs_are_left_out_however_long_ago_the_others_lie(api: Api, event_id: str) -> None:
    for at in ("2025-11-30T10:00:00Z", "2026-01-15T10:00:00Z", "2026-03-03T10:00:00Z"):
        logged(api, event_id, at, 1)
    page = api.get(f"/v1.0/events/{event_id}/logs?period=day&limit=2")
    assert [point["occurred_at"][:10] for point in page.body] == ["2026-03-03", "2026-01-15"]
    assert [point["occurred_at"][:10] for point in following(api, page).body] == ["2025-11-30"]
    assert "Link" not in following(api, page).headers


def days_shown(api: Api, event_id: str) -> list[tuple[str, int]]:
    return [(point["occurred_at"], point["count"]) for point in api.get(f"/v1.0/events/{event_id}/logs?period=day").body]


def test_a_day_whose_edges_are_gone_is_left_out_unless_nothing_was_logged_around_them(api: Api) -> None:
    """The minutes from 18:00Z to 18:59Z are divided between two days of Kolkata; those of the 3rd had logs, those of the 4th none."""
    event_id = api.made("/v1.0/events", {"event": "job.ms", "timezone": "Asia/Kolkata"})["event_id"]
    for at in ("2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z", "2026-03-03T18:40:00Z", "2026-03-03T23:00:00Z", "2026-03-05T08:00:00Z"):
        logged(api, event_id, at, 1)
    every_day = [("2026-03-04T18:30:00Z", 1), ("2026-03-03T18:30:00Z", 2), ("2026-03-02T18:30:00Z", 1), ("2026-03-01T18:30:00Z", 1)]
    before, after = ("2026-03-04T18:30:00Z", 1), ("2026-03-01T18:30:00Z", 1)
    gone = parse_instant("2026-03-03T18:00:00Z") + 35 * DAY
    api.now = gone - 1
    assert days_shown(api, event_id) == every_day
    for api.now in (gone, gone + 20 * MINUTE, gone + 29 * MINUTE):
        assert days_shown(api, event_id) == [*every_day[:2], every_day[3]], "the day that begins at 18:30Z still has its edge"
    for api.now in (gone + 30 * MINUTE, gone + 45 * MINUTE, gone + 2 * DAY, gone + 700 * DAY):
        assert days_shown(api, event_id) == [before, after]


def test_a_day_whose_first_hours_are_gone_is_left_out(api: Api, event_id: str) -> None:
    for at in ("2026-03-02T00:20:00Z", "2026-03-02T23:10:00Z", "2026-03-03T10:00:00Z"):
        logged(api, event_id, at, 1)
    api.now = parse_instant("2026-03-02T00:00:00Z") + 3 * 365 * DAY - 1
    assert days_shown(api, event_id) == [("2026-03-03T00:00:00Z", 1), ("2026-03-02T00:00:00Z", 2)]
    api.now += 1
    assert days_shown(api, event_id) == [("2026-03-03T00:00:00Z", 1)]


def test_days_that_are_left_out_do_not_shorten_a_page(api: Api) -> None:
    event_id = api.made("/v1.0/events", {"event": "job.ms", "timezone": "Asia/Kolkata"})["event_id"]
    for at in ("2026-01-05T08:00:00Z", "2026-01-08T18:40:00Z", "2026-01-09T08:00:00Z", "2026-01-11T08:00:00Z", "2026-01-13T08:00:00Z"):
        logged(api, event_id, at, 1)
    page = api.get(f"/v1.0/events/{event_id}/logs?period=day&limit=2")
    assert [point["occurred_at"][:10] for point in page.body] == ["2026-01-12", "2026-01-10"]
    assert [point["occurred_at"][:10] for point in following(api, page).body] == ["2026-01-04"]
    assert "Link" not in following(api, page).headers


def put_raw(api: Api, event_id: str, at: int, value: str, *, meta: str | None = None, days: int = 32) -> None:
    """Store a raw log as ingest does."""
    log_id = f"0195f2a0-7c1e-7abc-8def-{at % 10**12:012d}"
    api.store.db.put_item(TableName=api.store.tables.logs, Item=logs.item(raw_key(event_id, ((0, 1),), at, log_id), Decimal(value), meta, at, days))


def test_raw_logs_come_with_meta_while_they_live(api: Api, event_id: str) -> None:
    put_raw(api, event_id, NOW - MINUTE, "1.50", meta='{"tool":"x","n":0.10}')
    put_raw(api, event_id, NOW - SECOND, "2")
    put_raw(api, event_id, NOW - MINUTE - SECOND, "3", days=0)
    first, second = api.get(f"/v1.0/events/{event_id}/logs?period=raw").body
    assert (first["value"], first["meta"], first["occurred_at"]) == (2, None, "2026-03-03T14:29:59Z")
    assert (second["value"], second["meta"], second["period"]) == (Decimal("1.5"), {"tool": "x", "n": Decimal("0.10")}, "raw")
    page = api.get(f"/v1.0/events/{event_id}/logs?period=raw&limit=1")
    assert following(api, page).body == [second]


def test_raw_logs_of_days_ago_are_found_by_their_hours(api: Api, event_id: str) -> None:
    at = floor(NOW - 20 * DAY, HOUR)
    put_raw(api, event_id, at, "7")
    logged(api, event_id, "2026-02-11T14:00:00Z", 7)
    assert [log["value"] for log in api.get(f"/v1.0/events/{event_id}/logs?period=raw").body] == [7]
