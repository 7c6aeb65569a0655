"""API.md, Lists: bare arrays, newest first, pages that stay right; what was just created is in the next list."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nightjar.core.instants import MINUTE, iso

from tests.contract.lists import following
from tests.contract.world import Api, alarmed, logged, policy, slack

UNTIL = "2026-03-04T00:00:00Z"
MAKERS: dict[str, Callable[[Api, int], Any]] = {
    "events": lambda api, number: api.made("/v1.0/events", {"event": f"e{number}"}),
    "policies": lambda api, number: api.made("/v1.0/policies", policy(title=str(number))),
    "alerts": lambda api, number: alarmed(api, event=f"e{number}"),
    "destinations": lambda api, number: api.made("/v1.0/destinations", slack(name=str(number))),
    "mutes": lambda api, number: api.made("/v1.0/mutes", {"until": UNTIL, "reason": str(number)}),
}
TABLES = {"events": "config", "destinations": "config", "mutes": "config", "policies": "policies", "alerts": "alerts"}


def make(api: Api, noun: str, number: int) -> str:
    """Make the next row of a noun, a minute after the one before, and return its id: the first of the list."""
    api.now += MINUTE
    MAKERS[noun](api, number)
    return id_of(api.get(f"/v1.0/{noun}?limit=1").body[0])


def id_of(row: dict[str, Any]) -> str:
    """The id of a row: its first field."""
    return str(next(iter(row.values())))


@pytest.mark.parametrize("noun", MAKERS)
def test_a_list_of_nothing_is_an_empty_array(api: Api, noun: str) -> None:
    answer = api.get(f"/v1.0/{noun}")
    assert (answer.status, answer.body, "Link" in answer.headers) == (200, [], False)


@pytest.mark.parametrize("noun", MAKERS)
def test_what_was_just_created_comes_first_in_the_next_list(api: Api, noun: str) -> None:
    made: list[str] = []
    for number in range(3):
        made.insert(0, make(api, noun, number))
        listed = api.get(f"/v1.0/{noun}")
        assert ([id_of(row) for row in listed.body], "Link" in listed.headers) == (made, False)
    assert len(set(made)) == 3


@pytest.mark.parametrize("noun", MAKERS)
def test_pages_lead_on_and_stay_right_while_rows_are_added(api: Api, noun: str) -> None:
    made = [make(api, noun, number) for number in range(5)]
    page = api.get(f"/v1.0/{noun}?limit=2&x=kept")
    assert page.headers["Link"].startswith(f"<https://api.example/prod/v1.0/{noun}?x=kept&limit=2&cursor=")
    found = page.body
    for number in (10, 11):
        make(api, noun, number)
        page = following(api, page)
        found += page.body
    assert [id_of(row) for row in found] == made[::-1]
    assert "Link" not in page.headers


@pytest.mark.parametrize("noun", MAKERS)
def test_an_offset_passes_rows_over(api: Api, noun: str) -> None:
    made = [make(api, noun, number) for number in range(3)]
    assert [id_of(row) for row in api.get(f"/v1.0/{noun}?offset=1&limit=1").body] == [made[1]]
    last = api.get(f"/v1.0/{noun}?offset=2")
    assert ([id_of(row) for row in last.body], "Link" in last.headers) == ([made[0]], False)
    assert [api.get(f"/v1.0/{noun}?offset={beyond}").body for beyond in (3, 100_000)] == [[], []]


@pytest.mark.parametrize("period", ["minute", "hour", "day", "raw"])
def test_pages_of_logs_stay_right_while_logs_are_added(api: Api, period: str) -> None:
    event_id = api.made("/v1.0/events", {"event": "e"})["event_id"]
    instants = ["2026-03-01T08:10:00Z", "2026-03-02T09:20:00Z", "2026-03-03T10:30:00Z", "2026-03-03T13:40:00Z", "2026-03-03T14:20:00Z"]
    for at in instants:
        send(api, event_id, at)
    page = api.get(f"/v1.0/events/{event_id}/logs?period={period}&limit=2")
    found = page.body
    while "Link" in page.headers:
        api.now += MINUTE
        send(api, event_id, iso(api.now))
        page = following(api, page)
        found += page.body
    starts = [row["occurred_at"] for row in found]
    cut = {"minute": 16, "hour": 13, "day": 10, "raw": 19}[period]
    assert [start[:cut] for start in starts] == sorted({at[:cut] for at in instants}, reverse=True)


def send(api: Api, event_id: str, at: str) -> None:
    """Send a log and have it rolled up."""
    assert api.post("/v1.0/logs", {"event": "e", "value": 1, "occurred_at": at}).status == 200
    logged(api, event_id, at, 1)


@pytest.mark.parametrize("noun", MAKERS)
def test_a_cursor_serves_the_list_that_gave_it_and_no_other(api: Api, noun: str) -> None:
    for number in range(2):
        make(api, noun, number)
    cursor = api.get(f"/v1.0/{noun}?limit=1").headers["Link"].partition("cursor=")[2].partition(">")[0]
    assert api.get(f"/v1.0/{noun}?cursor={cursor}").status == 200
    for path in (*(f"/v1.0/{other}?cursor={cursor}" for other in MAKERS if other != noun), f"/v1.0/{noun}?cursor={cursor[:-2]}"):
        answer = api.get(path)
        assert (answer.status, answer.message) == (400, "cursor: must come from the Link header of this list")


def items(api: Api, noun: str, name: str) -> Iterator[dict[str, Any]]:
    """The stored rows that have an id in their key."""
    for page in api.store.db.get_paginator("scan").paginate(TableName=getattr(api.store.tables, TABLES[noun])):
        yield from (item for item in page["Items"] if any(name in item[key]["S"] for key in ("PK", "SK")))


def multiply(api: Api, noun: str, name: str, times: int) -> None:
    """Store so many more of one."""
    copies = [json.loads(json.dumps(item).replace(name, f"{name[:-6]}{number:06x}")) for item in items(api, noun, name) for number in range(times)]
    table = getattr(api.store.tables, TABLES[noun])
    for at in range(0, len(copies), 25):
        api.store.db.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in copies[at : at + 25]]})


@pytest.mark.parametrize("noun", ["events", "policies", "alerts"])  # destinations and mutes are read as policies are
def test_a_list_has_a_thousand_rows_unless_limit_says_otherwise(api: Api, noun: str) -> None:
    multiply(api, noun, make(api, noun, 0), 1_002)
    page = api.get(f"/v1.0/{noun}")
    rest = following(api, page)
    assert (len(page.body), 2 <= len(rest.body) <= 3, "Link" in rest.headers) == (1_000, True, False)
    assert len({id_of(row) for row in page.body + rest.body}) == 1_000 + len(rest.body)
    assert len(api.get(f"/v1.0/{noun}?limit=7").body) == 7


def test_logs_and_deliveries_have_a_hundred_rows_unless_limit_says_otherwise(api: Api) -> None:
    event_id = api.made("/v1.0/events", {"event": "e"})["event_id"]
    assert api.post("/v1.0/logs", [{"event": "e", "value": 1} for _ in range(103)]).status == 200
    page = api.get(f"/v1.0/events/{event_id}/logs?period=raw")
    assert (len(page.body), len(following(api, page).body)) == (100, 3)
    assert len(api.get(f"/v1.0/events/{event_id}/logs?period=raw&limit=102").body) == 102


def test_a_page_is_cut_where_the_function_could_not_answer_it(api: Api) -> None:
    """A function's answer is 6 MB at most, with the body quoted inside it; a larger one would be a failure for ever."""
    long = '"\\ü' * 666
    made = api.made("/v1.0/events", {"event": "e", "description": long})["event_id"]
    multiply(api, "events", made, 1_000)
    page = api.get("/v1.0/events")
    found, sizes = page.body, [quoted(page.body)]
    while "Link" in page.headers:
        page = following(api, page)
        found, sizes = found + page.body, [*sizes, quoted(page.body)]
    assert len({row["event_id"] for row in found}) == len(found) >= 1_000
    assert max(sizes) < 6_000_000
    assert len(sizes) <= 2 + sum(sizes) // 4_000_000, "and no smaller than need be"


def quoted(body: Any) -> int:
    """How long a body is inside a function's answer."""
    return len(json.dumps(json.dumps(body)))
