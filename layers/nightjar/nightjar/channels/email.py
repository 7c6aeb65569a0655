"""E-mail through SES: plain text, the subject on one line. The only channel that speaks to AWS."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nightjar.channels.base import Message, as_json
from nightjar.channels.layout import cut, lines_of, linked, packed
from nightjar.channels.transport import Answer, Request, Unreachable
from nightjar.core.wording import Notice
from nightjar.settings import settings

_SUBJECT, _TEXT, _LINE = 200, 100_000, 2_000
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_CONTROLS: Final = re.compile(r"\s+")


def validate(url: str, credentials: Mapping[str, str]) -> None:  # noqa: ARG001
    """Check the address; without one, mail goes to the address set at deployment."""
    if not settings().email_from:
        raise ValueError("channel: e-mail is not set up (parameter EmailFrom of the deployment)")
    if not url and not settings().email_to:
        raise ValueError("url: must be an address, since none was set at deployment")
    if url and not _ADDRESS.fullmatch(url):
        raise ValueError("url: must be an e-mail address")


def mask(url: str, credentials: Mapping[str, str]) -> str:  # noqa: ARG001
    """Show the first letter and the domain."""
    name, _, domain = (url or settings().email_to).partition("@")
    return f"{name[:1]}…@{domain}"


def render(notices: Sequence[Notice]) -> list[Message]:
    """Lay notices out: one alone in full, several as a digest."""
    if len(notices) == 1:
        text = linked(lines_of(notices[0], full=True), notices[0], _TEXT)
        return [Message(_payload(f"{notices[0].heading} ({notices[0].source})", text), 1)]
    groups = packed([linked(lines_of(notice, full=False), notice, _LINE) for notice in notices], _TEXT, 2)
    return [Message(_payload(f"{len(group)} alerts", "\n\n".join(group)), len(group)) for group in groups]


def request(message: Message, url: str, credentials: Mapping[str, str], *, delivery_id: str, now: int) -> Request:  # noqa: ARG001
    """Make what `post` sends."""
    return Request("ses:", as_json({"to": url or settings().email_to, **message.payload}), {})


def post(request: Request) -> Answer:
    """Hand a mail to SES; its answer becomes a status.

    Raises:
        Unreachable: SES could not be reached.
    """
    mail = json.loads(request.body)
    content = {"Simple": {"Subject": {"Data": mail["subject"], "Charset": "UTF-8"}, "Body": {"Text": {"Data": mail["text"], "Charset": "UTF-8"}}}}
    try:
        _ses().send_email(FromEmailAddress=settings().email_from, Destination={"ToAddresses": [mail["to"]]}, Content=content)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        return Answer(status, {}, str(error.response.get("Error", {}).get("Message", "")).encode())
    except BotoCoreError as error:
        raise Unreachable(type(error).__name__) from None
    return Answer(200, {}, b"")


def asked_wait(body: Any) -> Decimal | None:  # noqa: ARG001
    """SES does not say how long to wait."""
    return None


def _payload(subject: str, text: str) -> dict[str, Any]:
    """Return subject and text."""
    return {"subject": cut(_CONTROLS.sub(" ", subject).strip(), _SUBJECT), "text": text}


@cache
def _ses() -> Any:
    """Return the client."""
    return boto3.client("sesv2", config=Config(retries={"mode": "standard", "max_attempts": 1}, connect_timeout=3, read_timeout=5))
