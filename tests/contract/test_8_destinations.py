"""API.md, Destinations."""

from typing import Any

import pytest
from nightjar.channels.transport import Answer as Response
from nightjar.channels.transport import Request, Unreachable
from nightjar.core.instants import MINUTE
from nightjar.storage import destinations

from tests.contract.givens import BOT, HOOK
from tests.contract.table import Absent, Case, Table, asks, every, holds, sends, table
from tests.contract.world import NOBODY, Api, policy, slack

FIELDS = """destination_id, channel, url, credentials, scope, policy_ids, enabled, name, min_severity, active_hours, mute_until, created_at, updated_at,
    last_delivered_at, last_error"""
DEFAULTS = {
    "credentials": {}, "scope": "all", "policy_ids": [], "enabled": True, "name": "", "min_severity": "info", "active_hours": None, "mute_until": None,
    "created_at": "2026-03-03T14:30:00Z", "updated_at": "2026-03-03T14:30:00Z", "last_delivered_at": None, "last_error": "",
}  # fmt: skip
DISCORD = {"channel": "discord", "url": "https://discord.com/api/webhooks/123/secret-token"}
UNKNOWN, NO_UUID = "destination_id: there is no such destination", "destination_id: must be a UUID"
SERVICES = "url: must be https://hooks.slack.com/services/…"


def no(message: str, **sent: Any) -> Case:
    """A row of a configuration that is refused."""
    return sends(", ".join(f"{name} {value}"[:60] for name, value in sent.items()), sent, 400, message)


def on(channel: str, message: str, **sent: Any) -> Case:
    """A row of another channel that is refused."""
    return no(message, channel=channel, **{"url": Absent, **sent})


def destination(*cases: Case) -> Table:
    """Rows of POST /v1.0/destinations; they say what differs from a Slack webhook."""
    return table("POST /v1.0/destinations", *cases, base=slack(), fields=FIELDS)


