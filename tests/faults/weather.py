"""Bad weather: calls to AWS, and posts, that fail by chance in each of the ways in which the real ones do.

Clients in tests never retry by themselves (tests/aws.py), so each fault is seen by the product's own code: harsher than on AWS.
"""

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from nightjar.channels.transport import Answer, Unreachable

from local.cloud import call
from local.wire import Response
from tests.aws import Cloud

_URL = "https://dynamodb.example"
_THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")
_CANCELS = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")


@dataclass
class Weather:
    """What the next calls meet.

    Attributes:
        cloud: Whose calls.
        chance: Decides.
        bad: How often a call, or a post, goes wrong, 0 to 1.
        met: What went wrong, by name.
    """

    cloud: Cloud
    chance: random.Random
    bad: float
    met: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Let it break."""
        self.cloud.before, self.cloud.instead, self.cloud.after = self._before, self._instead, self.after

    def end(self) -> None:
        """Let it clear up."""
        self.cloud.before = self.cloud.instead = self.cloud.after = lambda *_: None

    def _strikes(self, share: float = 1.0) -> bool:
        return self.chance.random() < self.bad * share

    def _before(self, _: str, operation: str, __: bytes) -> None:
        """Have a call not get through at all."""
        if self._strikes(0.25):
            self.met[f"{operation}: no connection"] += 1
            raise self.chance.choice([ConnectTimeoutError(endpoint_url=_URL), EndpointConnectionError(endpoint_url=_URL)])

    def after(self, _: str, operation: str, __: bytes) -> None:
        """Have a call be carried out, and its answer lost."""
        if self._strikes(0.25):
            self.met[f"{operation}: answer lost"] += 1
            raise ReadTimeoutError(endpoint_url=_URL)

    def _instead(self, _: str, operation: str, body: bytes) -> Response | None:
        """Have AWS refuse a call, or do a part of it."""
        if not self._strikes(0.5):
            return None
        kinds = [self._throttled, self._internal]
        special = {"BatchWriteItem": self._unprocessed, "BatchGetItem": self._unread, "TransactWriteItems": self._cancelled, "SendMessageBatch": self._refused}
        if operation in special:
            kinds += [special[operation]] * 2
        return self.chance.choice(kinds)(operation, json.loads(body))

    def _throttled(self, operation: str, _: Any) -> Response:
        self.met[f"{operation}: throttled"] += 1
        return _error(400, self.chance.choice(_THROTTLES))

    def _internal(self, operation: str, _: Any) -> Response:
        self.met[f"{operation}: internal error"] += 1
        return _error(500, "InternalServerError")

    def _cancelled(self, operation: str, asked: Any) -> Response:
        """Cancel a transaction for what one of its items met: another transaction, or throttling."""
        code = self.chance.choice(_CANCELS)
        self.met[f"{operation}: cancelled, {code}"] += 1
        reasons: list[dict[str, Any]] = [{"Code": "None"} for _ in asked["TransactItems"]]
        reasons[self.chance.randrange(len(reasons))] = {"Code": code, "Message": "not now"}
        return _error(400, "TransactionCanceledException", CancellationReasons=reasons)

    def _unprocessed(self, operation: str, asked: Any) -> Response:
        """Write some items of a batch and leave the others."""
        taken, left = self._parted(asked["RequestItems"])
        self.met[f"{operation}: items left"] += 1
        if taken:
            call(self.cloud.dynamodb, "dynamodb", operation, {"RequestItems": taken})
        return _answer({"UnprocessedItems": left})

    def _unread(self, operation: str, asked: Any) -> Response:
        """Read some keys of a batch and leave the others."""
        found: dict[str, Any] = {"Responses": {}}
        left = {}
        for table, wanted in asked["RequestItems"].items():
            cut = self.chance.randrange(len(wanted["Keys"]))
            read, rest = wanted["Keys"][:cut], wanted["Keys"][cut:]
            left[table] = {**wanted, "Keys": rest}
            found["Responses"][table] = []
            if read:
                answer = call(self.cloud.dynamodb, "dynamodb", operation, {"RequestItems": {table: {**wanted, "Keys": read}}})
                found["Responses"].update(answer["Responses"])
        self.met[f"{operation}: keys left"] += 1
        return _answer({**found, "UnprocessedKeys": left})

    def _refused(self, operation: str, asked: Any) -> Response:
        """Have the queue take none of some messages."""
        self.met[f"{operation}: messages refused"] += 1
        failed = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in asked["Entries"]]
        return _answer({"Successful": [], "Failed": failed})

    def _parted(self, tables: dict[str, list[Any]]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        taken, left = {}, {}
        for table, items in tables.items():
            cut = self.chance.randrange(len(items))
            taken |= {table: items[:cut]} if cut else {}
            left[table] = items[cut:]
        return taken, left

    def receiver(self) -> Answer | Unreachable | None:
        """What a receiver does with a post in this weather; None for what it always does."""
        if not self._strikes(2.0):
            return None
        kind = self.chance.choice(["429", "429 in words", "500", "503", "408", "reset", "taken, then silence"])
        self.met[f"receiver: {kind}"] += 1
        if kind == "reset":
            return Unreachable("connection reset")
        if kind == "taken, then silence":
            return Unreachable("no answer in time")
        if kind.startswith("429"):
            return Answer(429, {"retry-after": "soon" if "words" in kind else "2"}, b"slow down")
        return Answer(int(kind), {}, b"not now")


def _error(status: int, code: str, **more: Any) -> Response:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "made up by a test", **more}
    return Response(status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode())


def _answer(body: Any) -> Response:
    return Response(200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode())
