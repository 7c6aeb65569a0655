"""Random histories: policies, logs on time, late and ahead, ticks regular, missed, late and twice, and people in between."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hypothesis import strategies as st
from nightjar.core.instants import HOUR, MINUTE, SECOND, floor, iso, parse_instant

from tests.cases.script import Action, Apply, Script, ScriptLog, Step, Store, Tick

if TYPE_CHECKING:
    from collections.abc import Callable

START = parse_instant("2026-03-03T14:00:00Z")

_THRESHOLDS = {"sum": (0, 8), "count": (0, 4), "average": (-2, 6), "min": (-2, 6), "max": (-2, 6), "p95_est": (-2, 6)}


@st.composite
def policies(draw: st.DrawFn, kinds: tuple[str, ...] = ("minute", "hour")) -> dict[str, Any]:
    """A policy's body; most fields at their default most of the time."""
    aggregate = draw(st.sampled_from(sorted(_THRESHOLDS)))
    body: dict[str, Any] = {
        "period": draw(st.sampled_from(kinds)),
        "aggregate": aggregate,
        "condition": draw(st.sampled_from(["gt", "gte", "lt", "lte", "eq", "ne"])),
        "threshold": draw(st.integers(*_THRESHOLDS[aggregate])),
        "active_from": iso(START - draw(st.sampled_from([0, 30 * MINUTE, HOUR]))),
    }
    rare: dict[str, st.SearchStrategy[Any]] = {
        "missing": st.sampled_from(["zero", "ignore", "breach"]),
        "early": st.just(False),
        "delay_seconds": st.sampled_from([0, 30, 120, 600]),
        "min_count": st.integers(1, 3),
        "recovery_periods": st.integers(2, 3),
        "auto_resolve": st.just(False),
        "renotify_minutes": st.sampled_from([5, 7]),
        "recovery_threshold": st.just(body["threshold"] + (1 if body["condition"] in {"lt", "lte"} else -1)),
        "compare": st.sampled_from([{"previous": "previous_window"}, {"previous": "previous_1d"}]),
    }
    if body["condition"] in {"eq", "ne"}:
        del rare["recovery_threshold"]
    for name, values in rare.items():
        if draw(st.integers(0, 4)) == 0:
            body[name] = draw(values)
    if "compare" in body:
        body["threshold"] = draw(st.sampled_from([-50, 0, 50]))
        body.pop("recovery_threshold", None)
    elif body["period"] == "hour" and draw(st.integers(0, 4)) == 0:
        body |= {"window": "rolling", "window_minutes": draw(st.sampled_from([2, 10, 60, 180]))}
        body.pop("recovery_periods", None)  # windows of missed ticks: see docs/semantics.md
    if body.get("window") != "rolling" and draw(st.integers(0, 4)) == 0:
        body["evaluation_periods"] = draw(st.integers(2, 4))
        body["datapoints_to_alarm"] = draw(st.integers(1, body["evaluation_periods"]))
    return body


@dataclass
class History:
    """Collects the steps of a history while it is drawn."""

    draw: st.DrawFn
    names: tuple[str, ...]
    now: int = START
    steps: list[Step] = field(default_factory=list)
    made: int = 0
    waiting: list[ScriptLog] = field(default_factory=list)

    def pass_time(self) -> None:
        """Let some time pass, from a few seconds to hours."""
        self.now += self.draw(st.sampled_from([SECOND, 20 * SECOND, MINUTE, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR]))

    def tick(self) -> None:
        """The schedule: mostly this minute's tick, sometimes an old one again."""
        behind = self.draw(st.sampled_from([0, 0, 0, 0, 0, MINUTE, 3 * MINUTE]))
        self.steps.append(Tick(self.now, floor(self.now, MINUTE) - behind))

    def log(self) -> None:
        """Some logs are sent and mostly rolled up at once; now, late, or a little ahead."""
        away = self.draw(st.sampled_from([0, 0, 0, -MINUTE, -5 * MINUTE, -40 * MINUTE, -70 * MINUTE, 2 * MINUTE, 8 * MINUTE]))
        values = self.draw(st.lists(st.integers(-2, 7), min_size=1, max_size=4))
        logs = tuple(self._one(self.now + away, value) for value in values)
        self.steps.append(Store(self.now, logs))
        self.waiting += logs
        if self.draw(st.integers(0, 5)):
            self.apply()

    def _one(self, time: int, value: int) -> ScriptLog:
        self.made += 1
        log_id = UUID(int=(time // 1000 << 80) | (7 << 76) | (2 << 62) | self.made)
        return ScriptLog("worker.billing", "job.run", log_id, time, Decimal(value))

    def apply(self) -> None:
        """Rollup catches up."""
        if self.waiting:
            self.steps.append(Apply(self.now, tuple(self.waiting)))
            self.waiting.clear()

    def person(self) -> None:
        """Somebody edits a policy, or switches it off or on."""
        name = self.draw(st.sampled_from(self.names))
        change: dict[str, Any] = self.draw(
            st.sampled_from([{"threshold": 1}, {"threshold": 3}, {"enabled": False}, {"enabled": True}, {"title": "new"}, {"severity": "critical"}])
        )
        self.steps.append(Action(self.now, "put", "policy", name, change))

    def acts(self) -> None:
        """Somebody acknowledges or resolves the policy's latest alert, if there is one (the test skips it if not)."""
        name = self.draw(st.sampled_from(self.names))
        self.steps.append(Action(self.now, self.draw(st.sampled_from(["acknowledge", "resolve"])), "alert", name))


@st.composite
def histories(draw: st.DrawFn, most: int = 25) -> Script:
    """A whole history of one or two policies on one event, ended by rollup catching up and two hours of ticks."""
    bodies = draw(st.lists(policies(), min_size=1, max_size=2))
    named = tuple({**body, "id": f"p{number}", "agent": "worker.billing", "event": "job.run"} for number, body in enumerate(bodies))
    history = History(draw, tuple(body["id"] for body in named))
    history.steps.append(Tick(START, START))
    choices: list[Callable[[], None]] = [history.log] * 4 + [history.tick] * 5 + [history.apply, history.person, history.acts]
    for _ in range(draw(st.integers(1, most))):
        history.pass_time()
        draw(st.sampled_from(choices))()
    history.now = floor(history.now, MINUTE) + MINUTE
    history.apply()
    for _ in range(3):
        history.steps.append(Tick(history.now, history.now))
        history.now += MINUTE
    return Script("random", "engine", START, (), (), named, tuple(history.steps), {})
