"""API.md, Mutes; and the active_hours and mute_until of policies and destinations."""

from typing import Any

import pytest
from nightjar.storage import destinations

from tests.contract.table import Case, Table, asks, every, holds, sends, table
from tests.contract.world import NOBODY, Api, policy, slack

MUTES = "/v1.0/mutes"
FIELDS = "mute_id, agent, event, policy_ids, until, reason, created_at"
UNTIL = "2026-03-03T16:00:00Z"
HOURS = {"days": ["mon", "fri"], "from": "22:00", "to": "06:00", "timezone": "Asia/Kolkata"}
BARE = {"agent": None, "event": None, "policy_ids": None, "until": UNTIL, "reason": "", "created_at": "2026-03-03T14:30:00Z", "warnings": []}
ENDED = "until is past: this mute holds nothing"


def no(message: str, **sent: Any) -> Case:
    """A row of what is refused."""
    return sends(", ".join(f"{name} {value}"[:60] for name, value in sent.items()), sent, 400, message)


CREATE = table(
    f"POST {MUTES}",
    sends("its end is enough", {}, 201, BARE),
    sends("null counts as absent", {"agent": None, "event": None, "policy_ids": None, "reason": None}, 201, BARE),
    sends("unknown fields are ignored", {"mute_id": "x", "x": 1}, 201, BARE),
    sends("agent and event, each of which may end in a star", {"agent": "worker.*", "event": "Job*"}, 201, {"agent": "worker.*", "event": "Job*"}),
    sends("a blank agent: events without one", {"agent": " "}, 201, {"agent": ""}),
    sends("policies", {"policy_ids": ["{policy}", "{policy}"]}, 201, {"policy_ids": ["{policy}"]}),
    sends("a reason", {"reason": "deploy"}, 201, {"reason": "deploy"}),
    sends("its end in any zone", {"until": "2026-03-03T17:00:00+01:00"}, 201, {"until": UNTIL}),
    sends("an end that is past", {"until": "2026-03-03T14:00:00Z"}, 201, {"until": "2026-03-03T14:00:00Z", "warnings": [ENDED]}),
    sends("an unknown policy", {"policy_ids": ["{policy}", NOBODY]}, 422, f"policy_ids: there is no policy {NOBODY}"),
    no("until: is required", until=None), no("until: must be an instant like", until="tomorrow"), no("until: must be an instant like", until=1772546400),
    no("until: must be an instant like", until=""),
    no("agent: must be a string", agent=5), no("agent: must be at most 129 characters", agent="x" * 130), no("event: must not be blank", event=" "),
    no("event: must be at most 129 characters", event="x" * 130), no("policy_ids: must have at least 1 entries", policy_ids=[]),
    no("policy_ids[0]: must be a UUID", policy_ids=["p1"]), no("policy_ids: must have at most 1000 entries", policy_ids=[NOBODY] * 1001),
    no("reason: must be at most 2000 characters", reason="x" * 2001), no("reason: must not hold control characters", reason="a\nb"),
    sends("an array", [], 400, "body: must be a JSON object"),
    base={"until": UNTIL}, fields=FIELDS,
)  # fmt: skip
OTHERS = (
    table(f"GET {MUTES}", asks("none", "", 200, []), asks("one", "", 200, [{"mute_id": "{mute}", "until": UNTIL, "reason": "deploy"}], given=("mute",)),
          asks("a limit of none", "?limit=0", 400, "limit: must be a whole number from 1 to 1000"), fields=FIELDS),
    table(f"DELETE {MUTES}/<mute_id>", asks("one", "{mute}", 200, {"mute_id": "{mute}", "reason": "deploy"}, then=(MUTES, [])),
          asks("unknown", "{nobody}", 404, "mute_id: there is no such mute"), asks("no UUID", "m1", 400, "mute_id: must be a UUID"), fields=FIELDS),
)  # fmt: skip
SPANS = (
    sends("days and a span over midnight", {"active_hours": HOURS}, 201, {"active_hours": HOURS}),
    sends("in UTC by default, to the day's end", {"active_hours": {"days": ["sun", "sun"], "from": "00:00", "to": "24:00"}}, 201,
          {"active_hours": {"days": ["sun"], "from": "00:00", "to": "24:00", "timezone": "UTC"}}),
    sends("from = to", {"active_hours": {**HOURS, "from": "06:00", "timezone": None}}, 201, {"active_hours": {**HOURS, "from": "06:00", "timezone": "UTC"}}),
    no("active_hours: must be a JSON object", active_hours=[]),
    no("active_hours.days: is required", active_hours={**HOURS, "days": None}),
    no("active_hours.days: must have at least 1", active_hours={**HOURS, "days": []}),
    no("active_hours.days[0]: must be mon, tue, wed", active_hours={**HOURS, "days": ["Mon"]}),
    no("active_hours.from: must be a time", active_hours={**HOURS, "from": "24:00"}),
    no("active_hours.from: must be a time", active_hours={**HOURS, "from": "9:00"}),
    no("active_hours.from: is required", active_hours={"days": ["mon"], "to": "06:00"}),
    no("active_hours.to: must be a time", active_hours={**HOURS, "to": "24:01"}),
    no("active_hours.to: must be a time", active_hours={**HOURS, "to": "\u0660\u0666:00"}),
    no("active_hours.to: must be a time", active_hours={**HOURS, "to": 6}),
    no("active_hours.timezone: must be the name of an IANA timezone", active_hours={**HOURS, "timezone": "asia/kolkata"}),
)  # fmt: skip
BOTH = (table("POST /v1.0/policies", *SPANS, base=policy()), table("POST /v1.0/destinations", *SPANS, base=slack()))
NOUNS = {"policies": policy(), "destinations": slack()}


@every(CREATE, *OTHERS, *BOTH)
def test_mutes(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


@pytest.mark.parametrize("noun", NOUNS)
def test_active_hours_and_mute_until_are_kept_changed_and_taken_away(api: Api, noun: str) -> None:
    made = api.made(f"/v1.0/{noun}", {**NOUNS[noun], "active_hours": HOURS, "mute_until": UNTIL})
    path = f"/v1.0/{noun}/{made['policy_id' if noun == 'policies' else 'destination_id']}"
    assert (made["active_hours"], made["mute_until"]) == (HOURS, UNTIL)
    assert [api.get(path).body[name] for name in ("active_hours", "mute_until")] == [HOURS, UNTIL]
    for body in ({"enabled": True, "active_hours": None, "mute_until": None}, {name: made[name] for name in ("active_hours", "mute_until")}):
        kept = api.put(path, body).body
        assert (kept["active_hours"], kept["mute_until"]) == (HOURS, UNTIL)
    changed = api.put(path, {"active_hours": {"days": ["sun"], "from": "00:00", "to": "24:00"}, "mute_until": "2026-03-04T00:00:00+02:00"}).body
    assert (changed["active_hours"]["days"], changed["mute_until"]) == (["sun"], "2026-03-03T22:00:00Z")
    cleared = api.put(path, {"active_hours": "", "mute_until": ""}).body
    assert (cleared["active_hours"], cleared["mute_until"]) == (None, None)


def test_a_destination_stores_its_hours(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack(active_hours=HOURS))
    found = destinations.get(api.store, made["destination_id"])
    assert found
    assert found.active_hours
    assert (found.active_hours.start, found.active_hours.end, found.active_hours.days) == ("22:00", "06:00", ("mon", "fri"))
