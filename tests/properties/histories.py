"""Random histories: policies, logs on time, late and ahead, ticks regular, missed, late and twice, and people in between."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from hypothesis import strategies as st
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, floor, parse_instant

from tests.cases.script import Action, Apply, Script, ScriptLog, Step, Store, Tick
from tests.properties.paces import ANYTIME, PACES, ZONES, Pace
from tests.properties.watched import AHEAD, VALUES, WILD, Body, edits, policies
from tests.reference.periods import natural_day

if TYPE_CHECKING:
    from collections.abc import Callable

START = parse_instant(ANYTIME)
AGENT = "worker.billing"
FARTHEST_BACK, FARTHEST_AHEAD = 30 * DAY - MINUTE, DAY - MINUTE
STALE = 5 * SECOND  # rollup may remember an event's policies for so long


@dataclass
class History:
    """Collects the steps of a history while it is drawn.

    Attributes:
        bodies: The policies that exist, by name.
        zones: The timezone of each event that logs are sent of; near: those of interest now.
        waiting: Requests that rollup has not been given yet, oldest first; done: batches that it was given.
        wild: Values may be tiny and huge.
    """

    draw: st.DrawFn
    bodies: dict[str, Body]
    pace: Pace = field(default_factory=lambda: PACES["minutes"])
    now: int = START
    zones: dict[str, str] = field(default_factory=lambda: {"job.run": "UTC"})
    near: tuple[str, ...] = ()
    wild: bool = False
    steps: list[Step] = field(default_factory=list)
    made: int = 0
    posted: int = 0
    waiting: list[tuple[ScriptLog, ...]] = field(default_factory=list)
    done: list[tuple[ScriptLog, ...]] = field(default_factory=list)

    def pass_time(self) -> None:
        """Let some time pass."""
        self.now += self.draw(st.sampled_from(self.pace.steps))

    def tick(self) -> None:
        """The schedule: mostly this minute's tick, sometimes an old one again."""
        behind = self.draw(st.sampled_from([0, 0, 0, 0, 0, MINUTE, 3 * MINUTE]))
        self.steps.append(Tick(self.now, floor(self.now, MINUTE) - behind))

    def close(self) -> None:
        """Go on to where the running hour or day of some event ends, and tick there or a little later."""
        zone = self.draw(st.sampled_from(sorted(self.zones.values())))
        end = natural_day(zone, self.now).end if "day" in self.pace.kinds else floor(self.now, HOUR) + HOUR
        self.now = floor(end, MINUTE) + self.draw(st.sampled_from([0, MINUTE, MINUTE, 2 * MINUTE, 10 * MINUTE]))
        self.steps.append(Tick(self.now, self.now))

    def log(self) -> None:
        """Some logs are sent and mostly rolled up at once; now, late, or ahead."""
        event = self.draw(st.sampled_from(sorted(self.zones)))
        values = st.one_of(VALUES, WILD) if self.wild else VALUES
        time = self.now + self._away()
        logs = tuple(self._one(time, value, event) for value in self.draw(st.lists(values, min_size=1, max_size=4)))
        self._send(logs)
        if self.draw(st.integers(0, 5)):
            self.apply()

    def _away(self) -> int:
        """How far from now a log's time lies; sometimes where a policy will compare with."""
        away: int = self.draw(st.sampled_from(self.pace.away))
        shifts = sorted({AHEAD.get(body["compare"]["previous"], 0) for body in self.bodies.values() if "compare" in body})
        if shifts and self.draw(st.integers(0, 2)) == 0:
            away = -self.draw(st.sampled_from(shifts)) + self.draw(st.sampled_from([0, self.pace.steps[-3]]))
        return max(-FARTHEST_BACK, min(away, FARTHEST_AHEAD))

    def _one(self, time: int, value: Decimal | int, event: str = "job.run") -> ScriptLog:
        self.made += 1
        log_id = UUID(int=(time // 1000 << 80) | (7 << 76) | (2 << 62) | self.made)
        return ScriptLog(AGENT, event, log_id, time, Decimal(value))

    def _send(self, logs: tuple[ScriptLog, ...]) -> None:
        self.steps.append(Store(self.now, logs))
        self.waiting.append(logs)

    def resend(self) -> None:
        """A client sends again what it has sent, in another batch: nothing new."""
        known = [log for step in self.steps if isinstance(step, Store) for log in step.logs if log.time > self.now - FARTHEST_BACK]
        if known:
            again = self.draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
            self.steps.append(Store(self.now, tuple(again)))

    def apply(self) -> None:
        """Rollup catches up, mostly wholly."""
        if self.waiting:
            upto = len(self.waiting) if self.draw(st.integers(0, 4)) else self.draw(st.integers(1, len(self.waiting)))
            self._roll_up(tuple(log for logs in self.waiting[:upto] for log in logs))
            del self.waiting[:upto]

    def _roll_up(self, logs: tuple[ScriptLog, ...]) -> None:
        self.steps.append(Apply(self.now, logs))
        self.done.append(logs)

    def redeliver(self) -> None:
        """The stream brings a batch again, whole or its end, after it succeeded."""
        if self.done:
            logs = self.draw(st.sampled_from(self.done))
            self.steps.append(Apply(self.now, logs[self.draw(st.integers(0, len(logs) - 1)) :]))

    def person(self) -> None:
        """Somebody edits a policy, or switches it off or on, or deletes it."""
        if not self.bodies:
            return
        name = self.draw(st.sampled_from(sorted(self.bodies)))
        if self.draw(st.integers(0, 9)) == 0:
            self.steps.append(Action(self.now, "delete", "policy", name))
            del self.bodies[name]
        else:
            change = self.draw(edits(self.bodies[name], self.pace.kinds))
            self.bodies[name] = {**self.bodies[name], **change}
            self.steps.append(Action(self.now, "put", "policy", name, change))
        self.now += STALE

    def creates(self) -> None:
        """Somebody makes one more policy."""
        name = f"n{self.posted}"
        body = {**self.draw(policies(self.pace, self.now, tuple(sorted(self.zones)))), "agent": AGENT}
        self.posted += 1
        self.bodies[name] = body
        self.steps.append(Action(self.now, "post", "policy", name, body))
        self.now += STALE

    def moves(self) -> None:
        """Somebody changes an event's timezone."""
        event = self.draw(st.sampled_from(sorted(self.zones)))
        self.zones[event] = self.draw(zones(self.near))
        self.steps.append(Action(self.now, "put", "event", event, {"timezone": self.zones[event]}))
        self.now += STALE

    def acts(self) -> None:
        """Somebody acts on a policy's latest alert, if there is one (the test skips it if not)."""
        names = sorted({step.target for step in self.steps if isinstance(step, Action) and step.noun == "policy"} | set(self.bodies))
        verb = self.draw(st.sampled_from(["acknowledge", "resolve", "resolve", "archive"]))
        self.steps.append(Action(self.now, verb, "alert", self.draw(st.sampled_from(names))))

    def ends(self) -> None:
        """Rollup catches up, and ticks come on time again."""
        self.now = floor(self.now, MINUTE) + MINUTE
        while self.waiting:
            self.apply()
        for _ in range(3):
            self.steps.append(Tick(self.now, self.now))
            self.now += MINUTE
        if self.pace is not PACES["minutes"]:
            self.close()


def zones(near: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A timezone, of all or of those of interest."""
    return st.sampled_from([*ZONES, *near, *near])


@st.composite
def histories(draw: st.DrawFn, pace: Pace, most: int = 30) -> Script:
    """A whole history of one or two policies on one or two events, ended by rollup catching up and some ticks."""
    begin = draw(st.sampled_from(sorted(pace.seasons)))
    start = parse_instant(begin)
    events = draw(st.sampled_from([("job.run",), ("job.run",), ("job.run", "job.other")]))
    placed = {event: draw(zones(pace.seasons[begin])) for event in events}
    bodies = draw(st.lists(policies(pace, start, events), min_size=1, max_size=2))
    named = {f"p{number}": {**body, "id": f"p{number}", "agent": AGENT} for number, body in enumerate(bodies)}
    history = History(draw, dict(named), pace, start, dict(placed), pace.seasons[begin], draw(st.integers(0, 3)) == 0)
    history.steps.append(Tick(start, start))
    choices: list[Callable[[], None]] = [history.log] * 8 + [history.tick] * 6 + [history.close] * (0 if pace is PACES["minutes"] else 10)
    choices += [history.apply] * 2 + [history.person] * 2 + [history.acts] * 3 + [history.moves] * (2 if "day" in pace.kinds else 0)
    choices += [history.resend, history.redeliver, history.creates]
    for _ in range(draw(st.integers(most // 3, most))):
        history.pass_time()
        draw(st.sampled_from(choices))()
    history.ends()
    made = tuple({"agent": AGENT, "event": event, "timezone": zone} for event, zone in placed.items())
    return Script("random", "engine", start, made, (), tuple(named.values()), tuple(history.steps), {})
