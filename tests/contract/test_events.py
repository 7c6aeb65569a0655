"""API.md, Events."""

from decimal import Decimal

import pytest
from nightjar.core import ids
from nightjar.core.instants import parse_instant
from nightjar.storage import policies

from tests.contract.world import NOBODY, NOW, Api, policy

FIELDS = {"event_id", "agent", "event", "title", "description", "unit", "timezone", "public", "share_token", "created_at"}


def test_an_event_has_the_fields_of_the_contract_and_an_id_that_follows_from_its_pair(api: Api) -> None:
    event = api.made("/v1.0/events", {"agent": " worker.billing ", "event": "job.run", "unit": "ms", "nobody_knows": 1, "title": None})
    assert set(event) == FIELDS
    assert event["event_id"] == ids.event_id("worker.billing", "job.run")
    assert (event["agent"], event["timezone"], event["title"], event["created_at"]) == ("worker.billing", "UTC", "", "2026-03-03T14:30:00Z")
    assert api.get(f"/v1.0/events/{event['event_id'].upper()}").body == event


def test_an_event_needs_no_agent(api: Api) -> None:
    assert api.made("/v1.0/events", {"event": "tool.errors.count"})["agent"] == ""


def test_the_same_pair_again_is_a_conflict_that_names_the_event(api: Api) -> None:
    event = api.made("/v1.0/events", {"event": "job.run"})
    again = api.post("/v1.0/events", {"event": "job.run", "title": "other"})
    assert (again.status, again.code, again.body["error"]["event_id"]) == (409, "CONFLICT", event["event_id"])


def test_put_changes_what_it_names_and_keeps_the_rest(api: Api) -> None:
    event = api.made("/v1.0/events", {"event": "job.run", "title": "Runs", "unit": "ms"})
    changed = api.put(f"/v1.0/events/{event['event_id']}", {"description": "of billing", "title": None, "public": True})
    assert changed.body == {**event, "description": "of billing", "public": True}
    assert api.get(f"/v1.0/events/{event['event_id']}").body == changed.body


def test_what_was_answered_can_be_put_back(api: Api) -> None:
    event = api.made("/v1.0/events", {"agent": "a", "event": "job.run"})
    assert api.put(f"/v1.0/events/{event['event_id']}", event).body == event


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "event: is required"),
        ({"event": None}, "event: is required"),
        ({"event": "  "}, "event: must not be blank"),
        ({"event": "x" * 129}, "event: must be at most 128 characters"),
        ({"event": "a\nb"}, "event: must not hold control characters"),
        ({"event": "\ud800"}, "event: must not hold control characters"),
        ({"event": 7}, "event: must be a string"),
        ({"event": "e", "agent": "x" * 129}, "agent: must be at most 128 characters"),
        ({"event": "e", "timezone": "europe/berlin"}, "timezone: must be the name of an IANA timezone"),
        ({"event": "e", "timezone": []}, "timezone: must be the name"),
        ({"event": "e", "public": "yes"}, "public: must be true or false"),
        ({"event": "e", "title": "x" * 201}, "title: must be at most 200 characters"),
        ([], "body: must be a JSON object"),
        ("text", "body: must be a JSON object"),
    ],
)
def test_a_message_names_the_field_and_what_is_wrong_with_it(api: Api, body: object, message: str) -> None:
    answer = api.post("/v1.0/events", body)
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert message in answer.message


def test_identity_cannot_be_changed(api: Api) -> None:
    event = api.made("/v1.0/events", {"agent": "a", "event": "job.run"})
    assert api.put(f"/v1.0/events/{event['event_id']}", {"event": "other"}).status == 400
    assert api.put(f"/v1.0/events/{event['event_id']}", {"agent": "b"}).status == 400


@pytest.mark.parametrize("path", ["/v1.0/events/{}", "/v1.0/events/{}/logs", "/v1.0/events/{}/analytics?period=1h&previous=previous_window"])
def test_an_unknown_event_is_not_found_and_no_uuid_is_a_bad_request(api: Api, path: str) -> None:
    assert api.get(path.format(NOBODY)).status == 404
    assert api.get(path.format("evt_123")).status == 400


def test_what_was_just_created_comes_first_in_the_next_list(api: Api) -> None:
    for number in range(3):
        api.now = NOW + number
        api.made("/v1.0/events", {"event": f"e{number}"})
        assert [event["event"] for event in api.get("/v1.0/events").body] == [f"e{place}" for place in range(number, -1, -1)]


def test_a_new_timezone_reaches_the_policies_and_starts_no_revision(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(period="day"))
    api.put(f"/v1.0/events/{made['event_id']}", {"timezone": "America/New_York"})
    found = policies.get(api.store, made["policy_id"])
    assert found
    assert (found.revision, found.zones[-1]) == (1, (parse_instant("2026-03-04T05:00:00Z"), "America/New_York"))
    assert [one.policy_id for page in policies.due(api.store, "day#1#*") for one in page] == [found.policy_id]
    assert not [one for page in policies.due(api.store, "day#1#UTC") for one in page]


def test_numbers_of_any_spelling_stay_exact(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(threshold=1))
    answer = api("PUT", f"/v1.0/policies/{made['policy_id']}", raw='{"threshold": 123456789012345678901234567890.10}')
    assert answer.body["threshold"] == Decimal("123456789012345678901234567890.1")
