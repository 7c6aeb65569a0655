"""API.md, Mutes; and the active_hours and mute_until of policies and destinations."""

from typing import Any

import pytest
from nightjar.api.models.mutes import MuteBody
from nightjar.core.instants import MINUTE, SECOND
from nightjar.storage import destinations, policies

from tests.contract.test_anything import ODD
from tests.contract.world import NOBODY, Api, policy, slack

MUTES = "/v1.0/mutes"
UNTIL = "2026-03-03T16:00:00Z"
HOURS = {"days": ["mon", "fri"], "from": "22:00", "to": "06:00", "timezone": "Asia/Kolkata"}
NOUNS = {"policies": policy(), "destinations": slack()}


def test_a_mute_has_the_fields_of_the_contract(api: Api) -> None:
    policy_id = api.made("/v1.0/policies", policy())["policy_id"]
    body = {"agent": "worker.*", "event": "Job*", "policy_ids": [policy_id.upper(), policy_id], "until": UNTIL, "reason": "deploy"}
    made = api.made(MUTES, {**body, "unknown": 1})
    assert made == {**body, "policy_ids": [policy_id], "mute_id": made["mute_id"], "created_at": "2026-03-03T14:30:00Z"}
    assert api.get(MUTES).body == [made]


def test_a_mute_needs_only_its_end(api: Api) -> None:
    made = api.made(MUTES, {"until": "2026-03-03T16:00:00+01:00", "agent": None})
    assert made == {**made, "agent": None, "event": None, "policy_ids": None, "until": "2026-03-03T15:00:00Z", "reason": ""}


def test_mutes_are_listed_newest_first_by_pages(api: Api) -> None:
    made = [api.made(MUTES, {"until": UNTIL, "reason": str(number)}) for number in range(3)]
    assert api.get(MUTES).body == made[::-1]
    page = api.get(f"{MUTES}?limit=2")
    assert (page.body, 'rel="next"' in page.headers["Link"]) == (made[:0:-1], True)
    assert api.get(f"{MUTES}?offset=2").body == made[:1]


def test_a_deleted_mute_is_answered_and_gone(api: Api) -> None:
    made = api.made(MUTES, {"until": UNTIL})
    assert (api.delete(f"{MUTES}/{made['mute_id']}").body, api.get(MUTES).body) == (made, [])
    assert [api.delete(f"{MUTES}/{name}").status for name in (made["mute_id"], NOBODY, "m1")] == [404, 404, 400]
    assert [api("GET", f"{MUTES}/{NOBODY}").status, api.put(MUTES, {}).status] == [405, 405]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"until": None}, "until: is required"),
        ({"until": "tomorrow"}, "until: "),
        ({"until": 1772546400}, "until: must be an instant"),
        ({"agent": 5}, "agent: must be a string"),
        ({"agent": "x" * 130}, "agent: must be at most 129"),
        ({"event": " "}, "event: must not be blank"),
        ({"policy_ids": []}, "policy_ids: must have at least 1 entries"),
        ({"policy_ids": ["p1"]}, "policy_ids[0]: must be a UUID"),
        ({"reason": "x" * 2001}, "reason: must be at most 2000"),
    ],
)
def test_a_message_names_the_field_of_a_mute(api: Api, fields: dict[str, Any], message: str) -> None:
    answer = api.post(MUTES, {"until": UNTIL, **fields})
    assert (answer.status, message in answer.message) == (400, True), answer.body
    assert api.get(MUTES).body == []


def test_a_mute_of_an_unknown_policy_is_unprocessable(api: Api) -> None:
    answer = api.post(MUTES, {"until": UNTIL, "policy_ids": [NOBODY]})
    assert (answer.status, NOBODY in answer.message) == (422, True)


@pytest.mark.parametrize("field", MuteBody.model_fields)
def test_an_odd_value_of_a_mute_is_taken_or_refused_by_name(api: Api, field: str) -> None:
    for odd in ODD:
        kept = "" if field == "until" else f', "until": "{UNTIL}"'
        answer = api("POST", MUTES, raw=f'{{"{field}": {odd}{kept}}}')
        assert answer.status in {201, 400, 422}, (odd[:50], answer.body)
        assert answer.status != 400 or field in answer.message or "JSON" in answer.message
    assert api.get(MUTES).status == 200


