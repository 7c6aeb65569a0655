"""Draw docs/timeline.svg: two policies through an afternoon, judged and worded by the product's own core, so that the picture cannot lie.

.venv/bin/python -m scripts.timeline           # writes docs/timeline.svg; a test draws it again and compares
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from nightjar.core.alerts import Alert, Transition
from nightjar.core.due import is_closed, periods_due, periods_touched
from nightjar.core.evaluation import judge_period
from nightjar.core.evidence import Evidence
from nightjar.core.ids import event_id
from nightjar.core.instants import HOUR, MINUTE, SECOND, floor, parse_instant
from nightjar.core.periods import Bin, Period
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.core.state import State, span_containing
from nightjar.core.verdicts import Verdict
from nightjar.core.wording import notice

from scripts.timeline_svg import Bar, Box, Line, Mark, Row, drawing

Cause = Literal["early", "close", "late"]

OUT = Path(__file__).resolve().parent.parent / "docs" / "timeline.svg"
BEGIN, END = parse_instant("2026-03-03T14:00:00Z"), parse_instant("2026-03-03T18:30:00Z")


def at(text: str) -> int:
    """An instant of the afternoon: "14:03" or "14:03:20"."""
    return parse_instant(f"2026-03-03T{text if text.count(':') == 2 else text + ':00'}Z")  # noqa: PLR2004


def every(first: str, seconds: int, count: int) -> list[int]:
    """So many instants, so many seconds apart."""
    return [at(first) + step * seconds * SECOND for step in range(count)]


@dataclass(frozen=True)
class Judgement:
    """One period, judged at an instant for a cause."""

    at: int
    cause: Cause
    period: Period
    verdict: Verdict


@dataclass
class Story:
    """One policy on its way through the afternoon: what arrives, when it is judged, what is told.

    Attributes:
        arrivals: (when Nightjar receives a log, the log's own time), in the order of receipt.
    """

    heading: str
    policy: Policy
    arrivals: list[tuple[int, int]]
    buckets: dict[Bin, Bucket] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    judgements: list[Judgement] = field(default_factory=list)
    told: list[tuple[int, list[Transition]]] = field(default_factory=list)
    tick: int | None = None

    def __post_init__(self) -> None:
        self.state = State(policy_id=self.policy.policy_id, revision=self.policy.revision)

    def run(self) -> "Story":
        """Play the afternoon: a tick each minute, and each log when it arrives."""
        waiting = sorted(self.arrivals)
        for tick in range(BEGIN, END + 1, MINUTE):
            while waiting and waiting[0][0] < tick:
                now = waiting[0][0]
                self._receive(now, [occurred for came, occurred in waiting if came == now])
                waiting = [each for each in waiting if each[0] > now]
            previous, self.tick = self.tick, tick
            for period in periods_due(self.policy, previous, tick):
                self._judge(period, tick, "close")
        return self

    def _receive(self, now: int, occurred: list[int]) -> None:
        """Roll up the logs that arrive at one instant, as one batch, and judge what it touches."""
        assert self.tick is not None  # noqa: S101  # the first tick comes first
        changed = set[Bin]()
        for time in occurred:
            for key in (("h", floor(time, HOUR)), ("m", floor(time, MINUTE))):
                bucket = self.buckets.setdefault(key, Bucket())
                bucket.add(Decimal(1), time)
                bucket.clock = self.tick
                changed.add(key)
        for period in periods_touched(self.policy, changed, self.tick):
            self._judge(period, now, "late" if is_closed(self.policy, period, self.tick) else "early")

    def _judge(self, period: Period, now: int, cause: Cause) -> None:
        assert self.tick is not None  # noqa: S101
        evidence = Evidence(self.policy, self.tick, self.buckets, now=period)
        verdict = evidence.judged(period)
        if verdict is None or verdict.reason == "before_active_from":
            return
        span = span_containing(self.state, period.start)
        decision = judge_period(self.state, period, evidence, ended=self.alerts.get(span.alert_id) if span else None, now=now)
        self.state = decision.state or self.state
        self.alerts.update({alert.alert_id: alert for alert in decision.alerts})
        self.judgements.append(Judgement(now, cause, period, verdict))
        if decision.transitions:
            self.told.append((now, list(decision.transitions)))


def stories() -> list[Story]:
    """The two policies that every user of workers wants: too much, and too little."""
    late = [(at("18:12"), occurred) for occurred in every("16:10", 10, 26)]
    quiet = [(time, time) for time in (*every("14:31", 900, 2), *every("15:08", 1_020, 3), *every("17:15", 1_320, 2))]
    burst = [(time, time) for time in every("14:01", 6, 25)]
    done = [(time, time) for time in (*every("14:02", 240, 14), *every("16:20", 120, 20), *every("17:03", 240, 22))]
    return [
        Story("Too much: more than 20 retries an hour", _policy("retries", "Retries", condition="gt", threshold=20), [*quiet, *burst, *late]).run(),
        Story("Too little: fewer than 10 jobs done an hour", _policy("done", "Jobs done", condition="lt", threshold=10), done).run(),
    ]


def _policy(event: str, title: str, *, condition: Literal["gt", "lt"], threshold: int) -> Policy:
    return Policy(
        policy_id=event, event_id=event_id("worker", event), agent="worker", event=event, title=title, period="hour", aggregate="count",
        condition=condition, threshold=Decimal(threshold), missing="zero", active_from=BEGIN,
    )  # fmt: skip


def row(story: Story) -> Row:
    """Turn what happened into what is drawn."""
    return Row(
        heading=story.heading,
        rule=f"period hour, aggregate count, condition {story.policy.condition}, threshold {story.policy.threshold}",
        bars=list(_bars(story.arrivals)),
        boxes=list(_boxes(story.judgements)),
        marks=list(_marks(story.judgements)),
        alerts=[(alert.triggered_at, alert.resolved_at or END) for alert in story.alerts.values()],
        lines=[_line(now, transitions) for now, transitions in story.told],
    )


def _bars(arrivals: Sequence[tuple[int, int]]) -> Iterator[Bar]:
    """Count the logs of each minute; those that came more than a minute after their own time are late."""
    for minute in sorted({floor(occurred, MINUTE) for _, occurred in arrivals}):
        inside = [(now, occurred) for now, occurred in arrivals if floor(occurred, MINUTE) == minute]
        late = [now for now, occurred in inside if now - occurred > MINUTE]
        yield Bar(minute, len(inside), min(late, default=None))


def _boxes(judgements: Sequence[Judgement]) -> Iterator[Box]:
    """Say of each hour what it was judged to be at its close, and what late data made of it."""
    for period in sorted({each.period for each in judgements}, key=lambda period: period.start):
        mine = [each for each in judgements if each.period == period]
        closed = next((each for each in mine if each.cause == "close"), mine[-1])
        said = [closed, mine[-1]] if mine[-1].verdict != closed.verdict else [closed]
        yield Box(period.start, period.end, [(str(each.verdict.value), each.verdict.outcome == "breach") for each in said])


def _marks(judgements: Sequence[Judgement]) -> Iterator[Mark]:
    """Mark each close, and the first early or late judgement of a period with each outcome."""
    seen = set()
    for each in judgements:
        key = (each.period, each.cause, each.verdict.outcome)
        if key not in seen:
            yield Mark(each.at, each.cause, breach=each.verdict.outcome == "breach")
        seen.add(key)


def _line(now: int, transitions: Sequence[Transition]) -> Line:
    found = notice(transitions)
    return Line(now, f"{found.label}: {found.title}", found.sentence, opened=found.kind == "opened")


def drawn() -> str:
    """Return the picture."""
    return drawing([row(story) for story in stories()], BEGIN, END)


if __name__ == "__main__":
    OUT.write_text(drawn(), encoding="utf-8")
    print(f"wrote {OUT}")
