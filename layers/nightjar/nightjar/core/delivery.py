"""What waits, what was tried, what came of it; how long to wait; which transitions are told together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from hashlib import sha256
from itertools import groupby
from math import ceil
from typing import Literal
from uuid import UUID, uuid5

from nightjar.core.alerts import TransitionType
from nightjar.core.destinations import Channel, Destination
from nightjar.core.instants import HOUR, SECOND

RecordStatus = Literal["held", "pending", "sent", "failed", "skipped"]
DeliveryKind = Literal["alert", "test"]

GIVE_UP_AFTER = 24 * HOUR
LONGEST_WAIT = 900
SHORTEST_WAIT = 1

_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?")
_ATTEMPTS = UUID("e0c0a9be-3b35-5b0a-9a0e-4c1f7f6d2b11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of one transition for one destination.

    Attributes:
        number: The transition's number within its policy.
        status: `held` waits for the end of a mute, `pending` in a tray.
        attempts: How often it was posted so far.
        reason: Why it was skipped or failed; empty otherwise.
    """

    alert_id: str
    destination_id: str
    number: int
    type: TransitionType
    status: RecordStatus
    channel: Channel = "slack"
    target: str = ""
    attempts: int = 0
    reason: str = ""
    created_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a tray: a transition that waits to be told to a destination.

    Attributes:
        tray: Hash of the webhook (see `tray_of`).
        key: Its place in the tray: the engine's clock, policy, number, destination; so a row put twice is one row.
        put_at: Instant (µs) at which it was put there; giving up counts from here.
    """

    tray: str
    key: str
    policy_id: str
    number: int
    alert_id: str
    destination_id: str
    type: TransitionType
    put_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of GET /v1.0/alerts/:id/deliveries (API.md, Delivery); without attempt_id it still waits."""

    attempt_id: str | None
    alert_id: str
    destination_id: str
    channel: Channel
    target: str
    status: RecordStatus
    response_status: int | None = None
    error_message: str | None = None
    created_at: int
    kind: DeliveryKind = "alert"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A transition that a destination was not told of, and will not be unless somebody asks for it.

    Attributes:
        policy_id: Whose.
        number: The transition's number within its policy.
        attempt: The last attempt, with the reason.
    """

    policy_id: str
    number: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one row.

    Attributes:
        row: The row; it leaves its tray unless the status is pending.
        status: What its record says from now on.
        attempt: The line to show for it.
    """

    row: Row
    status: RecordStatus
    attempt: Attempt

    @property
    def given_up(self) -> GivenUp | None:
        """What may be sent again later; nobody misses a reminder."""
        lasting = self.status == "failed" and self.row.type != "reminded"
        return GivenUp(self.row.policy_id, self.row.number, self.attempt) if lasting else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a receiver's answer means.

    Attributes:
        status: `sent`; `failed` for good; `skipped` (not tried); `busy` (429: wait, never give up for it); `down` (back off).
        code: The HTTP status, None when there was no answer.
        error: The receiver's words or the network's, without secrets; empty when sent.
        retry_after: Seconds that a busy receiver asked for; None when it did not, or made no sense.
    """

    status: Literal["sent", "failed", "skipped", "busy", "down"]
    code: int | None = None
    error: str = ""
    retry_after: Decimal | None = None


def tray_of(destination: Destination) -> str:
    """Name the tray of a destination's webhook: destinations that post to one place share it, and so its rate.

    Example:
        >>> len(tray_of(Destination(destination_id="d", channel="slack", url="https://hooks.slack.com/services/T/B/x")))
        64
    """
    parts = [destination.channel, destination.url, *(text for pair in sorted(destination.credentials) for text in pair)]
    return sha256("\n".join(parts).encode()).hexdigest()


def row_key(clock: int, policy_id: str, number: int, destination_id: str) -> str:
    """Place a row in its tray: in order of the engine's clock (µs), then of a policy's transitions."""
    return f"{clock:016d}#{policy_id}#{number:06d}#{destination_id}"


def attempt_id(row: Row, at: int) -> str:
    """Derive the id of an attempt from what was tried and when (µs)."""
    return str(uuid5(_ATTEMPTS, f"{row.key}/{at}"))


def unsent(record: Record, now: int) -> Attempt:
    """Return the line to show for a transition that was not sent, as its record says why; `now` is wall time (µs)."""
    return Attempt(
        attempt_id=str(uuid5(_ATTEMPTS, f"{record.alert_id}/{record.destination_id}/{record.number}")),
        alert_id=record.alert_id,
        destination_id=record.destination_id,
        channel=record.channel,
        target=record.target,
        status=record.status,
        error_message=record.reason,
        created_at=now,
    )


def delivery_id(rows: Iterable[Row]) -> str:
    """Derive the id of a message from the transitions in it: the same in every attempt to send the same."""
    return str(uuid5(_ATTEMPTS, "/".join(sorted({f"{row.policy_id}#{row.number}" for row in rows}))))


def same_alert(rows: Sequence[Row]) -> list[list[Row]]:
    """Put the rows of one alert together: they become one line of a message.

    Args:
        rows: Rows in the order of their tray.

    Returns:
        Groups in the order of their first row; a group's rows in the order of their numbers.

    Rule: ENGINE.md, Notifying: "Opening and recovery of one alert become one line."
    """
    places: dict[str, int] = {}
    for row in rows:
        places.setdefault(row.alert_id, len(places))
    ordered = sorted(rows, key=lambda row: (places[row.alert_id], row.number, row.destination_id))
    return [list(group) for _, group in groupby(ordered, key=lambda row: row.alert_id)]


def wait_seconds(outcome: Outcome, receives: int) -> int:
    """Say how long a bell rests after an answer that asks for another try.

    Args:
        outcome: A `busy` or `down` outcome.
        receives: How often this bell has been received (1 the first time).

    Returns:
        Whole seconds, 1 to 900: what a busy receiver asked for, rounded up; else 1, 2, 4, … (busy) or 2, 4, 8, … (down).

    Example:
        >>> wait_seconds(Outcome("busy", 429, retry_after=Decimal("1.5")), 1), wait_seconds(Outcome("down", 500), 3)
        (2, 8)
    """
    if outcome.status == "busy" and outcome.retry_after is not None:
        return min(max(ceil(min(outcome.retry_after, Decimal(LONGEST_WAIT))), SHORTEST_WAIT), LONGEST_WAIT)
    doublings = receives - 1 if outcome.status == "busy" else receives
    return min(1 << min(max(doublings, 0), 16), LONGEST_WAIT)


def retry_after(header: str | None, now: int) -> Decimal | None:
    """Read a Retry-After header.

    Args:
        header: Its text: seconds, with a fraction or not, or an HTTP date; None when absent.
        now: The instant (µs) of the answer.

    Returns:
        Seconds above zero; None when it is absent or senseless (words, zero, the past).

    Rule: ENGINE.md, Notifying; RFC 9110 section 10.2.3.

    Example:
        >>> retry_after("1.5", 0), retry_after("Thu, 01 Jan 1970 00:00:20 GMT", 0), retry_after("abc", 0)
        (Decimal('1.5'), Decimal('20'), None)
    """
    text = (header or "").strip()
    return seconds(text) or _until(text, now)


def seconds(found: object) -> Decimal | None:
    """Read seconds above zero from what a header or a JSON body holds; None for anything else."""
    if not isinstance(found, (str, int, float, Decimal)) or isinstance(found, bool):
        return None
    if isinstance(found, str) and not _NUMBER.fullmatch(found):  # Decimal takes 1_000 and other scripts' digits, too
        return None
    try:
        value = Decimal(str(found))
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


def _until(text: str, now: int) -> Decimal | None:
    """Return the seconds until an HTTP date, None when it is none or over."""
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)  # one of the three forms names no zone; all are GMT
        left = Decimal(int(date.timestamp()) * SECOND - now) / SECOND
    except (ValueError, TypeError, OverflowError):
        return None
    return left if left > 0 else None


def owed_reason(destination: Destination | None) -> str:
    """Say why what waits for a destination will not be sent; empty when it will.

    Rule: ENGINE.md, Notifying: deleting a destination fails what waits for it; one disabled gets nothing.
    """
    if destination is None:
        return "the destination was deleted"
    return "" if destination.enabled else "the destination is disabled"


def credentials(destination: Destination) -> dict[str, str]:
    """Return a destination's credentials by name."""
    return dict(destination.credentials)


