"""Ingest: POST /v1.0/logs, one log or an array of them."""

import time
from dataclasses import asdict
from typing import Any

from nightjar.http import body
from nightjar.http.auth import authenticate
from nightjar.http.errors import BadRequest, Response, answered, respond
from nightjar.http.limits import DECIDE_SECONDS, STORE_SECONDS, within
from nightjar.observability import count, logger, metrics
from nightjar.pipeline.ingest import ingest
from nightjar.settings import settings
from nightjar.storage.client import store
from nightjar.storage.patience import Patience


@logger().inject_lambda_context
@metrics().log_metrics
def handler(event: dict[str, Any], _context: object) -> Response:
    """Answer API Gateway's proxy event within four seconds, with no 5xx."""
    count("IngestRequests")
    return answered(lambda: within(DECIDE_SECONDS, lambda: _post(event)))


def _post(event: dict[str, Any]) -> Response:
    now, patience = time.time_ns() // 1_000, Patience(time.monotonic() + STORE_SECONDS)
    key = authenticate(store(), event.get("headers"), scope="ingest", now=now)
    found = body.read(event)
    raws = [found] if isinstance(found, dict) else found
    if not isinstance(raws, list):
        raise BadRequest("body: must be an array of logs, or one log")
    outcome = ingest(store(), raws, key, now=now, ttl_days=settings().log_ttl_days, patience=patience)
    rejected = [asdict(rejection) for rejection in outcome.rejected]
    if rejected and not outcome.accepted:
        raise BadRequest(outcome.rejected[0].message, rejected=rejected)
    return respond(200, {"accepted": outcome.accepted, "rejected": rejected})
