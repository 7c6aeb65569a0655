"""What was judged: the verdicts of one revision of a policy, and what M of N makes of them."""

from dataclasses import dataclass, field
from enum import Enum

from tests.reference.judging import Reading, Verdict
from tests.reference.periods import Calendar, Period
from tests.reference.policies import Policy


class State(Enum):
    """The state of a policy at one judged period."""

    ALARM = "alarm"
    BREACHING = "breaching, but fewer than M"
    HEALTHY = "healthy"
    SILENT = "silent"


PLAIN = {Verdict.BREACH: State.BREACHING, Verdict.HEALTHY: State.HEALTHY, Verdict.NOTHING: State.SILENT, Verdict.BETWEEN: State.SILENT}


@dataclass(frozen=True)
class Judged:
    """One judged period."""

    period: Period
    reading: Reading

    @property
    def breaches(self) -> bool:
        """Whether it breaches itself."""
        return self.reading.verdict is Verdict.BREACH


@dataclass
class Verdicts:
    """The judged periods by their start. After a cut (a person's resolve) M of N counts anew.

    `known` are closed periods that nothing has judged, or that lie outside the horizon by now. They make and change no alert, but
    where a judgement rests on several periods (slots, a recovery, silence) what the rollups say of them counts. `weighed` is what
    M of N made of a period when it was judged last: what a comparison is held against may change since, and judges nothing.
    """

    judged: dict[int, Judged] = field(default_factory=dict)
    known: dict[int, Judged] = field(default_factory=dict)
    weighed: dict[int, State] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)

    def slots(self, policy: Policy, calendar: Calendar, period: Period) -> list[Period]:
        """Return the last N periods up to this one, newest first."""
        cut = max((cut for cut in self.cuts if cut < period.start), default=None)
        slots = [period]
        while len(slots) < policy.field("evaluation_periods"):
            earlier = calendar.before(policy.kind, slots[-1])
            if cut is not None and earlier.start <= cut:
                break
            slots.append(earlier)
        return slots

    def state(self, policy: Policy, calendar: Calendar, judged: Judged) -> State:
        """Return the policy's state at a judged period: a slot not judged does not breach. With 1 of 1 it is the verdict."""
        if policy.field("evaluation_periods") == 1:
            return State.ALARM if judged.breaches else PLAIN[judged.reading.verdict]
        slots = self.slots(policy, calendar, judged.period)
        said = (self.known.get(slot.start) or self.judged.get(slot.start) for slot in slots if calendar.is_judged(policy.kind, slot))
        breaching = sum(one is not None and one.breaches for one in said)
        return State.ALARM if breaching >= policy.field("datapoints_to_alarm") else PLAIN[judged.reading.verdict]

    def since(self, start: int) -> list[Judged]:
        """Return what was judged from a period on, in order of time."""
        return [self.judged[key] for key in sorted(self.judged) if key >= start]

    def said_since(self, start: int) -> list[Judged]:
        """Return what was judged or is known from a period on, in order of time."""
        said = {**self.judged, **self.known}
        return [said[key] for key in sorted(said) if key >= start]

    def having_as_slot(self, policy: Policy, calendar: Calendar, period: Period) -> list[Judged]:
        """Return the judged periods that have this one among their N slots, in order of time."""
        found, slot = [], period
        for _ in range(policy.field("evaluation_periods")):
            if slot.start in self.judged:
                found.append(self.judged[slot.start])
            slot = calendar.after(policy.kind, slot)
        return found

    def last_that_spoke(self) -> Judged | None:
        """Return the latest period that was given something to judge."""
        return next((judged for judged in reversed(self.since(-(2**62))) if judged.reading.verdict is not Verdict.NOTHING), None)