def settled(row: Row, outcome: Outcome, channel: Channel, target: str, now: int, *, kind: DeliveryKind = "alert") -> Settled:
    """Say what an outcome means for one row.

    Args:
        row: The row.
        outcome: What came of the attempt to send it.
        channel: The channel that it was for.
        target: The receiver, masked.
        now: Wall time (µs).
        kind: What it is a delivery of.

    Returns:
        What to record: a row waits on while the receiver is busy, and while it is down and the row is younger than a day.

    Rule: ENGINE.md, Notifying: "giving up comes by age (24 hours), not by count"; a 429 never counts towards it.
    """
    too_old = outcome.status == "down" and now - row.put_at >= GIVE_UP_AFTER
    error = f"given up after 24 hours: {outcome.error}" if too_old else outcome.error
    shown: RecordStatus = outcome.status if outcome.status in ("sent", "skipped") else "failed"
    attempt = Attempt(
        attempt_id=attempt_id(row, now),
        alert_id=row.alert_id,
        destination_id=row.destination_id,
        channel=channel,
        target=target,
        status=shown,
        response_status=outcome.code,
        error_message=error or None,
        created_at=now,
        kind=kind,
    )
    waits = outcome.status == "busy" or (outcome.status == "down" and not too_old)
    return Settled(row, "pending" if waits else shown, attempt)
