"""Judging and weighing: from a period to its verdict, and from verdicts to what becomes of the policy's alerts."""

from dataclasses import dataclass, field

from tests.reference.judging import Reading, Verdict, judge, judge_early
from tests.reference.logs import Book
from tests.reference.periods import DAY, HOUR, MINUTE, Period
from tests.reference.verdicts import Judged, State
from tests.reference.watch import Moment, Plan, Watch

LOOK_UP_TO = 10_000
ROLLING_LOOK_BACK = 4_400
LOOK_BACK = {"minute": 1_500 * MINUTE, "hour": 1_500 * HOUR, "day": 1_500 * DAY}
AHEAD = 5 * MINUTE


@dataclass(frozen=True)
class Finding:
    """The judgement of one period, not yet weighed."""

    period: Period
    reading: Reading
    moment: Moment


@dataclass
class Scales:
    """What judging rests on: the engine's clock, the raw logs that are stored, and those that rollup has applied."""

    clock: int | None = None
    raw: Book = field(default_factory=Book)
    applied: Book = field(default_factory=Book)
    held_back: int = 0

    def judge_at_close(self, watch: Watch, period: Period, moment: Moment) -> None:
        """Judge a period that a tick has closed."""
        self._conclude(watch, [self._look_at_ended(watch, period, moment)])

    def judge_on_data(self, watch: Watch, periods: set[Period], at: int, wall: int | None = None) -> None:
        """Judge periods because their data or their policy changed, all of a batch before any of them is weighed."""
        touched = periods | self._having_as_slot(watch, periods)
        found = [found for period in sorted(touched) if (found := self._look_on_data(watch, period, at, at if wall is None else wall)) is not None]
        self._conclude(watch, found)

    def _look_on_data(self, watch: Watch, period: Period, at: int, wall: int) -> Finding | None:
        """Judge a closed period inside the horizon as late data, another one early, as far as they are to be judged."""
        policy = watch.policy
        if self.clock is None or not policy.enabled or policy.rolling:
            return None
        if self.is_closed(watch, period):
            late = Moment(at, self.clock, self.clock)
            return self._look_at_ended(watch, period, late) if self.inside_horizon(watch, period) else None
        reading = judge_early(policy, period, self.applied) if period.start <= self.clock + AHEAD else None
        if reading is None:
            return None
        newest = reading.bucket.newest or self.clock
        return Finding(period, reading, Moment(at, self.clock, max(self.clock, min(newest, wall))))

    def _having_as_slot(self, watch: Watch, periods: set[Period]) -> set[Period]:
        """Return the closed periods inside the horizon that have one of these as a slot.

        Rule: ENGINE.md, "M of N": "with a period, those inside the horizon that have it as a slot are re-judged".
        """
        found: set[Period] = set()
        for period in periods:
            later = period
            for _ in range(watch.policy.field("evaluation_periods") - 1 if self.inside_horizon(watch, period) else 0):
                later = watch.calendar.after(watch.policy.kind, later)
                found |= {later} if self.is_closed(watch, later) else set()
        return found

    def _look_at_ended(self, watch: Watch, period: Period, moment: Moment) -> Finding:
        return Finding(period, judge(watch.policy, period, watch.calendar, self.applied), moment)

    def _conclude(self, watch: Watch, findings: list[Finding]) -> None:
        """Take verdicts in, then weigh each period, oldest first."""
        counted = [finding for finding in findings if _is_counted(watch, finding)]
        if counted:
            self._know_for(watch, counted)
        before = {finding.period.start: watch.verdicts.judged.get(finding.period.start) for finding in counted}
        for finding in counted:
            watch.record(finding.period, finding.reading)
            if watch.verdicts.weighed.get(finding.period.start) is not State.ALARM:
                watch.verdicts.weighed.pop(finding.period.start, None)
        for place, finding in enumerate(counted):
            watch.later = {later.period.start for later in counted[place + 1 :]}
            if self._weigh(watch, finding):
                watch.settle(finding.moment)
                watch.quiet = watch.quiet and finding.reading.verdict is not Verdict.HEALTHY
            else:
                _restore(watch, finding.period, before[finding.period.start])
                watch.waiting = finding.period if watch.policy.rolling and watch.policy.stride > MINUTE else None

    def _know_for(self, watch: Watch, findings: list[Finding]) -> None:
        """Know what a judgement rests on besides its own period: slots, and for the recovery all since the alert began.

        Of a rolling policy that wants several healthy windows in a row: all since the latest in alarm, as the rollups have them now.
        """
        if watch.policy.rolling:
            if watch.policy.rests_on_several and watch.open is not None and watch.open.latest is not None:
                self.know(watch, watch.after(watch.open.latest.period))
            return
        first, alone = min(finding.period for finding in findings), not watch.policy.rests_on_several
        if alone and not watch.policy.previous and not (watch.begun is not None and first.end <= watch.begun):
            return
        if not alone and watch.open is not None:
            first = min(first, watch.open.first)
        for _ in range(watch.policy.field("evaluation_periods") - 1):
            first = watch.calendar.before(watch.policy.kind, first)
        self.know(watch, first)

    def know(self, watch: Watch, since: Period) -> None:
        """Read, from a period on, the closed ones that nothing has judged or that lie outside the horizon by now: the rollups' word counts.

        Of a policy that compares all closed ones: what they are compared with may have changed since they were judged. Of a
        rolling one too: its windows are never judged again, but healthy ones in a row are counted by what the rollups say.
        At most 1,500 are looked back to: of minutes more than a day, after which silence ends an alert. Of rolling windows 4,400: three days of minutes.
        """
        policy, limit = watch.policy, (self.clock or 0) - watch.policy.delay
        if policy.rolling:
            oldest = limit - limit % policy.stride - ROLLING_LOOK_BACK * policy.stride
            period = max(since, Period(oldest - policy.window_minutes * MINUTE, oldest))
        else:
            period = max(since, watch.calendar.containing(policy.kind, limit - LOOK_BACK[policy.kind]))
        always = watch.policy.previous or watch.policy.rolling
        while self.is_closed(watch, period):
            if period.start not in watch.verdicts.judged or not self.inside_horizon(watch, period) or always:
                found = self._look_at_ended(watch, period, Moment(0, 0, 0))
                watch.verdicts.known.pop(period.start, None)
                if _is_counted(watch, found):
                    watch.verdicts.known[period.start] = Judged(period, found.reading)
            period = watch.after(period)

    def _weigh(self, watch: Watch, finding: Finding) -> bool:
        """Do what a period and those that have it as a slot call for. Return False when the period's own judgement is held back.

        Those of its batch that are weighed later have their own turn.
        """
        period = finding.period
        having = [one for one in watch.verdicts.having_as_slot(watch.policy, watch.calendar, period) if one.period.start not in watch.later]
        weighed = [one for one in having if one.period == period or self.inside_horizon(watch, one.period)]
        for judged in weighed:
            watch.verdicts.weighed.pop(judged.period.start, None)
        for judged in having:
            plan = watch.plan(judged) if judged in weighed else None
            if plan in (Plan.OPEN, Plan.AGAIN) and self._is_behind(watch, judged):
                self.held_back += 1
                if judged.period == period:
                    return False
                continue
            if judged in weighed:
                watch.verdicts.weighed[judged.period.start] = watch.state(judged)
            if plan is None:
                watch.heal(judged)
            else:
                watch.apply(plan, judged, finding.moment if judged.period == period else self._echoed(watch, judged, finding.moment))
        return True

    def _echoed(self, watch: Watch, judged: Judged, cause: Moment) -> Moment:
        """Return the moment of a period that is in alarm for a slot's sake: one that still runs is judged early, by its own newest log."""
        newest = judged.reading.bucket.newest
        if newest is None or self.is_closed(watch, judged.period):
            return cause
        return Moment(cause.at, cause.clock, max(cause.clock, min(newest, cause.at)))

    def _is_behind(self, watch: Watch, judged: Judged) -> bool:
        """Take the look before a silent alert: say whether more raw logs are stored than were applied."""
        applied = judged.reading.bucket.count
        early = not watch.policy.rolling and not self.is_closed(watch, judged.period)  # rests on data that more of it cannot change
        rests_on_little = not early and (watch.policy.condition not in ("gt", "gte") or applied == 0)
        stored = self.raw.window(watch.policy.event_key, judged.period.start, judged.period.end).count
        return rests_on_little and applied <= LOOK_UP_TO and stored > applied

    def says_something(self, watch: Watch, period: Period) -> bool:
        """Say whether a period has something to judge now."""
        found = Finding(period, judge(watch.policy, period, watch.calendar, self.applied), Moment(0, 0, 0))
        return _is_counted(watch, found) and found.reading.verdict is not Verdict.NOTHING

    def is_closed(self, watch: Watch, period: Period) -> bool:
        """Say whether a tick's reach has closed a period."""
        return watch.reached is not None and period.end <= max(watch.reached, (self.clock or 0) - watch.policy.delay)

    def inside_horizon(self, watch: Watch, period: Period) -> bool:
        """Say whether missed ticks and late data are still made up for in a period."""
        return self.clock is not None and period.end > self.clock - watch.policy.horizon


def _is_counted(watch: Watch, finding: Finding) -> bool:
    """Say whether a period is judged at all: after active_from, and no day that a change of timezone has cut."""
    policy, period = watch.policy, finding.period
    return policy.counts(period, empty=finding.reading.bucket.count == 0) and (policy.rolling or watch.calendar.is_judged(policy.kind, period))


def _restore(watch: Watch, period: Period, before: Judged | None) -> None:
    if before is None:
        del watch.verdicts.judged[period.start]
    else:
        watch.verdicts.judged[period.start] = before
