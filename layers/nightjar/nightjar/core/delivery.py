"""What waits, what was tried, what came of it; which transitions are told together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import groupby, islice
from typing import Literal
from uuid import UUID, uuid5

from nightjar.core.alerts import TransitionType
from nightjar.core.destinations import Channel, Destination
from nightjar.core.instants import HOUR

RecordStatus = Literal["held", "pending", "sent", "failed", "skipped"]
DeliveryKind = Literal["alert", "test"]

GIVE_UP_AFTER = 24 * HOUR

_ATTEMPTS = UUID("e0c0a9be-3b35-5b0a-9a0e-4c1f7f6d2b11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of one transition for one destination.

    Attributes:
        number: The transition's number within its policy.
        status: `held` waits for the end of a mute, `pending` in a tray.
        attempts: How often it was posted so far.
        reason: Why it was skipped or failed; empty otherwise.
        tray: Where it waits while it is pending; empty before.
        tried_at: Instant (µs) of the last attempt; 0 before the first.
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
    tray: str = ""
    tried_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a tray: a transition that waits to be told to a destination.

    Attributes:
        tray: Hash of the webhook (see `tray_of`).
        key: Its place in the tray: the engine's clock, policy, number, destination; so a row put twice is one row.
        put_at: Instant (µs) at which it was put there, moved on by the time for which its receiver was busy; giving up counts
            from here.
        busy_since: Instant (µs) of the last answer, if that was a 429; 0 if not.
        again: Whether it was sent before, and only shows how things stand: its record stays as it is.
    """

    tray: str
    key: str
    policy_id: str
    number: int
    alert_id: str
    destination_id: str
    type: TransitionType
    put_at: int
    busy_since: int = 0
    again: bool = False


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
        changed: Whether the row is another than lies in the tray.
    """

    row: Row
    status: RecordStatus
    attempt: Attempt
    changed: bool = False

    @property
    def given_up(self) -> GivenUp | None:
        """What may be sent again later; nobody misses a reminder."""
        lasting = self.status == "failed" and self.row.type != "reminded" and not self.row.again
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


def waits_in(records: Iterable[Record], destination_id: str) -> str:
    """Name the tray in which something of an alert waits for a destination; empty when nothing does.

    What follows goes there too, though the destination's webhook, and with it its tray, may have been changed since: what
    is told of one alert must not overtake what was to be told before.
    """
    return next((record.tray for record in records if record.destination_id == destination_id and record.status == "pending"), "")


def row_for(
    destination: Destination, *, policy_id: str, number: int, alert_id: str, type: TransitionType, clock: int, now: int, tray: str = "", again: bool = False
) -> Row:
    """Return the place of a transition that the engine wrote at its `clock` (µs), put there `now` (µs, wall time).

    It lies in the destination's own tray, or in the one where the alert's others wait (see `waits_in`).
    """
    key = row_key(clock, policy_id, number, destination.destination_id)
    return Row(
        tray=tray or tray_of(destination), key=key, policy_id=policy_id, number=number, alert_id=alert_id,
        destination_id=destination.destination_id, type=type, put_at=now, again=again,
    )  # fmt: skip


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


def of_first_alerts(rows: Sequence[Row], most: int) -> list[Row]:
    """Return all rows of the alerts that come first, of so many at most, in their order."""
    first = set(islice(dict.fromkeys(row.alert_id for row in rows), most))
    return [row for row in rows if row.alert_id in first]


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


def settled(row: Row, outcome: Outcome, channel: Channel, target: str, now: int, *, kind: DeliveryKind = "alert", since: int | None = None) -> Settled:
    """Say what an outcome means for one row.

    Args:
        row: The row.
        outcome: What came of the attempt to send it.
        channel: The channel that it was for.
        target: The receiver, masked.
        now: Wall time (µs).
        kind: What it is a delivery of.
        since: From when (µs) giving up counts; from when the row was put into its tray if not given.

    Returns:
        What to record: a row waits on while the receiver is busy, and while it is down and the row is younger than a day.

    Rule: ENGINE.md, Notifying: "giving up comes by age (24 hours), not by count"; a 429 never counts towards it.
    """
    too_old = outcome.status == "down" and now - (row.put_at if since is None else since) >= GIVE_UP_AFTER
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
