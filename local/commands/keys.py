"""`nightjar keys`: make, list and revoke API keys. A key is shown once, when it is made."""

from typing import TYPE_CHECKING, Annotated

import typer

from local.commands.stack import Endpoint, Stack, now, open_stack

if TYPE_CHECKING:
    from nightjar.core.keys import Key, Scope

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.command("create")
def create(
    scope: Annotated[str, typer.Option(help="ingest, or admin, which includes it.")] = "ingest",
    agent_prefix: Annotated[str, typer.Option(help="Only logs of agents that begin with this.")] = "",
    name: Annotated[str, typer.Option(help="For people.")] = "",
    stack: Stack = "nightjar",
    endpoint: Endpoint = None,
) -> None:
    """Make a key and print it: it is stored only as its hash, so keep it now."""
    from nightjar.storage.keys import create_key

    if scope not in {"ingest", "admin"}:
        raise typer.BadParameter("must be ingest or admin", param_hint="--scope")
    chosen: Scope = "admin" if scope == "admin" else "ingest"
    text, _ = create_key(open_stack(stack, endpoint), scope=chosen, agent_prefix=agent_prefix, name=name, now=now())
    print(text)


@app.command("list")
def show(stack: Stack = "nightjar", endpoint: Endpoint = None) -> None:
    """List all keys by their hashes, oldest first."""
    from nightjar.storage.keys import list_keys

    for key in list_keys(open_stack(stack, endpoint)):
        print(_line(key))


@app.command("revoke")
def revoke(
    key_hash: Annotated[str, typer.Argument(help="The hash, or enough of its beginning to name one key.")],
    stack: Stack = "nightjar",
    endpoint: Endpoint = None,
) -> None:
    """Revoke a key for ever; where it is cached it works for at most another minute."""
    from nightjar.storage.keys import list_keys, revoke_key

    store = open_stack(stack, endpoint)
    found = [key for key in list_keys(store) if key.key_hash.startswith(key_hash)]
    if len(found) != 1:
        raise typer.BadParameter(f"{len(found)} keys begin with {key_hash}")
    revoke_key(store, found[0].key_hash, now=now())
    print(f"revoked {found[0].key_hash}")


def _line(key: "Key") -> str:
    from nightjar.core.instants import iso

    state = f"revoked {iso(key.revoked_at)}" if key.revoked_at is not None else "valid"
    restricted = f" only {key.agent_prefix}*" if key.agent_prefix else ""
    return f"{key.key_hash[:16]} {key.scope} {state} made {iso(key.created_at)}{restricted} {key.name}".rstrip()
