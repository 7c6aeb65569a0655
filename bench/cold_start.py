"""Cold starts of what `sam build` made, under Lambda's Runtime Interface Emulator, against a function that only makes one DynamoDB client.

Laid out as on Lambda: the function's directory, then the layer, nothing else; read-only, so that no bytecode is kept between starts but what
the layer brings. A fresh process for every figure; the functions take turns. Two figures each: `init` is the time until a fresh process
has answered its first event less a second event's; `own` is the part within it that imports and makes the AWS clients.

Run: `make cold-start` (or `python bench/cold_start.py BUILD_DIR RIE PYTHON [rounds]`, PYTHON with awslambdaric).
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import yaml

GOALS = {"bare": 1.0, "ingest": 1.3, "rollup": 1.3, "evaluator": 1.3, "notifier": 1.3, "api": 2.5}
BARE = "import boto3\nboto3.client('dynamodb')\n"
OURS = "import app\nfrom nightjar.storage.client import store\nstore()\n"
RINGS = "from nightjar.queues import bells\nbells()\n"
SHELL = "import time\nbegan = time.perf_counter()\n{}\ntook = time.perf_counter() - began\ndef handler(event, context):\n    return took\n"
MOST_SECONDS = 20


def environment(build: Path, name: str) -> dict[str, str]:
    """The variables that the template sets, with a name in place of whatever is referred to."""
    if name == "bare":
        return {}
    text = re.sub(r"!\w+ ?", "", (build / "template.yaml").read_text())
    variables = yaml.safe_load(text)["Resources"][f"{name.capitalize()}Function"]["Properties"]["Environment"]["Variables"]
    return {key: "1" if "DAYS" in key or "PER_SECOND" in key else f"https://x.example/{key}" for key in variables}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def invoke(url: str) -> tuple[float, float]:
    """Invoke once; return the seconds that it took, and what it answered."""
    began = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(url, b"{}"), timeout=MOST_SECONDS) as answer:  # noqa: S310
        body = json.loads(answer.read())
    if not isinstance(body, float):
        raise SystemExit(f"a function does not load: {body}")
    return time.perf_counter() - began, body


def cold_start(build: Path, emulator: str, python: str, name: str) -> tuple[float, float]:
    """Start a function once.

    Returns:
        `init` and `own`, in seconds.
    """
    variables = environment(build, name)
    code = BARE if name == "bare" else OURS + (RINGS if "QUEUE_BELLS" in variables else "")
    with tempfile.TemporaryDirectory() as shell:
        (Path(shell) / "cold.py").write_text(SHELL.format(code))
        path = [shell, *([] if name == "bare" else [str(build / f"{name.capitalize()}Function")]), str(build / "NightjarLayer" / "python")]
        port, own = free_port(), free_port()
        given = {
            "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1", "LAMBDA_TASK_ROOT": shell,
            "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_TIMEOUT": "20", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "POWERTOOLS_SERVICE_NAME": "nightjar", "POWERTOOLS_METRICS_NAMESPACE": "Nightjar",
            **variables,
        }  # fmt: skip
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{own}", "--log-level", "error"]
        command = [emulator, *addresses, python, "-m", "awslambdaric", "cold.handler"]
        with subprocess.Popen(command, env=given, cwd=shell, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                return _measured(port)
            finally:
                process.terminate()


def _measured(port: int) -> tuple[float, float]:
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.01)
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    first, took = invoke(url)
    return first - invoke(url)[0], took


def main(build: Path, emulator: str, python: str, rounds: int) -> int:
    """Print the table; 1 if a ratio is above its goal."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name in GOALS:
            found[name].append(cold_start(build, emulator, python, name))
    inits = {name: statistics.median(init for init, _ in times) for name, times in found.items()}
    owns = {name: statistics.median(own for _, own in times) for name, times in found.items()}
    print(f"cold starts, medians of {rounds} fresh processes each\n")
    print(f"{'function':10} {'init ms':>8} {'own ms':>8} {'init ratio':>11} {'own ratio':>10} {'goal':>5}")
    for name, goal in GOALS.items():
        ratio, own = inits[name] / inits["bare"], owns[name] / owns["bare"]
        print(f"{name:10} {inits[name] * 1e3:8.0f} {owns[name] * 1e3:8.0f} {ratio:11.2f} {own:10.2f} {goal:5}{'' if ratio <= goal else '  MISSED'}")
    return int(any(inits[name] / inits["bare"] > goal for name, goal in GOALS.items()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 7))  # noqa: PLR2004
