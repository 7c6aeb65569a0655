"""What Nightjar costs a month, in four sizes: measured quantities (bench/costs.json) times AWS's prices (bench/prices.py).

Run: `make costs` (which measures anew on a DynamoDB Local, and writes the table into docs/deploy.md);
`python -m bench.costs` prints it from what was measured last, `python -m bench.costs --docs` writes it as well.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from math import ceil, exp
from pathlib import Path
from typing import Any

from bench.prices import NEWEST, OLDEST, PRICES, READ_ON, REGION

ROOT = Path(__file__).parent.parent
RECORDED = Path(__file__).parent / "costs.json"
DOCUMENT = ROOT / "docs" / "deploy.md"
BEGIN, END = "<!-- costs: made by bench/costs.py -->\n", "<!-- end of costs -->"

DAYS = 30
MINUTES = DAYS * 1440
SECONDS = MINUTES * 60
GB = 1e9

# What is assumed, since nothing here can measure it. docs/deploy.md says so too.
SHARDS = 4  # a new on-demand table has about four partitions
POLLS = 4  # times a second that Lambda looks into a shard (Lambda developer guide, "How Lambda polls streams")
POLLERS, LONG_POLL = 5, 20  # who wait at an empty queue, and how long (s) (Lambda developer guide, "Scaling behaviour" of SQS)
CALL_MS = 5  # a round of calls to DynamoDB, which promises single-digit milliseconds
POST_MS = 300  # a webhook's answer
VCPU_MB = 1_769  # memory at which a function has one vCPU; less has its share (Lambda developer guide, "Configure Lambda function memory")
FRESH = 5  # s that rollup remembers an event's policies
PLATFORM_BYTES = 350  # START, END and REPORT in a function's log
ANSWER_BYTES = 400  # of a request's answer, head and all
KEY_MINUTES = 5  # DynamoDB asks KMS so often for each who uses a table (DynamoDB developer guide, "Encryption at rest: usage notes")
ITEM_BYTES = 100  # that DynamoDB adds to a stored item
KEPT = {"log": 32, "minute": 35, "hour": 3 * 365}  # days
MEMORY = {"ingest": 1024, "rollup": 1769, "evaluator": 1769, "route": 512, "send": 512}  # MB; held against template.yaml by a test


@dataclass(frozen=True, slots=True)
class Size:
    """An installation.

    Attributes:
        policies: Half of them on minutes, half on hours; each on an event of its own.
        logs: A day, spread evenly over the events and the day.
        logs_a_request: Of the SDK: it waits a tenth of a second for the next log, and sends at 500.
        alerts: That open and recover, a day.
    """

    name: str
    policies: int
    logs: int
    logs_a_request: float
    alerts: int


def batch_of(logs: int, workers: int) -> float:
    """Logs a request when so many processes log at random instants: the Python SDK sends when none came for 0.1 s, or at 500."""
    return min(500.0, exp(0.1 * logs / workers / 86_400))


SIZES = (
    Size("idle", 0, 0, 1, 0),
    Size("small", 10, 10_000, batch_of(10_000, 1), 2),
    Size("medium", 200, 1_000_000, batch_of(1_000_000, 10), 10),
    Size("large", 5_000, 20_000_000, batch_of(20_000_000, 50), 100),
    Size("large, 500 logs a request", 5_000, 20_000_000, 500, 100),
)


def billed(measured: dict[str, Any], function: str, **of: float) -> float:
    """Milliseconds that an invocation is billed for: its processor time on its share of a vCPU, and its waits.

    Args:
        measured: What was measured.
        function: Which.
        of: What it has to do: logs, events or policies.
    """
    many = {"call": 1.0, **of}
    cpu, rounds = (sum(measured[kind][function].get(part, 0) * number for part, number in many.items()) for kind in ("milliseconds", "rounds"))
    return ceil(cpu / min(1, MEMORY[function] / VCPU_MB) + rounds * CALL_MS + (POST_MS if function == "send" else 0))


@dataclass(frozen=True, slots=True)
class Load:
    """What a month's logs come to: requests; rollup's batches; pairs of a batch and an event in it."""

    logs: float
    requests: float
    batches: float
    pairs: float


def load(size: Size) -> Load:
    """Deal a month's logs over requests, shards and batches."""
    logs = size.logs * DAYS
    if not logs:
        return Load(0, 0, 0, 0)
    requests = logs / size.logs_a_request
    hit = SHARDS * (1 - (1 - 1 / SHARDS) ** size.logs_a_request)  # shards that a request's logs lie in
    arrivals = requests / SECONDS * hit / SHARDS  # a second and shard
    batches = SHARDS * POLLS * (1 - exp(-arrivals / POLLS)) * SECONDS
    there = max(1.0, size.policies / SHARDS)  # events of a shard
    return Load(logs, requests, batches, batches * there * (1 - (1 - 1 / there) ** (logs / batches)))


