"""The AWS that the local runner's functions speak to: moto in this process, behind one lock."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.core.request import Request as MotoRequest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.sqs.models import sqs_backends
from moto.sqs.responses import SQSResponse

from local.mends import Backend, Stream, check_batch
from local.sources.sqs import Waiting, waiting
from local.stack import ACCOUNT, REGION, Queue, Stack, Table
from local.wire import Response

TARGETS = {"dynamodb": "DynamoDB_20120810", "dynamodbstreams": "DynamoDBStreams_20120810", "sqs": "AmazonSQS"}
_HANDLERS: dict[str, Callable[..., Any]] = {
    "dynamodb": DynamoHandler.dispatch,
    "dynamodbstreams": DynamoDBStreamsHandler.dispatch,
    "sqs": SQSResponse().dispatch,
}
_HEADERS = frozenset({"content-type", "x-amzn-requestid", "x-amzn-errortype", "x-amz-crc32", "x-amzn-query-error"})
_AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/{{service}}/aws4_request, SignedHeaders=host, Signature=0"


class CallFailed(Exception):
    """A call that the runner itself made was refused."""


class Service(Protocol):
    """Something that answers calls of AWS's JSON protocol."""

    def handle(self, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one call as AWS would."""


class Streaming(Service, Protocol):
    """A DynamoDB: moto's or DynamoDB Local."""

    def records(self, table: Table, after: str, limit: int) -> list[dict[str, Any]]:
        """Return the records of a table's stream after a sequence number ("" for the oldest); they may forget those up to it."""

    def stream_arn(self, table: Table) -> str:
        """Return the ARN that a table's stream has."""


@dataclass
class Moto:
    """moto's backends in this process.

    They are called directly, without `mock_aws`: nothing in this process is patched, so a test may use `mock_aws` on its own.
    One lock is around every call, since moto's state is plain dictionaries.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    tokens: dict[str, Response] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dynamodb_backends[ACCOUNT][REGION] = self.dynamodb = Backend(REGION, ACCOUNT)
        sqs_backends[ACCOUNT].pop(REGION, None)
        self.sqs = sqs_backends[ACCOUNT][REGION]

    def handle(self, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one call."""
        with self.lock:
            operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
            refusal = self._refusal(operation, body)
            return refusal or self._once(operation, service, headers, body)

    def _refusal(self, operation: str, body: bytes) -> Response | None:
        if operation != "BatchWriteItem":
            return None
        keys = {name: tuple(each["AttributeName"] for each in table.schema) for name, table in self.dynamodb.tables.items()}
        message = check_batch(json.loads(body)["RequestItems"], keys)
        return failure("com.amazon.coral.validate#ValidationException", message) if message else None

    def _once(self, operation: str, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a call; a transaction that comes again under its token gets the answer it had (mend 2)."""
        token = json.loads(body).get("ClientRequestToken") if operation == "TransactWriteItems" else None
        if token in self.tokens:
            return self.tokens[token]
        response = self._dispatch(service, headers, body)
        if token and response.status == 200:  # noqa: PLR2004
            self.tokens[token] = response
            while len(self.tokens) > 1000:  # noqa: PLR2004
                del self.tokens[next(iter(self.tokens))]
        return response

    def _dispatch(self, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        host = f"{service}.{REGION}.amazonaws.com"
        own = {**headers, "Host": host, "Authorization": _AUTHORIZATION.format(service=service), "Content-Length": str(len(body))}
        request = MotoRequest.from_primitives("POST", f"https://{host}/", own, body)
        status, found, answer = _HANDLERS[service](request, request.raw_url, request.headers)
        data = answer.encode() if isinstance(answer, str) else answer
        return Response(int(status), {name: str(value) for name, value in found.items() if name.lower() in _HEADERS}, data)

    def records(self, table: Table, after: str, limit: int) -> list[dict[str, Any]]:
        """Read moto's own list of records: an iterator taken before a failed transaction would show what never happened."""
        with self.lock:
            shard = self.dynamodb.get_table(table.name).stream_shard
            assert isinstance(shard, Stream)  # noqa: S101
            return shard.after(int(after or 0), limit)

    def stream_arn(self, table: Table) -> str:
        """Return a stream's ARN."""
        found = self.dynamodb.get_table(table.name)
        return f"{found.table_arn}/stream/{found.latest_stream_label}"

    def has_visible(self, queue: str) -> bool:
        """Tell, without receiving, whether a message of a queue is visible."""
        with self.lock:
            return any(message.visible for message in self.sqs.get_queue(queue)._messages)  # noqa: SLF001

    def waiting(self, queue: str, now: float) -> Waiting:
        """Count the messages of a queue that wait for a time (seconds)."""
        with self.lock:
            return waiting((message.visible_at / 1000 for message in self.sqs.get_queue(queue)._messages), now)  # noqa: SLF001


def failure(kind: str, message: str, status: int = 400) -> Response:
    """Word an error as AWS's JSON protocol does."""
    body = json.dumps({"__type": kind, "message": message}).encode()
    return Response(status, {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": kind.rpartition("#")[2]}, body)


def call(service: Service, name: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make one call of the runner's own.

    Raises:
        CallFailed: It was refused.
    """
    headers = {"X-Amz-Target": f"{TARGETS[name]}.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    response = service.handle(name, headers, json.dumps(arguments).encode())
    if response.status != 200:  # noqa: PLR2004
        raise CallFailed(f"{operation}: {response.body.decode()}")
    found: dict[str, Any] = json.loads(response.body or b"{}")
    return found


def create(stack: Stack, dynamodb: Service, sqs: Service) -> None:
    """Make the tables that do not exist yet, and the queues. The logs table comes first: DynamoDB Local serves its first stream fastest."""
    existing = set(call(dynamodb, "dynamodb", "ListTables", {})["TableNames"])
    for table in stack.tables.values():
        if table.name not in existing:
            call(dynamodb, "dynamodb", "CreateTable", table.definition)
            if table.ttl:
                expires = {"AttributeName": table.ttl, "Enabled": True}
                call(dynamodb, "dynamodb", "UpdateTimeToLive", {"TableName": table.name, "TimeToLiveSpecification": expires})
    for queue in sorted(stack.queues.values(), key=lambda each: each.needs is not None):
        _create_queue(queue, sqs)


def _create_queue(queue: Queue, sqs: Service) -> None:
    call(sqs, "sqs", "CreateQueue", {"QueueName": queue.name, "Attributes": queue.attributes})
