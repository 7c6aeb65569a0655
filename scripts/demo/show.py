"""How the demo looks in a terminal, and in a log where there is none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich import box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from scripts.demo.received import Message

_WIDTH = 96
_COLOURS = {"🔵": "blue", "🟡": "yellow", "🟠": "dark_orange", "🔴": "red", "✅": "green"}


class Screen:
    """Prints what happens while it happens."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = _WIDTH
        self._mark: datetime | None = None

    def say(self, text: str) -> None:
        """Print a line; `[bold]…[/]` is markup."""
        self.console.print(text)

    @contextmanager
    def progress(self, steps: int) -> Iterator["Bar"]:
        """Show how far the story is."""
        columns = (TextColumn("{task.description}"), BarColumn(24), TaskProgressColumn(), TextColumn("{task.fields[detail]}"), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            yield Bar(self, progress, progress.add_task("", total=steps, detail=""))

    def message(self, got: Message) -> None:
        """Draw a Slack message as its channel received it."""
        colour = _COLOURS.get(got.heading[:1], "white")
        drawn = Group(*(block for each in got.payload["blocks"] for block in _block(each)))
        title = Text.assemble((f" {got.at:%a %d %b %H:%M} UTC ", "dim"), (f"#{got.channel} ", "bold"))
        self.console.print(Panel(drawn, title=title, title_align="left", border_style=colour, box=box.ROUNDED, width=min(_WIDTH, self.console.width)))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table."""
        table = Table(*columns, box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for row in rows:
            table.add_row(*row)
        self.console.print(table)


class Bar:
    """One line of progress in a terminal; a line every four hours of the story elsewhere."""

    def __init__(self, screen: Screen, progress: Progress, task: Any) -> None:
        self._screen, self._progress, self._task = screen, progress, task
        self._told: datetime | None = None

    def step(self, until: datetime, detail: str) -> None:
        """Tell that the story has come up to an instant."""
        self._progress.update(self._task, advance=1, description=f"{until:%a %d %b %H:%M}", detail=detail)
        if self._progress.disable and (self._told is None or (until - self._told).total_seconds() >= 4 * 3600):
            self._told = until
            self._screen.say(f"  {until:%a %d %b %H:%M}  {detail}")


def _block(block: dict[str, Any]) -> Iterator[RenderableType]:
    """Draw one block of Slack's Block Kit; only the kinds that Nightjar sends."""
    match block["type"]:
        case "header":
            yield Text(_plain(block["text"]), style="bold")
        case "section" if "fields" in block:
            yield Columns([Text.assemble((name, "dim"), "\n", value) for name, value in map(_field, block["fields"])], padding=(0, 3))
        case "section":
            yield Text(_plain(block["text"]))
        case "context":
            yield Text("  ".join(map(_plain, block["elements"])), style="dim")
        case _:
            parts = [part for section in block.get("elements", []) for part in section.get("elements", [])]
            yield Text.assemble(*((part.get("text") or part.get("url", ""), f"blue link {part['url']}" if "url" in part else "") for part in parts))


def _field(field: dict[str, Any]) -> tuple[str, str]:
    name, _, value = _plain(field).partition("\n")
    return name, value


def _plain(text: dict[str, Any]) -> str:
    """Undo the three escapes that Slack asks for."""
    found: str = text["text"]
    return found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
