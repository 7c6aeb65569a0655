"""Discord, Telegram, webhooks and e-mail: limits, text as typed, waits, what is refused."""

import hashlib
import hmac
import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from nightjar.channels import base, discord, email, telegram, webhook
from nightjar.channels.transport import Answer, Unreachable
from nightjar.core.wording import Notice, notice

from tests.builders import at
from tests.desk import alert, transition

TEXT = st.text(max_size=200)
NOW = at("14:03")
SETTINGS = SimpleNamespace(email_from="nightjar@example.org", email_to="ops@example.org")


def notices(count: int = 1, **given: Any) -> list[Notice]:
    return [notice([transition(alert(f"p{number}", **given))]) for number in range(count)]


@given(title=TEXT, event=st.text(min_size=1, max_size=128), description=st.text(max_size=2_000), count=st.sampled_from([1, 2, 120]))
def test_discord_messages_keep_discords_limits(title: str, event: str, description: str, count: int) -> None:
    messages = discord.render(notices(count, title=title, event=event, description=description))
    assert sum(message.names for message in messages) == count
    for message in messages:
        (embed,) = message.payload["embeds"]
        assert 0 < len(embed["title"]) <= 256
        assert 0 < len(embed["description"]) <= 4_096
        assert message.payload["allowed_mentions"] == {"parse": []}


def test_discord_shows_markup_and_mentions_as_typed() -> None:
    (message,) = discord.render(notices(title="@everyone **b** [x](https://evil) <@1>"))
    assert r"\@everyone \*\*b\*\* \[x\]\(https\://evil\) \<\@1\>" in message.payload["embeds"][0]["title"]


@given(title=TEXT, event=st.text(min_size=1, max_size=128), description=st.text(max_size=2_000), count=st.sampled_from([1, 2, 120]))
def test_telegram_messages_keep_telegrams_limit_in_utf_16(title: str, event: str, description: str, count: int) -> None:
    messages = telegram.render(notices(count, title=title, event=event, description=description))
    assert sum(message.names for message in messages) == count
    assert all(0 < len(message.payload["text"].encode("utf-16-le", "surrogatepass")) // 2 <= 4_096 for message in messages)


@pytest.mark.parametrize("host", ["discord.com", "discordapp.com", "canary.discord.com"])
@pytest.mark.parametrize("version", ["", "/v6", "/v10"])
def test_discord_is_asked_by_the_version_whose_waits_are_seconds(host: str, version: str) -> None:
    (message,) = discord.render(notices())
    request = discord.request(message, f"https://{host}/api{version}/webhooks/1/a-_B", {}, delivery_id="d", now=NOW)
    assert request.url == f"https://{host}/api/v10/webhooks/1/a-_B"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3000/_slack/ops", "http://discord.com/api/webhooks/1/a", "https://evil.example/api/webhooks/1/a", "https://discord.com/x"]
)
def test_what_is_no_webhook_of_discords_is_posted_to_as_it_is(url: str) -> None:
    (message,) = discord.render(notices())
    assert discord.request(message, url, {}, delivery_id="d", now=NOW).url == url


def test_telegram_shows_markup_as_typed_and_sends_no_parse_mode() -> None:
    (message,) = telegram.render(notices(event="a_b*c[d](e) <b>&"))
    assert "a_b*c[d](e) <b>&" in message.payload["text"]
    assert "parse_mode" not in message.payload


def test_telegram_posts_to_the_bot_and_names_only_the_chat() -> None:
    credentials = {"bot_token": "123:abc", "chat_id": "-100"}
    request = telegram.request(telegram.render(notices())[0], "", credentials, delivery_id="d", now=NOW)
    assert request.url == "https://api.telegram.org/bot123:abc/sendMessage"
    assert json.loads(request.body)["chat_id"] == "-100"
    assert telegram.mask("", credentials) == "telegram:-100"


