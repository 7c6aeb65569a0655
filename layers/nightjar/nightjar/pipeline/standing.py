"""How policies stand: the clock, their open alerts and their buckets read in a few calls, whatever their number."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from nightjar.core.alerts import Alert
from nightjar.core.evidence import Evidence, bins_of
from nightjar.core.periods import Bin
from nightjar.core.policies import Policy
from nightjar.core.standing import DISABLED, UNKNOWN, Standing, lately_judged, standing
from nightjar.core.state import State
from nightjar.pipeline.judge import first_log
from nightjar.storage import alerts, rollups
from nightjar.storage.client import Store
from nightjar.storage.clock import read_clock

MOST_BUCKETS = 10_000  # read for one list: 100 calls, a thousand policies by the minute
_AT_ONCE = 8


def standings(store: Store, policies: Sequence[Policy], *, now: int) -> dict[str, Standing]:
    """Tell how some policies stand.

    Args:
        store: Where.
        policies: The policies of one answer.
        now: Wall time (µs), by which buckets are expired.

    Returns:
        By policy id. In a list that needs more than `MOST_BUCKETS` buckets those that do not fit are `unknown`.
    """
    found = {policy.policy_id: UNKNOWN if policy.enabled else DISABLED for policy in policies}
    enabled = [policy for policy in policies if policy.enabled]
    clock = read_clock(store) if enabled else None
    if clock is None:
        return found | {policy.policy_id: Standing("pending", "no_tick_yet") for policy in enabled}
    chosen, wanted = _affordable(enabled, clock.tick)
    states = alerts.load_states(store, [policy.policy_id for policy in chosen])
    buckets = rollups.read_by_event(store, wanted, now=now, consistent=len(policies) == 1)
    first = _first_logs(store, chosen, clock.tick)
    for policy in chosen:
        evidence = Evidence(policy, clock.tick, buckets.get(policy.event_id, {}), first.get(policy.event_id))
        found[policy.policy_id] = standing(_alert(states.get(policy.policy_id)), evidence)
    return found


def _affordable(policies: Sequence[Policy], tick: int) -> tuple[list[Policy], set[tuple[str, Bin]]]:
    """Choose as many policies as one answer may read the buckets of; return those, and the buckets."""
    chosen: list[Policy] = []
    wanted: set[tuple[str, Bin]] = set()
    for policy in policies:
        more = {(policy.event_id, key) for key in bins_of(policy, lately_judged(policy, tick))} - wanted
        if not chosen or len(wanted) + len(more) <= MOST_BUCKETS:
            wanted |= more
            chosen.append(policy)
    return chosen, wanted


def _first_logs(store: Store, policies: Sequence[Policy], tick: int) -> dict[str, int | None]:
    """Return the first logs of those events whose policies compare, several read at once."""
    events = {policy.event_id: policy for policy in policies if policy.compare}
    if not events:
        return {}
    with ThreadPoolExecutor(min(_AT_ONCE, len(events))) as pool:
        return dict(zip(events, pool.map(lambda policy: first_log(store, policy, tick), events.values()), strict=True))


def _alert(state: State | None) -> Alert | None:
    return state.open if state else None
