"""The command line: `nightjar dev`, `nightjar keys …`, `nightjar recount`, `nightjar shards`."""

import typer

from local.commands import dev, keys, recount, shards

app = typer.Typer(help="Nightjar: alerts on your own AWS account.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("dev")(dev.dev)
app.command("recount")(recount.recount)
app.command("shards")(shards.shards)
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run the command line."""
    app()
