"""A fake of SES: mails are shown in the fake Slack's channel `mail`, whoever they are for."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.wire import Response

CHANNEL = "mail"


class Mail:
    """Takes SendEmail of SES v2.

    Rule: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
    """

    def __init__(self, keep: Callable[[str, Any], None]) -> None:
        """Remember where mails go.

        Args:
            keep: Shows a payload in a channel.
        """
        self._keep = keep

    def handle(self, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Take one mail."""
        del service, headers
        mail = json.loads(body)
        content = mail["Content"]["Simple"]
        lines = [
            f"From: {mail['FromEmailAddress']}",
            f"To: {', '.join(mail['Destination']['ToAddresses'])}",
            f"Subject: {content['Subject']['Data']}",
            "",
            content["Body"]["Text"]["Data"],
        ]
        self._keep(CHANNEL, {"text": "\n".join(lines)})
        return Response(200, {"Content-Type": "application/json"}, b'{"MessageId":"local"}')
