"""The engine's clock: the latest tick that was begun, and the latest whose reach is done. One item of the alerts table."""

from dataclasses import dataclass

from nightjar.storage.client import Store

_KEY = {"PK": {"S": "clock"}, "SK": {"S": "clock"}}


@dataclass(frozen=True, slots=True)
class Clock:
    """The engine's clock.

    Attributes:
        tick: The latest tick (µs) that was begun: what "now" means to the engine.
        reach: The latest tick (µs) that was finished; None while the first still runs.
    """

    tick: int
    reach: int | None


def read_clock(store: Store) -> Clock | None:
    """Read the clock (strongly consistent); None before the first tick."""
    item = store.db.get_item(TableName=store.tables.alerts, Key=_KEY, ConsistentRead=True).get("Item")
    if item is None:
        return None
    return Clock(int(item["tick"]["N"]), int(item["reach"]["N"]) if "reach" in item else None)


def latest_tick(store: Store) -> int | None:
    """Read the latest tick (µs) that was begun, by the call that the notifier may make; None before the first tick."""
    wanted = {store.tables.alerts: {"Keys": [_KEY], "ConsistentRead": True}}
    found = store.db.batch_get_item(RequestItems=wanted)["Responses"].get(store.tables.alerts)  # type: ignore[arg-type]
    return int(found[0]["tick"]["N"]) if found else None


def begin_tick(store: Store, tick: int) -> None:
    """Move the clock to a tick, never back.

    Written before the buckets are read: rollup reads the clock after it wrote its buckets, so of an evaluator and a rollup
    that race at the close of a period at least one sees the other.
    """
    _move(store, "tick", tick)


def finish_tick(store: Store, tick: int) -> None:
    """Record that all that a tick calls for is judged; a tick that died before this is done again by the next."""
    _move(store, "reach", tick)


def _move(store: Store, hand: str, tick: int) -> None:
    """Set one of the clock's two hands, unless it is there or further already."""
    try:
        store.db.update_item(
            TableName=store.tables.alerts,
            Key=_KEY,
            UpdateExpression=f"SET {hand} = :t",
            ConditionExpression=f"attribute_not_exists({hand}) OR {hand} < :t",
            ExpressionAttributeValues={":t": {"N": str(tick)}},
        )
    except store.db.exceptions.ConditionalCheckFailedException:
        return
