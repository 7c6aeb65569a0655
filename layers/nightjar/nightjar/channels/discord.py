"""Discord webhooks: one embed a message, markdown escaped, nobody mentioned.

Limits (discord.com/developers/docs, Message and Embed): title 256, description 4,096, all of a message's embeds 6,000 characters.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from nightjar.channels.base import Message, as_json
from nightjar.channels.layout import cut, lines_of, linked, packed
from nightjar.channels.transport import Request, is_exempt, post
from nightjar.core.retries import seconds
from nightjar.core.wording import Notice

__all__ = ["asked_wait", "mask", "post", "render", "request", "validate"]

_HOSTS: Final = frozenset({"discord.com", "discordapp.com", "canary.discord.com", "ptb.discord.com"})
_PATH: Final = re.compile(r"/api(?:/v\d+)?(/webhooks/\d+/[A-Za-z0-9_-]+)")
# A URL as Discord shows it names no version of the API and gets an old one, whose waits are milliseconds; since v8 they are seconds.
_API: Final = "/api/v10"
_TITLE, _DESCRIPTION, _LINE = 256, 4_000, 900
_MARKUP: Final = re.compile(r"([\\*_~`|<>\[\]()#@:+\-.!])")
_COLOURS: Final = {"🔵": 0x3498DB, "🟡": 0xF1C40F, "🟠": 0xE67E22, "🔴": 0xE74C3C, "✅": 0x2ECC71, "⚪": 0x95A5A6}


def validate(url: str, credentials: Mapping[str, str]) -> None:  # noqa: ARG001
    """Check a webhook URL: https://discord.com/api/webhooks/<id>/<token>."""
    if is_exempt(url):
        return
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.netloc not in _HOSTS or not _PATH.fullmatch(parts.path) or parts.query or parts.fragment:
        raise ValueError("url: must be https://discord.com/api/webhooks/…")


def mask(url: str, credentials: Mapping[str, str]) -> str:  # noqa: ARG001
    """Show the host only: the path is the secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def render(notices: Sequence[Notice]) -> list[Message]:
    """Lay notices out: one alone in full, several as a digest."""
    if len(notices) == 1:
        (notice,) = notices
        body = linked(lines_of(notice, escaped, full=True).partition("\n")[2], notice, _DESCRIPTION)
        return [Message(_payload(notice.heading, body, notice.icon), 1)]
    groups = packed([linked(lines_of(notice, escaped, full=False), notice, _LINE) for notice in notices], _DESCRIPTION, 2)
    return [Message(_payload(f"{len(group)} alerts", "\n\n".join(group), "⚪"), len(group)) for group in groups]


def request(message: Message, url: str, credentials: Mapping[str, str], *, delivery_id: str, now: int) -> Request:  # noqa: ARG001
    """Make the POST."""
    return Request(_versioned(url), as_json(message.payload), {"Content-Type": "application/json", "User-Agent": "Nightjar"})


def asked_wait(body: Any) -> Decimal | None:
    """Read `retry_after`, seconds with a fraction."""
    return seconds(body.get("retry_after")) if isinstance(body, dict) else None


def escaped(text: str) -> str:
    r"""Escape what Discord reads as markup, a mention or a link.

    Example:
        >>> print(escaped("@everyone *b*"))
        \@everyone \*b\*
    """
    return _MARKUP.sub(r"\\\1", text)


def _versioned(url: str) -> str:
    """Ask for the version of the API that this module reads; any other URL than Discord's own stays as it is.

    Example:
        >>> _versioned("https://discord.com/api/webhooks/1/x")
        'https://discord.com/api/v10/webhooks/1/x'
    """
    parts = urlsplit(url)
    path = _PATH.fullmatch(parts.path)
    return f"https://{parts.netloc}{_API}{path[1]}" if path and parts.scheme == "https" and parts.netloc in _HOSTS else url


def _payload(title: str, description: str, icon: str) -> dict[str, Any]:
    """Return the message."""
    embed = {"title": cut(escaped(title), _TITLE), "description": description, "color": _COLOURS[icon]}
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}
