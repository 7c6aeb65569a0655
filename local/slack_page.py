"""Shows a channel of the fake Slack in a browser: Block Kit and mrkdwn as Slack would draw them, near enough to judge a message."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

_STYLE = Path(__file__).parent / "slack.css"

_EMOJI = {
    "rotating_light": "🚨", "red_circle": "🔴", "large_orange_circle": "🟠", "large_yellow_circle": "🟡", "large_green_circle": "🟢", "large_blue_circle": "🔵",
    "warning": "⚠️", "white_check_mark": "✅", "fire": "🔥", "bell": "🔔", "no_bell": "🔕", "hourglass": "⌛", "x": "❌", "heavy_check_mark": "✔️",
    "chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉", "book": "📖",
    "repeat": "🔁", "zzz": "💤", "white_circle": "⚪", "black_circle": "⚫",
}  # fmt: skip


def page(channel: str, channels: Sequence[str], posts: Sequence[tuple[float, Any]]) -> str:
    """Draw a channel.

    Args:
        channel: The one that is shown.
        channels: All that have something.
        posts: When (seconds) each message came, and its payload, oldest first.
    """
    links = "".join(_channel(name, here=name == channel) for name in sorted({*channels, channel}))
    messages = "".join(_message(at, payload) for at, payload in posts) or '<p class="none">Nothing has arrived yet.</p>'
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        f"<title>#{escape(channel)}</title><style>{_STYLE.read_text()}</style>"
        f"<nav><b>Nightjar, local</b>{links}</nav><main><h1># {escape(channel)}</h1>{messages}</main></html>"
    )


def _channel(name: str, *, here: bool) -> str:
    return f'<a href="/_slack/{escape(name)}"{" class=here" if here else ""}># {escape(name)}</a>'


def _message(at: float, payload: Mapping[str, Any]) -> str:
    when = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")
    blocks = payload.get("blocks") or []
    drawn = "".join(map(_block, blocks)) or f'<div class="section">{mrkdwn(payload.get("text", ""))}</div>'
    attached = "".join(_attachment(each) for each in payload.get("attachments", []))
    return (
        f'<div class="message"><div class="face">🌙</div><div class="body"><span class="who">{escape(payload.get("username") or "Nightjar")}</span>'
        f'<span class="app">APP</span><span class="when">{when}</span>{drawn}{attached}</div></div>'
    )


def _attachment(found: Mapping[str, Any]) -> str:
    inside = "".join(map(_block, found.get("blocks", []))) or mrkdwn(found.get("text", found.get("fallback", "")))
    color = found.get("color", "")
    style = f' style="border-color:{color}"' if re.fullmatch(r"#[0-9a-fA-F]{6}", color) else ""
    return f'<div class="attachment"{style}>{inside}</div>'


def _block(block: Mapping[str, Any]) -> str:
    draw = _BLOCKS.get(block.get("type", ""))
    return draw(block) if draw else f'<div class="context">[{escape(str(block.get("type")))}]</div>'


def _section(block: Mapping[str, Any]) -> str:
    text = f'<div class="section">{_text(block["text"])}</div>' if block.get("text") else ""
    fields = "".join(f"<div>{_text(each)}</div>" for each in block.get("fields", []))
    return text + (f'<div class="fields">{fields}</div>' if fields else "")


def _context(block: Mapping[str, Any]) -> str:
    return f'<div class="context">{"".join(f"<span>{_text(each)}</span>" for each in block.get("elements", []))}</div>'


def _actions(block: Mapping[str, Any]) -> str:
    buttons = [each for each in block.get("elements", []) if each.get("type") == "button"]
    return "".join(f'<a class="button" href="{_link(each.get("url", ""))}">{_text(each["text"])}</a>' for each in buttons)


def _text(found: Mapping[str, Any]) -> str:
    if found.get("type") == "image":
        return f'[{escape(found.get("alt_text", "image"))}]'
    return mrkdwn(found["text"]) if found.get("type") == "mrkdwn" else _emoji(_plain(found.get("text", "")))


def _plain(text: str) -> str:
    """Show plain_text: there too Slack reads the three entities."""
    return escape(_unescaped(text)).replace("\n", "<br>")


def _rich(block: Mapping[str, Any]) -> str:
    return f'<div class="rich">{"".join(map(_rich_part, block.get("elements", [])))}</div>'


def _rich_part(part: Mapping[str, Any]) -> str:
    inside = part.get("elements", [])
    match part.get("type"):
        case "rich_text_list":
            tag = "ol" if part.get("style") == "ordered" else "ul"
            return f"<{tag}>{''.join(f'<li>{_rich_part(each)}</li>' for each in inside)}</{tag}>"
        case "rich_text_preformatted":
            return f"<pre>{''.join(map(_rich_text, inside))}</pre>"
        case "rich_text_quote":
            return f"<blockquote>{''.join(map(_rich_text, inside))}</blockquote>"
        case _:
            return "".join(map(_rich_text, inside))


def _rich_text(each: Mapping[str, Any]) -> str:
    match each.get("type"):
        case "link":
            text = f'<a href="{_link(each["url"])}">{escape(each.get("text") or each["url"])}</a>'
        case "emoji":
            text = _EMOJI.get(each["name"], f":{escape(each['name'])}:")
        case _:
            text = escape(each.get("text", "")).replace("\n", "<br>")
    for style, tag in (("bold", "b"), ("italic", "i"), ("strike", "s"), ("code", "code")):
        text = f"<{tag}>{text}</{tag}>" if each.get("style", {}).get(style) else text
    return text


_TOKEN = re.compile(r"(```.+?```|`[^`\n]+`|<[^<>\n]+>)", re.DOTALL)


def mrkdwn(text: str) -> str:
    """Turn Slack's mrkdwn into HTML.

    Rule: https://docs.slack.dev/messaging/formatting-message-text: the three entities are the sender's escapes; what stands in
    angle brackets is a link, a mention or a date.

    >>> mrkdwn("*20* of `x` <https://a.example|here>")
    '<b>20</b> of <code>x</code> <a href="https://a.example">here</a>'
    """
    return "".join(_piece(piece) for piece in _TOKEN.split(text) if piece)


def _piece(piece: str) -> str:
    if piece.startswith("```") and len(piece) > 6:  # noqa: PLR2004
        return f"<pre>{escape(_unescaped(piece[3:-3]))}</pre>"
    if piece.startswith("`"):
        return f"<code>{escape(_unescaped(piece[1:-1]))}</code>"
    if piece.startswith("<"):
        target, _, label = piece[1:-1].partition("|")
        if target[:1] in {"@", "#", "!"}:
            return f"<b>{escape(label or target)}</b>"
        return f'<a href="{_link(target)}">{escape(_unescaped(label or target))}</a>'
    return _styled(_emoji(escape(_unescaped(piece), quote=False)))


def _styled(text: str) -> str:
    for mark, tag in ((r"\*", "b"), ("_", "i"), ("~", "s")):
        text = re.sub(rf"(?<![\w{mark}]){mark}(?=\S)([^{mark}\n]+?)(?<=\S){mark}(?!\w)", rf"<{tag}>\1</{tag}>", text)
    text = re.sub(r"^&gt;\s?(.*)$", r"<blockquote>\1</blockquote>", text, flags=re.MULTILINE)
    return text.replace("\n", "<br>")


def _emoji(text: str) -> str:
    return re.sub(r":([a-z0-9_+-]+):", lambda found: _EMOJI.get(found[1], found[0]), text)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _link(url: str) -> str:
    url = _unescaped(url)
    return escape(url) if url.startswith(("http://", "https://", "mailto:")) else "#"


_BLOCKS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "header": lambda block: f'<div class="header">{_text(block["text"])}</div>',
    "section": _section,
    "context": _context,
    "divider": lambda _: "<hr>",
    "rich_text": _rich,
    "actions": _actions,
}
