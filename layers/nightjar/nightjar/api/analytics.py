"""How an event's current window compares with an earlier one."""

from collections.abc import Mapping
from typing import Any, get_args

from nightjar.api.events import known
from nightjar.api.models.analytics import AnalyticsAnswer, Comparison
from nightjar.api.requests import Call, Reply
from nightjar.core.analytics import SPANS, compare, windows
from nightjar.core.instants import DAY, parse_instant
from nightjar.core.periods import Bin, Period, Previous, cover
from nightjar.core.rollups import Bucket, merge
from nightjar.http.errors import BadRequest
from nightjar.pipeline.kept import TooFarBack, check_kept
from nightjar.storage import rollups
from nightjar.storage.bucket_items import blamed

_EARLIEST, _LATEST = 365 * DAY, 253_370_764_800_000_000  # 1971 and 9999, µs


def window(call: Call, event_id: str) -> Reply:
    """Compare the window that ends now, or at `at`, with an earlier one."""
    event = known(call, event_id)
    view = call.choice("view", ("window",), "window")
    span: Any = call.choice("period", SPANS)
    previous: Any = call.choice("previous", get_args(Previous))
    try:
        current, earlier = windows(span, previous, _at(call))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    bins = {*cover(current.start, current.end), *cover(earlier.start, earlier.end)}
    try:
        check_kept(bins, call.now)
    except TooFarBack as error:
        raise BadRequest(f"at: {error}") from None
    buckets = rollups.read(call.store, event.event_id, bins, now=call.now)
    with blamed(event.event_id, buckets):
        data = compare(_logs(buckets, current), _logs(buckets, earlier))
    comparison = Comparison.model_validate(data)
    return Reply(AnalyticsAnswer(event_id=event.event_id, view=view, period=span, previous=previous, data=comparison).fields())


def _at(call: Call) -> int:
    """Return the instant (µs) that the current window ends at, before it is cut to a full minute or hour."""
    text = call.query("at")
    if text is None:
        return call.now
    try:
        found = parse_instant(text)
    except ValueError as error:
        raise BadRequest(f"at: {error}") from None
    if not _EARLIEST <= found < _LATEST:
        raise BadRequest("at: must lie between 1971 and 9999")
    return found


def _logs(buckets: Mapping[Bin, Bucket], period: Period) -> Bucket:
    """Merge the buckets that make up a window."""
    return merge(buckets[bin] for bin in cover(period.start, period.end) if bin in buckets)
