"""The look before a silent alert: is the rollup behind the raw logs of the period?"""

from nightjar.core.periods import Period, cover
from nightjar.core.policies import Policy
from nightjar.observability import count
from nightjar.storage import events, logs, rollups
from nightjar.storage.client import Store

MOST = 10_000  # logs: more than this is no silence


def is_behind(store: Store, policy: Policy, period: Period, *, now: int) -> bool:
    """Count the raw logs of a period, and tell whether the rollup has applied (or parked) fewer.

    Args:
        store: Where.
        policy: The policy whose alert would open.
        period: The period under judgement.
        now: Wall time (µs).

    Returns:
        True if raw logs wait: nothing may be judged, the rollup change that must still come judges the period as late data.
        Rule: ENGINE.md, "The look before a silent alert".
    """
    event = events.get(store, policy.event_id)
    if event is None:
        return False
    bins = cover(period.start, period.end)
    buckets = rollups.read(store, policy.event_id, bins, now=now)
    applied = sum(bucket.count + bucket.parked for bucket in buckets.values())
    if applied > MOST:
        return False
    count("SilentAlertLooks")
    return logs.count_raw(store, policy.event_id, event.shards, period.start, period.end, at_most=applied + 1) > applied
