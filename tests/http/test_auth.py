"""Who may come in: keys are known by their hash, remembered for a minute, and never in the way of retries."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from nightjar.core.instants import MINUTE, SECOND
from nightjar.core.keys import digest
from nightjar.http.auth import CAPACITY, KeyCache, authenticate
from nightjar.http.errors import Forbidden, InvalidToken, Unauthorized, answered
from nightjar.storage.client import Store
from nightjar.storage.keys import create_key, revoke_key

from tests.ingesting import NOW, FaultyClient, ingesting


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with ingesting() as ingest:
        yield ingest.store


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


class Counted:
    """A store whose reads are counted."""

    def __init__(self, store: Store) -> None:
        self.reads = 0
        self.store = Store(FaultyClient(store.db, get_item=self._get), store.tables)  # type: ignore[arg-type]

    def _get(self, real: Any, **request: Any) -> Any:
        self.reads += 1
        if request["Key"]["SK"]["S"].startswith("unknown"):
            return {}
        return real(**request)


def test_an_ingest_key_may_send_logs_and_an_admin_key_too(store: Store) -> None:
    text, key = create_key(store, scope="admin", now=NOW)
    assert authenticate(store, bearer(text), scope="ingest", now=NOW) == key
    assert authenticate(store, bearer(text), scope="admin", now=NOW) == key
    assert authenticate(store, {"AUTHORIZATION": "bearer  chp_local "}, scope="ingest", now=NOW).scope == "ingest"


def test_an_ingest_key_on_the_control_plane_is_forbidden(store: Store) -> None:
    with pytest.raises(Forbidden):
        authenticate(store, bearer("chp_local"), scope="admin", now=NOW)


@pytest.mark.parametrize("headers", [None, {}, {"Authorization": ""}, {"Authorization": " "}, {"X-Api-Key": "chp_local"}])
def test_no_key_is_unauthorized(store: Store, headers: dict[str, str] | None) -> None:
    with pytest.raises(Unauthorized):
        authenticate(store, headers, scope="ingest", now=NOW)


@pytest.mark.parametrize(
    "text",
    ["chp_local", "Bearer", "Bearer chp_", "Bearer local", "Basic chp_local", "Bearer chp_other", "Bearer chp_lo cal", "Bearer CHP_local",
     "Bearer chp_" + "x" * 5_000, "Bearer chp_\ud800", "Bearer chp_ключ", "Bearer " + digest("chp_local")],
)  # fmt: skip
def test_what_is_no_key_of_ours_is_an_invalid_token(store: Store, text: str) -> None:
    with pytest.raises(InvalidToken) as refused:
        authenticate(store, {"Authorization": text}, scope="ingest", now=NOW)
    assert (refused.value.status, refused.value.code) == (401, "INVALID_TOKEN")
    assert "other" not in refused.value.message


def test_a_malformed_key_is_not_looked_up(store: Store) -> None:
    counted = Counted(store)
    with pytest.raises(InvalidToken):
        authenticate(counted.store, bearer("nothing"), scope="ingest", now=NOW)
    assert counted.reads == 0


def test_a_revoked_key_ends_within_a_minute(store: Store) -> None:
    text, key = create_key(store, scope="ingest", now=NOW)
    authenticate(store, bearer(text), scope="ingest", now=NOW)
    revoke_key(store, key.key_hash, now=NOW)
    authenticate(store, bearer(text), scope="ingest", now=NOW + MINUTE - 1)
    with pytest.raises(InvalidToken):
        authenticate(store, bearer(text), scope="ingest", now=NOW + MINUTE)


def test_answers_are_remembered_for_a_minute_those_about_unknown_keys_too(store: Store) -> None:
    counted = Counted(store)
    for now in (NOW, NOW + 59 * SECOND, NOW + 61 * SECOND):
        authenticate(counted.store, bearer("chp_local"), scope="ingest", now=now)
        with pytest.raises(InvalidToken):
            authenticate(counted.store, bearer("chp_unknown"), scope="ingest", now=now)
    assert counted.reads == 4


def test_a_clock_that_goes_back_forgets(store: Store) -> None:
    counted, cache = Counted(store), KeyCache()
    cache.find(counted.store, "h", NOW)
    cache.find(counted.store, "h", NOW - 1)
    assert counted.reads == 2


def test_a_flood_of_unknown_keys_takes_bounded_memory_and_does_not_push_out_a_key_in_use(store: Store) -> None:
    counted, cache = Counted(store), KeyCache()
    for number in range(CAPACITY + 500):
        cache.find(counted.store, f"unknown {number}", NOW)
        cache.find(counted.store, digest("chp_local"), NOW)
    assert len(cache._answers) == CAPACITY
    assert counted.reads == CAPACITY + 500 + 1


def test_a_fault_of_the_key_store_is_429_and_is_not_remembered(store: Store) -> None:
    def hang(_real: Any, **_request: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="http://localhost")

    broken = Store(FaultyClient(store.db, get_item=hang), store.tables)  # type: ignore[arg-type]
    cache = KeyCache()
    with pytest.raises(ReadTimeoutError):
        cache.find(broken, digest("chp_local"), NOW)
    assert cache.find(store, digest("chp_local"), NOW) is not None
    answer = answered(lambda: authenticate(broken, bearer("chp_local"), scope="ingest", now=NOW))  # type: ignore[arg-type, return-value]
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (429, "1")
    assert json.loads(answer["body"])["error"]["code"] == "TOO_MANY_REQUESTS"
