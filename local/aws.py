"""The endpoint that every function's AWS clients speak to (AWS_ENDPOINT_URL): who calls, may it, and what did it write."""

import re
from collections.abc import Callable, Mapping

from local.board import Board
from local.cloud import TARGETS, Service, failure
from local.permissions import Need, missing, needs
from local.stack import Function
from local.wire import Request, Response

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/[^/]+/([^/,]+)/")
_SERVICES = {target: name for name, target in TARGETS.items()}
_READS = frozenset({
    "BatchGetItem", "DescribeTable", "GetItem", "GetQueueAttributes", "GetQueueUrl", "ListQueues", "ListTables", "Query", "Scan", "TransactGetItems",
})  # fmt: skip

# SES names its operation by method and path.
_OPERATIONS = {"POST /v2/email/outbound-emails": "SendEmail"}

# (function or "", service, operation, body) → an answer in place of the real one, or None: where tests make AWS fail.
Fault = Callable[[str, str, str, bytes], Response | None]


class Endpoint:
    """Answers AWS's JSON protocol for the functions, and for `aws … --endpoint-url` on the command line."""

    def __init__(self, services: Mapping[str, Service], functions: Mapping[str, Function], board: Board) -> None:
        """Remember where calls go.

        Args:
            services: "dynamodb", "dynamodbstreams", "sqs", "ses" → what answers.
            functions: By logical id, which is the access key that a function signs with; other keys may do everything.
            board: Told of every write.
        """
        self._services = services
        self._functions = functions
        self._board = board
        self.fault: Fault | None = None
        self.used: dict[str, set[Need]] = {}

    def respond(self, request: Request) -> Response:
        """Answer one call."""
        found = _CREDENTIAL.search(request.header("authorization"))
        caller, signed_for = found.groups() if found else ("", "")
        target, _, operation = request.header("x-amz-target").rpartition(".")
        operation = operation or _OPERATIONS.get(f"{request.method} {request.path}", "")
        service = _SERVICES.get(target, signed_for)
        if service not in self._services:
            return failure("UnknownOperationException", f"the local runner has no {service or 'such service'}")
        try:
            wanted = needs(service, operation, request.body)
        except (ValueError, KeyError, AttributeError, TypeError):
            return failure("SerializationException", "the request is no JSON of this operation")
        refusal = self._refusal(caller, wanted)
        if refusal is None and self.fault is not None:
            refusal = self.fault(caller, service, operation, request.body)
        return refusal or self._pass_on(service, operation, request, wanted)

    def _refusal(self, caller: str, wanted: set[Need]) -> Response | None:
        function = self._functions.get(caller)
        if function is None:
            return None
        self.used.setdefault(caller, set()).update(wanted)
        lacking = sorted(missing(function, wanted))
        if not lacking:
            return None
        action, resource = lacking[0]
        because = f"because no identity-based policy allows the {action} action"
        message = f"User: {function.arn} is not authorized to perform: {action} on resource: {resource} {because}"
        return failure("com.amazon.coral.service#AccessDeniedException", message)

    def _pass_on(self, service: str, operation: str, request: Request, wanted: set[Need]) -> Response:
        headers = {"X-Amz-Target": request.header("x-amz-target"), "Content-Type": request.header("content-type")}
        try:
            return self._services[service].handle(service, headers, request.body)
        except Exception as error:  # noqa: BLE001 — a fault of the simulator is AWS's 500 to the function
            return failure("InternalServerError", f"{type(error).__name__}: {error}", 500)
        finally:
            for resource in set() if operation in _READS else {arn.replace("/", ":").rpartition(":")[2] for _, arn in wanted}:
                self._board.wrote(resource)
