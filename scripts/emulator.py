"""What `sam build` made, run by Lambda's own Runtime Interface Emulator: the function's directory, then the layer, and nothing else.

The emulator takes one request at a time; an error of the function is a 200 with `errorType`.
"""

import json
import os
import platform
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
BUILD = ROOT / ".aws-sam" / ARCHITECTURE
EMULATOR = next((ROOT / ".venv-sam").glob(f"lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"), None)
PYTHON = ROOT / ".venv-ric" / "bin" / "python"
MOST_SECONDS = 30

Invoke = Callable[[Any], Any]


def is_built() -> bool:
    """Whether `make build` was run here."""
    return EMULATOR is not None and PYTHON.exists() and (BUILD / "template.yaml").exists()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def emulated(path: Sequence[Path], handler: str, variables: Mapping[str, str]) -> Iterator[Invoke]:
    """Start the emulator; the function's process starts with the first event.

    Args:
        path: Python's path: /var/task, then /opt/python.
        handler: As the template names it.
        variables: The function's environment. No bytecode is written: on Lambda both directories are read-only.
    """
    port, own = free_port(), free_port()
    given = {
        "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1", "LAMBDA_TASK_ROOT": str(path[0]),
        "AWS_LAMBDA_FUNCTION_NAME": "function", "AWS_LAMBDA_FUNCTION_TIMEOUT": str(MOST_SECONDS), "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", **variables,
    }  # fmt: skip
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{own}", "--log-level", "error"]
    command = [str(EMULATOR), *addresses, str(PYTHON), "-m", "awslambdaric", handler]
    with subprocess.Popen(command, env=given, cwd=path[0], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield lambda event: _invoke(port, event)
        finally:
            process.terminate()


def _invoke(port: int, event: Any) -> Any:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=MOST_SECONDS) as answer:
        return json.loads(answer.read())


def wait_for(port: int) -> None:
    """Return when something listens on a port of this machine.

    Raises:
        TimeoutError: Nothing does within MOST_SECONDS.
    """
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on port {port}")