@pytest.mark.parametrize("noun", NOUNS)
def test_active_hours_and_mute_until_are_kept_changed_and_taken_away(api: Api, noun: str) -> None:
    made = api.made(f"/v1.0/{noun}", {**NOUNS[noun], "active_hours": HOURS, "mute_until": UNTIL})
    path = f"/v1.0/{noun}/{made['policy_id' if noun == 'policies' else 'destination_id']}"
    assert (made["active_hours"], made["mute_until"]) == (HOURS, UNTIL)
    assert [api.get(path).body[name] for name in ("active_hours", "mute_until")] == [HOURS, UNTIL]
    kept = api.put(path, {"enabled": True, "active_hours": None, "mute_until": None}).body
    assert (kept["active_hours"], kept["mute_until"]) == (HOURS, UNTIL)
    changed = api.put(path, {"active_hours": {"days": ["sun", "sun"], "from": "00:00", "to": "24:00"}, "mute_until": "2026-03-04T00:00:00+02:00"}).body
    assert changed["active_hours"] == {"days": ["sun"], "from": "00:00", "to": "24:00", "timezone": "UTC"}
    assert changed["mute_until"] == "2026-03-03T22:00:00Z"
    cleared = api.put(path, {"active_hours": "", "mute_until": ""}).body
    assert (cleared["active_hours"], cleared["mute_until"]) == (None, None)


@pytest.mark.parametrize("noun", NOUNS)
def test_what_was_answered_can_be_put_back(api: Api, noun: str) -> None:
    made = api.made(f"/v1.0/{noun}", {**NOUNS[noun], "active_hours": HOURS, "mute_until": UNTIL})
    path = f"/v1.0/{noun}/{made['policy_id' if noun == 'policies' else 'destination_id']}"
    back = api.put(path, {name: made[name] for name in ("active_hours", "mute_until")}).body
    assert (back["active_hours"], back["mute_until"]) == (HOURS, UNTIL)


@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize(
    ("hours", "message"),
    [
        ([], "active_hours: must be a JSON object"),
        ({**HOURS, "days": None}, "active_hours.days: is required"),
        ({**HOURS, "days": []}, "active_hours.days: must have at least 1"),
        ({**HOURS, "days": ["Mon"]}, "active_hours.days[0]: must be mon, tue, wed"),
        ({**HOURS, "from": "24:00"}, "active_hours.from: must be a time"),
        ({**HOURS, "from": "9:00"}, "active_hours.from: must be a time"),
        ({**HOURS, "to": "24:01"}, "active_hours.to: must be a time"),
        ({**HOURS, "to": "\u0660\u0666:00"}, "active_hours.to: must be a time"),
        ({**HOURS, "to": 6}, "active_hours.to: must be a time"),
        ({**HOURS, "timezone": "asia/kolkata"}, "active_hours.timezone: must be the name of an IANA timezone"),
    ],
)
def test_a_message_names_the_part_of_active_hours(api: Api, noun: str, hours: Any, message: str) -> None:
    answer = api.post(f"/v1.0/{noun}", {**NOUNS[noun], "active_hours": hours})
    assert (answer.status, message in answer.message) == (400, True), answer.body


def test_quiet_settings_change_in_place_without_a_revision(api: Api) -> None:
    made = api.made("/v1.0/policies", policy())
    api.now += MINUTE
    api.put(f"/v1.0/policies/{made['policy_id']}", {"active_hours": HOURS, "mute_until": UNTIL})
    found = policies.get(api.store, made["policy_id"])
    assert found
    assert (found.revision, found.version) == (1, 2)


def test_a_deleted_policy_holds_by_its_last_settings(api: Api) -> None:
    quiet, loud = (api.made("/v1.0/policies", policy(mute_until=until))["policy_id"] for until in (UNTIL, None))
    for policy_id in (quiet, loud):
        api.delete(f"/v1.0/policies/{policy_id}")
    assert policies.get(api.store, quiet) is None
    assert set(policies.latest(api.store, [quiet, loud])) == {quiet}
    (row,) = api.store.db.query(TableName=api.store.tables.policies, KeyConditionExpression="PK = :g", ExpressionAttributeValues={":g": {"S": "gone"}})["Items"]
    assert int(row["x"]["N"]) > api.now // SECOND


def test_a_destination_stores_its_hours(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack(active_hours=HOURS))
    found = destinations.get(api.store, made["destination_id"])
    assert found
    assert found.active_hours
    assert (found.active_hours.start, found.active_hours.end, found.active_hours.days) == ("22:00", "06:00", ("mon", "fri"))
