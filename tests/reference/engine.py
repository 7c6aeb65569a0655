"""The engine: what people, logs and ticks cause, in the order they come."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.reference.alerts import Alert, AlertKey, Conflict, Transition
from tests.reference.judging import Verdict
from tests.reference.logs import Bucket, EventKey, Log
from tests.reference.periods import MINUTE, Calendar, Period
from tests.reference.policies import NO_DATA_AFTER, Policy, changes, starts_revision
from tests.reference.watch import Moment, Outbox, Watch
from tests.reference.weighing import Scales

CHECKED_AFTER_EDIT = 2 * MINUTE
ACTIONS = {"acknowledge": ("triggered", "acknowledged"), "archive": ("resolved", "archived")}


class Engine:
    """ENGINE.md in memory. Every method takes the instant at which its step happens, in microseconds."""

    def __init__(self) -> None:
        """Begin without events, policies, logs, or a clock."""
        self.watches: dict[str, Watch] = {}
        self.past_watches: list[Watch] = []
        self._calendars: dict[EventKey, Calendar] = {}
        self._scales = Scales()
        self._outbox = Outbox()

    @property
    def clock(self) -> int | None:
        """The latest tick handled."""
        return self._scales.clock

    @property
    def held_back(self) -> int:
        """How often a silent alert was held back, because more logs were stored than applied."""
        return self._scales.held_back

    @property
    def alerts(self) -> list[Alert]:
        """All alerts, in the order they were opened."""
        return self._outbox.alerts

    @property
    def transitions(self) -> list[Transition]:
        """All transitions, in the order they were written."""
        return self._outbox.transitions

    @property
    def verdicts(self) -> dict[tuple[str, int], dict[int, Verdict]]:
        """The verdict of every judged period, by (policy_id, revision) and start."""
        return {
            (watch.policy.policy_id, watch.revision): {start: judged.reading.verdict for start, judged in watch.verdicts.judged.items()}
            for watch in (*self.past_watches, *self.watches.values())
        }

    def bucket(self, event_key: EventKey, start: int, end: int) -> Bucket:
        """Return the window [start, end) of the distinct logs that rollup has applied."""
        return self._scales.applied.window(event_key, start, end)

    def calendar(self, event_key: EventKey) -> Calendar:
        """Return an event's calendar, UTC unless put_event has said otherwise."""
        return self._calendars.setdefault(event_key, Calendar())

    def is_within_reach(self, policy: Policy, period: Period) -> bool:
        """Say whether late data would still judge a period."""
        return self.clock is not None and period.end > self.clock - policy.horizon

    def put_event(self, at: int, event_key: EventKey, timezone: str) -> None:
        """Make an event in a timezone, or change the timezone of one that exists."""
        if event_key in self._calendars:
            self._calendars[event_key].change_zone(at, timezone)
        else:
            self._calendars[event_key] = Calendar(timezone)

    def put_policy(self, at: int, policy_id: str, fields: Mapping[str, Any]) -> None:
        """Create a policy or change the fields that are named, and judge its running period at once."""
        old = self.watches.get(policy_id)
        complete = Policy.complete(fields) if old is None else {**old.policy.fields, **changes(fields)}
        given = fields.get("active_from")
        if old is None:
            self._watch(at, Policy(policy_id, complete, at if given is None else given), 1 + self._revisions(policy_id))
        elif starts_revision(old.policy, new := Policy(policy_id, complete, old.policy.active_from if given is None else given)):
            self._revise(at, old, new, explicit=given is not None)
        else:
            old.policy, old.touched_at = new, at
        watch = self.watches[policy_id]
        watch.touched_from = at if self.clock is None else self.clock
        self._scales.judge_on_data(watch, {self._running(watch, watch.touched_from), *self._waited(watch)}, at)

    def _waited(self, watch: Watch) -> Iterator[Period]:
        """Yield the periods that a longer delay has kept from being closed, and a shorter one closes now."""
        if self.clock is not None and watch.reached is not None and not watch.policy.rolling:
            period = self._latest_ended(watch, self.clock - watch.policy.delay)
            while period.end > watch.reached and self._scales.inside_horizon(watch, period):
                yield period
                period = watch.before(period)

    def delete_policy(self, at: int, policy_id: str) -> None:
        """Delete a policy; its open alert ends."""
        self._retire(at, self.watches.pop(policy_id), "policy_deleted")

    def store(self, at: int, logs: Iterable[Log]) -> None:  # noqa: ARG002  a step like the others
        """Put raw logs, as ingest does."""
        for log in logs:
            self._scales.raw.add(log)

    def roll_up(self, at: int, logs: Iterable[Log]) -> None:
        """Apply a batch of logs, as rollup does, and judge the policies of the events that it touches."""
        batch = list(logs)
        for log in batch:
            self._scales.raw.add(log)
            self._scales.applied.add(log)
            self.calendar(log.event_key)
        for watch in list(self.watches.values()):
            times = {log.time for log in batch if log.event_key == watch.policy.event_key}
            self._scales.judge_on_data(watch, {watch.calendar.containing(watch.policy.kind, time) for time in times}, at)

    def tick(self, scheduled: int, wall: int | None = None) -> None:
        """Handle a tick, at wall time: judge what has ended, look again at what a person has just touched, then end and remind."""
        tick = scheduled - scheduled % MINUTE
        if self.clock is not None and tick <= self.clock:
            return
        self._scales.clock = tick
        for watch in list(self.watches.values()):
            if watch.policy.enabled:
                self._tick(watch, Moment(tick, tick, tick), tick if wall is None else wall)
            else:
                watch.reached = tick - watch.policy.delay

    def act(self, at: int, key: AlertKey, action: str) -> None:
        """Do what a person does to an alert: acknowledge, resolve or archive it.

        Raises:
            Conflict: the action is impossible in the alert's status.
        """
        alert = next(alert for alert in self.alerts if alert.key == key)
        moment = Moment(at, self.clock or at, at)
        if action == "resolve" and alert.is_open:
            self.watches[alert.policy_id].resolve(alert, "person", moment)
        elif action != "resolve" and alert.status == ACTIONS[action][0]:
            alert.status = ACTIONS[action][1]
            alert.acknowledged_at = at if action == "acknowledge" else alert.acknowledged_at
            self._outbox.write(moment, alert.status, alert.policy, alert)
        elif alert.status != ("resolved" if action == "resolve" else ACTIONS[action][1]):
            raise Conflict(f"{action}: the alert is {alert.status}")

    def _tick(self, watch: Watch, moment: Moment, wall: int) -> None:
        policy = watch.policy
        limit = moment.at - policy.delay
        due = self._rolling_due(watch, limit) if policy.rolling else self._due(watch, limit)
        missed = watch.reached is not None and bool(due) and watch.before(due[0]).end > watch.reached
        watch.begun = min([limit, *(period.start for period in due)]) if watch.begun is None else watch.begun
        watch.reached = limit if watch.reached is None else max(watch.reached, limit)
        if missed and not policy.rolling and watch.open is not None and watch.open.latest is not None:
            self._scales.know(watch, watch.calendar.after(policy.kind, watch.open.latest.period))  # its recovery may lie there
        for period in due:
            self._scales.judge_at_close(watch, period, moment)
        if not policy.rolling and watch.touched_from < moment.at <= max(watch.touched_from, watch.touched_at) + CHECKED_AFTER_EDIT:
            self._check_again(watch, moment.at, wall)
        self._end_without_data(watch, moment)
        self._remind(watch, moment)

    def _due(self, watch: Watch, limit: int) -> list[Period]:
        """Return the periods that this tick closes, oldest first: the newest always, earlier ones inside the horizon."""
        kind, calendar = watch.policy.kind, watch.calendar
        period = self._latest_ended(watch, limit)
        due: list[Period] = []
        while watch.reached is not None and period.end > watch.reached and (not due or self._scales.inside_horizon(watch, period)):
            due.insert(0, period)
            period = calendar.before(kind, period)
        return [period] if watch.reached is None else due

    def _rolling_due(self, watch: Watch, limit: int) -> list[Period]:
        latest = self._latest_ended(watch, limit)
        waiting, watch.waiting = watch.waiting, None
        return [latest] if watch.reached is None or latest.end > watch.reached or latest == waiting else []

    @staticmethod
    def _latest_ended(watch: Watch, limit: int) -> Period:
        """Return the latest period, or rolling window, that ended at or before an instant."""
        policy = watch.policy
        if not policy.rolling:
            return watch.calendar.before(policy.kind, watch.calendar.containing(policy.kind, limit))
        end = limit - limit % policy.stride
        return Period(end - policy.window_minutes * MINUTE, end)

    def _check_again(self, watch: Watch, tick: int, wall: int) -> None:
        """Judge early, once more, what has run since a person's edit and is not closed."""
        period = self._running(watch, watch.touched_from)
        while period.start <= tick:
            if not self._scales.is_closed(watch, period):
                self._scales.judge_on_data(watch, {period}, tick, wall)
            period = watch.calendar.after(watch.policy.kind, period)

    def _end_without_data(self, watch: Watch, moment: Moment) -> None:
        """End an alert of silence, unless the rollups speak of periods that nothing has judged."""
        last = watch.verdicts.last_that_spoke() if watch.open and not watch.open.healthy else None
        silence = watch.policy.delay + NO_DATA_AFTER[watch.policy.kind]
        if watch.open is None or last is None or moment.at < last.period.end + silence:
            return
        period = self._latest_ended(watch, moment.at - watch.policy.delay)
        while period.end > max(last.period.end, moment.at - silence):
            if self._scales.says_something(watch, period):
                return
            period = watch.before(period)
        watch.resolve(watch.open, "no_data", moment)

    def _remind(self, watch: Watch, moment: Moment) -> None:
        alert, minutes = watch.open, watch.policy.field("renotify_minutes")
        if alert is None or alert.status != "triggered" or not minutes:
            return
        every = int(minutes) * MINUTE
        if (moment.at - alert.remind_from) // every > (alert.reminded_at - alert.remind_from) // every:
            alert.reminded_at = moment.at
            self._outbox.write(moment, "reminded", watch.policy, alert)

    def _revise(self, at: int, old: Watch, new: Policy, *, explicit: bool) -> None:
        """Start a revision: of other measures, by disabling, or by enabling."""
        self._retire(at, old, "policy_changed" if new.enabled else "policy_disabled")
        watch = self._watch(at, new, old.revision + 1)
        watch.reached = old.reached
        if not explicit and new.enabled:
            start = self._running(watch, at).start
            watch.policy = Policy(new.policy_id, new.fields, max(old.policy.active_from, start) if old.policy.enabled else at)

    def _retire(self, at: int, watch: Watch, reason: str) -> None:
        if watch.open is not None:
            watch.resolve(watch.open, reason, Moment(at, self.clock or at, at))
        self.past_watches.append(watch)

    def _watch(self, at: int, policy: Policy, revision: int) -> Watch:
        reached = None if self.clock is None else self.clock - policy.delay
        watch = Watch(policy, revision, self.calendar(policy.event_key), self._outbox, reached, at, begun=reached)
        self.watches[policy.policy_id] = watch
        return watch

    def _revisions(self, policy_id: str) -> int:
        return max((watch.revision for watch in self.past_watches if watch.policy.policy_id == policy_id), default=0)

    def _running(self, watch: Watch, at: int) -> Period:
        return watch.calendar.containing(watch.policy.kind, at)
