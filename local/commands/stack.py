"""What the commands that keep a deployed stack have in common: which stack, opened, and the time."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nightjar.storage.client import Store

Stack = Annotated[str, typer.Option("--stack-name", help="The deployed stack.")]
Endpoint = Annotated[str | None, typer.Option("--endpoint-url", help="Where AWS is; `nightjar dev` prints its own.")]


def open_stack(stack: str, endpoint: str | None) -> "Store":
    """Open a stack's tables, or say in words why they cannot be."""
    from local.deployed import NoSuchStack, Where, open_tables

    try:
        return open_tables(Where(stack, endpoint))
    except NoSuchStack as error:
        raise typer.BadParameter(str(error), param_hint="--stack-name") from None


def now() -> int:
    """Return wall time, µs."""
    return time.time_ns() // 1_000
