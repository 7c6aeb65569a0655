"""The outbox: transition rows (`t#`) of the alerts table, as the notifier reads them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nightjar.core.alerts import Transition, transition_from_text
from nightjar.storage.client import Store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import BatchGetItemOutputTypeDef

# A transition is named by its policy and its number.
Name = tuple[str, int]

_BATCH = 100
_PREFIX = "t#"


def from_stream(record: dict[str, Any]) -> Transition | None:
    """Read the transition in a stream record; None for records of any other kind.

    Args:
        record: One record of a DynamoDB stream event.

    Raises:
        ValueError: The row holds no transition (its text is broken).
    """
    image = record.get("dynamodb", {}).get("NewImage", {})
    is_new = record.get("eventName") == "INSERT" and image.get("SK", {}).get("S", "").startswith(_PREFIX)
    return _transition(image) if is_new and "d" in image else None


def read(store: Store, names: Iterable[Name]) -> dict[Name, Transition]:
    """Read transitions by name, strongly consistent; those that are gone are left out."""
    wanted = sorted(set(names))
    found: dict[Name, Transition] = {}
    for at in range(0, len(wanted), _BATCH):
        for item in _get(store, wanted[at : at + _BATCH]):
            transition = _transition(item)
            found[item["PK"]["S"], transition.number] = transition
    return found


def before(store: Store, transition: Transition) -> list[Transition]:
    """Read the transitions of the same alert that lie before one, oldest first, strongly consistent.

    They are the latest rows of the policy before it: a policy has one open alert, so those of one alert lie together.
    """
    pages = store.db.get_paginator("query").paginate(
        TableName=store.tables.alerts,
        KeyConditionExpression="PK = :policy AND SK BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":policy": {"S": transition.alert.policy_id},
            ":first": {"S": _PREFIX},
            ":last": {"S": f"{_PREFIX}{transition.number - 1:06d}"},
        },
        ScanIndexForward=False,
        ConsistentRead=True,
        PaginationConfig={"PageSize": 8},
    )
    found: list[Transition] = []
    for item in (item for page in pages for item in page["Items"]):
        earlier = _transition(item)
        if earlier.alert.alert_id != transition.alert.alert_id:
            break
        found.append(earlier)
    return found[::-1]


def after(store: Store, name: Name, alert_id: str) -> list[Transition]:
    """Read the transitions of an alert that lie behind one of its policy, oldest first, strongly consistent."""
    policy_id, number = name
    pages = store.db.get_paginator("query").paginate(
        TableName=store.tables.alerts,
        KeyConditionExpression="PK = :policy AND SK BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":policy": {"S": policy_id},
            ":first": {"S": f"{_PREFIX}{number + 1:06d}"},
            ":last": {"S": f"{_PREFIX}~"},
        },
        ConsistentRead=True,
    )
    found = (_transition(item) for page in pages for item in page["Items"])
    return [later for later in found if later.alert.alert_id == alert_id]


def _get(store: Store, names: list[Name]) -> Iterator[dict[str, Any]]:
    """Read up to a hundred rows, asking again for what DynamoDB did not get to."""
    keys = [{"PK": {"S": policy_id}, "SK": {"S": f"{_PREFIX}{number:06d}"}} for policy_id, number in names]
    pending: Any = {store.tables.alerts: {"Keys": keys, "ConsistentRead": True}}
    while pending:
        answer: BatchGetItemOutputTypeDef = store.db.batch_get_item(RequestItems=pending)
        yield from answer["Responses"].get(store.tables.alerts, [])
        pending = answer.get("UnprocessedKeys")


def _transition(item: dict[str, Any]) -> Transition:
    """Read a row."""
    return transition_from_text(item["d"]["S"])
