"""What a month is made of: capacity units, processor time and waits of each function, metrics and bytes, measured with the real handlers.

The units are what DynamoDB Local says, where bench.capacity runs on it. Time is the processor's, of everything but the stand-ins for AWS; calls of
AWS are counted as rounds, those at the same time as one, so that neither the stand-ins' speed nor a busy machine is in the figures.
"""

import json
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from nightjar.core.instants import MINUTE, SECOND

from bench.capacity import LOGS, POLICIES, Meter, counted, judged, logs, metered
from tests.aws import Cloud
from tests.world import START, World, world

FUNCTIONS = ("ingest", "rollup", "evaluator", "notifier")
BEGIN = START + 20 * MINUTE
WAIT = 0.02  # s, so that calls which are made at the same time are seen to be
LITTLE, MANY, CROWD = 1, 500, 100


@dataclass
class Invocation:
    """What one took: processor time (ms), rounds of calls, and the metrics it printed."""

    function: str
    milliseconds: float
    rounds: int
    printed: str


@dataclass
class Watch:
    """Looks on while handlers run."""

    seen: list[Invocation] = field(default_factory=list)
    _inside: bool = False
    _others: float = 0.0
    _calls: list[tuple[float, float]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, made: World) -> Meter:
        """Forget what was seen; count capacity from here on."""
        self.seen.clear()
        return metered(made)

    def of(self, function: str) -> list[Invocation]:
        """What was seen of a function; of the notifier, `route` and `send`."""
        return [each for each in self.seen if each.function == function]

    def handle(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """A call of AWS: what it takes is not the function's."""

        def timed(*given: Any) -> Any:
            began, since = time.thread_time(), time.monotonic()
            answer = real(*given)
            if self._inside:
                time.sleep(WAIT)
            with self._lock:
                self._others += time.thread_time() - began
                self._calls.append((since, time.monotonic()))
            return answer

        return timed

    def handler(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """A handler whose invocations are seen."""

        def invoked(event: Any, context: Any) -> Any:
            self._others, self._calls, self._inside, printed = 0.0, [], True, StringIO()
            began = time.process_time()
            with redirect_stdout(printed), mock.patch.dict("os.environ", {"POWERTOOLS_METRICS_DISABLED": "false"}):
                answer = real(event, context)
            spent, self._inside = time.process_time() - began - self._others, False
            self.seen.append(Invocation(_called(name, event), spent * 1_000, rounds(self._calls), printed.getvalue()))
            return answer

        return invoked


def _called(name: str, event: Any) -> str:
    if name != "notifier":
        return name
    return "route" if event["Records"][0]["eventSource"] == "aws:dynamodb" else "send"


def rounds(calls: list[tuple[float, float]]) -> int:
    """Count calls that are made one after the other; what begins before the first of a round has ended belongs to it."""
    found, until = 0, 0.0
    for since, end in sorted(calls):
        if since >= until:
            found, until = found + 1, end
    return found


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch all handlers."""
    watch = Watch()
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(Cloud, "handle", watch.handle(Cloud.handle)))
        for name in FUNCTIONS:
            module = __import__(f"functions.{name}.app", fromlist=["app"])
            patches.enter_context(mock.patch.object(module, "handler", watch.handler(name, module.handler)))
        yield watch


def folded(watch: Watch, events: int, number: int, times: int, *, stale: bool) -> Meter:
    """Send so many logs, dealt over events that have a policy each, and count them in one batch; again and again.

    Args:
        watch: Looks on.
        events: How many.
        number: Logs a request.
        times: Requests.
        stale: Whether rollup must read the policies again each time.
    """
    with world(BEGIN) as made:
        rule = {"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 10**9}
        for each in range(events):
            made.made("POST", "/v1.0/policies", {"agent": "bench", "event": f"e{each}", **rule})
        made.tick(BEGIN)
        made.send(logs(made, events, events))
        made.roll_up()
        meter = watch.begin(made)
        for _ in range(times):
            made.now += (6 if stale else 0) * SECOND
            made.send(logs(made, events, number))
            made.roll_up()
        return meter


def idle(watch: Watch, times: int) -> Meter:
    """Ticks with nothing to do."""
    with world(BEGIN) as made:
        made.tick(BEGIN)
        meter = watch.begin(made)
        for number in range(1, times + 1):
            made.now = BEGIN + number * MINUTE + SECOND
            made.tick(BEGIN + number * MINUTE)
        return meter


def alerted(watch: Watch) -> Meter:
    """One alert that opens, is told in Slack, recovers and is told again; the ticks in between are in it."""
    with world(BEGIN) as made:
        made.made("POST", "/v1.0/destinations", {"channel": "slack", "url": "https://hooks.slack.com/services/T0/B0/x", "scope": "all"})
        made.made("POST", "/v1.0/policies", {"agent": "bench", "event": "e0", "period": "minute", "aggregate": "count", "condition": "gt", "threshold": 0})
        made.tick(BEGIN)
        meter = watch.begin(made)
        made.now += SECOND
        made.send([{"agent": "bench", "event": "e0", "value": 1}])
        made.roll_up()
        made.notify()
        for number in range(1, 5):
            made.now = BEGIN + number * MINUTE + SECOND
            made.tick(BEGIN + number * MINUTE)
            made.notify()
        return meter


def sizes() -> dict[str, float]:
    """Bytes of a stored log, with a small meta, and of a minute's and an hour's bucket of durations."""
    with world(BEGIN) as made:
        meta = {"customer": "c123456", "tries": 2, "ms": 30.4}
        made.send([{**log, "value": 100 + number * 1.25, "meta": meta} for number, log in enumerate(logs(made, 1, 50))])
        made.roll_up()
        raw = made.store.db.scan(TableName=made.store.tables.logs)["Items"]
        rows = made.store.db.scan(TableName=made.store.tables.rollups)["Items"]
    return {
        "log": statistics.mean(_bytes(each) for each in raw),
        "minute": statistics.mean(_bytes(each) for each in rows if each["SK"]["S"].startswith("m")),
        "hour": statistics.mean(_bytes(each) for each in rows if each["SK"]["S"].startswith("h")),
    }


def _bytes(item: dict[str, Any]) -> int:
    """About what DynamoDB counts for an item: names and values."""
    return sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())


def measure(today: str) -> dict[str, Any]:
    """Measure all of it once."""
    found: dict[str, Any] = {"date": today, "where": f"DynamoDB Local, {os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}"}
    found |= {"reads": {}, "writes": {}, "milliseconds": {}, "rounds": {}, "printed": {}}
    template = (Path(__file__).parent.parent / "template.yaml").read_text()
    found |= {"alarms": template.count("AWS::CloudWatch::Alarm\n"), "dashboards": template.count("AWS::CloudWatch::Dashboard\n"), "bytes": sizes()}
    with watching() as watch:
        _of_logs(found, watch)
        _of_ticks(found, watch)
        meter = alerted(watch)
        found["reads"]["alert"], found["writes"]["alert"] = (sum(meter.taken(kind, 1).values()) for kind in ("read", "write"))
        for name in ("route", "send"):
            _note(found, name, {"call": watch.of(name)[-1]})
    return found


def _of_logs(found: dict[str, Any], watch: Watch) -> None:
    crowd = counted(CROWD, LOGS, CROWD).taken("write", LOGS)
    found["writes"] |= {"log": crowd["LogsTable"], "event": crowd["RollupsTable"]}
    found["reads"]["policies"] = -sum(folded(watch, LITTLE, LITTLE, 10, stale=False).taken("read", 10).values())
    found["reads"]["policies"] += (once := sum(folded(watch, LITTLE, LITTLE, 10, stale=True).taken("read", 10).values()))
    found["reads"]["event"] = once - found["reads"]["policies"]
    alone = {name: _median(watch.of(name)) for name in ("ingest", "rollup")}
    found["metrics"] = {"working": _names(watch.seen)}
    folded(watch, LITTLE, MANY, 4, stale=True)
    many = {name: _median(watch.of(name)) for name in ("ingest", "rollup")}
    folded(watch, CROWD, CROWD, 4, stale=True)
    crowded = _median(watch.of("rollup"))
    _note(found, "ingest", {"call": alone["ingest"], "log": _slope(alone["ingest"], many["ingest"], MANY - 1)})
    a_log = _slope(alone["rollup"], many["rollup"], MANY - 1)
    _note(found, "rollup", {"call": alone["rollup"], "log": a_log, "event": _slope(alone["rollup"], crowded, CROWD - 1)})


def _of_ticks(found: dict[str, Any], watch: Watch) -> None:
    meter = idle(watch, 5)
    nothing = _median(watch.of("evaluator"))
    found["metrics"]["idle"] = _names(watch.seen)
    found["reads"]["tick"], found["writes"]["tick"] = (sum(meter.taken(kind, 5).values()) for kind in ("read", "write"))
    meter = judged("minute", MINUTE, watch.begin)
    full = watch.of("evaluator")[-1]
    _note(found, "evaluator", {"call": nothing, "policy": _slope(nothing, full, POLICIES)})
    for kind in ("read", "write"):
        found[f"{kind}s"]["policy"] = (sum(meter.taken(kind, 1).values()) - found[f"{kind}s"]["tick"]) / POLICIES


def _median(seen: list[Invocation]) -> Invocation:
    return sorted(seen, key=lambda each: each.milliseconds)[len(seen) // 2]


def _slope(little: Invocation, much: Invocation, by: int) -> Invocation:
    return Invocation("", (much.milliseconds - little.milliseconds) / by, (much.rounds - little.rounds) / by, "")  # type: ignore[arg-type]


def _note(found: dict[str, Any], name: str, parts: dict[str, Invocation]) -> None:
    found["milliseconds"][name] = {part: round(each.milliseconds, 4) for part, each in parts.items()}
    found["rounds"][name] = {part: round(each.rounds, 4) for part, each in parts.items()}
    found["printed"][name] = len(parts["call"].printed.encode())


def _names(seen: list[Invocation]) -> list[str]:
    """The metrics that were printed."""
    lines = [json.loads(line) for each in seen for line in each.printed.splitlines() if line.startswith("{")]
    told = [metric["Name"] for line in lines for part in line.get("_aws", {}).get("CloudWatchMetrics", []) for metric in part["Metrics"]]
    return sorted(set(told))
