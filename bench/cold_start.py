"""Cold starts of what `sam build` made, under Lambda's Runtime Interface Emulator, against a function that only makes one DynamoDB client.

A fresh process for every figure; the functions take turns. Two figures each: `init` is the time until a fresh process has answered its first
event, less a second event's; `own` is the part of it that imports and makes the AWS clients.

Run: `make cold` (or `python -m bench.cold_start [rounds] [--bytecode]` after `make build`). `--bytecode`: with every file compiled beforehand,
in a copy. Ends with 1 if a ratio of inits is above its goal.
"""

import compileall
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from py_compile import PycInvalidationMode

import yaml

from scripts.emulator import BUILD, emulated, is_built

GOALS = {"bare": 1.0, "ingest": 1.3, "rollup": 1.3, "evaluator": 1.3, "notifier": 1.3, "api": 2.5}
BARE = "import boto3\nboto3.client('dynamodb')\n"
OURS = "import app\nfrom nightjar.storage.client import store\nstore()\n"
RINGS = "from nightjar.queues import bells\nbells()\n"
SHELL = "import time\nbegan = time.perf_counter()\n{}\ntook = time.perf_counter() - began\ndef handler(event, context):\n    return took\n"


def variables_of(build: Path, name: str) -> dict[str, str]:
    """The variables that the template sets, with something in place of whatever is referred to."""
    if name == "bare":
        return {}
    template = yaml.safe_load(re.sub(r"!\w+ ?", "", (build / "template.yaml").read_text()))
    own = template["Resources"][f"{name.capitalize()}Function"]["Properties"]["Environment"]["Variables"]
    shared = {"POWERTOOLS_SERVICE_NAME": "nightjar", "POWERTOOLS_METRICS_NAMESPACE": "Nightjar"}
    return {**shared, **{key: "32" if "DAYS" in key or "PER_SECOND" in key else f"https://x.example/{key}" for key in own}}


def cold_start(build: Path, name: str) -> tuple[float, float]:
    """Start a function once.

    Returns:
        `init` and `own`, in seconds.
    """
    variables = variables_of(build, name)
    code = BARE if name == "bare" else OURS + (RINGS if "QUEUE_BELLS" in variables else "")
    task = [] if name == "bare" else [build / f"{name.capitalize()}Function"]
    with tempfile.TemporaryDirectory() as shell:
        (Path(shell) / "cold.py").write_text(SHELL.format(code))
        with emulated([Path(shell), *task, build / "NightjarLayer" / "python"], "cold.handler", variables) as invoke:
            times = [time.perf_counter()]
            for _ in range(2):
                took = invoke({})
                times.append(time.perf_counter())
    if not isinstance(took, float):
        raise SystemExit(f"{name} does not load: {took}")
    return (times[1] - times[0]) - (times[2] - times[1]), took


def main(build: Path, rounds: int) -> int:
    """Print the table; 1 if a ratio is above its goal."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name in GOALS:
            found[name].append(cold_start(build, name))
    inits = {name: statistics.median(init for init, _ in times) for name, times in found.items()}
    owns = {name: statistics.median(own for _, own in times) for name, times in found.items()}
    print(f"cold starts, medians of {rounds} fresh processes each\n")
    print(f"{'function':10} {'init ms':>8} {'own ms':>8} {'init ratio':>11} {'own ratio':>10} {'goal':>5}")
    for name, goal in GOALS.items():
        ratio, own = inits[name] / inits["bare"], owns[name] / owns["bare"]
        print(f"{name:10} {inits[name] * 1e3:8.0f} {owns[name] * 1e3:8.0f} {ratio:11.2f} {own:10.2f} {goal:5}{'' if ratio <= goal else '  MISSED'}")
    return int(any(inits[name] / inits["bare"] > goal for name, goal in GOALS.items()))


def compiled(build: Path, under: str) -> Path:
    """Copy a build and compile every file of it."""
    copy = Path(shutil.copytree(build, Path(under) / "build"))
    compileall.compile_dir(copy, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return copy


if __name__ == "__main__":
    if not is_built():
        raise SystemExit("nothing is built here: make build")
    rounds = next((int(each) for each in sys.argv[1:] if each.isdigit()), 7)
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(main(compiled(BUILD, directory) if "--bytecode" in sys.argv else BUILD, rounds))
