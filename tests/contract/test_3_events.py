"""API.md, Events: the events themselves."""

from decimal import Decimal
from typing import Any

import pytest
from nightjar.core import ids
from nightjar.core.instants import parse_instant
from nightjar.storage import policies

from tests.contract.table import Absent, Table, asks, every, holds, sends, table
from tests.contract.world import Api, policy

FIELDS = "event_id, agent, event, title, description, unit, timezone, public, share_token, created_at"
CONTROLS = "must not hold control characters"
ZONE = "timezone: must be the name of an IANA timezone, exactly spelt, like Europe/Berlin"
BLANK = {"title": "", "description": "", "unit": "", "timezone": "UTC", "public": False, "share_token": ""}
TITLED = {"title": "x", "unit": "x"}

LIST = table(
    "GET /v1.0/events",
    asks("none", "", 200, []),
    asks("an event that was made", "", 200, [{"event_id": "{event}", "agent": "worker.billing"}], given=("event",)),
    asks("a limit of none", "?limit=0", 400, "limit: must be a whole number from 1 to 1000"),
    fields=FIELDS,
)
CREATE = table(
    "POST /v1.0/events",
    sends("agent and event", {"created_at": "x"}, 201, {"agent": "worker.billing", "event": "job.run", "created_at": "2026-03-03T14:30:00Z", **BLANK}),
    sends("its id follows from the pair", {}, 201, {"event_id": "{known}"}),
    sends("both are trimmed", {"agent": " worker.billing ", "event": "job.run "}, 201, {"event_id": "{known}"}),
    sends("all other fields", dict.fromkeys(("title", "description", "unit", "share_token"), "x") | {"public": True, "timezone": "Asia/Kolkata"}, 201,
          {"title": "x", "description": "x", "unit": "x", "share_token": "x", "public": True, "timezone": "Asia/Kolkata"}),
    sends("null counts as absent", dict.fromkeys(BLANK), 201, BLANK),
    sends("an event without agent", {"agent": Absent}, 201, {"agent": "", "event_id": ids.event_id("", "job.run")}),
    sends("a pair that exists", {"title": "{event}"}, 409, "event: this agent and event exist already"),
    sends("event is required", {"event": Absent}, 400, "event: is required"),
    sends("event null", {"event": None}, 400, "event: is required"),
    sends("event blank", {"event": "  "}, 400, "event: must not be blank"),
    sends("event of 128 characters", {"event": "x" * 128}, 201, {"event": "x" * 128}),
    sends("event of 129", {"event": "x" * 129}, 400, "event: must be at most 128 characters"),
    sends("event with a control character", {"event": "a\nb"}, 400, f"event: {CONTROLS}"),
    sends("event with half a surrogate pair", {"event": "\ud800"}, 400, f"event: {CONTROLS}"),
    sends("event is no string", {"event": 7}, 400, "event: must be a string"),
    sends("agent of 129 characters", {"agent": "x" * 129}, 400, "agent: must be at most 128 characters"),
    sends("agent is no string", {"agent": False}, 400, "agent: must be a string"),
    sends("title of 201 characters", {"title": "x" * 201}, 400, "title: must be at most 200 characters"),
    sends("description of 2,001", {"description": "x" * 2001}, 400, "description: must be at most 2000 characters"),
    sends("unit of 201", {"unit": "x" * 201}, 400, "unit: must be at most 200 characters"),
    sends("share_token of 201", {"share_token": "x" * 201}, 400, "share_token: must be at most 200 characters"),
    sends("timezone in another case", {"timezone": "europe/berlin"}, 400, ZONE),
    sends("timezone blank", {"timezone": ""}, 400, ZONE),
    sends("timezone is no string", {"timezone": []}, 400, ZONE),
    sends("public is no boolean", {"public": "yes"}, 400, "public: must be true or false"),
    sends("every problem is told", {"title": 1, "public": 1}, 400, "title: must be a string; public: must be true or false"),
    sends("an array", [], 400, "body: must be a JSON object"),
    base={"agent": "worker.billing", "event": "job.run"}, fields=FIELDS,
)  # fmt: skip
READ = table(
    "GET /v1.0/events/<event_id>",
    asks("one", "{event}", 200, {"event_id": "{event}", "agent": "worker.billing"}),
    asks("in upper case", ids.event_id("worker.billing", "job.run").upper(), 200, {"event_id": "{event}"}, given=("event",)),
    asks("unknown", "{nobody}", 404, "event_id: there is no such event"),
    asks("no UUID", "evt_123", 400, "event_id: must be a UUID"),
    fields=FIELDS,
)
UPDATE = table(
    "PUT /v1.0/events/<event_id>",
    sends("what it names", {"title": "Runs", "public": True}, 200, {**BLANK, "title": "Runs", "public": True}),
    sends("every field", dict.fromkeys(("title", "description", "unit", "share_token"), "x"), 200, {**BLANK, "description": "x", "share_token": "x", **TITLED}),
    sends("null keeps", {"title": None, "timezone": None}, 200, BLANK),
    sends("an empty text", {"title": ""}, 200, BLANK),
    sends("a timezone", {"timezone": "Europe/Berlin"}, 200, {"timezone": "Europe/Berlin"}),
    sends("the identity it has", {"event": " job.run", "agent": "worker.billing", "event_id": "{nobody}"}, 200, {"event_id": "{event}"}),
    sends("another event", {"event": "other"}, 400, "event: agent and event are an event's identity and cannot be changed"),
    sends("another agent", {"agent": "b"}, 400, "event: agent and event are an event's identity and cannot be changed"),
    sends("a wrong field", {"unit": 5}, 400, "unit: must be a string"),
    sends("unknown", {"title": "x"}, 404, "event_id: there is no such event", of="{nobody}"),
    sends("no UUID", {"title": "x"}, 400, "event_id: must be a UUID", of="evt_123"),
    fields=FIELDS,
)


