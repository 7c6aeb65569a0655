"""API.md, Policies: what a PUT changes, and what a deletion takes along."""

from typing import Any

import pytest
from nightjar.core.instants import DAY, MINUTE, SECOND
from nightjar.storage import destinations, policies

from tests.contract.table import Table, every, holds, sends, table
from tests.contract.test_5_policies import DEFAULTS, FIELDS, NO_UUID, UNKNOWN
from tests.contract.world import NOBODY, NOW, Api, policy, slack

CLEARED = {"compare": None, "recovery_threshold": None, "renotify_minutes": None, "active_hours": None, "mute_until": None}

UPDATE = table(
    "PUT /v1.0/policies/<policy_id>",
    sends("what it names", {"title": "Updated", "threshold": 5}, 200, {**DEFAULTS, "title": "Updated", "threshold": 5, "condition": "gt"}),
    sends("null counts as absent, for required fields too", dict.fromkeys([*policy(), *DEFAULTS]), 200, {**policy(), **DEFAULTS}),
    sends("nothing", {}, 200, DEFAULTS),
    sends("an empty text in text fields", {"title": "", "description": "", "runbook_url": "", "channel": ""}, 200, DEFAULTS),
    sends("an empty text takes optional settings away", dict.fromkeys(CLEARED, ""), 200, CLEARED),
    sends("an empty text is none where there must be a value", {"period": ""}, 400, "period: must be minute, hour or day"),
    sends("nor where a number must be", {"threshold": ""}, 400, "threshold: must be a finite number"),
    sends("computed fields are not taken from it", {"state": "triggered", "last_reason": "x"}, 200, {"state": "pending", "last_reason": "no_tick_yet"}),
    sends("its event by id", {"event_id": "{event}"}, 200, {"event_id": "{event}"}),
    sends("another event by name, its agent kept", {"event": "job.failed"}, 200, {"agent": "worker.billing", "event": "job.failed"}),
    sends("another agent, its event kept", {"agent": "cron"}, 200, {"agent": "cron", "event": "job.run"}),
    sends("two events that differ", {"event_id": "{event}", "event": "job.failed"}, 400, "event_id: is not the event of agent and event"),
    sends("an unknown event", {"event_id": NOBODY}, 422, "event_id: there is no such event"),
    sends("a wrong field", {"severity": "fatal"}, 400, "severity: must be info, warning, error or critical"),
    sends("rules across fields hold for what it leaves", {"threshold": 10}, 400, "recovery_threshold: must be at most the threshold", of="{lenient}"),
    sends("back to calendar, without a word on the length", {"window": "calendar"}, 200, {"window": "calendar", "window_minutes": None}, of="{rolling}"),
    sends("active_from too far back", {"active_from": "2026-01-01T00:00:00Z"}, 400, "active_from: must be at most 30 days back"),
    sends("unknown", {"title": "x"}, 404, UNKNOWN, of="{nobody}"),
    sends("no UUID", {"title": "x"}, 400, NO_UUID, of="pol_1"),
    fields=FIELDS,
)


