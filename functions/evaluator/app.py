"""The evaluator: a schedule's tick judges every policy whose period became due."""

import time
from typing import Any

from nightjar.core.instants import MINUTE, floor, parse_instant
from nightjar.observability import count, logger, metrics
from nightjar.pipeline.evaluate import handle_tick
from nightjar.pipeline.heartbeat import beat
from nightjar.queues import bells
from nightjar.settings import settings
from nightjar.storage.client import store


@logger().inject_lambda_context
@metrics().log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Handle one tick: `{"time": "2026-11-25T03:35:00Z"}`, the schedule's own time."""
    tick, now = floor(parse_instant(event["time"]), MINUTE), time.time_ns() // 1_000
    lead = settings().tick_lead_minutes
    if lead is not None and tick > now + lead * MINUTE:
        logger().error("a tick from the future is refused", tick=event["time"])
        count("TicksRefused")
        return {"outcome": "refused"}
    outcome = handle_tick(store(), bells(), tick, now=now)
    if outcome == "done":
        count("TicksDone")
        beat(settings().heartbeat_url)
    return {"outcome": outcome}
