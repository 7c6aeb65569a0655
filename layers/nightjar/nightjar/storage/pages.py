"""What people made, read by pages, newest first, or by ids; strongly consistent: what was just created is in the next list."""

from collections.abc import Iterable
from typing import Literal

from pynamodb.exceptions import PynamoDBException

from nightjar.storage.client import Store
from nightjar.storage.tables import Row, config_rows, policy_rows

Noun = Literal["policy", "destination", "mute"]


def newest(store: Store, noun: Noun, limit: int, before: str | None = None) -> tuple[list[str], str | None]:
    """Read a page of rows, those with the greatest ids (UUIDv7: the newest) first.

    Args:
        store: The tables.
        noun: Which rows.
        limit: How many at most.
        before: The id that ended the page before this one; None for the first page.

    Returns:
        The rows' texts, and the id to go on from; None when there is no more.

    Raises:
        botocore.exceptions.ClientError: Storage refused or is busy.
    """
    model: type[Row] = policy_rows(store) if noun == "policy" else config_rows(store)
    try:
        rows = list(
            model.query(
                noun,
                model.row_id < before if before else None,
                consistent_read=True,
                scan_index_forward=False,
                limit=limit + 1,
            )
        )
    except PynamoDBException as error:
        raise error.cause or error from error
    texts = [row.text for row in rows[:limit]]
    return texts, rows[limit - 1].row_id if len(rows) > limit else None


def known_policies(store: Store, policy_ids: Iterable[str]) -> set[str]:
    """Tell which of some ids are those of policies.

    Raises:
        botocore.exceptions.ClientError: Storage refused or is busy.
    """
    keys = [("policy", policy_id) for policy_id in sorted(set(policy_ids))]
    try:
        return {row.row_id for row in policy_rows(store).batch_get(keys, consistent_read=True)}
    except PynamoDBException as error:
        raise error.cause or error from error
