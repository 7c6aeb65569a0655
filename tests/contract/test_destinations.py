"""API.md, Destinations."""

from typing import Any

import pytest
from nightjar.channels.transport import Answer as Response
from nightjar.channels.transport import Request
from nightjar.core.instants import MINUTE
from nightjar.storage import destinations

from tests.contract.world import NOBODY, Api, policy, slack

FIELDS = {
    "destination_id", "channel", "url", "credentials", "scope", "policy_ids", "enabled", "name", "min_severity", "active_hours", "mute_until",
    "created_at", "updated_at", "last_delivered_at", "last_error",
}  # fmt: skip


def test_a_destination_has_the_fields_of_the_contract_and_shows_no_secret(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack())
    assert set(made) == FIELDS
    assert (made["scope"], made["policy_ids"], made["enabled"], made["min_severity"], made["last_delivered_at"]) == ("all", [], True, "info", None)
    assert made["url"].startswith("https://hooks.slack.com/")
    assert "secret" not in str(made)
    assert api.get(f"/v1.0/destinations/{made['destination_id']}").body == made
    assert api.get("/v1.0/destinations").body == [made]


def stored_url(api: Api, destination_id: str) -> str:
    """The url that is really kept."""
    found = destinations.get(api.store, destination_id)
    assert found
    return found.url


def test_put_keeps_what_it_does_not_name_secrets_too(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack(name="ops"))
    api.now += MINUTE
    changed = api.put(f"/v1.0/destinations/{made['destination_id']}", {"enabled": False, "name": None}).body
    assert changed == {**made, "enabled": False, "updated_at": "2026-03-03T14:31:00Z"}
    assert stored_url(api, made["destination_id"]).endswith("/secret")


def test_what_was_answered_can_be_put_back_without_losing_the_secret(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack())
    assert api.put(f"/v1.0/destinations/{made['destination_id']}", made).body == made
    assert stored_url(api, made["destination_id"]).endswith("/secret")


def test_a_new_url_takes_the_place_of_the_old(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack())
    api.put(f"/v1.0/destinations/{made['destination_id']}", {"url": "https://hooks.slack.com/services/T000/B000/other"})
    assert stored_url(api, made["destination_id"]).endswith("/other")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"channel": None}, "channel: is required"),
        ({"channel": "pager"}, "channel: must be slack, discord"),
        ({"url": None}, "url: "),
        ({"url": "http://hooks.slack.com/services/T/B/x"}, "url: "),
        ({"url": "https://evil.example/services/T/B/x"}, "url: "),
        ({"url": "https://hooks.slack.com.evil.example/services/T/B/x"}, "url: "),
        ({"url": "https://hooks.slack.com/workflows/T/B/x"}, "url: "),
        ({"url": "https://[x"}, "url: "),
        ({"url": 5}, "url: must be a string"),
        ({"scope": "some"}, "scope: must be all or policies"),
        ({"policy_ids": "p"}, "policy_ids: must be a list"),
        ({"policy_ids": ["p"]}, "policy_ids[0]: must be a UUID"),
        ({"policy_ids": [NOBODY] * 1001}, "policy_ids: must have at most 1000"),
        ({"min_severity": "low"}, "min_severity: must be info"),
        ({"enabled": None, "credentials": []}, "credentials: must be an object"),
        ({"credentials": {"bot_token": 5}}, "credentials.bot_token: must be a string"),
        ({"name": "x" * 201}, "name: must be at most 200"),
    ],
)
def test_a_message_names_the_field_and_what_is_wrong_with_it(api: Api, fields: dict[str, Any], message: str) -> None:
    answer = api.post("/v1.0/destinations", slack(**fields))
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert message in answer.message
    assert api.get("/v1.0/destinations").body == []


def test_an_unknown_policy_is_unprocessable(api: Api) -> None:
    known = api.made("/v1.0/policies", policy())["policy_id"]
    answer = api.post("/v1.0/destinations", slack(scope="policies", policy_ids=[known, NOBODY]))
    assert (answer.status, answer.code, NOBODY in answer.message) == (422, "UNPROCESSABLE", True)
    made = api.made("/v1.0/destinations", slack(policy_ids=[known, known.upper()]))
    assert (made["scope"], made["policy_ids"]) == ("policies", [known])
    assert api.put(f"/v1.0/destinations/{made['destination_id']}", {"policy_ids": [NOBODY]}).status == 422


