"""A DynamoDB stream: which records the next invocation gets, and what its answer means for the position.

Rule: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and services-ddb-params.html: records in order, one batch a
shard at a time; a failed batch comes again, halved with BisectBatchOnFunctionError, from the first reported record with
ReportBatchItemFailures; what no filter matches is passed over without an invocation.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from local import rules
from local.sources.filters import matches

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """An event source mapping of a stream, as the template has it."""

    batch_size: int
    patterns: tuple[Mapping[str, Any], ...]
    bisect: bool
    partial: bool
    max_retries: int

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "Settings":
        """Read a mapping's properties."""
        filters = properties.get("FilterCriteria", {}).get("Filters", [])
        return cls(
            batch_size=min(int(properties.get("BatchSize", 100)), int(rules.STREAM_RECORDS.value)),
            patterns=tuple(json.loads(each["Pattern"]) for each in filters),
            bisect=bool(properties.get("BisectBatchOnFunctionError")),
            partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            max_retries=int(properties.get("MaximumRetryAttempts", -1)),
        )


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stream has been delivered.

    Attributes:
        after: Sequence number up to which all is done; "" at the trim horizon.
        ends: Last sequence numbers of the pieces that a failed batch was cut into, next first.
        failures: How often the next piece has failed in a row.
        ready_at: No earlier than this (seconds) is it tried again.
        discarded: Records given up after MaximumRetryAttempts.
    """

    after: str = ""
    ends: tuple[str, ...] = ()
    failures: int = 0
    ready_at: float = 0.0
    discarded: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one invocation; `upto` is the last sequence number that its success settles."""

    records: tuple[Record, ...]
    upto: str


def sequence(record: Record) -> str:
    """Return a record's sequence number, padded so that texts compare as numbers do."""
    return str(record["dynamodb"]["SequenceNumber"]).zfill(40)


def next_batch(there: Sequence[Record], position: Position, settings: Settings) -> Batch | None:
    """Choose the next invocation's records.

    Args:
        there: The stream's records after `position.after`, in order.
        position: How far it has been delivered.
        settings: The mapping.

    Returns:
        The batch, without records where no filter matches what is there (pass over it); None if nothing is there.
    """
    if position.ends:
        there = [record for record in there if sequence(record) <= position.ends[0]]
    if not there:
        return None
    chosen: list[Record] = []
    size = 0
    for record in there:
        if not any(matches(pattern, record) for pattern in settings.patterns or ({},)):
            continue
        size += len(json.dumps(_plain(record)))
        if len(chosen) == settings.batch_size or (chosen and size > rules.PAYLOAD_BYTES.value * 0.95):
            break
        chosen.append(record)
    else:
        return Batch(tuple(chosen), sequence(there[-1]))
    return Batch(tuple(chosen), sequence(chosen[-1]))


def to_event(batch: Batch, arn: str, region: str) -> dict[str, Any]:
    """Word a batch as Lambda does."""
    return {"Records": [{**_plain(record), "awsRegion": region, "eventSourceARN": arn} for record in batch.records]}


def passed(position: Position, upto: str) -> Position:
    """Move on after all up to a number is done."""
    ends = tuple(end for end in position.ends if end > upto)
    return Position(after=upto, ends=ends, discarded=position.discarded)


def after_answer(position: Position, batch: Batch, settings: Settings, answer: Any, *, failed: bool, now: float) -> Position:
    """Say what an invocation's answer means.

    Args:
        position: The position before it.
        batch: What it was given.
        settings: The mapping.
        answer: What the handler returned, parsed.
        failed: The invocation failed.
        now: Seconds.
    """
    first = None if failed else _first_failure(batch, answer, settings)
    if not failed and first is None:
        return passed(position, batch.upto)
    at = first or 0
    if at:
        position = replace(passed(position, sequence(batch.records[at - 1])), failures=0)
    return _again(position, batch, at, settings, now)


def _again(position: Position, batch: Batch, at: int, settings: Settings, now: float) -> Position:
    """Plan another try of a batch from one of its records on."""
    left = batch.records[at:]
    failures = position.failures + 1
    if 0 <= settings.max_retries < failures:
        return replace(passed(position, batch.upto), discarded=position.discarded + len(left))
    ends = position.ends if position.ends and position.ends[0] == batch.upto else (batch.upto, *position.ends)
    if settings.bisect and not at and len(left) > 1:
        return replace(position, ends=(sequence(left[len(left) // 2 - 1]), *ends), failures=0, ready_at=0.0)
    pause = min(rules.RETRY_FIRST_SECONDS.value * 2 ** min(failures - 1, 20), rules.RETRY_LAST_SECONDS.value)
    return replace(position, ends=ends, failures=failures, ready_at=now + pause)


def _first_failure(batch: Batch, answer: Any, settings: Settings) -> int | None:
    """Find the first record that a partial answer reports; 0 (all of them) where the report makes no sense."""
    if not settings.partial or not isinstance(answer, Mapping):
        return None
    reported = answer.get("batchItemFailures") or []
    if not reported:
        return None
    numbers = [sequence(record) for record in batch.records]
    named = [str(each.get("itemIdentifier") or "").zfill(40) if isinstance(each, Mapping) else "" for each in reported]
    if not all(each in numbers for each in named):
        return 0
    return min(numbers.index(each) for each in named)


def _plain(record: Record) -> dict[str, Any]:
    """Write the time of a record as Lambda does: seconds."""
    change = record["dynamodb"]
    created = change.get("ApproximateCreationDateTime")
    if isinstance(created, datetime):
        created = created.replace(tzinfo=UTC).timestamp()
    return {**record, "dynamodb": {**change, "ApproximateCreationDateTime": created}}
