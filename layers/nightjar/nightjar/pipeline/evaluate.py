"""One tick: judge every period that became due, then what open alerts wait for, then move the clock, then send what waited."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from nightjar.core import actions
from nightjar.core.due import delay, having_as_slot, is_closed, is_due, periods_due, reach, skipped
from nightjar.core.evidence import Evidence, before, bins_of
from nightjar.core.instants import iso
from nightjar.core.periods import Bin, Period, period_at
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.core.verdicts import says_something
from nightjar.observability import count, logger
from nightjar.pipeline import judge
from nightjar.pipeline.edits import look_again
from nightjar.pipeline.release import release
from nightjar.pipeline.ring_again import ring_again
from nightjar.pipeline.route import route_again
from nightjar.queues import Bells
from nightjar.storage import open_rows, policies, rollups
from nightjar.storage.client import Store
from nightjar.storage.clock import begin_tick, finish_tick, read_clock
from nightjar.storage.open_rows import OpenRow

Item = TypeVar("Item")

_AT_ONCE = 8  # slow paths judged side by side


def handle_tick(store: Store, queue: Bells, tick: int, *, now: int) -> str:
    """Handle one tick of the schedule.

    Args:
        store: Where.
        queue: The bells.
        tick: The schedule's time (µs), on a whole minute.
        now: Wall time (µs).

    Returns:
        "done", or "old" for a tick that was handled before, or after a later one: it changes nothing.
    """
    clock = read_clock(store)
    if clock and (tick < clock.tick or tick == clock.reach):
        return "old"
    begin_tick(store, tick)
    previous = clock.reach if clock else None
    rows, watched = open_rows.read_open(store)
    _judge_due(store, rows, previous, tick, now=now)
    _each(lambda row: look_again(store, row, tick, now=now), watched)
    _each(lambda row: _attend(store, row, tick, now=now), rows)  # what was opened just now needs nothing yet
    finish_tick(store, tick)
    # Stateless, so after the clock: were the queue down, the next tick comes here again without judging twice.
    waiting = [row.alert_id for row in rows if row.unrouted and row.alert_id]
    _in_turn(
        lambda: release(store, clock=tick, now=now, token=f"release/{tick}", queue=queue),
        lambda: route_again(store, waiting, clock=tick, now=now, queue=queue),
        lambda: ring_again(store, queue, now=now),
    )
    return "done"


def _in_turn(*works: Callable[[], object]) -> None:
    """Do some works one after the other, also where one before failed; then raise what went wrong first."""
    errors = []
    for work in works:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # what is held for one must not silence what waits for another
            logger().exception("a tick could not send all that waits")
            errors.append(error)
    if errors:
        raise errors[0]


def _judge_due(store: Store, rows: Sequence[OpenRow], previous: int | None, tick: int, *, now: int) -> None:
    """Judge the periods that became due, group by group, page by page."""
    attended = {row.policy_id for row in rows}
    for group in policies.groups(store):
        if is_due(group, previous, tick):
            for page in policies.due(store, group):
                _tell_skipped(page, previous, tick)
                _judge_page(store, page, attended, previous, tick, now=now)


def _tell_skipped(page: Sequence[Policy], previous: int | None, tick: int) -> None:
    """Log and count what an outage has put outside the horizon: these periods are never judged."""
    for policy in page:
        try:
            found = skipped(policy, previous, tick)
        except Exception:  # noqa: BLE001  # a fault of our own code at one policy must not hold the clock back for all others
            logger().exception("what was skipped cannot be told", policy_id=policy.policy_id)
            count("JudgementErrors")
            continue
        if found:
            logger().warning(
                "skipped: older than missed ticks are caught up for",
                policy_id=policy.policy_id, periods=found.periods, first_start=iso(found.start), last_end=iso(found.end),
            )  # fmt: skip
            count("PeriodsSkipped", found.periods)


def _judge_page(store: Store, page: Sequence[Policy], attended: set[str], previous: int | None, tick: int, *, now: int) -> None:
    """Read the buckets of a page of policies at once; only what breaches, or has an open alert, needs more."""
    try:
        slow = _needing_more(store, page, attended, previous, tick, now=now)
    except Exception as error:
        if judge.is_passing(error):
            raise
        # One policy, or one damaged bucket, is at fault: each by itself, so that it stops no other.
        logger().exception("a page of policies is judged one by one")
        slow = list(page)
    _each(lambda policy: _judge_slowly(store, policy, previous, tick, now=now), slow)


def _needing_more(store: Store, page: Sequence[Policy], attended: set[str], previous: int | None, tick: int, *, now: int) -> list[Policy]:
    """Read the buckets of a page of policies; return those with an open alert, or with a period that breaches."""
    due = [(policy, periods_due(policy, previous, tick)) for policy in page]
    wanted = {(policy.event_id, key) for policy, periods in due for key in bins_of(policy, periods)}
    by_event = rollups.read_by_event(store, wanted, now=now)
    first = judge.first_logs(store, due, by_event, tick)
    return [policy for policy, periods in due if policy.policy_id in attended or _any_breach(policy, periods, by_event.get(policy.event_id, {}), first, tick)]


def _any_breach(policy: Policy, periods: Iterable[Period], buckets: dict[Bin, Bucket], first: Mapping[str, int | None], tick: int) -> bool:
    evidence = Evidence(policy, tick, buckets, first.get(policy.event_id))
    verdicts = [evidence.judged(period) for period in periods]
    return any(verdict is not None and verdict.outcome == "breach" for verdict in verdicts)


def _judge_slowly(store: Store, policy: Policy, previous: int | None, tick: int, *, now: int) -> None:
    due = periods_due(policy, previous, tick)
    gap = skipped(policy, previous, tick) is not None
    for period in due:
        judge.judge_one(store, policy, period, tick=tick, now=now, gap=gap)
        gap = False  # the first has looked into it
    # A running period that breached early may be in alarm only now that a slot of it has closed.
    later = [period for period in having_as_slot(policy, due[-1], tick) if not is_closed(policy, period, tick)] if due else []
    judge.judge_all(store, policy, later, tick=tick, now=tick, echoes=later)  # dated by the tick that brings it about


def _attend(store: Store, row: OpenRow, tick: int, *, now: int) -> None:
    """Do for an open alert what a tick may have to: fresh values while its period runs, a reminder, its end in silence."""
    policy = policies.get(store, row.policy_id)
    if policy is None or not policy.enabled or policy.revision > row.revision:  # an edit that died before it said so
        judge.settle_revision(store, row.policy_id, policy, tick=tick, now=now, edited=False)
        return
    if row.alert_id is not None and policy.window == "calendar" and row.last_end > reach(policy, tick):
        judge.judge_one(store, policy, period_at(policy.period, row.last_end - 1, policy.zones), tick=tick, now=now)
    if row.due is not None and row.due <= tick:
        _end_or_remind(store, policy, row.due, tick, now=now)


def _end_or_remind(store: Store, policy: Policy, due: int, tick: int, *, now: int) -> None:
    state = judge.current_state(store, policy, tick=tick, now=now)
    if state.open is None:
        return
    silent = None if state.open.healed is not None else _silent_from(store, policy, state.open.last_end, tick, now=now)
    ends = silent is not None and silent <= tick
    decision = actions.end_silent(state, clock=tick) if ends else actions.remind(state, policy, clock=tick)
    if decision.changed and not judge.write(store, policy, state, decision):
        logger().info("overtaken; the next tick looks again", policy_id=policy.policy_id)
    elif not decision.changed:
        later = min(filter(None, (silent, actions.reminder_due(state, policy))), default=0)
        open_rows.postpone(store, state, later, instead_of=due)  # what was reopened meanwhile has a tick of its own


def _silent_from(store: Store, policy: Policy, last_end: int, tick: int, *, now: int) -> int:
    """Return when (µs) the open alert ends as no_data: counted from when the latest period that said something was due."""
    if actions.silent_from(policy, last_end) > tick:
        return actions.silent_from(policy, last_end)
    oldest = tick - actions.SILENCE[policy.period] - delay(policy)
    periods = _periods_back(policy, tick - delay(policy), max(oldest, last_end))
    buckets = rollups.read(store, policy.event_id, bins_of(policy, periods), now=now)
    evidence = Evidence(policy, tick, buckets, judge.first_log(store, policy, tick, buckets, periods))
    said = (period.end for period in periods if says_something(evidence.judged(period)))
    return actions.silent_from(policy, next(said, last_end))


def _periods_back(policy: Policy, upto: int, oldest: int) -> list[Period]:
    """List the periods that ended at or before an instant (µs), newest first, back to one that ends at `oldest`."""
    if policy.window == "rolling":
        latest = periods_due(policy, None, upto + delay(policy))[0]
    else:
        latest = period_at(policy.period, period_at(policy.period, upto, policy.zones).start - 1, policy.zones)
    found = []
    while latest.end > oldest:
        found.append(latest)
        latest = before(policy, latest)
    return found


def _each(work: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Do some work for each item, several side by side.

    A fault of storage is raised when all are done: the tick is not finished then, and the next one does its work again. A
    fault of our own code at one policy is logged, counted and passed over: it must not hold the clock back for all others.
    """
    if not items:
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(work, item) for item in items]
    errors = [error for future in futures if (error := future.exception())]
    for error in errors:
        logger().error("a judgement failed", exc_info=error)
    count("JudgementErrors", len(errors))
    passing = [error for error in errors if not isinstance(error, Exception) or judge.is_passing(error)]
    if passing:
        raise passing[0]
