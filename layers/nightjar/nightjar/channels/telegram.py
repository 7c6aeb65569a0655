"""Telegram bots: sendMessage without a parse mode, so that every character shows as typed.

Limit (core.telegram.org/bots/api#sendmessage): 4,096 characters, counted here in UTF-16 code units as Telegram's entities are.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from nightjar.channels.base import Message, as_json
from nightjar.channels.layout import lines_of, linked, packed
from nightjar.channels.transport import Request, post
from nightjar.core.retries import seconds
from nightjar.core.wording import Notice

__all__ = ["asked_wait", "mask", "post", "render", "request", "validate"]

_TEXT, _LINE = 4_096, 900
_TOKEN: Final = re.compile(r"\d+:[A-Za-z0-9_-]+", re.ASCII)
_CHAT: Final = re.compile(r"-?\d+|@[A-Za-z0-9_]+", re.ASCII)
# Telegram makes mentions, tags, commands and links of plain text by itself: a word joiner, which does not show, keeps it from that.
_JOINER: Final = "\N{WORD JOINER}"
# What makes one: @name, #tag, $TICKER and /command at the start of a word, ://, and a dot within a name (job.run is a domain) or an address.
_LINKING: Final = re.compile(r"@|(?<!\w)[#$](?=\w)|(?<![\w/<>])/(?=\w)|:(?=//)|(?<=[\w-])\.(?=[^\W\d_]|\d+\.\d)")


def validate(url: str, credentials: Mapping[str, str]) -> None:
    """Check credentials.bot_token and credentials.chat_id; there is no url."""
    if url:
        raise ValueError("url: telegram takes credentials.bot_token and credentials.chat_id instead")
    if not _TOKEN.fullmatch(credentials.get("bot_token", "")):
        raise ValueError("credentials.bot_token: must be a bot's token, like 123456:ABC-DEF")
    if not _CHAT.fullmatch(credentials.get("chat_id", "")):
        raise ValueError("credentials.chat_id: must be the number of a chat, or @channel")


def mask(url: str, credentials: Mapping[str, str]) -> str:  # noqa: ARG001
    """Show the chat: the token is the secret."""
    return f"telegram:{credentials.get('chat_id', '')}"


def render(notices: Sequence[Notice]) -> list[Message]:
    """Lay notices out: one alone in full, several as a digest."""
    if len(notices) == 1:
        return [Message(_payload(linked(lines_of(notices[0], unlinked, full=True), notices[0], _TEXT, _units)), 1)]
    texts = [linked(lines_of(notice, unlinked, full=False), notice, _LINE, _units) for notice in notices]
    return [Message(_payload("\n\n".join(group)), len(group)) for group in packed(texts, _TEXT, 2, _units)]


def request(message: Message, url: str, credentials: Mapping[str, str], *, delivery_id: str, now: int) -> Request:  # noqa: ARG001
    """Make the POST; the token is part of its URL."""
    body = as_json({"chat_id": credentials["chat_id"], **message.payload})
    return Request(f"https://api.telegram.org/bot{credentials['bot_token']}/sendMessage", body, {"Content-Type": "application/json"})


def asked_wait(body: Any) -> Decimal | None:
    """Read `parameters.retry_after`, whole seconds."""
    parameters = body.get("parameters") if isinstance(body, dict) else None
    return seconds(parameters.get("retry_after")) if isinstance(parameters, dict) else None


def unlinked(text: str) -> str:
    """Keep Telegram from making mentions and links of a text; it looks as typed."""
    return _LINKING.sub(rf"\g<0>{_JOINER}", text)


def _payload(text: str) -> dict[str, Any]:
    """Return the message."""
    return {"text": text, "link_preview_options": {"is_disabled": True}}


def _units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)  # noqa: PLR2004
