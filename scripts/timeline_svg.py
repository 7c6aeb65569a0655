"""How a timeline looks: plain SVG text on a ground of its own, light or dark as the reader's browser is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

_WIDTH, _LEFT, _RIGHT = 1040, 110, 1010
_TOP, _ROW = 54, 232
_MINUTE = 60_000_000

_STYLE = """
svg{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:13px}
.ground{fill:#fff;stroke:#d1d9e0}.text{fill:#1f2328}.soft{fill:#59636e}.strong{fill:#1f2328;font-weight:600;font-size:15px}
.rule{stroke:#d1d9e0}.log{fill:#0969da}.late{fill:#bc4c00}.way{stroke:#bc4c00;fill:none;stroke-dasharray:3 3}
.bad{fill:#ffebe9;stroke:#cf222e}.good{fill:#dafbe1;stroke:#1a7f37}.is-bad{fill:#cf222e}.is-good{fill:#1a7f37}.no{fill:#fff;font-weight:600;font-size:11px}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117;stroke:#3d444d}.text,.strong{fill:#e6edf3}.soft{fill:#9198a1}
.rule{stroke:#3d444d}.log{fill:#4493f8}.late{fill:#f0883e}.way{stroke:#f0883e}
.bad{fill:#3c1618;stroke:#f85149}.good{fill:#12261e;stroke:#3fb950}.is-bad{fill:#f85149}.is-good{fill:#3fb950}.no{fill:#0d1117}
}
""".strip()


@dataclass(frozen=True)
class Bar:
    """The logs of one minute, and when they arrived if that was late (µs)."""

    minute: int
    count: int
    late: int | None


@dataclass(frozen=True)
class Box:
    """A period, with each value that it was judged by, and whether that breached."""

    start: int
    end: int
    said: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class Mark:
    """A judgement: early, at the close or of late data."""

    at: int
    cause: str
    breach: bool


@dataclass(frozen=True)
class Line:
    """A message."""

    at: int
    heading: str
    sentence: str
    opened: bool


@dataclass(frozen=True)
class Row:
    """All that is drawn of one policy."""

    heading: str
    rule: str
    bars: Sequence[Bar]
    boxes: Sequence[Box]
    marks: Sequence[Mark]
    alerts: Sequence[tuple[int, int]]
    lines: Sequence[Line]


@dataclass(frozen=True)
class _Scale:
    begin: int
    end: int

    def __call__(self, instant: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (instant - self.begin) / (self.end - self.begin), 1)


def drawing(rows: Sequence[Row], begin: int, end: int) -> str:
    """Return the whole picture as SVG."""
    x, parts, top = _Scale(begin, end), list[str](), _TOP
    for row in rows:
        parts += _row(row, x, top)
        top += _ROW + 22 * len(row.lines)
    height = top + 2
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img">'
    title = "<title>When two policies fire and recover: logs, hours, judgements, alerts and messages of an afternoon</title>"
    ground = f'<rect class="ground" x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1}" rx="8"/>'
    return "\n".join([head, title, f"<style>{_STYLE}</style>", ground, *_legend(), *parts, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    yield _text(24, 28, "Judged", "soft")
    place = 80
    for cause, words in (("early", "early, by the log that settles it"), ("close", "at the close, by a tick"), ("late", "again, by late data")):
        yield _shape(cause, place, 24, "soft")
        yield _text(place + 12, 28, words, "text")
        place += 34 + round(6.6 * len(words))
    yield f'<rect class="bad" x="{place}" y="18" width="12" height="12" rx="2"/>' + _text(place + 18, 28, "breach", "text")
    yield f'<rect class="good" x="{place + 76}" y="18" width="12" height="12" rx="2"/>' + _text(place + 94, 28, "healthy", "text")


def _row(row: Row, x: _Scale, top: int) -> Iterator[str]:
    """Draw one policy: heading, logs, hours, judgements, alerts, messages, each below the other."""
    yield _text(24, top + 16, row.heading, "strong")
    yield _text(_RIGHT, top + 16, row.rule, "soft", anchor="end")
    for name, middle in (("logs", 68), ("hours", 112), ("judged", 150), ("alert", 186)):
        yield _text(24, top + middle, name, "soft")
    for hour in range(x.begin, x.end + 1, 60 * _MINUTE):
        yield f'<line class="rule" x1="{x(hour)}" y1="{top + 46}" x2="{x(hour)}" y2="{top + 198}"/>' + _text(x(hour), top + 42, _clock(hour), "soft", "middle")
    yield from _logs(row.bars, x, top + 88)
    yield from (part for box in row.boxes for part in _box(box, x, top + 94))
    for mark in row.marks:
        yield _shape(mark.cause, x(mark.at), top + 146, "is-bad" if mark.breach else "is-good")
    yield from _alerts(row, x, top + 172)
    yield from _messages(row.lines, top + 222)


def _logs(bars: Sequence[Bar], x: _Scale, ground: int) -> Iterator[str]:
    """Draw a bar a minute, and the way of what came late to the instant at which it came."""
    yield f'<line class="rule" x1="{_LEFT}" y1="{ground}" x2="{_RIGHT}" y2="{ground}"/>'
    for bar in bars:
        height = 3 + 2 * bar.count
        yield f'<rect class="{"late" if bar.late else "log"}" x="{x(bar.minute)}" y="{ground - height}" width="2.6" height="{height}"/>'
    if late := [bar for bar in bars if bar.late]:
        first, came = x(late[-1].minute) + 8, x(min(bar.late for bar in late if bar.late))
        yield f'<path class="way" d="M{first} {ground - 14}L{came} {ground - 14}"/><circle class="late" cx="{came}" cy="{ground - 14}" r="3"/>'
        count = sum(bar.count for bar in late)
        yield _text((first + came) / 2, ground - 18, f"{count} logs of {_clock(late[0].minute)} arrive at {_clock(late[0].late or 0)}", "late", "middle")


def _box(box: Box, x: _Scale, top: int) -> Iterator[str]:
    """Draw a period, split where late data judged it anew."""
    start, width = x(box.start), (x(min(box.end, x.end)) - x(box.start)) / len(box.said)
    for place, (value, breach) in enumerate(box.said):
        left = round(start + place * width + 1, 1)
        words = f"{'then ' if place else ''}{value}"
        yield f'<rect class="{"bad" if breach else "good"}" x="{left}" y="{top}" width="{round(width - 2, 1)}" height="26" rx="3"/>'
        yield _text(round(left + width / 2 - 1, 1), top + 18, words, "text", "middle")


def _alerts(row: Row, x: _Scale, top: int) -> Iterator[str]:
    """Draw each alert from its opening to its end; numbers lead to the messages."""
    for opened, ended in row.alerts:
        width = max(x(ended) - x(opened), 3)
        yield f'<rect class="is-bad" x="{x(opened)}" y="{top + 4}" width="{round(width, 1)}" height="10" rx="2" opacity=".55"/>'
    for number, line in enumerate(row.lines, 1):
        yield _number(number, x(line.at), top + 9, "is-bad" if line.opened else "is-good")


def _messages(lines: Sequence[Line], top: int) -> Iterator[str]:
    """Write the messages out."""
    for number, line in enumerate(lines, 1):
        middle = top + 22 * (number - 1)
        yield _number(number, 34, middle - 4, "is-bad" if line.opened else "is-good")
        yield _text(52, middle, _clock(line.at), "soft")
        yield f'<text x="{_LEFT}" y="{middle}" class="text"><tspan font-weight="600">{escape(line.heading)}</tspan> — {escape(line.sentence)}</text>'


def _number(number: int, x: float, y: int, style: str) -> str:
    return f'<circle class="{style}" cx="{x}" cy="{y}" r="8.5"/>' + _text(x, y + 4, str(number), "no", "middle")


def _shape(cause: str, x: float, y: int, style: str) -> str:
    """Draw a judgement: a diamond early, a disc at the close, a square of late data."""
    if cause == "close":
        return f'<circle class="{style}" cx="{x}" cy="{y}" r="5"/>'
    if cause == "late":
        return f'<rect class="{style}" x="{x - 4.5}" y="{y - 4.5}" width="9" height="9"/>'
    return f'<path class="{style}" d="M{x} {y - 6.5}l6 6.5l-6 6.5l-6 -6.5z"/>'


def _text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" class="{style}"{place}>{escape(words)}</text>'


def _clock(instant: int) -> str:
    moment = datetime.fromtimestamp(instant / 1e6, UTC)
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
