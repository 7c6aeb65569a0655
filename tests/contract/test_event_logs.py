"""API.md, Events: …/logs and …/analytics."""

from decimal import Decimal

import pytest
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, floor, parse_instant
from nightjar.core.sources import raw_key
from nightjar.storage import logs

from tests.contract.world import NOW, Api, logged


@pytest.fixture
def event_id(api: Api) -> str:
    return str(api.made("/v1.0/events", {"agent": "a", "event": "job.ms"})["event_id"])


def test_a_point_sums_an_hour_up_to_the_digit(api: Api, event_id: str) -> None:
    logged(api, event_id, "2026-03-03T14:10:00Z", *["0.1"] * 10)
    logged(api, event_id, "2026-03-03T13:10:00Z", "12345678901234567890.5")
    newest, older = api.get(f"/v1.0/events/{event_id}/logs").body
    assert newest == {
        "event_id": event_id, "agent": "a", "event": "job.ms", "period": "hour", "occurred_at": "2026-03-03T14:00:00Z", "count": 10, "value": 1,
        "squares": Decimal("0.1"), "min": Decimal("0.1"), "max": Decimal("0.1"), "p50": Decimal("0.1"), "p95": Decimal("0.1"), "p99": Decimal("0.1"),
    }  # fmt: skip
    assert (older["value"], older["occurred_at"]) == (Decimal("12345678901234567890.5"), "2026-03-03T13:00:00Z")


def test_minutes_are_listed_by_pages(api: Api, event_id: str) -> None:
    for minute in range(5):
        logged(api, event_id, f"2026-03-03T14:0{minute}:30Z", minute)
    page = api.get(f"/v1.0/events/{event_id}/logs?period=minute&limit=2")
    assert [point["value"] for point in page.body] == [4, 3]
    following = api.get(page.headers["Link"].partition("prod")[2].partition(">")[0])
    assert [point["value"] for point in following.body] == [2, 1]
    assert [point["value"] for point in api.get(f"/v1.0/events/{event_id}/logs?period=minute&limit=25&offset=3").body] == [1, 0]


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
    following = api.get(page.headers["Link"].partition("prod")[2].partition(">")[0])
    assert [point["occurred_at"][:10] for point in following.body] == ["2025-11-30"]
    assert "Link" not in following.headers


def put_raw(api: Api, event_id: str, at: int, value: str, *, meta: str | None = None, days: int = 32) -> None:
    """Store a raw log as ingest does."""
    log_id = f"0195f2a0-7c1e-7abc-8def-{at % 10**12:012d}"
    api.store.db.put_item(TableName=api.store.tables.logs, Item=logs.item(raw_key(event_id, ((0, 1),), at, log_id), Decimal(value), meta, at, days))


def test_raw_logs_come_with_meta_while_they_live(api: Api, event_id: str) -> None:
    put_raw(api, event_id, NOW - MINUTE, "1.50", meta='{"tool":"x","n":0.10}')
    put_raw(api, event_id, NOW - SECOND, "2")
    put_raw(api, event_id, NOW - MINUTE - SECOND, "3", days=0)
    api.now = NOW
    first, second = api.get(f"/v1.0/events/{event_id}/logs?period=raw").body
    assert (first["value"], first["meta"], first["occurred_at"]) == (2, None, "2026-03-03T14:29:59Z")
    assert (second["value"], second["meta"], second["period"]) == (Decimal("1.5"), {"tool": "x", "n": Decimal("0.10")}, "raw")
    page = api.get(f"/v1.0/events/{event_id}/logs?period=raw&limit=1")
    following = api.get(page.headers["Link"].partition("prod")[2].partition(">")[0])
    assert following.body == [second]


def test_raw_logs_of_days_ago_are_found_by_their_hours(api: Api, event_id: str) -> None:
    at = floor(NOW - 20 * DAY, HOUR)
    put_raw(api, event_id, at, "7")
    logged(api, event_id, "2026-02-11T14:00:00Z", 7)
    assert [log["value"] for log in api.get(f"/v1.0/events/{event_id}/logs?period=raw").body] == [7]