@pytest.mark.parametrize(
    ("channel", "body", "wait"),
    [
        (discord, {"retry_after": 0.65}, "0.65"), (telegram, {"ok": False, "parameters": {"retry_after": 3}}, "3"), (discord, {"retry_after": "x"}, None),
        (discord, [1], None), (telegram, {"parameters": 3}, None), (telegram, "flood", None), (discord, {"retry_after": -1}, None),
    ],
)  # fmt: skip
def test_the_wait_in_a_429s_body_is_found(channel: Any, body: Any, wait: str | None) -> None:
    found = base.outcome(channel, Answer(429, {}, json.dumps(body).encode()), [], NOW)
    assert (found.status, found.retry_after) == ("busy", None if wait is None else Decimal(wait))


def test_a_webhook_body_holds_the_transitions_and_the_numbers_own_digits() -> None:
    ended = alert(value="9007199254740993", threshold="30.40", compare="previous_1d", change_percent="1e29")
    (message,) = webhook.render([notice([transition(ended), transition(ended, "resolved", 2, clock="14:06")])])
    body = webhook.request(message, "https://h.example/x", {}, delivery_id="d-1", now=NOW).body
    found = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    assert (found["delivery_id"], found["sent_at"]) == ("d-1", "2026-03-03T14:03:00Z")
    assert [(each["type"], each["at"]) for each in found["transitions"]] == [("opened", "2026-03-03T14:03:00Z"), ("resolved", "2026-03-03T14:06:00Z")]
    shown = found["transitions"][1]["alert"]
    assert (shown["value"], shown["threshold"], shown["change_percent"]) == (Decimal(9007199254740993), Decimal("30.4"), Decimal("1e29"))
    assert (shown["status"], shown["resolved_by"], shown["resolved_at"]) == ("resolved", "recovered", "2026-03-03T14:06:00Z")


@pytest.mark.parametrize(
    ("credentials", "key"), [({"secret": "s3"}, "s3"), ({"authorization": "Bearer x"}, "Bearer x"), ({"secret": "a", "authorization": "b"}, "a")]
)
def test_a_webhook_is_signed_with_its_secret_over_time_and_body(credentials: dict[str, str], key: str) -> None:
    request = webhook.request(webhook.render(notices())[0], "https://h.example/x", credentials, delivery_id="d", now=NOW)
    timestamp = request.headers["X-Nightjar-Timestamp"]
    expected = hmac.new(key.encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert timestamp == str(NOW // 1_000_000)
    assert request.headers["X-Nightjar-Signature"] == f"v1={expected}"
    assert request.headers.get("Authorization") == credentials.get("authorization")


def test_a_webhook_without_a_secret_is_not_signed() -> None:
    request = webhook.request(webhook.render(notices())[0], "https://h.example/x", {}, delivery_id="d", now=NOW)
    assert set(request.headers) == {"Content-Type", "User-Agent"}


@pytest.mark.parametrize(
    ("channel", "url", "credentials", "field"),
    [
        ("discord", "https://discord.com/api/webhooks/1/a?wait=1", {}, "url"),
        ("discord", "https://discord.com/channels/1", {}, "url"),
        ("discord", "https://discord.com.evil.example/api/webhooks/1/a", {}, "url"),
        ("telegram", "", {"bot_token": "x", "chat_id": "1"}, "credentials.bot_token"),
        ("telegram", "", {"bot_token": "1:a", "chat_id": "a b"}, "credentials.chat_id"),
        ("telegram", "", {"bot_token": "1:a/../b", "chat_id": "1"}, "credentials.bot_token"),
        ("telegram", "https://x", {"bot_token": "1:a", "chat_id": "1"}, "url"),
        ("webhook", "http://h.example", {}, "url"),
        ("webhook", "https://u@h.example", {}, "url"),
        ("webhook", "https://", {}, "url"),
        ("webhook", "https://h.example:x/", {}, "url"),
        ("webhook", "https://h.example/ b", {}, "url"),
        ("webhook", "https://h.example/\n", {}, "url"),
        ("webhook", "https://[::1", {}, "url"),
        ("webhook", "https://h.example", {"authorization": "a\r\nb: c"}, "credentials.authorization"),
        ("slack", "https://[", {}, "url"),
        ("email", "no address", {}, "url"),
        ("email", "a@b.example\r\nBcc: c@d.example", {}, "url"),
    ],
)
def test_a_wrong_configuration_is_refused_by_the_name_of_its_field(
    monkeypatch: pytest.MonkeyPatch, channel: Any, url: str, credentials: dict[str, str], field: str
) -> None:
    monkeypatch.setattr(email, "settings", lambda: SETTINGS)
    assert base.problem(channel, url, credentials).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("channel", "url", "credentials", "shown"),
    [
        ("discord", "https://discord.com/api/webhooks/1/a-_B", {}, "https://discord.com/…"),
        ("webhook", "https://h.example:8443/t0ken?x=1", {}, "https://h.example/…"),
        ("telegram", "", {"bot_token": "1:a", "chat_id": "@ops"}, "telegram:@ops"),
        ("email", "joe@example.org", {}, "j…@example.org"),
        ("email", "", {}, "o…@example.org"),
    ],
)
def test_a_right_configuration_is_taken_and_masked(monkeypatch: pytest.MonkeyPatch, channel: Any, url: str, credentials: dict[str, str], shown: str) -> None:
    monkeypatch.setattr(email, "settings", lambda: SETTINGS)
    assert base.problem(channel, url, credentials) == ""
    assert base.target(channel, url, credentials) == shown


def test_email_is_refused_where_it_is_not_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "settings", lambda: SimpleNamespace(email_from="", email_to=""))
    assert base.problem("email", "a@b.example", {}).startswith("channel: ")


