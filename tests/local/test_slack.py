"""The fake Slack."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from local.slack import Slack
from local.slack_page import mrkdwn, page
from local.wire import Request, Response


def post(slack: Slack, payload: Any, query: str = "", channel: str = "ops", content_type: str = "application/json") -> Response:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return slack.respond(Request("POST", f"/_slack/{channel}", query, (("Content-Type", content_type),), body))


def arrived(slack: Slack, channel: str = "ops") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(slack.respond(Request("GET", f"/_slack/{channel}", "", (), b"")).body)
    return found


def test_a_message_is_taken_and_shown() -> None:
    slack = Slack()
    answer = post(slack, {"text": "hi"})
    assert (answer.status, answer.body) == (200, b"ok")
    assert [(each["status"], each["payload"]) for each in arrived(slack)] == [(200, {"text": "hi"})]
    assert arrived(slack, "other") == []


def test_a_channel_can_be_emptied() -> None:
    slack = Slack()
    post(slack, {"text": "hi"})
    assert slack.respond(Request("DELETE", "/_slack/ops", "", (), b"")).status == 204
    assert arrived(slack) == []


def test_it_fails_as_its_url_asks() -> None:
    slack = Slack()
    answer = post(slack, {"text": "hi"}, "status=429&retry_after=1")
    assert (answer.status, answer.headers["Retry-After"], answer.body) == (429, "1", b"rate_limited")
    assert post(slack, {"text": "hi"}, "status=404&body=no_service").body == b"no_service"
    assert [each["status"] for each in arrived(slack)] == [429, 404]


def test_it_takes_as_many_messages_a_second_as_its_url_says(monkeypatch: pytest.MonkeyPatch) -> None:
    slack, clock = Slack(), SimpleNamespace(now=100.0)
    monkeypatch.setattr("local.slack.time", SimpleNamespace(monotonic=lambda: clock.now, time=lambda: clock.now))
    statuses = []
    for moment in (100.0, 100.5, 100.99, 101.0, 101.2, 103.0):
        clock.now = moment
        statuses.append((answer := post(slack, {"text": "hi"}, "rate=1")).status)
        assert answer.headers.get("Retry-After") == (None if answer.status == 200 else "1")
    assert statuses == [200, 429, 429, 200, 429, 200]
    assert post(slack, {"text": "hi"}, "rate=1", channel="other").status == 200


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        (b"not json", b"invalid_payload"),
        ([], b"invalid_payload"),
        ({}, b"no_text"),
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, b"invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, b"invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, b"invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, b"invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}]}, b"invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": []}]}, b"invalid_blocks"),
    ],
)
def test_it_refuses_what_slack_refuses(payload: Any, word: bytes) -> None:
    answer = post(Slack(), payload)
    assert (answer.status, answer.body) == (400, word)


def test_a_form_is_taken_too() -> None:
    slack = Slack()
    post(slack, b"payload=%7B%22text%22%3A%22hi%22%7D", content_type="application/x-www-form-urlencoded")
    assert arrived(slack)[0]["payload"] == {"text": "hi"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _it_ ~gone~ `co*d*e`", "<b>bold</b> <i>it</i> <s>gone</s> <code>co*d*e</code>"),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("<https://a.example/?x=1&amp;y=2|here>", '<a href="https://a.example/?x=1&amp;y=2">here</a>'),
        ("<javascript:alert(1)|x>", '<a href="#">x</a>'),
        ("<!channel> <@U1>", "<b>!channel</b> <b>@U1</b>"),
        ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
        ("> quoted\nnot", "<blockquote>quoted</blockquote><br>not"),
        ("```a\n*b*```", "<pre>a\n*b*</pre>"),
        (":white_check_mark: :unknown_one:", "✅ :unknown_one:"),
    ],
)
def test_mrkdwn_is_drawn_as_slack_draws_it(text: str, html: str) -> None:
    assert mrkdwn(text) == html


def test_the_page_draws_every_kind_of_block_and_lets_nothing_through() -> None:
    evil = "<script>alert(1)</script>"
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": f"Head {evil}"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*20*"}, "fields": [{"type": "mrkdwn", "text": evil}, {"type": "plain_text", "text": evil}]},
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "ctx"}]},
        {"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": evil, "style": {"bold": True}}, {"type": "link", "url": "javascript:x"}]},
            {"type": "rich_text_list", "style": "bullet", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "point"}]}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "pre"}]},
        ]},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": "https://a.example"}]},
        {"type": "unheard_of"},
    ]  # fmt: skip
    html = page("ops", ["ops", "dev"], [(1795615387.0, {"text": "x", "blocks": blocks}), (1795615388.0, {"text": "bare *text*"})])
    assert "<script>" not in html
    assert '="javascript:' not in html
    drawn = ("Head &lt;script&gt;", "<b>20</b>", "<hr>", "ctx", "<li>point</li>", "<pre>pre</pre>", ">Open</a>", "[unheard_of]")
    for expected in (*drawn, "bare <b>text</b>", "14:03:07", "# dev"):
        assert expected in html, expected


def test_a_browser_gets_the_page() -> None:
    slack = Slack()
    post(slack, {"text": "hi"})
    post(slack, {"text": "refused"}, "status=500")
    found = slack.respond(Request("GET", "/_slack/ops", "", (("Accept", "text/html,*/*"),), b""))
    assert str(found.headers["Content-Type"]).startswith("text/html")
    assert b"hi" in found.body
    assert b"refused" not in found.body
