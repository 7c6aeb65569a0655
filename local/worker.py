"""One execution environment of one function: a process that loads a handler and calls it, one event at a time.

Started by local.lambda_ with that function's environment only. It imports nothing of `local`: what is on Python's path is
what Lambda would put there (the function's directory, the layer, the runtime's packages).
"""

import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler of its invocation."""

    aws_request_id: str
    deadline: float
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the handler still has."""
        return max(0, int((self.deadline - time.time()) * 1000))


def main() -> None:
    """Load the handler, say so, then answer events until the other end hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    connection = Connection(int(sys.argv[1]))
    try:
        handler = _load(os.environ["_HANDLER"])
    except BaseException as error:  # noqa: BLE001
        connection.send_bytes(_failure(error))
        return
    connection.send_bytes(b"")
    while True:
        try:
            told, event = json.loads(connection.recv_bytes()), connection.recv_bytes()
        except EOFError:
            return
        failed, answer = _call(handler, event, _context(told))
        connection.send_bytes(b"1" if failed else b"")
        connection.send_bytes(answer)


def _load(name: str) -> Callable[[Any, Context], Any]:
    """Import a handler; what the template calls `app.handler` lies in the function's directory."""
    module, _, function = name.rpartition(".")
    handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), function)
    _allow_loopback()
    return handler


class Loopback:
    """Where POSTs may go here: this machine by http or https, any port and path, and else what a deployed function may."""

    HOSTS = frozenset({"127.0.0.1", "localhost"})

    def __init__(self, is_public: Callable[[Any], bool]) -> None:
        self._is_public = is_public

    def exempt(self, scheme: str, host: str) -> bool:
        """Tell whether a URL is allowed although it is not https to a public host."""
        return scheme in {"http", "https"} and host in self.HOSTS

    def allows(self, host: str, address: Any) -> bool:
        """Tell whether a connection for a host may go to an address."""
        return bool(address.is_loopback) if host in self.HOSTS else self._is_public(address)


def _allow_loopback() -> None:
    """Let channels speak to this machine: the exception lives in this file, which is never deployed."""
    try:
        transport = importlib.import_module("nightjar.channels.transport")
    except ModuleNotFoundError:
        return  # a function without Nightjar's layer
    transport.rules = Loopback(transport.is_public)  # type: ignore[attr-defined]


def _context(told: dict[str, Any]) -> Context:
    return Context(
        aws_request_id=told["id"],
        deadline=told["deadline"],
        invoked_function_arn=told["arn"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
    )


def _call(handler: Callable[[Any, Context], Any], event: bytes, context: Context) -> tuple[bool, bytes]:
    """Call a handler as the runtime does: what it raises is answered, what it returns goes through JSON."""
    try:
        return False, json.dumps(handler(json.loads(event), context)).encode()
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        return True, _failure(error, context.aws_request_id)


def _failure(error: BaseException, request_id: str = "") -> bytes:
    trace = traceback.format_tb(error.__traceback__)
    return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request_id, "stackTrace": trace}).encode()


if __name__ == "__main__":
    main()