@pytest.mark.parametrize("query", ["period=week", "limit=0", "limit=1001", "limit=x", "offset=-1", "offset=1e3", "cursor=xyz", "cursor=%F0%9F%98%80"])
def test_what_cannot_be_listed_is_a_bad_request(api: Api, event_id: str, query: str) -> None:
    answer = api.get(f"/v1.0/events/{event_id}/logs?{query}")
    assert (answer.status, answer.message.partition(":")[0]) == (400, query.partition("=")[0])


def test_analytics_compare_the_window_that_ended_with_the_one_before(api: Api, event_id: str) -> None:
    logged(api, event_id, "2026-03-03T14:00:00Z", 3, 5)
    logged(api, event_id, "2026-03-03T13:00:00Z", 2)
    logged(api, event_id, "2026-03-03T14:30:00Z", 1000)  # the running minute is in no window
    answer = api.get(f"/v1.0/events/{event_id}/analytics?view=window&period=1h&previous=previous_window").body
    assert {name: answer[name] for name in ("event_id", "view", "period", "previous")} == {
        "event_id": event_id, "view": "window", "period": "1h", "previous": "previous_window",
    }  # fmt: skip
    assert answer["data"] == {
        "current_value": 8, "current_count": 2, "previous_value": 2, "previous_count": 1, "value_delta": 6, "count_delta": 1,
        "value_pct_change": 300, "count_pct_change": 100, "current_mean": 4, "previous_mean": 2, "mean_delta": 2, "mean_pct_change": 100,
        "current_stddev": 1, "previous_stddev": 0,
    }  # fmt: skip


def test_a_percentage_over_zero_and_a_mean_of_nothing_are_null(api: Api, event_id: str) -> None:
    logged(api, event_id, "2026-03-03T14:00:00Z", 3)
    data = api.get(f"/v1.0/events/{event_id}/analytics?period=1h&previous=previous_7d").body["data"]
    nulls = {name for name, value in data.items() if value is None}
    assert nulls == {"value_pct_change", "count_pct_change", "previous_mean", "mean_delta", "mean_pct_change", "previous_stddev"}


def test_at_takes_the_place_of_now(api: Api, event_id: str) -> None:
    logged(api, event_id, "2026-02-01T09:30:00Z", 9)
    path = f"/v1.0/events/{event_id}/analytics?period=1h&previous=previous_window"
    assert api.get(f"{path}&at=2026-02-01T10:00:00Z").body["data"]["current_value"] == 9
    assert api.get(f"{path}&at=2026-02-01T11:00:30%2B00:00").body["data"]["previous_value"] == 9
    assert parse_instant("2026-02-01T10:00:00Z") < NOW


PAIRS = {
    "1h": ["previous_window", "previous_1d", "previous_7d", "previous_1m"],
    "1d": ["previous_window", "previous_7d", "previous_1m"],
    "7d": ["previous_window", "previous_1m"],
    "1m": ["previous_window"],
}


@pytest.mark.parametrize("period", ["1h", "1d", "7d", "1m", "1w"])
@pytest.mark.parametrize("previous", ["previous_window", "previous_1d", "previous_7d", "previous_1m", "previous_1y"])
def test_only_the_pairs_of_the_table_are_compared(api: Api, event_id: str, period: str, previous: str) -> None:
    expected = 200 if previous in PAIRS.get(period, []) else 400
    assert api.get(f"/v1.0/events/{event_id}/analytics?period={period}&previous={previous}").status == expected


@pytest.mark.parametrize("query", ["", "period=1h", "previous=previous_window", "view=list&period=1h&previous=previous_window"])
def test_analytics_need_a_period_and_a_previous(api: Api, event_id: str, query: str) -> None:
    assert api.get(f"/v1.0/events/{event_id}/analytics?{query}").status == 400


@pytest.mark.parametrize("at", ["yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-03"])
def test_an_impossible_at_is_a_bad_request(api: Api, event_id: str, at: str) -> None:
    answer = api.get(f"/v1.0/events/{event_id}/analytics?period=1h&previous=previous_window&at={at}")
    assert (answer.status, answer.message[:3]) == (400, "at:")
