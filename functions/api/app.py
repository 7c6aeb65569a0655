"""Api: events, policies, alerts and destinations; and every route that there is not."""

import time
from typing import Any

from nightjar.api.handler import handle
from nightjar.http.errors import Response
from nightjar.observability import logger, metrics
from nightjar.storage.client import store


@logger().inject_lambda_context
@metrics().log_metrics
def handler(event: dict[str, Any], _context: object) -> Response:
    """Answer API Gateway's proxy event, with no 5xx."""
    return handle(store(), event, now=time.time_ns() // 1_000)
