"""RollupFunction: folds new logs into buckets and judges the policies of what it touched.

Trigger: the logs table's stream (INSERT only), with partial answers: what failed, and all after it, comes again.
"""

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nightjar.observability import logger, metrics
from nightjar.pipeline.rollup import PolicyCache, roll_up
from nightjar.storage.client import Store, store

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger().inject_lambda_context
@metrics().log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:  # noqa: ARG001
    """Apply a batch; answer the first record that must come again, if any."""
    first = roll_up(store(), event["Records"], _policies(store()), now=time.time_ns() // 1_000)
    return {"batchItemFailures": [{"itemIdentifier": first}] if first else []}


@lru_cache(maxsize=1)
def _policies(store: Store) -> PolicyCache:
    """Keep the policies of events between the batches of one process."""
    return PolicyCache(store)
