"""The notifier: routes new transitions into trays, and answers bells by sending what lies in a tray."""

import time
from typing import Any
from uuid import uuid4

from nightjar.observability import logger, metrics
from nightjar.pipeline.deliver import Courier, answer
from nightjar.pipeline.route import route
from nightjar.queues import bell_of, bells
from nightjar.storage.client import store


@logger().inject_lambda_context
@metrics().log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of the alerts table's stream, or bells; what is left undone is reported, not raised."""
    records, token = event["Records"], str(uuid4())
    if records[0].get("eventSource") == "aws:dynamodb":
        route(store(), bells(), records, token=token, now=_now())
        return {"batchItemFailures": []}
    courier = Courier(store(), bells(), _now, time.sleep, lambda: context.get_remaining_time_in_millis() / 1_000, token)
    again = [bell.message_id for bell in map(bell_of, records) if not answer(courier, bell)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _now() -> int:
    """Return wall time (µs)."""
    return time.time_ns() // 1_000
