"""The comparison of two windows as clients read it."""

from nightjar.api.models.base import Answer
from nightjar.api.models.fields import Digits, Uuid


class Comparison(Answer):
    """Two windows of the same length. A percentage over zero, and a mean or deviation of nothing, are null."""

    current_value: Digits
    current_count: int
    previous_value: Digits
    previous_count: int
    value_delta: Digits
    count_delta: int
    value_pct_change: Digits | None
    count_pct_change: Digits | None
    current_mean: Digits | None
    previous_mean: Digits | None
    mean_delta: Digits | None
    mean_pct_change: Digits | None
    current_stddev: Digits | None
    previous_stddev: Digits | None


class AnalyticsAnswer(Answer):
    """An event's current window against an earlier one."""

    event_id: Uuid
    view: str
    period: str
    previous: str
    data: Comparison
