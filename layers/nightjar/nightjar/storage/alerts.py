"""Alerts, the states of policies and their transitions: written together, in THE ONE TRANSACTION.

Rows of the alerts table:

- policy_id / `state`: the engine's state of a policy (d JSON, n version).
- policy_id / `t#000017`: a transition, immutable: the outbox (its INSERT in the stream is the message).
- alert_id / `alert`: an alert (d JSON; x once it is resolved).
- `alerts#YYYYMM` / `<triggered_at>#<alert_id>`: the list, by month.
- `open` / policy_id: what a tick must look at (see storage/open_rows.py).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nightjar.core.alerts import Alert, Transition, alert_from_dict, alert_to_dict, transition_from_text, transition_to_text
from nightjar.core.instants import DAY, SECOND
from nightjar.core.state import Decision, State, from_text, to_text
from nightjar.storage.client import Store
from nightjar.storage.faults import OVERTAKEN, Broken, reasons_of
from nightjar.storage.open_rows import open_row_write, read_open

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

KEPT = 400 * DAY  # how long a resolved alert lives, with its transitions and deliveries
_KEYS_A_CALL = 100
_MONTHS = 15  # partitions of the list that can hold a living alert, 400 days and the current month
_OPEN = frozenset({"triggered", "acknowledged"})
_LOOKS = 5_000  # rows that one call reads for the few of a status: half a second


class Conflict(Exception):
    """Somebody else wrote the state first: read it again and decide again."""


def load_state(store: Store, policy_id: str) -> State | None:
    """Read the state of a policy, strongly consistent; None if it never had one."""
    key = {"PK": {"S": policy_id}, "SK": {"S": "state"}}
    item = store.db.get_item(TableName=store.tables.alerts, Key=key, ConsistentRead=True).get("Item")
    return from_text(policy_id, int(item["n"]["N"]), item["d"]["S"]) if item else None


def load_states(store: Store, policy_ids: Sequence[str]) -> dict[str, State]:
    """Read the states of some policies, strongly consistent; those that never had one are left out."""
    items = _items(store, [_key(policy_id, "state") for policy_id in policy_ids])
    return {item["PK"]["S"]: from_text(item["PK"]["S"], int(item["n"]["N"]), item["d"]["S"]) for item in items}


def get_alert(store: Store, alert_id: str) -> Alert | None:
    """Read one alert, strongly consistent; None if there is none with this id."""
    key = {"PK": {"S": alert_id}, "SK": {"S": "alert"}}
    item = store.db.get_item(TableName=store.tables.alerts, Key=key, ConsistentRead=True).get("Item")
    return _alert(item["d"]["S"]) if item else None


def commit(store: Store, before: State, decision: Decision, *, due: int | None = None) -> None:
    """Write a decision: state, alerts, transitions and the open row in one transaction.

    Args:
        store: Where.
        before: The state that the decision was made from: the write is conditional on its version.
        decision: A decision that changes something.
        due: The tick (µs) at which the open alert is next looked at besides judgement; None for never.

    Raises:
        Conflict: The state is no longer `before`, or somebody else writes it just now.
        Broken: The state is `before`, but a transition of the next number is there already.
        ClientError: Storage was busy.
    """
    state = decision.state
    if state is None:
        return
    writes = [_state_write(store, before, state), *(_alert_write(store, alert) for alert in decision.alerts)]
    for transition in decision.transitions:
        writes.append(_transition_write(store, transition))
        if transition.type in {"opened", "resolved"}:
            writes.append(_list_write(store, transition.alert))
    row = open_row_write(store.tables.alerts, before, state, due)
    if row:
        writes.append(row)
    try:
        store.db.transact_write_items(TransactItems=_last_of_each_key(writes))
    except store.db.exceptions.TransactionCanceledException as error:
        reasons = reasons_of(error)
        if reasons[:1] == ["None"] and "ConditionalCheckFailed" in reasons:  # the state's own condition held, and that of a transition did not
            raise Broken(_older(before)) from error
        if OVERTAKEN.intersection(reasons):
            raise Conflict(before.policy_id) from error
        raise


def _older(state: State) -> str:
    """Word that the transition after a state is there already: both are only ever written together."""
    return (
        f"policy_id: transition {state.number + 1} of {state.policy_id} is there, but its state knows of {state.number} only: the alerts table was "
        f"restored or edited in part. Restore it whole, or delete the rows of this policy from `{transition_sk(state.number + 1)}` on"
    )


def _state_write(store: Store, before: State, state: State) -> "TransactWriteItemTypeDef":
    item = {**_key(state.policy_id, "state"), "d": {"S": to_text(state)}, "n": {"N": str(before.version + 1)}}
    if not before.version:
        return {"Put": {"TableName": store.tables.alerts, "Item": item, "ConditionExpression": "attribute_not_exists(PK)"}}
    known: Any = {":n": {"N": str(before.version)}}
    return {"Put": {"TableName": store.tables.alerts, "Item": item, "ConditionExpression": "n = :n", "ExpressionAttributeValues": known}}


def _alert_write(store: Store, alert: Alert) -> "TransactWriteItemTypeDef":
    item = {**_key(alert.alert_id, "alert"), "d": {"S": _json(alert)}, **_expiry(alert)}
    return {"Put": {"TableName": store.tables.alerts, "Item": item}}


def _transition_write(store: Store, transition: Transition) -> "TransactWriteItemTypeDef":
    item = {
        **_key(transition.alert.policy_id, transition_sk(transition.number)),
        "d": {"S": transition_to_text(transition)},
        "x": {"N": str((transition.clock + 2 * KEPT) // SECOND)},
    }
    return {"Put": {"TableName": store.tables.alerts, "Item": item, "ConditionExpression": "attribute_not_exists(PK)"}}


def _list_write(store: Store, alert: Alert) -> "TransactWriteItemTypeDef":
    item = {**_key(_month(alert.triggered_at), f"{alert.triggered_at:016d}#{alert.alert_id}"), **_expiry(alert)}
    return {"Put": {"TableName": store.tables.alerts, "Item": item}}


def _last_of_each_key(writes: "list[TransactWriteItemTypeDef]") -> "list[TransactWriteItemTypeDef]":
    """Keep one write for each key: an alert that opens and ends in one step has one row in the list."""
    found: dict[tuple[str, str], TransactWriteItemTypeDef] = {}
    for write in writes:
        (request,) = write.values()
        key: Any = request.get("Item") or request.get("Key")  # type: ignore[attr-defined]
        found[key["PK"]["S"], key["SK"]["S"]] = write
    return list(found.values())


def read_transition(store: Store, policy_id: str, number: int) -> Transition | None:
    """Read one transition; None if it is gone."""
    item = store.db.get_item(TableName=store.tables.alerts, Key=_key(policy_id, transition_sk(number)), ConsistentRead=True).get("Item")
    return transition_from_text(item["d"]["S"]) if item else None


def list_alerts(store: Store, *, limit: int, cursor: str | None = None, status: str | None = None, now: int) -> tuple[list[Alert], str | None]:
    """List alerts, newest first.

    Args:
        store: Where.
        limit: How many at most.
        cursor: Where the previous page ended; None for the first page.
        status: Only alerts of this status.
        now: Wall time (µs): where the newest month is.

    Returns:
        The alerts and a cursor for the next page, None when there is no more. A page may hold fewer than asked for, and none at all,
        and have a cursor: no call looks at more than some thousands of alerts for those of a status.
    """
    found: list[Alert] = []
    before = cursor
    newest = _open_newest_first(store, before) if status in _OPEN else _newest_first(store, before, now)
    for looked, (key, alert) in enumerate(newest):
        if looked >= _LOOKS and status not in _OPEN:
            return found, before
        if status is None or alert.status == status:
            if len(found) == limit:
                return found, before
            found.append(alert)
        before = key
    return found, None


def _open_newest_first(store: Store, before: str | None) -> Iterator[tuple[str, Alert]]:
    """Yield open alerts with their keys in the list, newest first: all of them, however many have been resolved since."""
    rows, _ = read_open(store)
    open_alerts = get_alerts(store, [row.alert_id for row in rows if row.alert_id])
    keyed = sorted(((f"{alert.triggered_at:016d}#{alert.alert_id}", alert) for alert in open_alerts.values()), key=lambda found: found[0], reverse=True)
    yield from ((key, alert) for key, alert in keyed if before is None or key < before)


def _newest_first(store: Store, before: str | None, now: int) -> Iterator[tuple[str, Alert]]:
    """Yield alerts with their keys in the list, newest first, page by page."""
    start = int(before.partition("#")[0]) if before else now + DAY
    moment = datetime.fromtimestamp(start // SECOND, UTC)
    for back in range(_MONTHS):
        month = moment.year * 12 + moment.month - 1 - back
        yield from _month_newest_first(store, f"alerts#{month // 12:04d}{month % 12 + 1:02d}", before)


def _month_newest_first(store: Store, partition: str, before: str | None) -> Iterator[tuple[str, Alert]]:
    query: dict[str, Any] = {
        "TableName": store.tables.alerts,
        "KeyConditionExpression": "PK = :p" + (" AND SK < :b" if before else ""),
        "ExpressionAttributeValues": {":p": {"S": partition}, **({":b": {"S": before}} if before else {})},
        "ScanIndexForward": False,
        "ConsistentRead": True,
        "Limit": 100,
    }
    while True:
        page = store.db.query(**query)
        keys = [item["SK"]["S"] for item in page["Items"]]
        alerts = get_alerts(store, [key.partition("#")[2] for key in keys])
        yield from ((key, alerts[key.partition("#")[2]]) for key in keys if key.partition("#")[2] in alerts)
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def get_alerts(store: Store, alert_ids: Iterable[str]) -> dict[str, Alert]:
    """Read alerts by id, strongly consistent; those that are gone are left out."""
    items = _items(store, [_key(alert_id, "alert") for alert_id in dict.fromkeys(alert_ids)])
    return {item["PK"]["S"]: _alert(item["d"]["S"]) for item in items}


def _items(store: Store, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Read rows by their keys, a hundred a call, strongly consistent."""
    for at in range(0, len(keys), _KEYS_A_CALL):
        wanted: Any = {store.tables.alerts: {"Keys": keys[at : at + _KEYS_A_CALL], "ConsistentRead": True}}
        while wanted:
            answer = store.db.batch_get_item(RequestItems=wanted)
            yield from answer["Responses"].get(store.tables.alerts, [])
            wanted = answer.get("UnprocessedKeys")


def transition_sk(number: int) -> str:
    """Spell the sort key of a transition."""
    return f"t#{number:06d}"


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def _expiry(alert: Alert) -> dict[str, Any]:
    return {} if alert.resolved_at is None else {"x": {"N": str((alert.resolved_at + KEPT) // SECOND)}}


def _month(instant: int) -> str:
    return datetime.fromtimestamp(instant // SECOND, UTC).strftime("alerts#%Y%m")


def _json(alert: Alert) -> str:
    return json.dumps(alert_to_dict(alert), separators=(",", ":"))


def _alert(text: str) -> Alert:
    return alert_from_dict(json.loads(text))
