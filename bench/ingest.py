"""CPU that ingest takes for a log, against json.loads and botocore's serialiser of the same items, side by side.

Storage is stubbed at the connection: botocore serialises, signs and parses as ever, and gets `{"UnprocessedItems":{}}`.
The figure to hold (DESIGN.md): at most three times the baseline. Run: `python bench/ingest.py [logs]`.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace
from typing import Any

os.environ.update(
    AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", TABLE_LOGS="logs", TABLE_CONFIG="config"  # noqa: S106
)

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.serialize import create_serializer
from nightjar.core.instants import SECOND, iso
from nightjar.core.keys import Key, digest
from nightjar.core.keys import to_text as key_to_text
from nightjar.core.logs import new_log_id
from nightjar.storage.client import store

from functions.ingest import app

KEY = "chp_bench"
CONTEXT = SimpleNamespace(function_name="ingest", memory_limit_in_mb=1024, invoked_function_arn="a", aws_request_id="r")
ROUNDS = 15


class Raw:
    """What botocore reads an answer from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """The body, in one piece."""
        yield self._body


def answer(request: Any, **_named: Any) -> Any:
    """Answer a request before it is sent: a key, no event, nothing left unprocessed."""
    body = b"{}"
    if request.headers["X-Amz-Target"].endswith(b"GetItem") and b'"key"' in request.body:
        text = key_to_text(Key(key_hash=digest(KEY), scope="ingest"))
        body = json.dumps({"Item": {"PK": {"S": "key"}, "SK": {"S": digest(KEY)}, "d": {"S": text}, "n": {"N": "1"}}}).encode()
    return AWSResponse(request.url, 200, HTTPHeaders.from_pairs([("content-type", "application/x-amz-json-1.0")]), Raw(body))


def batch(count: int) -> str:
    """What the Python SDK sends."""
    now = time.time_ns() // 1_000
    logs = [
        {"event": f"job.run.{number % 5}", "value": number * 1.25, "log_id": new_log_id(now, number), "agent": "worker.billing",
         "meta": {"customer": f"c{number}", "tries": 2, "ms": 30.4}, "occurred_at": iso(now - number * SECOND)}
        for number in range(count)
    ]  # fmt: skip
    return json.dumps(logs)


def cpu(work: Callable[[], None]) -> float:
    """Median CPU seconds of the process, all threads."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def silently(work: Callable[[], Any]) -> Any:
    """Do some work whose metrics nobody wants to see."""
    with redirect_stdout(StringIO()):
        return work()


def main(count: int) -> None:
    """Measure and print."""
    body = batch(count)
    sent: list[dict[str, Any]] = []
    store().db.meta.events.register("before-send.dynamodb", answer)
    store().db.meta.events.register("provide-client-params.dynamodb.BatchWriteItem", lambda params, **_named: sent.append(params))
    event = {"headers": {"Authorization": f"Bearer {KEY}"}, "body": body, "isBase64Encoded": False}

    def handle() -> None:
        sent.clear()
        if json.loads(app.handler(event, CONTEXT)["body"])["accepted"] != count:
            raise SystemExit("not every log was taken")

    silently(handle)
    serializer = create_serializer("json")
    model = store().db.meta.service_model.operation_model("BatchWriteItem")
    calls = list(sent)

    def baseline() -> None:
        json.loads(body)
        for params in calls:
            serializer.serialize_to_request(params, model)

    ours, base = silently(lambda: cpu(handle)), cpu(baseline)
    print(f"{count} logs, {len(body):,} bytes, {len(calls)} calls")
    print(f"ingest   {ours / count * 1e6:6.1f} µs a log")
    print(f"baseline {base / count * 1e6:6.1f} µs a log")
    print(f"ratio    {ours / base:6.2f} (at most 3)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
