"""A fake of Slack's incoming webhooks: takes what Slack takes, keeps it, and fails when asked to."""

import json
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from local.slack_page import page
from local.wire import Request, Response

PREFIX = "/_slack/"
_BLOCKS = 50
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Post:
    """One POST: when it came (seconds), and what it was answered."""

    at: float
    status: int
    payload: Any


class Slack:
    """Channels and what was posted to each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._posts: dict[str, list[Post]] = defaultdict(list)
        self._free: dict[str, float] = {}

    def respond(self, request: Request) -> Response:
        """Answer a POST as Slack does, a GET with what arrived, a DELETE by forgetting it."""
        channel = request.path.removeprefix(PREFIX)
        match request.method:
            case "POST":
                return self._take(channel, request)
            case "GET":
                return self._show(channel, request)
            case "DELETE":
                with self._lock:
                    self._posts.pop(channel, None)
                return Response(204)
            case _:
                return _text(405, "method_not_allowed")

    def keep(self, channel: str, payload: Any, status: int = 200) -> None:
        """Remember a POST, and what it was answered."""
        with self._lock:
            self._posts[channel].append(Post(time.time(), status, payload))
            del self._posts[channel][:-_KEPT]

    def posts(self, channel: str) -> list[Post]:
        """Return all POSTs to a channel, refused ones too, oldest first."""
        with self._lock:
            return list(self._posts[channel])

    def _take(self, channel: str, request: Request) -> Response:
        asked = dict(parse_qsl(request.query))
        if "delay" in asked:
            time.sleep(float(asked["delay"]))
        payload, problem = _payload(request)
        answer = _asked(asked) if "status" in asked else _text(400, problem) if problem else self._within(channel, asked.get("rate"))
        self.keep(channel, payload, answer.status)
        return answer

    def _within(self, channel: str, rate: str | None) -> Response:
        """Take a message, or refuse one that comes sooner than ?rate= messages a second allow.

        Rule: https://docs.slack.dev/apis/web-api/rate-limits: one a second for a webhook, then 429 with Retry-After in whole seconds.
        """
        if rate is None:
            return _text(200, "ok")
        with self._lock:
            now = time.monotonic()
            wait = self._free.get(channel, now) - now
            if wait > 0:
                return _text(429, "rate_limited", {"Retry-After": str(ceil(wait))})
            self._free[channel] = now + 1 / float(rate)
        return _text(200, "ok")

    def _show(self, channel: str, request: Request) -> Response:
        posts = self.posts(channel)
        if "text/html" in request.header("accept"):
            with self._lock:
                channels = sorted(name for name, kept in self._posts.items() if kept)
            shown = [(post.at, post.payload) for post in posts if _is_success(post)]
            return Response(200, {"Content-Type": "text/html; charset=utf-8"}, page(channel, channels, shown).encode())
        body = json.dumps([asdict(post) for post in posts], ensure_ascii=False).encode()
        return Response(200, {"Content-Type": "application/json"}, body)


def _is_success(post: Post) -> bool:
    return 200 <= post.status < 300  # noqa: PLR2004


def _payload(request: Request) -> tuple[Any, str]:
    """Read a body and hold it against what Slack refuses.

    Rule: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (invalid_payload, no_text) and
    https://docs.slack.dev/reference/block-kit/blocks (limits).

    Returns:
        The payload, and Slack's word for what is wrong with it, if anything is.
    """
    try:
        text = request.body.decode()
        payload = json.loads(parse_qs(text)["payload"][0] if "x-www-form-urlencoded" in request.header("content-type") else text)
    except (ValueError, KeyError):
        return None, "invalid_payload"
    if not isinstance(payload, dict):
        return payload, "invalid_payload"
    blocks = payload.get("blocks", [])
    if not payload.get("text") and not blocks and not payload.get("attachments"):
        return payload, "no_text"
    return payload, "" if _fits(payload, blocks) else "invalid_blocks"


_TEXT = {"header": 150, "section": 3000}
_FIELDS = 10
_FIELD = 2000
_ELEMENTS = 10


def _fits(payload: dict[str, Any], blocks: Any) -> bool:
    if not isinstance(blocks, list) or len(blocks) > _BLOCKS or len(payload.get("text", "")) > 40_000:  # noqa: PLR2004
        return False
    return all(isinstance(block, dict) and _block_fits(block) for block in blocks)


def _block_fits(block: dict[str, Any]) -> bool:
    text = block.get("text", {}).get("text", "") if isinstance(block.get("text"), dict) else ""
    fields = block.get("fields", [])
    if block.get("type") in _TEXT and (len(text) > _TEXT[block["type"]] or not (text or fields)):
        return False
    if len(fields) > _FIELDS or any(len(each.get("text", "")) > _FIELD for each in fields):
        return False
    return block.get("type") != "context" or 1 <= len(block.get("elements", [])) <= _ELEMENTS


def _asked(asked: dict[str, str]) -> Response:
    """Fail as the URL asks: ?status=429&retry_after=1, ?status=500, ?status=404&body=no_service."""
    headers = {"Retry-After": asked["retry_after"]} if "retry_after" in asked else {}
    return _text(int(asked["status"]), asked.get("body", "rate_limited" if asked["status"] == "429" else "error"), headers)


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(status, {"Content-Type": "text/plain", **(headers or {})}, text.encode())
