"""Policies: the row that people edit, and the rows that judging finds it by, kept equal by one transaction.

    PK           SK          attributes
    policy       policy_id   d, n        every policy; n is its version
    on#event_id  policy_id   d           while enabled: rollup asks for the policies of an event
    due#group    policy_id   d           while enabled: a tick asks for the policies of a group
    groups       group                   every group that ever held a policy
    gone         policy_id   d, x        a deleted policy that had active hours: they still hold what is told of its end

Only botocore here: rollup and evaluator import this module at their cold start.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nightjar.core.due import group_of
from nightjar.core.events import Event
from nightjar.core.instants import DAY, SECOND
from nightjar.core.policies import Policy, from_text, to_text
from nightjar.storage import config
from nightjar.storage.client import Store
from nightjar.storage.config import Stale
from nightjar.storage.faults import OVERTAKEN, reasons_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, BatchGetItemOutputTypeDef, TransactWriteItemTypeDef

_BATCH = 100
_KEPT = 400 * DAY


def for_event(store: Store, event_id: str) -> list[Policy]:
    """Read an event's enabled policies, strongly consistent: rollup's cache alone bounds how stale they may be."""
    return [from_text(item["d"]["S"]) for page in _query(store, f"on#{event_id}", consistent=True) for item in page]


def due(store: Store, group: str) -> Iterator[list[Policy]]:
    """Read a group's enabled policies page by page.

    Eventually consistent, at half the price: a policy edited a moment ago was judged by its edit, and two more ticks come.
    """
    for page in _query(store, f"due#{group}", consistent=False):
        yield [from_text(item["d"]["S"]) for item in page]


def groups(store: Store) -> list[str]:
    """Read the names of all groups that ever held a policy, strongly consistent."""
    return [item["SK"]["S"] for page in _query(store, "groups", consistent=True) for item in page]


def get(store: Store, policy_id: str) -> Policy | None:
    """Read one policy, strongly consistent; None if there is none."""
    found = store.db.get_item(TableName=store.tables.policies, Key=_key("policy", policy_id), ConsistentRead=True).get("Item")
    return from_text(found["d"]["S"]) if found else None


def latest(store: Store, policy_ids: Iterable[str]) -> dict[str, Policy]:
    """Read policies by id as they are, or as they were when they were deleted; strongly consistent.

    Of the deleted ones only those with active hours or a mute_until of their own are known.
    """
    wanted = [_key(partition, policy_id) for policy_id in sorted(set(policy_ids)) for partition in ("gone", "policy")]
    found: dict[str, Policy] = {}
    for at in range(0, len(wanted), _BATCH):
        pending: Any = {store.tables.policies: {"Keys": wanted[at : at + _BATCH], "ConsistentRead": True}}
        while pending:
            answer: BatchGetItemOutputTypeDef = store.db.batch_get_item(RequestItems=pending)
            for item in sorted(answer["Responses"].get(store.tables.policies, []), key=_partition):
                found[item["SK"]["S"]] = from_text(item["d"]["S"])
            pending = answer.get("UnprocessedKeys")
    return found


def list_all(store: Store) -> list[Policy]:
    """Read all policies, enabled or not, oldest first, strongly consistent."""
    return [from_text(item["d"]["S"]) for page in _query(store, "policy", consistent=True) for item in page]


def of_event(store: Store, event_id: str) -> list[Policy]:
    """Read an event's policies, disabled ones too."""
    return [policy for policy in list_all(store) if policy.event_id == event_id]


def put_new(store: Store, policy: Policy, event: Event | None = None) -> None:
    """Store a new policy.

    Args:
        store: The tables.
        policy: The policy at version 1, with the zones of `event`.
        event: The event as it was read: if it is edited meanwhile, nothing is stored. None: not asked.

    Raises:
        Stale: The event was edited meanwhile: read it again.
    """
    _register(store, policy)
    row: Any = {"Put": {**_row(store, policy), "ConditionExpression": "attribute_not_exists(PK)"}}
    _transact(store, [row, *_same_event(store, event), *_index(store, None, policy)])


def replace(store: Store, before: Policy, after: Policy, event: Event | None = None) -> None:
    """Store an edited policy and move the rows that lead to it.

    Args:
        store: The tables.
        before: The policy as it was read; its version is the condition.
        after: The policy as it shall be, with the zones of `event`.
        event: The event of `after` as it was read. None: not asked.

    Raises:
        Stale: Policy or event were edited, or the policy deleted, meanwhile: read them again.
    """
    _register(store, after)
    row: Any = {"Put": {**_row(store, after), **_version(before)}}
    _transact(store, [row, *_same_event(store, event), *_index(store, before, after)])


