"""Calls the very handlers as Lambda does.

Each environment is a process of its own (local/worker.py), one event at a time, as on Lambda: so a function sees only its own
variables and caches nothing of another's, five functions run at once, and a time-out is a kill. Threads in one process would
share `settings`, clients, Powertools' metrics and every cache, and could not be stopped.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import IO
from uuid import uuid4

from local import rules
from local.stack import REGION, Function

WORKER = Path(__file__).parent / "worker.py"
MESSAGE_OF_LIMIT = "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an invocation came to.

    Attributes:
        payload: The handler's answer as JSON, or the error as Lambda words it.
        error: Lambda's X-Amz-Function-Error: "Unhandled", or None.
        refused: The invocation did not take place: the payload was too large.
    """

    payload: bytes
    error: str | None = None
    refused: bool = False


class Died(Exception):
    """A worker ended by itself."""


class Worker:
    """One environment."""

    def __init__(self, function: Function, environment: Mapping[str, str], log: IO[str] | None) -> None:
        """Start a process and wait until its handler is loaded.

        Raises:
            Died: It could not be loaded.
        """
        self._function = function
        self._connection, theirs = Pipe()
        command = [sys.executable, "-P", str(WORKER), str(theirs.fileno())]
        output = log or sys.stderr
        self._process = subprocess.Popen(  # noqa: S603
            command,
            env=dict(environment),
            cwd=function.code,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        theirs.close()
        failure = self._loaded()
        if failure:
            self.kill()
            raise Died(failure)

    def call(self, event: bytes, request_id: str) -> tuple[Answer, bool]:
        """Hand over one event.

        Returns:
            The answer, and whether the worker can go on.
        """
        seconds = self._function.timeout
        told = {"id": request_id, "deadline": time.time() + seconds, "arn": self._function.arn}
        try:
            self._connection.send_bytes(json.dumps(told).encode())
            self._connection.send_bytes(event)
            failed = self._receive(seconds)
            if failed is None:
                self.kill()
                return _error("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"), False
            return _sized(self._connection.recv_bytes(), request_id, failed=bool(failed)), True
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            self.kill()
            return _error("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: exit status {self._process.returncode}"), False

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _receive(self, seconds: float) -> bytes | None:
        """Receive one message; None if none came in time."""
        return self._connection.recv_bytes() if self._connection.poll(seconds) else None

    def _loaded(self) -> str:
        """Wait until the handler is loaded; return why it is not."""
        try:
            failure = self._receive(rules.INIT_SECONDS.value * 3)  # this machine may be slower than Lambda's
        except EOFError:
            return f"the process of {self._function.logical_id} ended while it loaded"
        return f"{self._function.logical_id} did not load in time" if failure is None else failure.decode()


class Pool:
    """The environments of one function; made when needed, kept warm."""

    def __init__(self, function: Function, environment: Mapping[str, str], log: IO[str] | None = None, most: int = int(rules.CONCURRENCY.value)) -> None:
        """Remember how to start a worker.

        Args:
            function: Which function.
            environment: All variables that a worker sees.
            log: Where its output goes; None for this process's stderr.
            most: Environments at a time; more invocations wait.
        """
        self.function = function
        self._environment = environment
        self._log = log
        self._slots = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._closed = False

    def invoke(self, event: bytes, request_id: str | None = None) -> Answer:
        """Invoke the function synchronously.

        Args:
            event: The event as JSON.
            request_id: None for a new one.
        """
        if len(event) > rules.PAYLOAD_BYTES.value:
            return Answer(json.dumps({"Type": "User", "Message": MESSAGE_OF_LIMIT}).encode(), refused=True)
        with self._slots:
            try:
                worker = self._take()
            except Died as died:
                return _error("Runtime.ImportModuleError", str(died))
            answer, goes_on = worker.call(event, request_id or str(uuid4()))
            self._give(worker, goes_on=goes_on)
            return answer

    def warm(self) -> None:
        """Start one environment before it is needed."""
        self._give(self._take(), goes_on=True)

    def close(self) -> None:
        """Kill all environments."""
        with self._lock:
            self._closed = True
            workers, self._all = self._all, set()
        for worker in workers:
            worker.kill()

    def _take(self) -> Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        worker = Worker(self.function, self._environment, self._log)
        with self._lock:
            self._all.add(worker)
        if self._closed:
            worker.kill()
        return worker

    def _give(self, worker: Worker, *, goes_on: bool) -> None:
        with self._lock:
            if goes_on:
                self._idle.append(worker)
            else:
                self._all.discard(worker)


def environment_of(function: Function, endpoint: str, extra: Mapping[str, str]) -> dict[str, str]:
    """List the variables that Lambda gives a function, and those that point its clients here.

    Args:
        function: Which function; its name is its access key, so that the endpoint knows who calls.
        endpoint: Where AWS is.
        extra: Variables of the local runner only.
    """
    paths = [function.code, *function.layers]
    return {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(str(path) for path in paths),
        "PYTHONUNBUFFERED": "1",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": function.logical_id,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(function.code),
        "_HANDLER": function.handler,
        **function.environment,
        **extra,
    }


def _sized(payload: bytes, request_id: str, *, failed: bool) -> Answer:
    if len(payload) > rules.PAYLOAD_BYTES.value:
        most = int(rules.PAYLOAD_BYTES.value)
        message = f"RequestId: {request_id} Error: Response payload size exceeded maximum allowed payload size ({most} bytes)."
        return _error("Function.ResponseSizeTooLarge", message)
    return Answer(payload, "Unhandled" if failed else None)


def _error(kind: str, message: str) -> Answer:
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")
