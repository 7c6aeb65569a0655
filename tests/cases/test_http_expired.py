"""Case h13: what has expired but is not deleted yet is treated as gone."""

from typing import Any

from nightjar.core import ids
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, iso
from nightjar.core.rollups import Bucket

from tests.cases.script import load_cases
from tests.world import START, World, world

CASE = load_cases()["h13-expired-but-not-deleted"]
EVENT_ID = ids.event_id("worker.billing", "job.run")


def stored(on_moto: World, sort_key: str, count: int, expires: int) -> None:
    """Put a bucket that expires at an instant (µs), whatever its start."""
    made = Bucket()
    for _ in range(count):
        made.add(1, START)  # type: ignore[arg-type]
    item: Any = {"PK": {"S": EVENT_ID}, "SK": {"S": sort_key}, "b": {"B": made.pack()}, "w": {"M": {}}, "n": {"N": "1"}, "x": {"N": str(expires // SECOND)}}
    on_moto.store.db.put_item(TableName=on_moto.store.tables.rollups, Item=item)


def listed(on_moto: World, period: str) -> list[Any]:
    return list(on_moto.made("GET", f"/v1.0/events/{EVENT_ID}/logs?period={period}", None))


def test_h13_what_has_expired_and_is_not_deleted_yet_is_gone() -> None:
    expected = CASE["expect"]
    minute = START - 2 * MINUTE
    with world() as on_moto:
        log = {"agent": "worker.billing", "event": "job.run", "value": 1, "occurred_at": iso(minute)}
        on_moto.send([log])
        (record,) = on_moto.logs
        on_moto.logs.clear()
        keys = record["dynamodb"]["Keys"]
        on_moto.store.db.update_item(
            TableName=on_moto.store.tables.logs,
            Key=keys,
            UpdateExpression="SET x = :x",
            ExpressionAttributeValues={":x": {"N": str((START - SECOND) // SECOND)}},
        )
        stored(on_moto, f"m#{minute // SECOND:012d}", 50, START - HOUR)
        stored(on_moto, f"h#{(START - 30 * DAY) // SECOND:012d}", 7, START + 300 * DAY)
        assert {period: bool(listed(on_moto, period)) for period in ("minute", "raw", "hour")} == expected["listed"]
        on_moto.roll_up([record])
        assert [point["count"] for point in listed(on_moto, "minute")] == [expected["after_the_log"]["count"]]
        removed = {**record, "eventName": "REMOVE", "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}
        on_moto.roll_up([{**removed, "dynamodb": {**removed["dynamodb"], "SequenceNumber": "9" * 22}}])
        assert [point["count"] for point in listed(on_moto, "minute")] == [expected["after_the_log"]["count"]]
