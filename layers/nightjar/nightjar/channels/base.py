"""What every channel can do, and how a message is sent through one."""

import json
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

import simplejson

from nightjar.channels import transport
from nightjar.core.delivery import Outcome
from nightjar.core.destinations import Channel as ChannelName
from nightjar.core.retries import retry_after
from nightjar.core.wording import Notice
from nightjar.observability import count, logger

# 408, 425 and 5xx go away by themselves; every other status outside 2xx but 429 is for good (ENGINE.md, Notifying).
_BUSY: Final = 429
_DOWN: Final = frozenset({408, 425})
_ERROR_LENGTH: Final = 300
_SEPARATORS: Final = re.compile(r"[/?&=:;,@#\s]+")
_TOKEN: Final = 8  # shorter words are no secrets by themselves
_NO_TOKENS: Final = frozenset({"services", "webhooks"})
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Message:
    """One message within a receiver's limits: what to post, and how many of the notices it names."""

    payload: Mapping[str, Any]
    names: int


class Channel(Protocol):
    """One kind of receiver. A channel is a module that has these functions."""

    def validate(self, url: str, credentials: Mapping[str, str]) -> None:
        """Check a configuration; ValueError names the field and what is wrong with it."""

    def mask(self, url: str, credentials: Mapping[str, str]) -> str:
        """Name the receiver without its secrets."""

    def render(self, notices: Sequence[Notice]) -> list[Message]:
        """Put notices into as few messages as the receiver's limits allow, each notice in exactly one."""

    def request(self, message: Message, url: str, credentials: Mapping[str, str], *, delivery_id: str, now: int) -> transport.Request:
        """Make the POST for a message."""

    def post(self, request: transport.Request) -> transport.Answer:
        """Make the POST: transport.post, or what takes its place."""

    def asked_wait(self, body: Any) -> Decimal | None:
        """Read the seconds to wait from the body (parsed JSON, or None) of a 429; None when they are not there."""


def of(name: ChannelName) -> Channel:
    """Return a channel by name."""
    return cast("Channel", import_module(f"nightjar.channels.{name}"))


def target(name: ChannelName, url: str, credentials: Mapping[str, str]) -> str:
    """Name a receiver without its secrets: what answers, records and logs show."""
    return of(name).mask(url, credentials)


def problem(name: ChannelName, url: str, credentials: Mapping[str, str]) -> str:
    """Say what is wrong with a configuration (`url: must …`); empty when it is right."""
    try:
        urlsplit(url)
    except ValueError:
        return "url: must be a URL"
    try:
        of(name).validate(url, credentials)
    except ValueError as error:
        return str(error)
    return ""


def outcome(channel: Channel, answer: transport.Answer, secrets: Sequence[str], now: int) -> Outcome:
    """Say what an answer means.

    Args:
        channel: Whose answer it is.
        answer: The answer.
        secrets: What must not show in an error, though the receiver repeats it.
        now: The instant (µs) of the answer.

    Rule: ENGINE.md, Notifying: any 2xx is success; 429 waits; 408, 425, 5xx back off; the rest is for good.
    """
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004
        return Outcome("sent", status)
    error = f"{status} {said(answer.body, secrets)}".strip()
    if status == _BUSY:
        asked = channel.asked_wait(_json(answer.body)) or retry_after(answer.headers.get("retry-after"), now)
        return Outcome("busy", status, error, asked)
    return Outcome("down" if status in _DOWN or status >= 500 else "failed", status, error)  # noqa: PLR2004


def send(channel: Channel, request: transport.Request, secrets: Sequence[str], now: int, post: transport.Post | None = None) -> Outcome:
    """POST a message and say what came of it. It does not raise: where our own code fails, its tray waits as for a receiver that is down."""
    try:
        return outcome(channel, (post or channel.post)(request), secrets, now)
    except transport.Unreachable as error:
        return Outcome("down", None, str(error))
    except transport.Refused as error:
        return Outcome("failed", None, str(error))
    except Exception as error:  # noqa: BLE001  # else the bell would come again for ever, and might post again each time
        # Not the error's words, which may hold the URL.
        name, place = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
        logger().error("a post failed in our own code", error=name, file=place.filename, line=place.lineno)
        count("NotifyingErrors")
        return Outcome("down", None, f"it could not be posted: {name}")


def said(body: bytes, secrets: Sequence[str]) -> str:
    """Return a receiver's own words: on one line, cut, without the secrets it may repeat."""
    found = _json(body)
    text = body.decode(errors="replace")
    if isinstance(found, dict):
        words = next((found[name] for name in ("description", "message", "error") if isinstance(found.get(name), str)), None)
        text = words or text
    for part in sorted({part for secret in secrets for part in _parts(secret)}, key=len, reverse=True):
        text = text.replace(part, "…")
    return _CONTROLS.sub(" ", text).strip()[:_ERROR_LENGTH].encode(errors="replace").decode()  # half a character is none


def _parts(secret: str) -> list[str]:
    """Return a secret and what a receiver may repeat of it: a webhook's path, the token in it, a header's value without "Bearer"."""
    try:
        url = urlsplit(secret)
    except ValueError:
        url = urlsplit("")
    rest = secret.removeprefix(f"{url.scheme}://{url.netloc}") if url.netloc else secret
    words = [word for word in _SEPARATORS.split(rest) if len(word) >= _TOKEN and word not in _NO_TOKENS]
    return [part for part in (secret, rest.lstrip("/"), *words) if part]


def as_json(payload: Mapping[str, Any]) -> bytes:
    """Write a payload as JSON, decimals with their own digits."""
    return simplejson.dumps(payload, ensure_ascii=False, separators=(",", ":"), use_decimal=True).encode()


def _json(body: bytes) -> Any:
    """Parse a body; None when it is no JSON."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):  # ArithmeticError: an exponent beyond all decimals
        return None
