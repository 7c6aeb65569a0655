"""`nightjar shards`: over how many partitions an event's logs are spread. It is the operator's, with his own credentials, like recount."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from local.commands.stack import Endpoint, Stack, now, open_stack

if TYPE_CHECKING:
    from nightjar.core.events import Event


def shards(
    agent: Annotated[str, typer.Argument(help='The event\'s agent; "" for none.')],
    event: Annotated[str, typer.Argument(help="The event's name.")],
    count: Annotated[int | None, typer.Argument(help="How many write shards from then on; without it they are only shown.")] = None,
    stack: Stack = "nightjar",
    endpoint: Endpoint = None,
) -> None:
    """Show or set an event's write shards: each takes about 1,000 logs a second.

    A change begins with the first UTC hour at least 25 hours ahead, since logs are taken a day ahead of their time and must be found where
    they were put. Within the hour of its making it can be taken back or made otherwise. Prints what holds now and what is to come.
    """
    from nightjar.api.edits import again
    from nightjar.core.ids import event_id
    from nightjar.storage import events
    from nightjar.storage.faults import StorageBusy

    store, known = open_stack(stack, endpoint), event_id(agent, event)
    try:
        found = again(lambda: events.get(store, known) if count is None else events.set_shards(store, known, count, now=now()))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="COUNT") from None
    except StorageBusy as error:
        sys.exit(f"nightjar shards: {error}")
    if found is None:
        raise typer.BadParameter("there is no such event", param_hint="EVENT")
    for line in _lines(found, now()):
        print(line)


def _lines(event: "Event", at: int) -> list[str]:
    from nightjar.core.instants import iso
    from nightjar.core.sources import shard_count

    coming = [f"{event.agent}/{event.event}: {count} from {iso(since)}" for since, count in event.shards if since > at]
    return [f"{event.agent}/{event.event}: {shard_count(event.shards, at)} now", *coming]