@every(UPDATE)
def test_a_put(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


def stored(api: Api, policy_id: str) -> Any:
    found = policies.get(api.store, policy_id)
    assert found
    return found


def test_put_changes_what_it_names_and_keeps_the_rest(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(title="Runs", compare={"previous": "previous_7d"}, min_count=5, recovery_threshold=10))
    api.now += DAY
    changed = api.put(f"/v1.0/policies/{made['policy_id']}", {"title": "Updated", "severity": None}).body
    assert changed == {**made, "title": "Updated", "updated_at": "2026-03-04T14:30:00Z"}
    assert api.get(f"/v1.0/policies/{made['policy_id']}").body == changed


def test_what_was_answered_can_be_put_back_and_created_again(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(window="rolling", compare={"previous": "previous_1d"}, min_count=3))
    assert api.put(f"/v1.0/policies/{made['policy_id']}", made).body == made
    api.now += 40 * DAY
    later = api.put(f"/v1.0/policies/{made['policy_id']}", made)
    assert (later.status, later.body["active_from"]) == (200, made["active_from"]), "however long ago it became active"
    api.now -= 40 * DAY
    copy = api.made("/v1.0/policies", made)
    assert {**copy, "policy_id": made["policy_id"]} == made


@pytest.mark.parametrize(
    ("change", "revision"),
    [
        ({"title": "x"}, 1), ({"severity": "error"}, 1), ({"threshold": 20.0}, 1), ({"mute_until": "2026-03-03T16:00:00Z"}, 1),
        ({"active_hours": {"days": ["mon"], "from": "08:00", "to": "18:00"}}, 1), ({"runbook_url": "https://w.example"}, 1), ({"renotify_minutes": 5}, 1),
        ({"threshold": 21}, 2), ({"period": "day"}, 2), ({"event": "other"}, 2), ({"aggregate": "sum"}, 2), ({"condition": "gte"}, 2),
        ({"window": "rolling"}, 2), ({"compare": {"previous": "previous_1d"}}, 2), ({"missing": "ignore"}, 2), ({"evaluation_periods": 2}, 2),
        ({"min_count": 3}, 2), ({"recovery_periods": 2}, 2), ({"recovery_threshold": 10}, 2),
    ],
)  # fmt: skip
def test_only_a_changed_measurement_starts_a_revision(api: Api, change: dict[str, Any], revision: int) -> None:
    made = api.made("/v1.0/policies", policy())
    api.now += MINUTE
    assert api.put(f"/v1.0/policies/{made['policy_id']}", change).status == 200
    assert (stored(api, made["policy_id"]).revision, stored(api, made["policy_id"]).version) == (revision, 2)


def test_agent_and_event_make_the_event_once(api: Api) -> None:
    one, two = (api.made("/v1.0/policies", policy()) for _ in range(2))
    assert (one["event_id"], one["policy_id"] < two["policy_id"]) == (two["event_id"], True)
    assert len(api.get("/v1.0/events").body) == 1


def test_a_policy_may_move_to_another_event(api: Api) -> None:
    made = api.made("/v1.0/policies", policy())
    moved = api.put(f"/v1.0/policies/{made['policy_id']}", {"agent": "worker.billing", "event": "job.failed"}).body
    assert policies.for_event(api.store, made["event_id"]) == []
    assert [one.policy_id for one in policies.for_event(api.store, moved["event_id"])] == [made["policy_id"]]


def test_active_from_follows_when_a_policy_is_switched_on_again(api: Api) -> None:
    made = api.made("/v1.0/policies", policy(enabled=False))
    api.now += DAY
    assert api.put(f"/v1.0/policies/{made['policy_id']}", {"enabled": True}).body["active_from"] == "2026-03-04T14:30:00Z"


def test_deleting_takes_the_id_out_of_every_destination(api: Api) -> None:
    gone, kept = (api.made("/v1.0/policies", policy())["policy_id"] for _ in range(2))
    made = [api.made("/v1.0/destinations", slack(scope="policies", policy_ids=[gone, kept])) for _ in range(2)]
    assert api.delete(f"/v1.0/policies/{gone}").status == 200
    for destination in made:
        found = destinations.get(api.store, destination["destination_id"])
        assert found
        assert found.policy_ids == (kept,)
        assert api.get(f"/v1.0/destinations/{destination['destination_id']}").body["policy_ids"] == [kept]
    assert [api(method, f"/v1.0/policies/{gone}", {}).status for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]
    assert [one["policy_id"] for one in api.get("/v1.0/policies").body] == [kept]


def test_a_deleted_policys_active_hours_are_kept_and_its_mute_is_not(api: Api) -> None:
    hours = {"days": ["mon"], "from": "09:00", "to": "17:00"}
    settings = ({"active_hours": hours, "mute_until": "2026-03-03T16:00:00Z"}, {"mute_until": "2026-03-03T16:00:00Z"})
    quiet, loud = (api.made("/v1.0/policies", policy(**given))["policy_id"] for given in settings)
    for policy_id in (quiet, loud):
        api.delete(f"/v1.0/policies/{policy_id}")
    assert policies.get(api.store, quiet) is None
    kept = policies.latest(api.store, [quiet, loud])
    assert {policy_id: left.mute_until for policy_id, left in kept.items()} == {quiet: None}
    (row,) = api.store.db.query(TableName=api.store.tables.policies, KeyConditionExpression="PK = :g", ExpressionAttributeValues={":g": {"S": "gone"}})["Items"]
    assert int(row["x"]["N"]) > api.now // SECOND


def test_the_engine_is_told_of_every_edit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr("nightjar.api.policies.judge_edit", lambda _store, before, after, *, now: told.append((before, after, now)))
    made = api.made("/v1.0/policies", policy())["policy_id"]
    api.put(f"/v1.0/policies/{made}", {"threshold": 3})
    api.delete(f"/v1.0/policies/{made}")
    thresholds = [(before and before.threshold, after and after.threshold) for before, after, _ in told]
    assert thresholds == [(None, 20), (20, 3), (3, None)]
    assert {now for _, _, now in told} == {NOW}


def test_a_policy_is_not_created_twice_because_it_could_not_be_judged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("nightjar.api.policies.judge_edit", fail)
    api.made("/v1.0/policies", policy())
    assert len(api.get("/v1.0/policies").body) == 1
