"""Bells: SQS FIFO messages that say only "look into this tray". They hold neither data nor URLs, so a lost one loses nothing."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from nightjar.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=2, read_timeout=5)

# The local runner puts its own client (moto) in place of this.
make_client: Callable[[], "SQSClient"] = lambda: boto3.client("sqs", config=_CONFIG)


class Unheard(Exception):
    """The queue did not take a bell: ring again (the tick does, if nobody else)."""


@dataclass(frozen=True, slots=True)
class Bells:
    """The queue of bells."""

    sqs: "SQSClient"
    url: str


@dataclass(frozen=True, slots=True)
class Bell:
    """One bell as received.

    Attributes:
        message_id: SQS's id of the message, under which a failure is reported.
        receipt: What hides or deletes this receipt of it.
        tray: Which tray to look into.
    """

    message_id: str
    receipt: str
    tray: str


@cache
def bells() -> Bells:
    """Return this function's queue of bells."""
    return Bells(make_client(), settings().bells_url)


def ring(queue: Bells, trays: Iterable[str], token: str) -> None:
    """Ring for trays: one message each, in the tray's own group, so that one webhook is served by one handler at a time.

    Args:
        queue: Where to ring.
        trays: Their hashes; each is rung for once.
        token: Unique to the batch, tick or round that rings: within five minutes SQS swallows a bell whose token and
            tray it has had, and what was put in between would lie there until a tick.

    Raises:
        Unheard: The queue refused one of them; the others were taken.
    """
    wanted = sorted(set(trays))
    for at in range(0, len(wanted), _BATCH):
        _send(queue, wanted[at : at + _BATCH], token)


def hide(queue: Bells, bell: Bell, seconds: int) -> None:
    """Make a received bell (and with it its group) invisible for so many seconds."""
    queue.sqs.change_message_visibility(QueueUrl=queue.url, ReceiptHandle=bell.receipt, VisibilityTimeout=seconds)


def bell_of(record: dict[str, Any]) -> Bell:
    """Read a bell from a record of an SQS event."""
    return Bell(record["messageId"], record["receiptHandle"], json.loads(record["body"])["tray"])


def _send(queue: Bells, trays: Sequence[str], token: str) -> None:
    """Send up to ten bells."""
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {
            "Id": str(place),
            "MessageBody": json.dumps({"tray": tray}),
            "MessageGroupId": tray,
            "MessageDeduplicationId": sha256(f"{token}/{tray}".encode()).hexdigest(),
        }
        for place, tray in enumerate(trays)
    ]
    answer = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    if failed := answer.get("Failed"):
        raise Unheard(f"{len(failed)} bells: {failed[0].get('Code')}")
