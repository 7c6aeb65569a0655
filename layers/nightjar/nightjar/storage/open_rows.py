"""What a tick must look at besides the policies that are due: one partition of the alerts table, `open`.

- `open` / policy_id: a policy with an open alert (alert_id, last_end of its latest period in alarm, due: the next tick for a
  reminder or for silence; u: its alert has reached nobody yet; r: the revision), or a rolling policy that a person quieted.
- `open` / `w#policy_id`: a policy that is being edited (edited, until, closed, m): the ticks of the next two minutes judge it again.
- `open` / `h#policy_id`: a wide rolling policy of which a window was held back (as above, r: the revision): the next tick judges it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nightjar.core.state import State
from nightjar.storage.client import Store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

PARTITION = "open"
_WATCH, _HELD = "w#", "h#"


@dataclass(frozen=True, slots=True)
class OpenRow:
    """One row. Instants are µs.

    Attributes:
        policy_id: Whose.
        alert_id: The open alert; None for a quieted policy.
        last_end: End of the alert's latest period in alarm.
        due: The tick at which silence or a reminder is due; None for neither.
        unrouted: The alert has reached nobody yet.
        revision: The policy's revision by which it was judged.
    """

    policy_id: str
    alert_id: str | None
    last_end: int
    due: int | None
    unrouted: bool
    revision: int = 0


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A policy at which ticks look again. Instants are µs.

    Attributes:
        policy_id: Whose.
        edited: When it was edited; ticks up to `until` judge what ran since. 0: nobody edited it, and nothing that runs must be judged.
        until: See there.
        closed: What ended after it, and is closed by now, was not judged yet: the delay was made shorter, or a window was held
            back. None: there is nothing like that.
        held: The policy's revision of which a rolling window was held back; None for an edit.
        reminders: Its reminders were changed: an open alert must be looked at anew.
    """

    policy_id: str
    edited: int
    until: int
    closed: int | None = None
    held: int | None = None
    reminders: bool = False


def open_row_write(table: str, before: State, state: State, due: int | None) -> "TransactWriteItemTypeDef | None":
    """Return the write that keeps a policy's open row equal to its state; None when it need not change."""
    key = {"PK": {"S": PARTITION}, "SK": {"S": state.policy_id}}
    if state.open is None and not state.quiet:
        return {"Delete": {"TableName": table, "Key": key}} if before.open is not None or before.quiet else None
    values: dict[str, Any] = {":e": {"N": str(state.open.last_end if state.open else 0)}, ":d": {"N": str(due or 0)}}
    values[":a"] = {"S": state.open.alert_id if state.open else ""}
    values[":r"] = {"N": str(state.revision)}
    expression = "SET alert_id = :a, last_end = :e, due = :d, r = :r"
    if before.open is None or state.open is None or before.open.alert_id != state.open.alert_id:
        expression += " REMOVE u"
    return {"Update": {"TableName": table, "Key": key, "UpdateExpression": expression, "ExpressionAttributeValues": values}}


def read_open(store: Store) -> tuple[list[OpenRow], list[WatchRow]]:
    """Read the partition, strongly consistent: one Query a tick."""
    rows: list[OpenRow] = []
    watched: list[WatchRow] = []
    query: dict[str, Any] = {
        "TableName": store.tables.alerts,
        "KeyConditionExpression": "PK = :p",
        "ExpressionAttributeValues": {":p": {"S": PARTITION}},
        "ConsistentRead": True,
    }
    while True:
        page = store.db.query(**query)
        for item in page["Items"]:
            name = item["SK"]["S"]
            if name.startswith((_WATCH, _HELD)):
                watched.append(_watch_row(name, item))
            elif "alert_id" in item:
                rows.append(_row(name, item))
        if "LastEvaluatedKey" not in page:
            return rows, watched
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _row(policy_id: str, item: dict[str, Any]) -> OpenRow:
    alert_id, due = item["alert_id"]["S"] or None, int(item["due"]["N"]) or None
    unrouted = item.get("u", {}).get("S", "-") == alert_id
    return OpenRow(policy_id, alert_id, int(item["last_end"]["N"]), due, unrouted, int(item.get("r", {}).get("N", "0")))


def _watch_row(name: str, item: dict[str, Any]) -> WatchRow:
    closed, held = (int(item[each]["N"]) if each in item else None for each in ("closed", "r"))
    return WatchRow(name[len(_WATCH) :], int(item["edited"]["N"]), int(item["until"]["N"]), closed, held, "m" in item)


def _watch_key(row: WatchRow) -> dict[str, Any]:
    return {"PK": {"S": PARTITION}, "SK": {"S": (_WATCH if row.held is None else _HELD) + row.policy_id}}


def mark_unrouted(store: Store, policy_id: str, alert_id: str, *, unrouted: bool) -> None:
    """Note on the row that an open alert has reached nobody, or take the note away; nothing if it is over by now."""
    _update(store, policy_id, "SET u = :a" if unrouted else "REMOVE u", {":a": {"S": alert_id}})


def postpone(store: Store, state: State, due: int, *, instead_of: int | None = None) -> None:
    """Set the tick (µs; 0: never) at which an open alert is next looked at, if it is still the same alert and, where given, the same tick."""
    if state.open is None:
        return
    values: dict[str, Any] = {":a": {"S": state.open.alert_id}, ":d": {"N": str(due)}}
    condition = "alert_id = :a"
    if instead_of is not None:
        condition, values[":b"] = f"{condition} AND due = :b", {"N": str(instead_of)}
    _update(store, state.policy_id, "SET due = :d", values, condition)


def _update(store: Store, policy_id: str, change: str, values: dict[str, Any], condition: str = "alert_id = :a") -> None:
    from botocore.exceptions import ClientError

    try:
        store.db.update_item(
            TableName=store.tables.alerts,
            Key={"PK": {"S": PARTITION}, "SK": {"S": policy_id}},
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def watch(store: Store, row: WatchRow) -> None:
    """Have the next ticks look at a policy. What an edit a moment before left to be judged is left so by another one."""
    change = "SET edited = :e, #u = :u" if row.edited else "SET edited = if_not_exists(edited, :e), #u = :u"
    values: dict[str, Any] = {":e": {"N": str(row.edited)}, ":u": {"N": str(row.until)}}
    if row.held is not None:
        change, values[":r"] = f"{change}, r = :r, closed = :c", {"N": str(row.held)}
    elif row.closed is not None:
        change += ", closed = if_not_exists(closed, :c)"
    if row.closed is not None:
        values[":c"] = {"N": str(row.closed)}
    if row.reminders:
        change, values[":m"] = f"{change}, m = :m", {"BOOL": True}
    store.db.update_item(
        TableName=store.tables.alerts,
        Key=_watch_key(row),
        UpdateExpression=change,
        ExpressionAttributeNames={"#u": "until"},
        ExpressionAttributeValues=values,
    )


def unwatch(store: Store, row: WatchRow) -> None:
    """Take a watch row away, unless it was renewed since it was read."""
    from botocore.exceptions import ClientError

    try:
        store.db.delete_item(
            TableName=store.tables.alerts,
            Key=_watch_key(row),
            ConditionExpression="#u = :u",
            ExpressionAttributeNames={"#u": "until"},
            ExpressionAttributeValues={":u": {"N": str(row.until)}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
