"""Slack incoming webhooks: Block Kit within its limits, user text only where Slack does not read markup.

Limits (docs.slack.dev, Block Kit reference): header 150, section 3,000, field 2,000, the URL of a button 3,000 characters, 50
blocks. A message of several alerts is also kept below 12,000 characters in all, where Slack has been seen to refuse one
(`msg_blocks_too_long`).
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlsplit

from nightjar.channels.base import Message, as_json
from nightjar.channels.layout import cut
from nightjar.channels.transport import Request, is_exempt, post
from nightjar.core.wording import Notice

__all__ = ["asked_wait", "mask", "post", "render", "request", "validate"]

_HOSTS: Final = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_HEADER, _SECTION, _FIELD, _FALLBACK, _LINK = 150, 2_900, 1_900, 3_000, 3_000
_NOTICES, _CHARACTERS = 45, 12_000
_WORD_JOINER: Final = "\N{WORD JOINER}"  # takes no room and is not seen
_ENTITY: Final = re.compile(r"&(?:amp|lt|gt);|.", re.DOTALL)


def validate(url: str, credentials: Mapping[str, str]) -> None:  # noqa: ARG001
    """Check a webhook URL.

    Rule: API.md, Destinations: https, host exactly hooks.slack.com or hooks.slack-gov.com, path under /services/.
    """
    if is_exempt(url):
        return
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.netloc not in _HOSTS:
        raise ValueError("url: must be https://hooks.slack.com/services/…")
    if not re.fullmatch(r"/services/[A-Za-z0-9/_-]+", parts.path) or parts.query or parts.fragment or url != url.strip():
        raise ValueError("url: the path must be /services/… of an incoming webhook")


def mask(url: str, credentials: Mapping[str, str]) -> str:  # noqa: ARG001
    """Show the host only: the path is the secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def render(notices: Sequence[Notice]) -> list[Message]:
    """Lay notices out: one that is alone in its message in full, several as a digest of one block each.

    Example:
        >>> [message.names for message in render([])]
        []
    """
    return [Message(_full(group[0]) if len(group) == 1 else _digest(group), len(group)) for group in _groups(notices)]


def request(message: Message, url: str, credentials: Mapping[str, str], *, delivery_id: str, now: int) -> Request:  # noqa: ARG001
    """Make the POST."""
    return Request(url, as_json(message.payload), {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Nightjar"})


def asked_wait(body: Any) -> Decimal | None:  # noqa: ARG001
    """Slack says how long to wait in the header alone."""
    return None


def escaped(text: str, most: int) -> str:
    """Escape what Slack reads as a mention or a link, once, and cut between characters to so many, with an ellipsis.

    Example:
        >>> escaped("<!channel> & co", 99), escaped("a<b", 3)
        ('&lt;!channel&gt; &amp; co', 'a…')
    """
    whole = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(whole) <= most:
        return whole
    kept, room = [], most - 1
    for piece in _ENTITY.findall(whole):
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def as_typed(text: str, most: int) -> str:
    """Write what rich text shows, which knows no entities, and cut it to so many characters, with an ellipsis.

    A mention in rich text is an element of its own, not text. Should a client read one in the text after all, a word joiner
    behind each `<` keeps it from that.
    """
    return cut(re.sub(r"<(?=\S)", f"<{_WORD_JOINER}", text), most)


def _full(notice: Notice) -> dict[str, Any]:
    """Lay out one notice alone."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(notice.heading, _HEADER)},
        {"type": "section", "text": _plain(notice.sentence, _SECTION)},
    ]
    if notice.facts:
        blocks.append({"type": "section", "fields": [_plain(f"{name}\n{value}", _FIELD) for name, value in notice.facts[:10]]})
    if notice.description:
        blocks.append({"type": "section", "text": _plain(notice.description, _SECTION)})
    if notice.trend:
        blocks.append({"type": "context", "elements": [_plain(notice.trend, _FIELD)]})
    if links := _links(notice)[1:]:
        blocks.append(_rich(links))
    return _payload(f"{notice.heading} ({notice.source}): {notice.sentence}", blocks)


def _digest(notices: Sequence[Notice]) -> dict[str, Any]:
    """Lay out several notices, one block each."""
    heading = f"{len(notices)} alerts"
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(heading, _HEADER)}]
    blocks += [_rich(_line(notice)) for notice in notices]
    return _payload(f"{heading}: " + "; ".join(f"{notice.heading} ({notice.sentence})" for notice in notices), blocks)


def _groups(notices: Sequence[Notice]) -> list[list[Notice]]:
    """Cut notices into groups that fit into a message."""
    groups: list[list[Notice]] = []
    room = 0
    for notice in notices:
        size = sum(len(element.get("text", "")) + len(element.get("url", "")) for element in _line(notice))
        if not groups or len(groups[-1]) == _NOTICES or size > room:
            groups.append([])
            room = _CHARACTERS
        groups[-1].append(notice)
        room -= size
    return groups


def _line(notice: Notice) -> list[dict[str, Any]]:
    """Return one notice of a digest."""
    words = f"\n{notice.source} — {notice.sentence}"
    line: list[dict[str, Any]] = [
        {"type": "text", "text": as_typed(notice.heading, 400), "style": {"bold": True}},
        {"type": "text", "text": as_typed(words, 900)},
    ]
    return line + _links(notice)


def _payload(text: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message; the text is what notifications and screen readers get."""
    return {"text": escaped(text, _FALLBACK), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}


def _plain(text: str, most: int) -> dict[str, Any]:
    """Return a text in which Slack reads neither markup nor emoji names."""
    return {"type": "plain_text", "text": escaped(text, most), "emoji": False}


def _rich(elements: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a block of rich text."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _links(notice: Notice) -> list[dict[str, Any]]:
    """Return a notice's links, a dot before each; what could end a URL early is percent-encoded, and one that is too long then is left out."""
    found: list[dict[str, Any]] = []
    for name, url in notice.links:
        encoded = quote(url, safe="%/:?#[]@!$&'()*+,;=~")
        if len(encoded) <= _LINK:
            found += [{"type": "text", "text": " · "}, {"type": "link", "url": encoded, "text": name}]
    return found
