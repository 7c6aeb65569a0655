"""A schedule: when it fires next, and with which input.

Rule: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html:
<aws.scheduler.scheduled-time> in the input becomes the time that was meant.
"""

from datetime import UTC, datetime

MINUTE = 60


class UnknownSchedule(ValueError):
    """The schedule is none that is known here."""


def check(expression: str) -> None:
    """Refuse a schedule other than the one that is known here.

    Raises:
        UnknownSchedule: It does not fire every minute.
    """
    if expression != "rate(1 minute)":
        raise UnknownSchedule(f"not known here: {expression}")


def first(now: float) -> int:
    """Return the start (seconds) of the running minute: the first tick is made at once."""
    return int(now) // MINUTE * MINUTE


def to_event(input: str, at: int) -> bytes:
    """Write the input for a firing meant for an instant (seconds)."""
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return input.replace("<aws.scheduler.scheduled-time>", text).encode()
