"""What a person's edit of a policy calls for: done at once, and again by the ticks of the next two minutes."""

from nightjar.core.due import delay, group_of, is_closed, oldest_end, periods_due, reach
from nightjar.core.periods import period_at, periods_ending
from nightjar.core.policies import Policy
from nightjar.pipeline import judge
from nightjar.storage import alerts, clock, open_rows, policies
from nightjar.storage.client import Store
from nightjar.storage.clock import Clock
from nightjar.storage.open_rows import WatchRow


def announce_edit(store: Store, before: Policy | None, after: Policy | None, *, now: int) -> None:
    """Have the next ticks take up an edit that is about to be stored: whoever stores it may die before `judge_edit`, which may fail.

    Args:
        store: Where.
        before: The policy as it was; None when it is new.
        after: The policy as it will be stored; None when it is to be deleted.
        now: Wall time (µs).
    """
    policy = after or before
    if policy is not None:
        found = clock.read_clock(store)
        tick = found.tick if found else 0
        released, reminders = _closed_before(before, after, found), _reminds_anew(before, after)
        open_rows.watch(store, WatchRow(policy.policy_id, tick or now, max(tick, now) + judge.WATCHED, released, reminders=reminders))


def _reminds_anew(before: Policy | None, after: Policy | None) -> bool:
    return before is not None and after is not None and before.renotify_minutes != after.renotify_minutes


def announce_zones(store: Store, before: Policy, after: Policy, *, now: int) -> None:
    """Have the next ticks judge the days that the tick running now might miss, because a new timezone moves their policy to another group."""
    if group_of(before) != group_of(after):
        found = clock.read_clock(store)
        until = max(found.tick if found else 0, now) + judge.WATCHED
        open_rows.watch(store, WatchRow(after.policy_id, 0, until, _closed_before(before, after, found)))


def _closed_before(before: Policy | None, after: Policy | None, found: Clock | None) -> int | None:
    """Return how far (µs) finished ticks have closed a policy, if no other tick might come to what an edit releases.

    That is a shorter delay, and a timezone's change of a day policy: the tick that runs now may have passed its new group by.
    """
    if before is None or after is None or not before.enabled or (before.period, before.window) != (after.period, after.window):
        return None
    if delay(after) >= delay(before) and before.zones == after.zones:
        return None
    if found is None:
        return reach(before, 0)
    return reach(before, found.tick if found.reach is None else found.reach)


def judge_edit(store: Store, before: Policy | None, after: Policy | None, *, now: int) -> None:
    """Bring the engine up to date with a policy that a person has just stored, and judge its running period at once.

    Args:
        store: Where.
        before: The policy as it was; None when it is new.
        after: The policy as it is stored; None when it was deleted.
        now: Wall time (µs).
    """
    policy = after or before
    if policy is None:
        return
    found = clock.read_clock(store)
    tick = found.tick if found else 0
    judge.settle_revision(store, policy.policy_id, after, tick=tick, now=now, edited=before is not None)
    if after is not None and after.enabled and found is not None:
        _judge_running(store, after, since=tick, tick=tick, now=now)
        _judge_released(store, after, _closed_before(before, after, found), tick=tick, now=now)
        if _reminds_anew(before, after):
            _remind_anew(store, after)


def _remind_anew(store: Store, policy: Policy) -> None:
    """Have the ticks look at an open alert by its policy's new reminders: nothing else may write it for a long time."""
    state = alerts.load_state(store, policy.policy_id)
    if state is not None and state.open is not None:
        open_rows.postpone(store, state, judge.next_look(policy, state) or 0)


def _judge_released(store: Store, policy: Policy, closed: int | None, *, tick: int, now: int) -> None:
    """Judge the calendar periods that ended after an instant (µs; None: there are none) and are closed by now."""
    if closed is not None and policy.window == "calendar":
        released = periods_ending(policy.period, max(closed, policy.closed_upto, oldest_end(policy, tick)), tick - delay(policy), policy.zones)
        judge.judge_all(store, policy, released, tick=tick, now=now)


def _judge_window(store: Store, policy: Policy, closed: int, *, tick: int, now: int) -> bool:
    """Judge the latest window of a rolling policy if it ended after an instant (µs); False if it is held back."""
    (window,) = periods_due(policy, None, tick)
    return window.end <= closed or judge.judge_one(store, policy, window, tick=tick, now=now).reason != judge.HELD_BACK


def _judge_running(store: Store, policy: Policy, *, since: int, tick: int, now: int) -> None:
    """Judge the periods of a policy that ran between an edit and the engine's clock, as data would; a rolling policy has none."""
    if policy.window == "calendar":
        before = period_at(policy.period, since, policy.zones).start
        ended = [period for period in periods_ending(policy.period, before, tick, policy.zones) if not is_closed(policy, period, tick)]
        periods = [*ended, period_at(policy.period, tick, policy.zones)]
        judge.judge_all(store, policy, periods, tick=tick, now=now)


def look_again(store: Store, row: WatchRow, tick: int, *, now: int) -> None:
    """Judge a policy that was edited in the last two minutes, or of which a rolling window was held back.

    A log may have met a stale cache, and the edit's own judgement may have failed.
    """
    policy = policies.get(store, row.policy_id)
    judge.settle_revision(store, row.policy_id, policy, tick=tick, now=now, edited=False)
    if policy is None or not policy.enabled or row.held not in (None, policy.revision):
        done = row.held is not None or tick >= row.until
    elif policy.window == "rolling":
        judged = row.closed is None or _judge_window(store, policy, row.closed, tick=tick, now=now)
        done = judged and (row.held is not None or tick >= row.until)
    else:
        if row.edited and tick <= row.until:
            _judge_running(store, policy, since=row.edited, tick=tick, now=now)
        _judge_released(store, policy, row.closed, tick=tick, now=now)
        done = tick >= row.until
    if policy is not None and row.reminders:
        _remind_anew(store, policy)
    if done:
        open_rows.unwatch(store, row)
