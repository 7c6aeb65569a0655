"""How policies stand: the clock, their open alerts and their buckets read in a few calls, whatever their number."""

from collections.abc import Sequence

from nightjar.core.alerts import Alert
from nightjar.core.evidence import Evidence, bins_of
from nightjar.core.periods import Bin
from nightjar.core.policies import Policy
from nightjar.core.standing import DISABLED, UNKNOWN, Standing, lately_judged, standing, unreadable
from nightjar.core.state import State
from nightjar.observability import count, logger
from nightjar.pipeline.judge import first_logs
from nightjar.storage import alerts, rollups
from nightjar.storage.bucket_items import blamed, by_event
from nightjar.storage.client import Store
from nightjar.storage.clock import read_clock
from nightjar.storage.faults import Unreadable

MOST_BUCKETS = 10_000  # read for one list: 100 calls, a thousand policies by the minute


def standings(store: Store, policies: Sequence[Policy], *, now: int) -> dict[str, Standing]:
    """Tell how some policies stand.

    Args:
        store: Where.
        policies: The policies of one answer.
        now: Wall time (µs), by which buckets are expired.

    Returns:
        By policy id. In a list that needs more than `MOST_BUCKETS` buckets those that do not fit are `unknown`; so are policies
        that rest on a bucket that cannot be read, and those only.
    """
    found = {policy.policy_id: UNKNOWN if policy.enabled else DISABLED for policy in policies}
    enabled = [policy for policy in policies if policy.enabled]
    clock = read_clock(store) if enabled else None
    if clock is None:
        return found | {policy.policy_id: Standing("pending", "no_tick_yet") for policy in enabled}
    chosen, wanted = _affordable(enabled, clock.tick)
    states = alerts.load_states(store, [policy.policy_id for policy in chosen])
    readable, errors = rollups.read_readable(store, wanted, now=now, consistent=len(policies) == 1)
    buckets = by_event(readable)
    damaged = {(error.event_id, error.bin) for error in errors}
    first = first_logs(store, [(policy, lately_judged(policy, clock.tick)) for policy in chosen], buckets, clock.tick)
    for policy in chosen:
        evidence = Evidence(policy, clock.tick, buckets.get(policy.event_id, {}), first.get(policy.event_id))
        found[policy.policy_id] = _standing(_alert(states.get(policy.policy_id)), evidence, damaged)
    return found


def _standing(alert: Alert | None, evidence: Evidence, damaged: set[tuple[str, Bin]]) -> Standing:
    """Tell how one policy stands; one at whose buckets the code fails must not hide how the others do."""
    policy = evidence.policy
    try:
        if damaged and any((policy.event_id, bin) in damaged for bin in bins_of(policy, lately_judged(policy, evidence.tick))):
            return unreadable(alert)
        with blamed(policy.event_id, evidence.buckets):
            return standing(alert, evidence)
    except Unreadable:
        return unreadable(alert)
    except Exception:  # noqa: BLE001  # nothing is read here: whatever it is, it would fail again
        logger().exception("how a policy stands could not be worked out", policy_id=policy.policy_id)
        count("InternalErrors")
        return UNKNOWN


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


def _alert(state: State | None) -> Alert | None:
    return state.open if state else None
