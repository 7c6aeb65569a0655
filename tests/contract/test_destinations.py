"""API.md, Destinations."""

from typing import Any

import pytest
from nightjar.core.instants import MINUTE
from nightjar.storage import destinations

from tests.contract.world import NOBODY, Api, policy, slack

FIELDS = {
    "destination_id", "channel", "url", "credentials", "scope", "policy_ids", "enabled", "name", "min_severity", "created_at", "updated_at",
    "last_delivered_at", "last_error",
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


def test_a_deleted_destination_is_gone(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack())
    path = f"/v1.0/destinations/{made['destination_id']}"
    assert (api.delete(path).status, api.get("/v1.0/destinations").body) == (200, [])
    assert [api(method, path, {}).status for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]
    assert api.get("/v1.0/destinations/whk_123").status == 400
