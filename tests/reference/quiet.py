"""When messages are held: active_hours, mute_until, and mutes across policies."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from tests.reference.periods import to_datetime, zone_of
from tests.reference.policies import Policy

Fields = Mapping[str, Any]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_active(hours: Fields | None, instant: int) -> bool:
    """Say whether an instant lies inside active_hours.

    Rule: API.md: days name the day a span begins; from is inside, to is not; from > to runs over midnight; from = to is the whole day.
    """
    if not hours:
        return True
    local = to_datetime(instant).astimezone(zone_of(hours.get("timezone") or "UTC"))
    days = hours.get("days") or WEEKDAYS
    begin, end = _minutes(hours.get("from") or "00:00"), _minutes(hours.get("to") or "24:00")
    today, yesterday = WEEKDAYS[local.weekday()] in days, WEEKDAYS[(local - timedelta(days=1)).weekday()] in days
    now = _minutes_of(local)
    if begin == end:
        return today
    if begin < end:
        return today and begin <= now < end
    return (today and now >= begin) or (yesterday and now < end)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def _minutes_of(local: datetime) -> int:
    clock: time = local.time()
    return 60 * clock.hour + clock.minute


def is_quiet(fields: Fields, clock: int) -> bool:
    """Say whether a policy's or a destination's own fields hold its messages."""
    until = fields.get("mute_until")
    return (until is not None and clock < until) or not is_active(fields.get("active_hours"), clock)


def mute_matches(mute: Fields, policy: Policy, clock: int) -> bool:
    """Say whether a mute across policies holds a policy's messages: all that it names must match."""
    agent, event = policy.event_key
    named = mute.get("policy_ids") is None or policy.policy_id in mute["policy_ids"]
    return bool(clock < mute["until"] and named and _fits(mute.get("agent"), agent) and _fits(mute.get("event"), event))


def _fits(pattern: str | None, name: str) -> bool:
    if pattern is None:
        return True
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
