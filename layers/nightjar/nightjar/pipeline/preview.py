"""A policy over a past range: the buckets read in a few queries, then replayed."""

from collections.abc import Iterable, Iterator

from nightjar.core.evidence import bins_of
from nightjar.core.instants import HOUR
from nightjar.core.periods import Bin
from nightjar.core.policies import Policy
from nightjar.core.preview import Preview, periods_between, replay
from nightjar.core.rollups import Bucket
from nightjar.pipeline.judge import first_log
from nightjar.pipeline.kept import check_kept
from nightjar.storage import rollups
from nightjar.storage.bucket_items import blamed
from nightjar.storage.client import Store

_GAP = HOUR  # buckets further apart are asked for apart


def preview(store: Store, policy: Policy, start: int, end: int, *, now: int) -> Preview:
    """Tell what a policy would have raised. Nothing is written, and neither the clock nor the policies are read.

    Args:
        store: Where.
        policy: The policy; it need not be stored.
        start: Periods that end after this instant (µs) …
        end: … and at or before this one are judged.
        now: Wall time (µs).

    Raises:
        TooLong: The range holds more periods than one preview can judge.
        TooFarBack: It needs buckets that are no longer kept.
        Unreadable: It needs one that cannot be read.
    """
    periods = periods_between(policy, start, end, now)
    wanted = bins_of(policy, periods)
    check_kept(wanted, now)
    buckets = dict(_read(store, policy.event_id, wanted, now))
    with blamed(policy.event_id, buckets):
        return replay(policy, periods, buckets, first_log(store, policy, now, buckets, periods))


def _read(store: Store, event_id: str, wanted: Iterable[Bin], now: int) -> Iterator[tuple[Bin, Bucket]]:
    letters: dict[rollups.Letter, list[int]] = {}
    for letter, start in sorted(wanted):
        letters.setdefault(letter, []).append(start)
    for letter, starts in letters.items():
        for first, last in _spans(starts):
            for start, bucket in rollups.query(store, event_id, letter, first, last + 1, now=now, consistent=False):
                yield (letter, start), bucket


def _spans(starts: list[int]) -> Iterator[tuple[int, int]]:
    """Join starts in growing order into stretches, each by its first and last."""
    first = last = starts[0]
    for start in starts:
        if start - last > _GAP:
            yield first, last
            first = start
        last = start
    yield first, last
