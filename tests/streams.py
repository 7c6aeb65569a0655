"""Records of the logs table's stream, in the shape in which Lambda hands them over, and the store that rollup writes to."""

from collections.abc import Iterable
from typing import Any

from nightjar.core.instants import HOUR, floor, iso
from nightjar.settings import Tables
from nightjar.storage.client import Store

from tests.aws import Cloud

LABEL = "2026-03-01T00:00:00.000"
ARN = f"arn:aws:dynamodb:eu-west-1:123456789012:table/Logs/stream/{LABEL}"

# AWS's numbers have 21 to 40 digits; these have the length of today's.
_FIRST = 111100000000000000000000

Record = dict[str, Any]


def record(number: int, event_id: str, at: int, value: object, *, shard: int = 0, arn: str = ARN, name: str = "INSERT") -> Record:
    """One record.

    Args:
        number: Its place in the stream.
        event_id: The event.
        at: The log's time, µs.
        value: The log's value, as ingest stores it when written as text.
        shard: The write shard.
        arn: The stream.
        name: INSERT, MODIFY or REMOVE.
    """
    hour = iso(floor(at, HOUR)).replace("-", "").replace("T", "")[:10]
    keys = {"PK": {"S": f"{event_id}#{hour}#{shard}"}, "SK": {"S": f"{at:016d}#01890000-0000-7000-8000-{number:012x}"}}
    image = {**keys, "v": {"S": str(value)}, "x": {"N": str(at // 1_000_000 + 32 * 86_400)}}
    return {
        "eventID": f"{number:032x}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": at // 1_000_000,
            "Keys": keys,
            **({} if name == "REMOVE" else {"NewImage": image}),
            "SequenceNumber": str(_FIRST + number),
            "SizeBytes": 200,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": arn,
    }


def number_of(number: int) -> str:
    """The sequence number of the record at a place in the stream."""
    return str(_FIRST + number)


def records(event_id: str, logs: Iterable[tuple[int, object]], first: int = 1) -> list[Record]:
    """Records of an event's logs, given as pairs of time (µs) and value, one after the other in the stream."""
    return [record(first + place, event_id, at, value) for place, (at, value) in enumerate(logs)]


def store_on(cloud: Cloud) -> Store:
    """The store of a function, with the tables that the template makes."""
    return Store(cloud.client("dynamodb"), Tables(**{name: cloud.stack.tables[f"{name.capitalize()}Table"].name for name in Tables.__slots__}))
