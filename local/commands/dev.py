"""`nightjar dev`: the whole system on this machine."""

import signal
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from local.runner import Runner


def dev(
    *,
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
    with _opened(logs) as log, _made(port, dynamodb_endpoint, parameters, log, clock=clock) as runner:
        print(_ready(runner), flush=True)
        ended.wait()


def _made(port: int, dynamodb_endpoint: str | None, parameters: dict[str, str], log: IO[str] | None, *, clock: bool) -> "Runner":
    """Make the system, or say in words why it cannot be."""
    from urllib3.exceptions import HTTPError

    from local.runner import Runner

    try:
        return Runner(port=port, clock=clock, dynamodb_endpoint=dynamodb_endpoint, parameters=parameters, log=log)
    except HTTPError:
        sys.exit(f"nightjar dev: no DynamoDB Local answers at {dynamodb_endpoint}")
    except OSError as error:
        sys.exit(f"nightjar dev: cannot listen on port {port}: {error.strerror}")


def _ready(runner: "Runner") -> str:
    """Make the default key, and say where everything is."""
    from local.runner import now
    from local.store import ensure_key

    key = ensure_key(runner.store, now())
    api = f"{runner.url}/v1.0"
    return f"nightjar dev: api {api} logs {api}/logs key {key} slack {runner.url}/_slack/general aws {runner.aws_url}"


def _opened(path: Path | None) -> AbstractContextManager[IO[str] | None]:
    return path.open("a") if path else nullcontext()
