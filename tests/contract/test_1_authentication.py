"""API.md, Authentication; and the errors that every route knows."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from nightjar.api.routes import ROUTES
from nightjar.core.instants import MINUTE, SECOND
from nightjar.storage.keys import create_key, revoke_key

from tests.contract.table import Table, asks, every, holds, sends, table
from tests.contract.world import NOBODY, NOW, Api, policy

FILLED = [(route, re.sub("<.*?>", NOBODY, route.path)) for route in ROUTES]
KEYED = [(route.method, path) for route, path in FILLED if not route.open]
BODIES = [(route.method, path) for route, path in FILLED if route.body]
PATHS = sorted({path for _, path in FILLED})
FOUR_MB = 4 * 2**20
MALFORMED = "INVALID_TOKEN: Authorization: must be Bearer and a key that begins with chp_"


def key(text: str) -> dict[str, Any]:
    return {"headers": {"Authorization": text}}


KEYS = table(
    "GET /v1.0/events",
    asks("a good key", "", 200, []),
    asks("the scheme in any case", "", 200, [], **key("bearer  {admin} ")),
    asks("no key", "", 401, "UNAUTHORIZED: Authorization: must be Bearer and a key", **key("")),
    asks("no scheme", "", 401, MALFORMED, **key("{admin}")),
    asks("another scheme", "", 401, MALFORMED, **key("Basic {admin}")),
    asks("no prefix", "", 401, MALFORMED, **key("Bearer nobody")),
    asks("nothing behind the prefix", "", 401, MALFORMED, **key("Bearer chp_")),
    asks("not in ASCII", "", 401, MALFORMED, **key("Bearer chp_ü")),
    asks("too long", "", 401, MALFORMED, **key("Bearer chp_" + "x" * 5_000)),
    asks("an unknown key", "", 401, "INVALID_TOKEN: Authorization: the key is unknown or revoked", **key("Bearer chp_unknown_to_everybody_0000")),
    asks("a revoked key", "", 401, "INVALID_TOKEN: Authorization: the key is unknown or revoked", **key("Bearer {revoked}")),
    asks("an ingest key on the control plane", "", 403, "Authorization: this key may only send logs", **key("Bearer {ingest}")),
)
LOG_KEYS = table(
    "POST /v1.0/logs",
    sends("an ingest key", {}, 200, {"accepted": 1}, **key("Bearer {ingest}")),
    sends("an admin key may send logs too", {}, 200, {"accepted": 1}),
    sends("a key with a prefix, for its own agent", {"agent": "worker.billing"}, 200, {"accepted": 1, "rejected": []}, **key("Bearer {prefixed}")),
    sends("for another's", {"agent": "cron"}, 400, "logs[0].agent: this key may only write agents that begin with worker.", **key("Bearer {prefixed}")),
    sends("for an agent that is none", {"agent": " "}, 400, "logs[0].agent: this key may only write", **key("Bearer {prefixed}")),
    sends("no key", {}, 401, "UNAUTHORIZED: ", **key("")),
    sends("a revoked key", {}, 401, "INVALID_TOKEN: ", **key("Bearer {revoked}")),
    base={"agent": "worker.billing", "event": "job.run", "value": 1},
)


@every(KEYS, LOG_KEYS)
def test_who_comes_in(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


@pytest.mark.parametrize(("method", "path"), KEYED)
def test_every_route_asks_for_a_key_first(api: Api, method: str, path: str) -> None:
    answer = api(method, path, headers={})
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(("method", "path"), [route for route in KEYED if route[1] != "/v1.0/logs"])
def test_an_ingest_key_is_forbidden_on_every_other_route(api: Api, method: str, path: str) -> None:
    token, _ = create_key(api.store, scope="ingest", now=NOW)
    answer = api(method, path, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


def test_a_revoked_key_stops_working_within_a_minute(api: Api) -> None:
    token, key = create_key(api.store, scope="admin", now=NOW)
    headers = {"Authorization": f"Bearer {token}"}
    assert api("GET", "/v1.0/events", headers=headers).status == 200
    revoke_key(api.store, key.key_hash, now=NOW)
    api.now += MINUTE
    assert api("GET", "/v1.0/events", headers=headers).status == 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1.0/events"), ("POST", "/v1.0/logs")])
def test_a_key_that_asks_more_often_than_the_setting_allows_is_told_when_to_come_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr("nightjar.http.auth.settings", lambda: SimpleNamespace(key_requests_per_second=0.5))
    log = {"event": "e", "value": 1}
    first, second = (api(method, path, log) for _ in range(2))
    assert (first.status, second.status, second.code, second.headers["Retry-After"]) == (200, 429, "TOO_MANY_REQUESTS", "2")
    other, _ = create_key(api.store, scope="admin", now=NOW)
    assert api(method, path, log, headers={"Authorization": f"Bearer {other}"}).status == 200, "another key is served"
    api.now += 2 * SECOND
    assert api(method, path, log).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/v1.0/openapi.json"])
def test_health_and_the_description_need_no_key(api: Api, path: str) -> None:
    assert api("GET", path, headers={}).status == 200


@pytest.mark.parametrize("path", ["/", "/nope", "/v1.0", "/v1.0/nope", "/v2.0/events", "/v1.0/events/a/b/c", f"/v1.0/alerts/{NOBODY}/explode", "", "/v1.0/%00"])
def test_an_unknown_route_is_not_found_in_the_envelope(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_not_allowed_and_those_that_are_are_named(api: Api, path: str) -> None:
    allowed = {route.method for route, filled in FILLED if filled == path}
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"} - allowed:
        answer = api(method, path, {})
        assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
        assert set(answer.headers["Allow"].split(", ")) == allowed
        assert answer.message == f"method: must be one of {answer.headers['Allow']}"


NO_BODY: tuple[tuple[str | bytes, int, str], ...] = (
    ("", 400, "body: is not JSON"), ("{", 400, "body: is not JSON"), ("null", 400, "body: must be"), ('"x"', 400, "body: must be"),
    ("1", 400, "body: must be"), (b"\xff{}", 400, "body: must be UTF-8"), ("[" * 100_000, 400, "body: is nested too deeply"),
    ('{"event": "' + "x" * FOUR_MB + '"}', 413, "body: must be at most 4 MiB"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_a_body_that_is_none_is_refused(api: Api, method: str, path: str) -> None:
    for raw, status, message in NO_BODY:
        answer = api(method, path, raw=raw)
        assert (answer.status, message in answer.message) == (status, True), answer.body


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_an_encoding_other_than_gzip_is_unsupported(api: Api, method: str, path: str) -> None:
    answer = api(method, path, {}, headers={**api.headers, "Content-Encoding": "br"})
    assert (answer.status, answer.code, answer.message) == (415, "UNSUPPORTED_MEDIA_TYPE", "Content-Encoding: must be gzip or identity")


def test_a_body_in_base64_is_read(api: Api) -> None:
    assert api("POST", "/v1.0/events", raw=b'{"event": "e"}').status == 201


@pytest.mark.parametrize("path", ["/v1.0/events/", "/v1.0//events"])
def test_a_slash_too_many_does_no_harm(api: Api, path: str) -> None:
    assert api.get(path).status == 200


def test_logs_sent_to_a_slash_too_many_are_led_to_where_they_belong(api: Api) -> None:
    """Whoever sends them: an answer of 403, 404 or 405 would make the SDKs drop the batch for ever."""
    answer = api("POST", "/v1.0/logs/", [{"event": "e", "value": 1}])
    assert (answer.status, answer.headers["Location"]) == (308, "../logs")
    assert api("POST", "/v1.0/logs/x", {}).status == 404
    assert api.get("/v1.0/logs/").status == 405


@pytest.mark.parametrize(
    "fault",
    [
        (ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "Query"), True),  # the key is known already
        (ReadTimeoutError(endpoint_url="https://dynamodb"), False),
    ],
)
@pytest.mark.parametrize(("method", "path"), KEYED)
def test_a_fault_of_storage_or_of_the_key_store_asks_the_client_to_come_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str, fault: tuple[Exception, bool]
) -> None:
    error, key_is_known = fault
    if key_is_known:
        assert api.get("/v1.0/events").status == 200

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(api.store.db, "_make_api_call", fail)
    body = policy(**{"from": "2026-03-03T08:00:00Z", "value": 1, "until": "2026-03-04T00:00:00Z"}, channel=None)
    answer = api(method, path, {**body, "channel": "discord", "url": "https://discord.com/api/webhooks/1/t"} if "destinations" in path else body)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "TOO_MANY_REQUESTS", "1")


def test_somebody_who_keeps_writing_the_same_row_asks_the_client_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = api.made("/v1.0/policies", policy())["policy_id"]

    def stale(*_: object, **__: object) -> None:
        from nightjar.storage.config import Stale

        raise Stale

    monkeypatch.setattr("nightjar.storage.policies.replace", stale)
    assert api.put(f"/v1.0/policies/{made}", {"title": "x"}).status == 429
