"""Reads cases.json, and siblings.json like it, and spells a case out as steps in the order of time. It knows nothing of any engine.

The steps keep the JSON of API.md (instants as text, numbers as int or Decimal), so that they can be sent to the real handlers
just as well as be given to the reference. What "how_to_read" says is done here: defaults, `ids` and `repeat`, lists, copies and
distances of logs, ranges of ticks, and the order at one instant: logs, then ticks, then actions.

Example:
    >>> script = load_script(load_cases()["e03-late-burst-of-a-minute-policy"])
    >>> [type(step).__name__ for step in script.steps][-3:]
    ['Tick', 'Tick', 'Tick']
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

CASES = Path(__file__).with_name("cases.json")
SIBLINGS = Path(__file__).with_name("siblings.json")
DEFAULT_AGENT = "worker.billing"
DEFAULT_EVENT = "job.run"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
ALERT_ACTIONS = ("acknowledge", "resolve", "archive")
SPELT_OUT = ("title", "description", "event", "agent")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ScriptLog:
    """One log of a case: `time` is its occurred_at in microseconds UTC, `log_id` a UUIDv7 of that time, the same in every run."""

    agent: str
    event: str
    log_id: UUID
    time: int
    value: Decimal


@dataclass(frozen=True)
class Store:
    """Ingest puts these raw logs; rollup does not know of them yet."""

    at: int
    logs: tuple[ScriptLog, ...]


@dataclass(frozen=True)
class Apply:
    """Rollup applies these logs, as one batch. All of them were in a Store step before."""

    at: int
    logs: tuple[ScriptLog, ...]


@dataclass(frozen=True)
class Tick:
    """The schedule's tick `scheduled`, handled at `at` (later than scheduled where the case says so)."""

    at: int
    scheduled: int


@dataclass(frozen=True)
class Action:
    """What a person does.

    verb and noun: put policy, put event, put destination (target names it, body holds the fields), post policy, post destination,
    post mute (target is body's id, if any), delete policy, destination or mute, and acknowledge, resolve or archive an alert
    (noun alert; target names the policy whose latest alert is meant).
    """

    at: int
    verb: str
    noun: str
    target: str
    body: Json = field(default_factory=dict)


Step = Store | Apply | Tick | Action


@dataclass(frozen=True)
class Script:
    """A case spelt out. What is set up exists at `start`, before the first step: events, then destinations, then policies, in this order."""

    case_id: str
    kind: str
    start: int
    events: tuple[Json, ...]
    destinations: tuple[Json, ...]
    policies: tuple[Json, ...]
    steps: tuple[Step, ...]
    expect: Json


def load_cases(path: Path = CASES) -> dict[str, Json]:
    """Return the cases by id. Numbers with a point or an exponent are Decimals with the digits as written."""
    document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return {case["id"]: case for case in document["cases"]}


def played_cases() -> dict[str, Json]:
    """Return the cases and siblings that are played step by step: kind engine, and of deliveries those that say what is told."""
    known = {**load_cases(), **load_cases(SIBLINGS)}
    return {name: case for name, case in known.items() if case["kind"] == "engine" or (case["kind"] == "delivery" and "messages" in case["expect"])}


def instant(text: str) -> int:
    """Return a time of a case as microseconds since the epoch; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)


def timestamp(micros: int) -> str:
    """Return an instant as the cases write it: 2026-03-03T14:00:00Z, with a fraction only where there is one."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def spell_out(text: str) -> str:
    r"""Return a text with its "x * 200" spelt out and its \n and \r made control characters."""
    parts = (re.fullmatch(r"(.*\S) \* (\d+)", part, re.DOTALL) for part in text.split(" + "))
    if not re.search(r"\S \* \d+(?: \+ |$)", text):
        return text.replace("\\n", "\n").replace("\\r", "\r")
    plain = text.split(" + ")
    return "".join(match[1] * int(match[2]) if match else part for match, part in zip(parts, plain, strict=True))


def load_script(case: Json) -> Script:
    """Spell a case out whose `given` holds policies, logs, ticks and actions (kind engine, and the delivery cases like it)."""
    given = case["given"]
    policies = tuple(policy for entry in given.get("policies", ()) for policy in _policies(entry))
    agents = {policy["event"]: policy["agent"] for policy in reversed(policies)}
    steps = tuple(_in_order(case["id"], given, agents))
    start = min([step.at for step in steps] + [instant(one["active_from"]) for one in policies if one.get("active_from")])
    events = tuple({"agent": agents.get(event["event"], DEFAULT_AGENT), **event} for event in given.get("events", ()))
    destinations = tuple(_destination(one) for one in given.get("destinations") or ({"id": "d1", "channel": "slack", "scope": "all"},))
    return Script(case["id"], case["kind"], start, events, destinations, policies, steps, case["expect"])


def _policies(entry: Json) -> Iterator[dict[str, Any]]:
    """Make the policies of one entry: one for each of `ids`, on an event of its name, or `repeat` with $i, or just one."""
    body = {name: value for name, value in entry.items() if name not in ("ids", "repeat")}
    if "ids" in entry:
        variants = [{**body, "id": name, "event": body.get("event", name)} for name in entry["ids"]]
    elif "repeat" in entry:
        variants = [_numbered(body, number) for number in range(1, entry["repeat"] + 1)]
    else:
        variants = [body]
    yield from (complete_policy(variant) for variant in variants)


