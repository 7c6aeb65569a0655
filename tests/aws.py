"""boto3 clients that speak to moto in this process, call by call, so that a test can watch, refuse or break any of them.

Where NIGHTJAR_DYNAMODB names a DynamoDB Local (`make test-dynamodb`), the tables are there, and the same tests run on AWS's engine.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config

from local.cloud import Moto, Streaming, call, create
from local.dynamodb_local import DynamoDbLocal
from local.stack import Stack
from local.template import REGION
from local.wire import Response
from tests import calls

# (service, operation, body) before a call is made, and after it was carried out: may raise, as a crash or a fault would.
Watch = Callable[[str, str, bytes], None]
# What answers a call in place of AWS; None to let it through.
Instead = Callable[[str, str, bytes], Response | None]


def _nothing(_service: str, _operation: str, _body: bytes) -> None:
    return


@dataclass
class Cloud:
    """An empty account with the product's tables and queues.

    Attributes:
        moto: The queues.
        dynamodb: The tables: moto's, or DynamoDB Local's.
        before: Called before each call of a client; what it raises is what the caller sees, and nothing was done.
        after: Called after each call was carried out; what it raises is what the caller sees, as if the answer was lost.
        instead: May answer a call in AWS's place, as a service that is busy does.
    """

    stack: Stack
    moto: Moto = field(default_factory=Moto)
    dynamodb: Streaming = field(init=False)
    before: Watch = _nothing
    after: Watch = _nothing
    instead: Instead = _nothing

    def __post_init__(self) -> None:
        endpoint = os.environ.get("NIGHTJAR_DYNAMODB")
        self.dynamodb = emptied(endpoint) if endpoint else self.moto
        create(keeping(self.stack) if endpoint else self.stack, self.dynamodb, self.moto)

    def handle(self, service: str, headers: dict[str, str], body: bytes) -> Response:
        """Carry out a call."""
        return (self.moto if service == "sqs" else self.dynamodb).handle(service, headers, body)

    def client(self, service: str) -> Any:
        """Make a client whose calls are answered here. It never retries by itself: a fault is seen once."""
        config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, account_id_endpoint_mode="disabled", parameter_validation=False)
        made = boto3.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x", config=config)  # type: ignore[call-overload]
        made.meta.events.register("before-send", self._send)
        return made

    def _send(self, request: AWSRequest, **_: Any) -> AWSResponse:
        target = str(_text(request.headers["X-Amz-Target"]))
        prefix, _, operation = target.rpartition(".")
        service = "sqs" if prefix == "AmazonSQS" else "dynamodb"
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        calls.note(service, operation, body)
        self.before(service, operation, body)
        answer = self.instead(service, operation, body)
        if answer is None:
            answer = self.handle(service, {name: str(_text(value)) for name, value in request.headers.items()}, body)
            self.after(service, operation, body)
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))  # type: ignore[arg-type]


def emptied(endpoint: str) -> DynamoDbLocal:
    """Take a DynamoDB Local, and drop what an earlier test left there."""
    found = DynamoDbLocal(endpoint)
    for name in call(found, "dynamodb", "ListTables", {})["TableNames"]:
        call(found, "dynamodb", "DeleteTable", {"TableName": name})
    return found


def keeping(stack: Stack) -> Stack:
    """The same stack without expiry: DynamoDB Local deletes by the wall's clock, and a test's instants are long past."""
    return replace(stack, tables={name: replace(table, ttl=None) for name, table in stack.tables.items()})


@dataclass
class _Raw:
    """A body as urllib3 would hand it over."""

    body: bytes

    def stream(self, **_: Any) -> Any:
        yield self.body


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def keys_of(body: bytes) -> Any:
    """Read the body of a call."""
    return json.loads(body)