@every(LIST, CREATE, READ, UPDATE)
def test_events(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


def test_a_conflict_names_the_event_there_is_one_that_appeared_by_itself_too(api: Api) -> None:
    event = api.made("/v1.0/events", {"event": "job.run"})
    again = api.post("/v1.0/events", {"event": "job.run", "title": "other"})
    assert (again.status, again.body["error"]["event_id"]) == (409, event["event_id"])
    api.post("/v1.0/logs", {"event": "by.itself", "value": 1})
    again = api.post("/v1.0/events", {"event": "by.itself"})
    assert (again.status, again.body["error"]["event_id"]) == (409, ids.event_id("", "by.itself"))


def test_an_event_appears_by_itself_with_its_first_log(api: Api) -> None:
    api.post("/v1.0/logs", {"agent": "a", "event": "job.run", "value": 1})
    (event,) = api.get("/v1.0/events").body
    assert (event["event_id"], event["agent"], event["created_at"]) == (ids.event_id("a", "job.run"), "a", "2026-03-03T14:30:00Z")
    assert api.get(f"/v1.0/events/{event['event_id'].upper()}").body == event


def test_put_changes_what_it_names_and_keeps_the_rest(api: Api) -> None:
    event = api.made("/v1.0/events", {"event": "job.run", "title": "Runs", "unit": "ms", "share_token": "t", "timezone": "Asia/Tokyo"})
    changed = api.put(f"/v1.0/events/{event['event_id']}", {"description": "of billing", "title": None, "public": True})
    assert changed.body == {**event, "description": "of billing", "public": True}
    assert api.get(f"/v1.0/events/{event['event_id']}").body == changed.body
    assert api.put(f"/v1.0/events/{event['event_id']}", changed.body).body == changed.body, "what was answered can be put back"


def test_a_new_timezone_reaches_the_policies_and_starts_no_revision(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(period="day"))
    api.put(f"/v1.0/events/{made['event_id']}", {"timezone": "America/New_York"})
    found = policies.get(api.store, made["policy_id"])
    assert found
    assert (found.revision, found.zones[-1]) == (1, (parse_instant("2026-03-04T05:00:00Z"), "America/New_York"))
    assert [one.policy_id for page in policies.due(api.store, "day#1#*") for one in page] == [found.policy_id]
    assert not [one for page in policies.due(api.store, "day#1#UTC") for one in page]


@pytest.mark.parametrize("digits", ["123456789012345678901234567890.10", "0.1", "1E+2", "-5e-30"])
def test_numbers_of_any_spelling_stay_exact_here_and_everywhere(api: Api, digits: str) -> None:
    made = api.made("/v1.0/policies", policy(threshold=1))
    assert api("PUT", f"/v1.0/policies/{made['policy_id']}", raw=f'{{"threshold": {digits}}}').body["threshold"] == Decimal(digits)