def complete_policy(body: Json) -> dict[str, Any]:
    """Return a policy with the cases' default event and agent, its texts spelt out."""
    policy = {"agent": DEFAULT_AGENT, "event": DEFAULT_EVENT, **body}
    return policy | {name: spell_out(policy[name]) for name in SPELT_OUT if isinstance(policy.get(name), str)}


def _numbered(body: Json, number: int) -> dict[str, Any]:
    """Put a number in the place of $i; a field that is $i alone becomes the number itself."""
    numbered = {name: value.replace("$i", str(number)) if isinstance(value, str) else value for name, value in body.items()}
    return numbered | {name: number for name, value in body.items() if value == "$i" and name != "id"}


def _destination(body: Json) -> dict[str, Any]:
    """Give a destination its scope: `policies` where it names some."""
    return {"scope": "policies" if "policy_ids" in body else "all", **body}


def _in_order(case_id: str, given: Json, agents: Mapping[str, str]) -> Iterator[Step]:
    """Yield the steps in the order of time, at one instant logs (stored, then applied), ticks in the order given, actions.

    A log of a case names its event only: it is the event of the first policy that watches one of this name (agents).
    """
    entries = [{"agent": agents.get(entry.get("e", DEFAULT_EVENT), DEFAULT_AGENT), **entry} for entry in given.get("logs", ())]
    steps: list[tuple[int, int, Step]] = [(step.at, 0 if isinstance(step, Store) else 1, step) for step in _log_steps(case_id, entries)]
    steps += [(tick.at, 2, tick) for tick in _ticks(given.get("ticks", ()))]
    steps += [(action.at, 3, action) for action in map(_action, given.get("actions", ()))]
    yield from (step for _, _, step in sorted(steps, key=lambda entry: entry[:2]))


def _log_steps(case_id: str, entries: Sequence[Json]) -> Iterator[Store | Apply]:
    """Yield a Store for each instant at which logs are stored and an Apply, one batch, for each at which they are applied."""
    stored: dict[int, list[ScriptLog]] = {}
    applied: dict[int, list[ScriptLog]] = {}
    for at_store, at_apply, log in _logs(case_id, entries):
        stored.setdefault(at_store, []).append(log)
        applied.setdefault(at_apply, []).append(log)
    yield from (Store(at, tuple(logs)) for at, logs in stored.items())
    yield from (Apply(at, tuple(logs)) for at, logs in applied.items())


def _logs(case_id: str, entries: Sequence[Json]) -> Iterator[tuple[int, int, ScriptLog]]:
    """Yield (when stored, when applied, log) for each single log of a case."""
    number = 0
    for entry in entries:
        values = entry["v"] if isinstance(entry["v"], list) else [entry["v"]]
        for index, value in enumerate(values * entry.get("n", 1)):
            time = instant(entry["t"]) + int(Decimal(entry.get("every", 0)) * 1_000_000) * index
            applied = instant(entry["recv"]) if "recv" in entry else time
            stored = instant(entry["stored"]) if "stored" in entry else applied
            log = ScriptLog(entry["agent"], entry.get("e", DEFAULT_EVENT), _log_id(case_id, number, time), time, Decimal(value))
            number += 1
            yield stored, applied, log


def _log_id(case_id: str, number: int, time: int) -> UUID:
    """Return a UUIDv7: 48 bits of milliseconds, version, 74 bits out of the log's place in the case."""
    noise = int.from_bytes(hashlib.sha256(f"{case_id}/{number}".encode()).digest(), "big")
    return UUID(int=(time // 1000) << 80 | 0x7 << 76 | (noise >> 128 & 0xFFF) << 64 | 0b10 << 62 | noise & (2**62 - 1))


def _ticks(entries: list[str]) -> Iterator[Tick]:
    """Yield the ticks; one that is earlier than a tick before it is handled right after that one."""
    now: int | None = None
    for scheduled in (tick for entry in entries for tick in _tick_range(entry)):
        now = scheduled if now is None else max(now, scheduled)
        yield Tick(now, scheduled)


def _tick_range(entry: str) -> Iterator[int]:
    """Yield the instants of "from/to/PT1M", both ends included, or of one instant."""
    if "/" not in entry:
        yield instant(entry)
        return
    first, last, step = entry.split("/")
    match = re.fullmatch(r"PT(\d+)([MH])", step)
    if match is None:
        raise ValueError(f"ticks: {entry}: the step must be PTnM or PTnH")
    distance = int(match[1]) * STEPS["minute" if match[2] == "M" else "hour"] // timedelta(microseconds=1)
    yield from range(instant(first), instant(last) + 1, distance)


def _action(entry: Json) -> Action:
    """Read one action: {"at", "put_policy": id, "set": fields}, {"at", "post_mute": fields}, {"at", "resolve": policy}, ..."""
    at = instant(entry["at"])
    for name, value in entry.items():
        verb, _, noun = name.partition("_")
        if verb in ALERT_ACTIONS:
            return Action(at, verb, "alert", str(value))
        if verb == "post" and noun == "policy":
            return Action(at, verb, noun, value["id"], complete_policy(value))
        if verb == "post":
            return Action(at, verb, noun, str(value.get("id", "")), _destination(value) if noun == "destination" else value)
        if verb in ("put", "delete"):
            return Action(at, verb, noun, str(value), entry.get("set", {}))
    raise ValueError(f"actions: nothing known in {sorted(entry)}")