def delete(store: Store, policy: Policy, *, now: int) -> None:
    """Delete a policy and the rows that lead to it; `now` is wall time (µs).

    Raises:
        Stale: It was edited or deleted meanwhile.
    """
    row: Any = {"Delete": {"TableName": store.tables.policies, "Key": _key("policy", policy.policy_id), **_version(policy)}}
    _transact(store, [row, *_kept(store, policy, now), *_index(store, policy, None)])


def _kept(store: Store, policy: Policy, now: int) -> "Iterator[TransactWriteItemTypeDef]":
    """Yield the row by which a deleted policy's active hours still hold, as long as its alerts live.

    Its `mute_until` ends with it, like a mute that is deleted: nobody could end it later.
    """
    if policy.active_hours:
        item = {**_key("gone", policy.policy_id), "d": {"S": to_text(dataclasses.replace(policy, mute_until=None))}, "x": {"N": str((now + _KEPT) // SECOND)}}
        yield {"Put": {"TableName": store.tables.policies, "Item": item}}


def _register(store: Store, policy: Policy) -> None:
    """Write the group's row, before the transaction: inside it, every two edits at a time would clash on this row."""
    if policy.enabled:
        store.db.put_item(TableName=store.tables.policies, Item=_key("groups", group_of(policy)))


def _index(store: Store, before: Policy | None, after: Policy | None) -> "Iterator[TransactWriteItemTypeDef]":
    """Yield the writes that turn the rows leading to `before` into those leading to `after`."""
    old = _partitions(before)
    new = _partitions(after)
    for partition in sorted(old - new):
        assert before  # noqa: S101  # partitions of nothing are none
        yield {"Delete": {"TableName": store.tables.policies, "Key": _key(partition, before.policy_id)}}
    for partition in sorted(new):
        assert after  # noqa: S101
        item = {**_key(partition, after.policy_id), "d": {"S": to_text(after)}}
        yield {"Put": {"TableName": store.tables.policies, "Item": item}}


def _partitions(policy: Policy | None) -> set[str]:
    """Return the partitions in which judging finds a policy."""
    return {f"on#{policy.event_id}", f"due#{group_of(policy)}"} if policy and policy.enabled else set()


def _row(store: Store, policy: Policy) -> dict[str, Any]:
    """Return the write of a policy's own row."""
    item = {**_key("policy", policy.policy_id), "d": {"S": to_text(policy)}, "n": {"N": str(policy.version)}}
    return {"TableName": store.tables.policies, "Item": item}


def _version(policy: Policy) -> dict[str, Any]:
    """Return the condition that a policy is still as it was read."""
    return {"ConditionExpression": "n = :before", "ExpressionAttributeValues": {":before": {"N": str(policy.version)}}}


def _same_event(store: Store, event: Event | None) -> "Iterator[TransactWriteItemTypeDef]":
    """Yield the check that an event is still as it was read: its zones are copied into the policy."""
    if event:
        yield {
            "ConditionCheck": {
                "TableName": store.tables.config,
                "Key": config.key("event", event.event_id),
                "ConditionExpression": "n = :event",
                "ExpressionAttributeValues": {":event": {"N": str(event.version)}},
            }
        }


def _transact(store: Store, writes: "list[TransactWriteItemTypeDef]") -> None:
    """Write all or nothing.

    Raises:
        Stale: A condition did not hold.
    """
    try:
        store.db.transact_write_items(TransactItems=writes)
    except store.db.exceptions.TransactionCanceledException as error:
        if OVERTAKEN.intersection(reasons_of(error)):
            raise Stale from None
        raise


def _query(store: Store, partition: str, *, consistent: bool) -> "Iterator[list[dict[str, AttributeValueTypeDef]]]":
    """Read a partition page by page."""
    pages = store.db.get_paginator("query").paginate(
        TableName=store.tables.policies,
        KeyConditionExpression="PK = :partition",
        ExpressionAttributeValues={":partition": {"S": partition}},
        ConsistentRead=consistent,
    )
    for page in pages:
        yield page["Items"]


def _key(partition: str, sort: str) -> "dict[str, AttributeValueTypeDef]":
    """Return a row's key."""
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def _partition(item: "dict[str, AttributeValueTypeDef]") -> str:
    """Return the partition of a row."""
    return str(item["PK"]["S"])