FIELD = destination(
    sends("what is required, and the defaults", {}, 201, {"channel": "slack", **DEFAULTS}),
    sends("null counts as absent", dict.fromkeys(DEFAULTS), 201, DEFAULTS),
    sends("unknown fields are ignored, and what is computed", {"x": 1, "last_error": "x", "created_at": 5}, 201, DEFAULTS),
    sends("a name of 200 characters", {"name": "n" * 200}, 201, {"name": "n" * 200}), no("name: must be at most 200 characters", name="n" * 201),
    *(sends(f"min_severity {one}", {"min_severity": one}, 201, {"min_severity": one}) for one in ("info", "warning", "error", "critical")),
    no("min_severity: must be info, warning, error or critical", min_severity="low"),
    sends("enabled", {"enabled": False}, 201, {"enabled": False}), no("enabled: must be true or false", enabled="no"),
    sends("mute_until", {"mute_until": "2026-03-03T18:00:00+01:00"}, 201, {"mute_until": "2026-03-03T17:00:00Z"}), no("mute_until: must be", mute_until=5),
    sends("scope all", {"scope": "all"}, 201, {"scope": "all"}),
    sends("scope policies", {"scope": "policies", "policy_ids": ["{policy}"]}, 201, {"scope": "policies", "policy_ids": ["{policy}"]}),
    sends("scope policies of none", {"scope": "policies"}, 201, {"scope": "policies", "policy_ids": []}),
    sends("policy_ids alone mean scope policies", {"policy_ids": ["{policy}", "{policy}"]}, 201, {"scope": "policies", "policy_ids": ["{policy}"]}),
    sends("an unknown policy", {"scope": "policies", "policy_ids": ["{policy}", NOBODY]}, 422, f"policy_ids: there is no policy {NOBODY}"),
    no("scope: must be all or policies", scope="some"), no("policy_ids: must be a list", policy_ids="p"), no("policy_ids[0]: must be a UUID", policy_ids=["p"]),
    no("policy_ids: must have at most 1000 entries", policy_ids=[NOBODY] * 1001),
    no("channel: is required", channel=None), no("channel: must be slack, discord, telegram, webhook or email", channel="pager"),
    no("credentials: must be an object", credentials=[]), no("credentials.bot_token: must be a string", credentials={"bot_token": 5}),
    sends("an array", [], 400, "body: must be a JSON object"),
)  # fmt: skip
SLACK = destination(
    sends("its path is masked", {"url": "https://hooks.slack.com/services/T000/B000/secret"}, 201, {"url": "https://hooks.slack.com/…"}),
    sends("the government's host", {"url": "https://hooks.slack-gov.com/services/T000/B000/secret"}, 201, {"url": "https://hooks.slack-gov.com/…"}),
    no("url: ", url=None), no("url: must be a string", url=5), no("url: ", url="https://[x"), no("url: ", url="http://hooks.slack.com/services/T/B/x"),
    no("url: ", url="https://evil.example/services/T/B/x"), no("url: ", url="https://hooks.slack.com.evil.example/services/T/B/x"),
    no("url: ", url="https://hooks.slack.com@evil.example/services/T/B/x"), no("url: ", url="https://hooks.slack.com:8443/services/T/B/x"),
    no("url: ", url="https://hooks.slack.com/workflows/T/B/x"), no("url: ", url="https://hooks.slack.com/triggers/T/B/x"),
    no("url: must be at most 2000 characters", url="https://hooks.slack.com/services/" + "x" * 2000),
)  # fmt: skip
CHANNELS = destination(
    sends("discord", DISCORD, 201, {"channel": "discord", "url": "https://discord.com/…"}),
    on("discord", "url: ", url="https://evil.example/api/webhooks/1/t"), on("discord", "url: ", url="https://discord.com/channels/1"), on("discord", "url: "),
    sends("telegram", {"channel": "telegram", "url": Absent, "credentials": BOT}, 201, {"credentials": {"chat_id": "-987", "bot_token": "********"}}),
    on("telegram", "credentials.bot_token: ", credentials={"chat_id": "-987"}),
    on("telegram", "credentials.chat_id: ", credentials={"bot_token": BOT["bot_token"]}),
    sends("webhook", HOOK, 201, {"credentials": {"authorization": "********"}}),
    sends("webhook signed", {**HOOK, "credentials": {"secret": "s"}}, 201, {"credentials": {"secret": "********"}}),
    on("webhook", "url: ", url="http://hook.example/x"), on("webhook", "url: "), on("webhook", "url: ", url="https://a:b@hook.example/x"),
    *(on("webhook", "url: must lead to a public address", url=f"https://{inside}/x") for inside in ("127.0.0.1", "10.0.0.8:8443", "169.254.169.254")),
    *(on("webhook", "url: must lead to a public address", url=f"https://{inside}/x") for inside in ("[::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]")),
    sends("webhook at a public address", {"channel": "webhook", "url": "https://[2606:4700::1111]/x"}, 201, {"url": "https://[2606:4700::1111]/…"}),
    sends("email", {"channel": "email", "url": "ops@example.com"}, 201, {"url": "o…@example.com"}),
    sends("email to the deployment's address", {"channel": "email", "url": Absent}, 201, {"channel": "email"}),
    on("email", "url: must be an e-mail address", url="ops"),
)  # fmt: skip
OTHERS = (
    table("GET /v1.0/destinations", asks("none", "", 200, []), asks("one", "", 200, [{"destination_id": "{destination}"}], given=("destination",)),
          asks("an offset below zero", "?offset=-1", 400, "offset: must be a whole number"), fields=FIELDS),
    table("GET /v1.0/destinations/<destination_id>", asks("one", "{destination}", 200, {"destination_id": "{destination}", **DEFAULTS}),
          asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "whk_1", 400, NO_UUID), fields=FIELDS),
    table("DELETE /v1.0/destinations/<destination_id>", asks("one", "{destination}", 200, {"destination_id": "{destination}"}, then=("/v1.0/destinations", [])),
          asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "whk_1", 400, NO_UUID), fields=FIELDS),
    table("POST /v1.0/destinations/<destination_id>/test",
          asks("one that is there", "{destination}", 200, {"destination_id": "{destination}", "status": "sent"}),
          asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "whk_1", 400, NO_UUID), fields="alert_id, destination_id, status"),
)  # fmt: skip
UPDATE = table(
    "PUT /v1.0/destinations/<destination_id>",
    sends("what it names", {"enabled": False, "name": "ops"}, 200, {**DEFAULTS, "enabled": False, "name": "ops"}),
    sends("null keeps", dict.fromkeys(DEFAULTS), 200, DEFAULTS),
    sends("an empty text takes hours and mute away", {"active_hours": "", "mute_until": "", "name": ""}, 200, DEFAULTS),
    sends("scope and policies", {"scope": "policies", "policy_ids": ["{policy}"]}, 200, {"scope": "policies", "policy_ids": ["{policy}"]}),
    sends("an unknown policy", {"policy_ids": [NOBODY]}, 422, f"policy_ids: there is no policy {NOBODY}"),
    sends("a channel without what it needs", {"channel": "discord"}, 400, "url: "),
    sends("a channel with all that it needs", DISCORD, 200, {"channel": "discord"}),
    sends("one credential", {"credentials": {"chat_id": "-5"}}, 200, {"credentials": {"chat_id": "-5", "bot_token": "********"}}, of="{telegram}"),
    sends("a credential taken away", {"credentials": {"bot_token": ""}}, 400, "credentials.bot_token: ", of="{telegram}"),
    sends("a wrong field", {"min_severity": 1}, 400, "min_severity: must be"),
    sends("unknown", {"name": "x"}, 404, UNKNOWN, of="{nobody}"),
    sends("no UUID", {"name": "x"}, 400, NO_UUID, of="whk_1"),
    fields=FIELDS,
)


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Slack, which takes everything; and a deployment that has set e-mail up."""
    posted: list[Request] = []

    def post(request: Request) -> Response:
        posted.append(request)
        return Response(200, {}, b"ok")

    monkeypatch.setattr("nightjar.channels.slack.post", post)
    monkeypatch.setattr("nightjar.channels.email.settings", lambda: type("", (), {"email_from": "n@example.com", "email_to": "all@example.com"}))
    return posted


@every(FIELD, SLACK, CHANNELS, *OTHERS, UPDATE)
def test_destinations(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


def test_e_mail_needs_an_address_and_a_sender(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for sender, message in (("n@example.com", "url: must be an address, since none was set"), ("", "channel: e-mail is not set up")):
        monkeypatch.setattr("nightjar.channels.email.settings", lambda sender=sender: type("", (), {"email_from": sender, "email_to": ""}))
        answer = api.post("/v1.0/destinations", {"channel": "email"})
        assert (answer.status, answer.message[: len(message)]) == (400, message)


def stored(api: Api, destination_id: str) -> Any:
    """What is really kept."""
    found = destinations.get(api.store, destination_id)
    assert found
    return found


@pytest.mark.parametrize("body", [slack(), DISCORD, {"channel": "telegram", "credentials": BOT}, HOOK], ids=lambda body: body["channel"])
def test_secrets_are_write_only_and_survive_a_put_of_what_was_answered(api: Api, body: dict[str, Any]) -> None:
    made = api.made("/v1.0/destinations", body)
    path = f"/v1.0/destinations/{made['destination_id']}"
    before = stored(api, made["destination_id"])
    api.now += MINUTE
    answers = [made, api.get(path).body, *api.get("/v1.0/destinations").body, api.put(path, made).body, api.put(path, {"enabled": False}).body]
    assert "secret" not in str(answers)
    after = stored(api, made["destination_id"])
    assert (after.url, after.credentials, after.enabled) == (before.url, before.credentials, False)
    assert "secret" in f"{after.url} {after.credentials}"
    assert "secret" not in str(api.delete(path).body)


def test_a_new_url_takes_the_place_of_the_old(api: Api) -> None:
    made = api.made("/v1.0/destinations", slack())
    api.put(f"/v1.0/destinations/{made['destination_id']}", {"url": "https://hooks.slack.com/services/T000/B000/other"})
    assert stored(api, made["destination_id"]).url.endswith("/other")


@pytest.mark.parametrize(
    ("said", "outcome", "error"),
    [
        (Response(200, {}, b"ok"), "sent", ""), (Response(404, {}, b"no_team"), "failed", "404 no_team"), (Response(500, {}, b""), "failed", "500"),
        (Response(429, {"retry-after": "30"}, b""), "failed", "429"), (Unreachable("timed out"), "failed", "timed out"),
    ],
)  # fmt: skip
def test_a_test_is_sent_at_once_and_found_again(api: Api, monkeypatch: pytest.MonkeyPatch, said: Any, outcome: str, error: str) -> None:
    posted: list[Request] = []

    def post(request: Request) -> Response:
        posted.append(request)
        if isinstance(said, Exception):
            raise said
        return said  # type: ignore[no-any-return]

    monkeypatch.setattr("nightjar.channels.slack.post", post)
    made = api.made("/v1.0/destinations", slack(enabled=False, scope="policies", min_severity="critical"))
    answer = api.post(f"/v1.0/destinations/{made['destination_id']}/test")
    assert (answer.status, answer.body["status"]) == (200, outcome)
    assert [request.url for request in posted] == [slack()["url"]]
    (row,) = api.get(f"/v1.0/alerts/{answer.body['alert_id']}/deliveries?kind=test").body
    assert (row["kind"], row["status"], row["response_status"]) == ("test", outcome, getattr(said, "status", None))
    found = api.get(f"/v1.0/destinations/{made['destination_id']}").body
    assert (error in found["last_error"], found["last_delivered_at"]) == (True, "2026-03-03T14:30:00Z" if outcome == "sent" else None)
    assert api.get("/v1.0/alerts").body == [], "its alert_id is in no list"
    assert api.get(f"/v1.0/alerts/{answer.body['alert_id']}").status == 404


def test_a_policys_id_in_another_spelling_is_the_same(api: Api) -> None:
    known = api.made("/v1.0/policies", policy())["policy_id"]
    assert api.made("/v1.0/destinations", slack(policy_ids=[known, known.upper()]))["policy_ids"] == [known]
