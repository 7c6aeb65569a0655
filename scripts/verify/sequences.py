"""Numbers of the logs table's stream: they grow within a shard, and from a shard to those that follow it; a partition's logs lie in one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import uuid4

from scripts.verify.account import NotShown, Visit, hold

_LOGS, _REQUESTS = 50, 4
_SECONDS = 60
_STREAMS = "dynamodbstreams"


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard: what it follows, and its numbers; None for what is not known."""

    shard_id: str
    parent: str | None
    first: int | None
    last: int | None


def numbers(visit: Visit) -> str:
    """Send logs of one event, and read them from the stream."""
    if visit.account.local:
        raise NotShown("nightjar dev forgets a record as soon as it is counted")
    streams = visit.account.client(_STREAMS)
    arn = visit.account.client("dynamodb").describe_table(TableName=visit.account.name("LogsTable"))["Table"]["LatestStreamArn"]
    readers = {each.shard_id: _latest(streams, arn, each) for each in shards(streams, arn) if each.last is None}
    event, found = f"numbers-{uuid4()}", {each: [] for each in readers}
    for _ in range(_REQUESTS):
        visit.api.made("POST", "/v1.0/logs", [{"agent": visit.mark, "event": event, "value": 1} for _ in range(_LOGS)])
    partitions = visit.until(lambda: _own(_read(streams, readers, found)), _SECONDS, "what was sent did not appear in the stream")
    problem = disorder(partitions)
    hold(problem is None, problem or "")
    return f"{_LOGS * _REQUESTS} logs of one event lie in one shard, their numbers growing"


def lineage(visit: Visit) -> str:
    """Compare each shard with the one it follows. A shard ends after about four hours, and sooner when a partition splits."""
    streams = visit.account.client(_STREAMS)
    pairs = 0
    for name in ("LogsTable", "AlertsTable"):
        arn = visit.account.client("dynamodb").describe_table(TableName=visit.account.name(name))["Table"]["LatestStreamArn"]
        there = shards(streams, arn)
        problem = regress(there)
        hold(problem is None, f"{name}: {problem}")
        pairs += len(followed(there))
    if not pairs:
        raise NotShown("no shard has ended yet: run it again some hours after the deployment")
    return f"{pairs} shards begin above the number that the one before them ended with"


def shards(streams: Any, arn: str) -> list[Shard]:
    """List a stream's shards of the last day."""
    found: list[Shard] = []
    after: dict[str, str] = {}
    while True:
        page = streams.describe_stream(StreamArn=arn, **after)["StreamDescription"]
        for each in page["Shards"]:
            first, last = (each["SequenceNumberRange"].get(end) for end in ("StartingSequenceNumber", "EndingSequenceNumber"))
            found.append(Shard(each["ShardId"], each.get("ParentShardId"), int(first) if first else None, int(last) if last else None))
        if not page.get("LastEvaluatedShardId"):
            return found
        after = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}


def followed(there: Iterable[Shard]) -> list[tuple[Shard, Shard]]:
    """Pairs of a shard that ended and one that follows it."""
    known = {each.shard_id: each for each in there}
    pairs = [(known[each.parent], each) for each in known.values() if each.parent in known]
    return [(before, after) for before, after in pairs if before.last is not None and after.first is not None]


def regress(there: Iterable[Shard]) -> str | None:
    """Find a shard that begins at or below the number with which the one before it ended."""
    wrong = [(before, after) for before, after in followed(there) if after.first <= before.last]  # type: ignore[operator]
    return next((f"{after.shard_id} begins at {after.first}, {before.shard_id} before it ended at {before.last}" for before, after in wrong), None)


def disorder(partitions: Mapping[str, Mapping[str, list[int]]]) -> str | None:
    """Find a partition key whose logs lie in several shards, or whose numbers do not grow.

    Args:
        partitions: Partition key → shard → its numbers in the order in which they were read.
    """
    for key, by_shard in partitions.items():
        if len(by_shard) > 1:
            return f"{key} lies in {len(by_shard)} shards"
        for shard, read in by_shard.items():
            if any(later <= before for before, later in pairwise(read)):
                return f"numbers of {key} do not grow in {shard}"
    return None


def _latest(streams: Any, arn: str, shard: Shard) -> str:
    return str(streams.get_shard_iterator(StreamArn=arn, ShardId=shard.shard_id, ShardIteratorType="LATEST")["ShardIterator"])


def _read(streams: Any, readers: dict[str, str], found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Read on in every shard."""
    for shard, iterator in list(readers.items()):
        page = streams.get_records(ShardIterator=iterator)
        found[shard] += page["Records"]
        if page.get("NextShardIterator"):
            readers[shard] = page["NextShardIterator"]
        else:
            del readers[shard]
    return found


def _own(found: Mapping[str, list[Any]]) -> dict[str, dict[str, list[int]]] | None:
    """What was sent here, by partition and shard; None until all of it is there. Others' logs may lie between."""
    partitions: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for shard, records in found.items():
        for each in records:
            partitions[each["dynamodb"]["Keys"]["PK"]["S"]][shard].append(int(each["dynamodb"]["SequenceNumber"]))
    there = sum(len(read) for by_shard in partitions.values() for read in by_shard.values())
    return partitions if there >= _LOGS * _REQUESTS else None