def quantities(size: Size, measured: dict[str, Any]) -> dict[str, float]:
    """What is paid for in a month, by the names of bench/prices.py."""
    month, alerts = load(size), size.alerts * DAYS
    judged = size.policies / 2 * MINUTES + size.policies / 2 * DAYS * 24
    reads, writes = measured["reads"], measured["writes"]
    misses = month.pairs / (1 + FRESH * month.pairs / SECONDS / max(1, size.policies))
    stored = _stored(size, measured)
    times = {"ingest": month.requests, "rollup": month.batches, "evaluator": MINUTES, "route": 2 * alerts, "send": 2 * alerts}
    return {
        "requests": month.requests,
        "invocations": sum(times.values()),
        "gb_seconds": sum(number * _gb_seconds(function, size, month, measured) for function, number in times.items()),
        "writes": month.logs * writes["log"] + month.pairs * writes["event"] + judged * writes["policy"] + MINUTES * writes["tick"] + alerts * writes["alert"],
        "reads": month.pairs * reads["event"] + misses * reads["policies"] + judged * reads["policy"] + MINUTES * reads["tick"] + alerts * reads["alert"],
        "streams": month.batches,
        "stored": stored,
        "recoverable": stored,
        "bells": POLLERS * SECONDS / LONG_POLL + 6 * alerts,
        "ticks": MINUTES,
        "log_gb": sum(number * (measured["printed"][function] + PLATFORM_BYTES) for function, number in times.items()) / GB,
        "metrics": len(measured["metrics"]["idle"]) + (len(measured["metrics"]["working"]) if month.logs else 0),
        "alarms": measured["alarms"],
        "dashboards": measured["dashboards"],
        "key_uses": (len(MEMORY) if month.logs else 1) * MINUTES / KEY_MINUTES,
        "sent_gb": month.requests * ANSWER_BYTES / GB,
    }


def _gb_seconds(function: str, size: Size, month: Load, measured: dict[str, Any]) -> float:
    """GB-seconds of one invocation."""
    of: dict[str, float] = {}
    if function == "ingest":
        of = {"log": size.logs_a_request - 1}
    elif function == "rollup" and month.batches:
        of = {"log": (month.logs - month.pairs) / month.batches, "event": month.pairs / month.batches - 1}
    elif function == "evaluator":
        of = {"policy": size.policies / 2 + size.policies / 2 / 60}
    return MEMORY[function] / 1024 * billed(measured, function, **of) / 1_000


def _stored(size: Size, measured: dict[str, Any]) -> float:
    """GB that lie in the tables once nothing grows any more (hours: after three years)."""
    if not size.logs:
        return 0
    a_minute = size.logs / size.policies / 1440
    minutes = size.policies * 1440 * (1 - exp(-a_minute)) * KEPT["minute"]
    hours = size.policies * 24 * (1 - exp(-60 * a_minute)) * KEPT["hour"]
    held = {"log": size.logs * KEPT["log"], "minute": minutes, "hour": hours}
    return sum(number * (measured["bytes"][kind] + ITEM_BYTES) for kind, number in held.items()) / GB


def table(measured: dict[str, Any]) -> str:
    """The table of docs/deploy.md."""
    bills = [quantities(size, measured) for size in SIZES]
    lines = ["| $ a month | " + " | ".join(size.name for size in SIZES) + " |", "|---|" + "---:|" * len(SIZES)]
    lines += [_row(price.label, [price.of(bill[name]) for bill in bills]) for name, price in PRICES.items()]
    lines += [
        _row("**together**", [sum(price.of(bill[name]) for name, price in PRICES.items()) for bill in bills]),
        _row("**the same, what is always free taken off**", [sum(price.after_free(bill[name]) for name, price in PRICES.items()) for bill in bills]),
    ]
    lines += ["", "| a month | " + " | ".join(size.name for size in SIZES) + " |", "|---|" + "---:|" * len(SIZES)]
    lines += [_row(label, [of(size, bill) for size, bill in zip(SIZES, bills, strict=True)]) for label, of in _COUNTS]
    return "\n".join([*lines, "", _basis(measured), ""])


_COUNTS = (
    ("policies", lambda size, _: size.policies),
    ("logs a day", lambda size, _: size.logs),
    ("requests of logs, millions", lambda _, bill: bill["requests"] / 1e6),
    ("invocations, millions", lambda _, bill: bill["invocations"] / 1e6),
    ("GB-seconds, thousands", lambda _, bill: bill["gb_seconds"] / 1e3),
    ("write units, millions", lambda _, bill: bill["writes"] / 1e6),
    ("read units, millions", lambda _, bill: bill["reads"] / 1e6),
    ("GB stored", lambda _, bill: bill["stored"]),
)


def _row(label: str, values: list[float]) -> str:
    return f"| {label} | " + " | ".join(_figure(value) for value in values) + " |"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"  # noqa: PLR2004


def _basis(measured: dict[str, Any]) -> str:
    prices = f"Prices of {REGION}, read on {READ_ON} from stored pages of {OLDEST} to {NEWEST} and some without a date (bench/prices.py names each)."
    return f"{prices} Measured on {measured['date']}: {measured['where']}."


def written(document: str, made: str) -> str:
    """A document with the table put between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + made + END + after


def main() -> None:
    """Print; with --measure and --docs, measure before and write after."""
    if "--measure" in sys.argv:
        os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")  # before a function makes its logger
        from bench.measured import measure

        if "NIGHTJAR_DYNAMODB" not in os.environ:
            raise SystemExit("needs a DynamoDB Local: make costs")
        found = measure(time.strftime("%Y-%m-%d", time.gmtime()))
        RECORDED.write_text(json.dumps(found, indent=1) + "\n")
    made = table(json.loads(RECORDED.read_text()))
    print(made)
    if "--docs" in sys.argv:
        DOCUMENT.write_text(written(DOCUMENT.read_text(), made))


if __name__ == "__main__":
    main()