def test_a_mails_subject_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "settings", lambda: SETTINGS)
    (message,) = email.render(notices(title="a\r\nBcc: b@c.example\u2028d" + "t" * 180))
    assert message.payload["subject"].startswith("🟡 Warning: a Bcc: b@c.example d")
    assert len(message.payload["subject"]) <= 200
    assert json.loads(email.request(message, "", {}, delivery_id="d", now=NOW).body)["to"] == "ops@example.org"


def refused(status: int) -> ClientError:
    return ClientError({"Error": {"Code": "X", "Message": "not verified"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendEmail")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(None, "sent", ""), (refused(400), "failed", "400 not verified"), (refused(429), "busy", "429 not verified"), (refused(503), "down", "503 not verified")],
)
def test_what_ses_answers_becomes_an_outcome(monkeypatch: pytest.MonkeyPatch, error: Exception | None, status: str, words: str) -> None:
    sent: list[Any] = []

    def send_email(**given: Any) -> None:
        sent.append(given)
        if error:
            raise error

    monkeypatch.setattr(email, "settings", lambda: SETTINGS)
    monkeypatch.setattr(email, "_ses", lambda: SimpleNamespace(send_email=send_email))
    request = email.request(email.render(notices())[0], "joe@example.org", {}, delivery_id="d", now=NOW)
    outcome = base.send(email, request, [], NOW)
    assert (outcome.status, outcome.error) == (status, words)
    assert sent[0]["Destination"] == {"ToAddresses": ["joe@example.org"]}
    assert sent[0]["FromEmailAddress"] == "nightjar@example.org"


def test_ses_out_of_reach_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def send_email(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://ses")

    monkeypatch.setattr(email, "settings", lambda: SETTINGS)
    monkeypatch.setattr(email, "_ses", lambda: SimpleNamespace(send_email=send_email))
    with pytest.raises(Unreachable):
        email.post(email.request(email.render(notices())[0], "joe@example.org", {}, delivery_id="d", now=NOW))


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, "sent"), (204, "sent"), (299, "sent"), (301, "failed"), (304, "failed"), (307, "failed"), (400, "failed"), (404, "failed"), (410, "failed"),
     (408, "down"), (425, "down"), (429, "busy"), (500, "down"), (503, "down"), (599, "down")],
)  # fmt: skip
def test_a_status_says_whether_to_try_again(status: int, expected: str) -> None:
    assert base.outcome(discord, Answer(status, {}, b""), [], NOW).status == expected


def test_a_receivers_words_are_kept_on_one_line_without_secrets() -> None:
    body = json.dumps({"ok": False, "description": "bad\ntoken 123:abc " + "x" * 500}).encode()
    found = base.outcome(telegram, Answer(400, {}, body), ["", "123:abc"], NOW)
    assert found.error.startswith("400 bad token … xxx")
    assert len(found.error) <= 310
    assert base.said(b"\xff\x00channel_is_archived", []) == "\ufffd channel_is_archived"
    assert base.said(b"[" * 100_000, []).startswith("[[[")
