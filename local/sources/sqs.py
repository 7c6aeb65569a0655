"""A queue: what the next invocation gets, and which messages its answer settles.

Rule: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html: messages of a successful invocation are deleted, but for
those that ReportBatchItemFailures names; the others become visible again when their time is up, and after maxReceiveCount
receives go to the dead letters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from local import rules

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """An event source mapping of a queue, as the template has it."""

    batch_size: int
    concurrency: int
    partial: bool

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "Settings":
        """Read a mapping's properties."""
        scaling = properties.get("ScalingConfig", {})
        return cls(
            batch_size=min(int(properties.get("BatchSize", 10)), int(rules.FIFO_BATCH.value)),
            concurrency=int(scaling.get("MaximumConcurrency", rules.QUEUE_CONCURRENCY.value)),
            partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that are invisible: how many, and when (seconds) the first can be received again."""

    count: int
    first: float | None


def waiting(visible_at: Iterable[float], now: float) -> Waiting:
    """Count what waits for a time.

    Args:
        visible_at: For every message that lies in the queue: when (seconds) it becomes visible.
        now: Seconds.
    """
    times = [each for each in visible_at if each >= now]
    return Waiting(len(times), min(times, default=None))


def to_event(messages: Sequence[Message], arn: str, region: str) -> dict[str, Any]:
    """Word received messages as Lambda does."""
    return {"Records": [_record(message, arn, region) for message in messages]}


def settled(messages: Sequence[Message], settings: Settings, answer: Any, *, failed: bool) -> list[Message]:
    """Return the messages to delete.

    Args:
        messages: What the invocation was given.
        settings: The mapping.
        answer: What the handler returned, parsed.
        failed: The invocation failed.
    """
    if failed:
        return []
    if not settings.partial or not isinstance(answer, Mapping):
        return list(messages)
    named = [each.get("itemIdentifier") if isinstance(each, Mapping) else None for each in answer.get("batchItemFailures") or []]
    known = {message["MessageId"] for message in messages}
    if not all(each in known for each in named):
        return []  # a report that makes no sense fails the batch
    return [message for message in messages if message["MessageId"] not in named]


def _record(message: Message, arn: str, region: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {},
        "md5OfBody": md5(message["Body"].encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }
