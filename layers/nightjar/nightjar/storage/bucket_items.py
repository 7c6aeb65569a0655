"""A row of the rollups table as DynamoDB has it: its key, its expiry, and the bucket in it. See storage/rollups.py."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from nightjar.core.folding import Marks
from nightjar.core.instants import SECOND
from nightjar.core.periods import Bin
from nightjar.core.rollups import Bucket
from nightjar.storage.faults import Unreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

NONE: "Final[AttributeValueTypeDef]" = {"N": "0"}


def bucket_of(item: "dict[str, AttributeValueTypeDef]") -> Bucket:
    """Read a row's bucket; what was parked beside it, as long as it could not be read, is parked in it.

    Raises:
        Unreadable: It is not what this code writes: damaged, or of a newer version.
    """
    try:
        bucket = Bucket.unpack(item["b"]["B"])
    except Exception as error:
        raise Unreadable(*place_of(item)) from error
    bucket.parked += int(item.get("k", NONE)["N"])
    return bucket


def by_event(found: Mapping[tuple[str, Bin], Bucket]) -> dict[str, dict[Bin, Bucket]]:
    """Sort the buckets of many events event by event."""
    sorted_out: dict[str, dict[Bin, Bucket]] = {}
    for (event_id, bin), bucket in found.items():
        sorted_out.setdefault(event_id, {})[bin] = bucket
    return sorted_out


@contextmanager
def blamed(event_id: str, buckets: Mapping[Bin, Bucket]) -> Iterator[None]:
    """Where work on buckets fails, say at which of them: of each only the head was read before.

    Raises:
        Unreadable: The work failed, and one of them is not what this code writes.
    """
    try:
        yield
    except Exception as error:
        for bin, bucket in buckets.items():
            try:
                bucket.check()
            except Exception:  # noqa: BLE001  # whatever was done to it
                raise Unreadable(event_id, bin) from error
        raise


def marks_of(item: "dict[str, AttributeValueTypeDef]") -> Marks:
    """Read what a row remembers of its sources."""
    return {source: number["S"] for source, number in item["w"]["M"].items()}


def is_gone(item: "dict[str, AttributeValueTypeDef]", now: int) -> bool:
    """Tell whether a row has expired."""
    return int(item["x"]["N"]) * SECOND <= now


def key(event_id: str, bin: Bin) -> "dict[str, AttributeValueTypeDef]":
    """Return a row's key."""
    return {"PK": {"S": event_id}, "SK": {"S": sort_key(*bin)}}


def sort_key(letter: str, start: int) -> str:
    """Return a row's sort key."""
    return f"{letter}#{start // SECOND:012d}"


def place_of(item: "dict[str, AttributeValueTypeDef]") -> tuple[str, Bin]:
    """Return the event and the bucket of a row."""
    letter, _, start = item["SK"]["S"].partition("#")
    return item["PK"]["S"], ("h" if letter == "h" else "m", int(start) * SECOND)
