"""`nightjar dev`: the whole system on this machine."""

import signal
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Annotated

import typer


def dev(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 for a free one.")] = 3000,
    clock: Annotated[bool, typer.Option("--clock/--no-clock", help="Whether the minute's ticks come by themselves.")] = True,
    dynamodb_endpoint: Annotated[str | None, typer.Option(help="URL of a running DynamoDB Local (-sharedDb), in place of moto.")] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="A parameter of the template, as Name=value; may be repeated.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Where the functions' logs go; stderr unless given.")] = None,
) -> None:
    """Run Nightjar here: its tables in memory, the very handlers, a fake Slack. Ends on Ctrl-C or SIGTERM."""
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    parameters = dict(each.partition("=")[::2] for each in parameter or [])
    from local.runner import Runner, now
    from local.store import ensure_key

    with _opened(logs) as log, Runner(port=port, clock=clock, dynamodb_endpoint=dynamodb_endpoint, parameters=parameters, log=log) as runner:
        key = ensure_key(runner.store, now())
        print(
            f"nightjar dev: api {runner.url}/v1.0 logs {runner.url}/v1.0/logs key {key} slack {runner.url}/_slack/general aws {runner.aws_url}",
            flush=True,
        )
        ended.wait()


def _opened(path: Path | None) -> AbstractContextManager[IO[str] | None]:
    return path.open("a") if path else nullcontext()
