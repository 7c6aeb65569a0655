"""Any https receiver: the transitions as JSON, signed.

Body: `{delivery_id, sent_at, transitions: [{type, at, alert}]}`; delivery_id is the same in every attempt to send the same.
Signature, where `credentials.secret` (or else `credentials.authorization`) is set: header `X-Nightjar-Timestamp` holds seconds
since the epoch, `X-Nightjar-Signature` is `v1=` and the hexadecimal HMAC-SHA256, under that secret, of the timestamp, a dot and
the body. Receivers should refuse timestamps older than five minutes.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from nightjar.channels.base import Message, as_json
from nightjar.channels.transport import Request, is_exempt, leads_inside, post
from nightjar.core.alerts import Alert, Transition
from nightjar.core.instants import SECOND, iso
from nightjar.core.wording import Notice

__all__ = ["asked_wait", "mask", "post", "render", "request", "validate"]

# Alerts in one message, and its bytes: receivers often take no more than 100 KB, and an envelope goes around it.
_NOTICES: Final = 100
_BYTES: Final = 90_000
_SHOWN: Final = (
    "alert_id", "policy_id", "event_id", "agent", "event", "title", "period", "aggregate", "condition", "threshold", "severity", "status", "value",
    "count", "min", "max", "previous_value", "change_percent", "worst_value", "periods", "resolved_by",
)  # fmt: skip
_INSTANTS: Final = ("triggered_at", "acknowledged_at", "resolved_at", "period_start")


def validate(url: str, credentials: Mapping[str, str]) -> None:
    """Check the URL (https, a host, no user or fragment) and that what goes into a header is one line of printable ASCII."""
    parts = urlsplit(url)
    try:
        parts.port  # noqa: B018  # raises for one that is no number
    except ValueError:
        raise ValueError("url: the port must be a number") from None
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("url: must be printable ASCII without spaces")
    if not is_exempt(url) and (parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.fragment):
        raise ValueError("url: must be an https URL without user, password and fragment")
    if leads_inside(url):
        raise ValueError("url: must lead to a public address")
    authorization = credentials.get("authorization", "")
    if not authorization.isascii() or not authorization.isprintable():
        raise ValueError("credentials.authorization: must be printable ASCII")


def mask(url: str, credentials: Mapping[str, str]) -> str:  # noqa: ARG001
    """Show the host only: paths hold tokens."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}/…"


def render(notices: Sequence[Notice]) -> list[Message]:
    """Write the transitions out, up to a hundred alerts and 90,000 bytes a message; an alert larger than that is one by itself."""
    groups: list[list[list[dict[str, Any]]]] = []
    left = 0
    for notice in notices:
        told = [shown(each) for each in notice.transitions]
        size = sum(len(as_json(each)) + 1 for each in told)
        if not groups or len(groups[-1]) == _NOTICES or size > left:
            groups.append([])
            left = _BYTES
        groups[-1].append(told)
        left -= size
    return [Message({"transitions": [each for told in group for each in told]}, len(group)) for group in groups]


def request(message: Message, url: str, credentials: Mapping[str, str], *, delivery_id: str, now: int) -> Request:
    """Make the POST, signed where there is a secret."""
    body = as_json({"delivery_id": delivery_id, "sent_at": iso(now), **message.payload})
    headers = {"Content-Type": "application/json", "User-Agent": "Nightjar"}
    if authorization := credentials.get("authorization"):
        headers["Authorization"] = authorization
    if secret := credentials.get("secret") or authorization:
        timestamp = str(now // SECOND)
        headers |= {"X-Nightjar-Timestamp": timestamp, "X-Nightjar-Signature": signature(secret, timestamp, body)}
    return Request(url, body, headers)


def asked_wait(body: Any) -> Decimal | None:  # noqa: ARG001
    """A webhook says how long to wait in the header alone."""
    return None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a body sent at a time (seconds since the epoch, as text)."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def shown(transition: Transition) -> dict[str, Any]:
    """Return a transition as the body names it."""
    return {"type": transition.type, "at": iso(transition.at), "alert": _alert(transition.alert)}


def _alert(alert: Alert) -> dict[str, Any]:
    """Return an alert with the fields of API.md."""
    instants = {name: None if getattr(alert, name) is None else iso(getattr(alert, name)) for name in _INSTANTS}
    return {**{name: getattr(alert, name) for name in _SHOWN}, **instants}
