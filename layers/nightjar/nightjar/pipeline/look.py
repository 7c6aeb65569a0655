"""The look before a silent alert: is the rollup behind the raw logs of the period?"""

from collections.abc import Mapping

from nightjar.core.periods import Bin, Period, cover
from nightjar.core.policies import Policy
from nightjar.core.rollups import Bucket
from nightjar.observability import count
from nightjar.storage import events, logs
from nightjar.storage.client import Store

MOST = 10_000  # logs: more than this is no silence


def applied_to(buckets: Mapping[Bin, Bucket], period: Period) -> int:
    """Count the logs of a period that rollup has applied or parked."""
    return sum(buckets[key].count + buckets[key].parked for key in cover(period.start, period.end) if key in buckets)


def is_behind(store: Store, policy: Policy, period: Period, applied: int) -> bool:
    """Count the raw logs of a period, and tell whether a judgement rests on fewer.

    Args:
        store: Where.
        policy: The policy whose alert would open.
        period: The period under judgement.
        applied: So many of its logs lay in the buckets by which it was judged (`applied_to`): what came since counts as missing.

    Returns:
        True if raw logs wait: nothing may be judged, the rollup change that must still come judges the period as late data, or
        has just judged it. Rule: ENGINE.md, "The look before a silent alert".
    """
    event = events.get(store, policy.event_id)
    if event is None or applied > MOST:
        return False
    count("SilentAlertLooks")
    return logs.count_raw(store, policy.event_id, event.shards, period.start, period.end, at_most=applied + 1) > applied
