"""The command line: `nightjar dev` and what goes with it."""

import typer

from local.commands import dev

app = typer.Typer(help="Nightjar: alerts on your own AWS account.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("dev")(dev.dev)


@app.callback()
def _root() -> None:
    """Keep `dev` a command of its own while it is the only one."""


def main() -> None:
    """Run the command line."""
    app()
