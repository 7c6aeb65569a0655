"""What arrived, held against what had to."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from scripts.demo import jobs
from scripts.demo.system import Post
from scripts.demo.wanted import OURS, POLICIES, THEIRS, Wanted

_ENDINGS = ("Recovered", "Resolved", "Closed", "Over")


@dataclass(frozen=True, slots=True)
class Message:
    """A Slack message and the instant, in the story's time, of what it tells."""

    at: datetime
    channel: str
    heading: str
    sentence: str
    payload: dict[str, Any]

    def fits(self, wanted: Wanted) -> bool:
        """Tell whether this is the message that was wanted."""
        return (
            (self.at.replace(second=0, microsecond=0), self.channel) == (wanted.at, wanted.channel)
            and self.heading.endswith(f" {wanted.label}: {wanted.title}")
            and re.fullmatch(wanted.says, self.sentence) is not None
        )

    def __str__(self) -> str:
        return f"{self.at:%d %b %H:%M}  #{self.channel}  {self.heading}  ({self.sentence})"


def message(post: Post, alerts: Iterable[dict[str, Any]]) -> Message:
    """Read a post; when it happened is what the API says of its alert.

    Args:
        post: As the channel received it.
        alerts: All alerts, as the API lists them.
    """
    texts = [block["text"]["text"] for block in post.payload["blocks"] if isinstance(block.get("text"), dict)]
    heading, sentence = (*texts, "", "")[:2]
    found = [alert for alert in alerts if heading.endswith(f": {alert['title']}")]
    ended = heading.split(" ", 1)[-1].startswith(_ENDINGS)
    instants = [alert["resolved_at" if ended else "triggered_at"] for alert in found]
    at = datetime.fromisoformat(max(filter(None, instants), default="1970-01-01T00:00:00Z")).astimezone(UTC)
    return Message(at, post.channel, heading, sentence, post.payload)


def differences(messages: Sequence[Message], wanted: Sequence[Wanted], compared: dict[str, Any]) -> list[str]:
    """Say everything that is not as it had to be; nothing if all is."""
    found = [f"missing: {each}" for each in wanted if not any(got.fits(each) for got in messages)]
    for got in messages:
        fits = [each for each in wanted if got.fits(each)]
        if not fits:
            found.append(f"not expected: {got}")
        elif next(one for one in messages if one.fits(fits[0])) is not got:
            found.append(f"came twice: {got}")
    found += [f"out of order: {later}" for earlier, later in pairwise(messages) if later.at < earlier.at]
    found += [f"billing's, in #{THEIRS}: {got}" for got in strays(messages)]
    change, counts = compared["value_pct_change"], (compared["current_value"], compared["previous_value"])
    if change is None or Decimal(str(change)) != 300 or counts != (jobs.RETRIES_NOW, jobs.RETRIES_YESTERDAY):  # noqa: PLR2004
        found.append(f"retries: {counts[0]} against {counts[1]} ({change} %), expected {jobs.RETRIES_NOW} against {jobs.RETRIES_YESTERDAY} (+300 %)")
    return found


def strays(messages: Iterable[Message]) -> list[Message]:
    """List what the platform team received of billing's."""
    titles = [policy["title"] for policy in POLICIES[OURS]]
    return [got for got in messages if got.channel == THEIRS and (jobs.BILLING in str(got.payload) or any(title in str(got.payload) for title in titles))]
