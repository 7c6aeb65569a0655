"""A bucket that cannot be read is told of where it is asked for, with what mends it; whatever does not rest on it is answered."""

from collections.abc import Iterator
from typing import Any

import pytest
from nightjar.core import rollups as core
from nightjar.core.ids import event_id
from nightjar.core.instants import HOUR, MINUTE, SECOND, iso
from nightjar.core.periods import Bin
from nightjar.pipeline.recount import Target, recount
from nightjar.storage import events, rollups
from nightjar.storage.bucket_items import key

from tests.world import START, World, world

ILL, WELL = event_id("", "ill"), event_id("", "well")
RUBBISH = [b"", b"rubbish", b"\x07 of a newer version", b"\x01" * 80]
REST = "the head alone"


@pytest.fixture
def deployed() -> Iterator[World]:
    """Two events with logs in an hour that ended two hours ago, and a policy of each."""
    with world() as made:
        made.tick(START)
        for name in ("ill", "well"):
            made.made("POST", "/v1.0/policies", policy(name))
            made.send([{"event": name, "value": value, "occurred_at": iso(START + SECOND)} for value in (1, 2.5)])
        made.roll_up()
        made.now += 3 * HOUR
        yield made


def policy(name: str, **given: Any) -> dict[str, Any]:
    return {"event": name, "title": name, "period": "hour", "aggregate": "max", "condition": "gt", "threshold": 100, **given}


def damage(on: World, bin: Bin, put: bytes | str) -> None:
    """Put other bytes into a row of the ill event."""
    found = rollups.read_stored(on.store, ILL, [bin], now=on.now)[bin].packed
    packed = found[: core._HEAD.size] if isinstance(put, str) else put
    on.store.db.update_item(
        TableName=on.store.tables.rollups, Key=key(ILL, bin), UpdateExpression="SET b = :b", ExpressionAttributeValues={":b": {"B": packed}}
    )


def standing(on: World) -> dict[str, tuple[str, str]]:
    return {found["title"]: (found["state"], found["last_reason"]) for found in on.made("GET", "/v1.0/policies", None)}


@pytest.mark.parametrize("put", [*RUBBISH, REST])
def test_a_list_of_policies_is_answered_and_says_which_of_them_cannot_be_told(deployed: World, put: bytes | str) -> None:
    deployed.tick(START + HOUR + MINUTE)
    damage(deployed, ("h", START), put)
    assert standing(deployed) == {"ill": ("unknown", "unreadable_bucket"), "well": ("ok", "condition_does_not_hold")}
    (ill, *_) = [found for found in deployed.made("GET", "/v1.0/policies", None) if found["title"] == "ill"]
    assert deployed.made("GET", f"/v1.0/policies/{ill['policy_id']}", None)["state"] == "unknown"


def test_another_policy_of_the_same_event_stands_by_its_own_buckets(deployed: World) -> None:
    deployed.made("POST", "/v1.0/policies", policy("ill", title="minutes", period="minute"))
    deployed.tick(START + HOUR + MINUTE)
    damage(deployed, ("h", START), b"rubbish")
    assert standing(deployed)["minutes"][0] != "unknown"


def test_an_open_alert_shows_though_its_bucket_cannot_be_read(deployed: World) -> None:
    deployed.made("POST", "/v1.0/policies", policy("ill", title="open", threshold=2, active_from=iso(START)))
    deployed.tick(START + HOUR)
    damage(deployed, ("h", START), b"rubbish")
    deployed.tick(START + HOUR + MINUTE)
    assert standing(deployed)["open"] == ("triggered", "unreadable_bucket")


@pytest.mark.parametrize("put", [*RUBBISH, REST])
@pytest.mark.parametrize(
    ("letter", "asked"),
    [
        ("h", "GET /v1.0/events/{event}/logs"),
        ("h", "GET /v1.0/events/{event}/logs?period=day"),
        ("m", "GET /v1.0/events/{event}/logs?period=minute"),
        ("h", "GET /v1.0/events/{event}/analytics?period=1d&previous=previous_window"),
        ("h", "POST /v1.0/policies/preview"),
    ],
)
def test_what_rests_on_it_is_a_conflict_that_names_what_mends_it(deployed: World, letter: Any, asked: str, put: bytes | str) -> None:
    damage(deployed, (letter, START), put)
    method, path = asked.split(" ")
    for event, name in ((WELL, "well"), (ILL, "ill")):
        body = {"from": iso(START - HOUR), "policy": policy(name, threshold=1)} if method == "POST" else None
        answer = deployed(method, path.format(event=event), body)
        assert answer.status == (200 if name == "well" else 409), answer.body
    assert answer.body["error"]["code"] == "CONFLICT"
    assert f"nightjar recount --from {iso(START)}" in answer.body["error"]["message"]


@pytest.mark.parametrize("put", [*RUBBISH, REST])
def test_raw_logs_and_what_rests_on_other_buckets_are_answered(deployed: World, put: bytes | str) -> None:
    damage(deployed, ("h", START), put)
    assert len(deployed.made("GET", f"/v1.0/events/{ILL}/logs?period=raw", None)) == 2
    assert len(deployed.made("GET", f"/v1.0/events/{ILL}/logs?period=minute", None)) == 1
    body = {"from": iso(START), "policy": policy("ill", period="minute", compare={"previous": "previous_window"})}
    assert deployed("POST", "/v1.0/policies/preview", body).status == 200


def test_after_a_recount_all_is_answered(deployed: World) -> None:
    deployed.tick(START + HOUR + MINUTE)
    damage(deployed, ("h", START), b"rubbish")
    event = events.get(deployed.store, ILL)
    assert event
    assert list(recount(deployed.store, [Target(event, START)], now=lambda: deployed.now, pause=lambda: None))
    assert standing(deployed)["ill"] == ("ok", "condition_does_not_hold")
    assert deployed("GET", f"/v1.0/events/{ILL}/logs").status == 200
