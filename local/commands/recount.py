"""`nightjar recount`: make buckets anew from the raw logs. It reads and writes the tables with the operator's own credentials."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from local.commands.stack import Endpoint, Stack, now, open_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightjar.pipeline.recount import Found, Target
    from nightjar.storage.client import Store


def recount(
    start: Annotated[str, typer.Option("--from", help="An instant in the first hour, like 2026-03-03T14:00:00Z; at most 32 days ago.")],
    end: Annotated[str | None, typer.Option("--to", help="What all hours begin before; the latest that ended over an hour ago unless given.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only events of this agent.")] = None,
    event: Annotated[str | None, typer.Option(help="Only events of this name.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong.")] = False,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between two looks at an hour.")] = 60,
    stack: Stack = "nightjar",
    endpoint: Endpoint = None,
) -> None:
    """Rebuild minute and hour buckets from raw logs: what was damaged, and logs that were parked because the code failed on them.

    Prints a line for each hour that was not what its raw logs say. An hour that was mended is looked at again after a pause, until
    nothing is wrong with it: the stream may have counted a log that was counted here.
    """
    from nightjar.pipeline import recount as pipeline

    store = open_stack(stack, endpoint)
    targets = _targets(store, start, end, agent, event)
    print(f"{len(targets)} hours of {len({target.event.event_id for target in targets})} events", flush=True)
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "ERROR")  # what the engine says of its judgements belongs in CloudWatch
    wrong = 0
    try:
        pipeline.check(targets, now())
        for found in _looks(store, targets) if dry_run else pipeline.recount(store, targets, now=now, pause=lambda: time.sleep(pause)):
            wrong += 1
            print(_line(found), flush=True)
    except (pipeline.Moving, ValueError) as error:
        sys.exit(f"nightjar recount: {error}")
    print(("nothing was written" if dry_run else "done") if wrong else "nothing is wrong")


def _looks(store: "Store", targets: "list[Target]") -> "Iterator[Found]":
    from nightjar.pipeline.recount import look

    return (found for target in targets if (found := look(store, target, now=now())).changed)


def _targets(store: "Store", start: str, end: str | None, agent: str | None, event: str | None) -> "list[Target]":
    """Choose the hours, event by event."""
    from nightjar.core.instants import HOUR, floor
    from nightjar.pipeline.recount import Target, latest_hour
    from nightjar.storage import events

    first = floor(_instant("--from", start), HOUR)
    until = latest_hour(now()) + 1 if end is None else _instant("--to", end)
    if first >= until:
        raise typer.BadParameter("no hour that ended more than an hour ago lies there", param_hint="--from")
    found = [each for each in events.list_all(store) if agent in {None, each.agent} and event in {None, each.event}]
    if not found:
        raise typer.BadParameter("there is no such event", param_hint="--event")
    return [Target(each, hour) for each in found for hour in range(first, until, HOUR)]


def _instant(name: str, text: str) -> int:
    from nightjar.core.instants import parse_instant

    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from None


def _line(found: "Found") -> str:
    from nightjar.core.instants import iso

    event = found.target.event
    parked = f", {found.parked} parked" if found.parked else ""
    return f"{iso(found.target.hour)} {event.agent}/{event.event}: {len(found.changed)} buckets, {found.logs} logs{parked}"
