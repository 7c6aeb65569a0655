"""What the stream of the logs table tells: its records, as Lambda hands them over, read into arrivals."""

from typing import TYPE_CHECKING, Any

from nightjar.core.folding import Arrival
from nightjar.core.sources import hour_of, time_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGITS = 40  # a sequence number has up to 40 digits: padded, text compares as numbers do
_GUARD = "g"


def is_new_log(record: "Mapping[str, Any]") -> bool:
    """Tell whether a record announces a log: an insertion, and not of a log_id's guard.

    The event source filters already, on AWS; expiries come as REMOVE, and an identical put as MODIFY in some simulators.
    """
    return record.get("eventName") == "INSERT" and record.get("dynamodb", {}).get("Keys", {}).get("SK", {}).get("S") != _GUARD


def read_arrival(record: "Mapping[str, Any]") -> Arrival:
    """Read a log's record.

    Args:
        record: One of `Records` of a DynamoDB stream event, with a new image.

    Returns:
        The arrival. A value that is missing is empty text, for which folding parks it: its bucket is known. So is one whose time cannot
        be read, at the start of its partition's hour: the look before a silent alert counts it there, and would wait for it for ever.

    Raises:
        LookupError, TypeError, ValueError: The record or its partition is not what ingest writes.
    """
    change = record["dynamodb"]
    partition = change["Keys"]["PK"]["S"]
    event_id, _, shard = partition.split("#")
    at = time_of(partition, change["Keys"]["SK"]["S"])
    label = record["eventSourceARN"].rpartition("/stream/")[2]
    value = change.get("NewImage", {}).get("v", {}).get("S", "") if at is not None else ""
    return Arrival(event_id, f"{label}#{shard}", change["SequenceNumber"].zfill(DIGITS), hour_of(partition) if at is None else at, value)