@pytest.mark.parametrize(
    ("said", "outcome", "error"),
    [(Response(200, {}, b"ok"), "sent", ""), (Response(404, {}, b"no_team"), "failed", "404 no_team"), (Response(500, {}, b""), "failed", "500")],
)
def test_a_test_is_sent_at_once_and_found_again(api: Api, monkeypatch: pytest.MonkeyPatch, said: Response, outcome: str, error: str) -> None:
    posted: list[Request] = []

    def post(request: Request) -> Response:
        posted.append(request)
        return said

    monkeypatch.setattr("nightjar.channels.slack.post", post)
    made = api.made("/v1.0/destinations", slack(enabled=False))
    answer = api.post(f"/v1.0/destinations/{made['destination_id']}/test")
    assert (answer.status, set(answer.body), answer.body["status"]) == (200, {"alert_id", "destination_id", "status"}, outcome)
    assert [request.url for request in posted] == [slack()["url"]]
    (row,) = api.get(f"/v1.0/alerts/{answer.body['alert_id']}/deliveries?kind=test").body
    assert (row["kind"], row["status"], row["response_status"], row["destination_id"]) == ("test", outcome, said.status, made["destination_id"])
    found = api.get(f"/v1.0/destinations/{made['destination_id']}").body
    assert (found["last_error"], found["last_delivered_at"]) == (error, "2026-03-03T14:30:00Z" if outcome == "sent" else None)
    assert api.get("/v1.0/alerts").body == []


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"channel": "discord", "url": "https://discord.com/api/webhooks/123/secret-token"}, {}),
        ({"channel": "telegram", "credentials": {"bot_token": "123456:AAEsecretsecretsecretsecretsecretse", "chat_id": "-987"}}, {"chat_id": "-987"}),
        ({"channel": "webhook", "url": "https://hook.example/secret", "credentials": {"authorization": "Bearer secret"}}, {}),
    ],
)
def test_no_channel_shows_its_secrets(api: Api, body: dict[str, Any], shown: dict[str, str]) -> None:
    made = api.made("/v1.0/destinations", body)
    assert "secret" not in str(made)
    assert set(made["credentials"]) == set(body.get("credentials", {}))
    assert made["credentials"].items() >= shown.items()
    before = destinations.get(api.store, made["destination_id"])
    assert api.put(f"/v1.0/destinations/{made['destination_id']}", made).body == made
    after = destinations.get(api.store, made["destination_id"])
    assert before
    assert after
    assert (after.url, after.credentials) == (before.url, before.credentials)


def test_one_credential_changes_and_the_others_stay(api: Api) -> None:
    body = {"channel": "telegram", "credentials": {"bot_token": "123456:AAEsecretsecretsecretsecretsecretse", "chat_id": "-987"}}
    made = api.made("/v1.0/destinations", body)
    api.put(f"/v1.0/destinations/{made['destination_id']}", {"credentials": {"chat_id": "-5"}})
    found = destinations.get(api.store, made["destination_id"])
    assert found
    assert dict(found.credentials) == {"bot_token": "123456:AAEsecretsecretsecretsecretsecretse", "chat_id": "-5"}


def test_a_channel_may_change_with_all_that_it_needs(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack())
    path = f"/v1.0/destinations/{made['destination_id']}"
    assert api.put(path, {"channel": "discord"}).status == 400
    assert api.put(path, {"channel": "discord", "url": "https://discord.com/api/webhooks/123/token"}).body["channel"] == "discord"


def test_a_deleted_destination_is_gone(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack())
    path = f"/v1.0/destinations/{made['destination_id']}"
    assert (api.delete(path).status, api.get("/v1.0/destinations").body) == (200, [])
    assert [api(method, path, {}).status for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]
    assert api.get("/v1.0/destinations/whk_123").status == 400
