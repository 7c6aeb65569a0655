"""The test of a destination: one message, sent at once, its outcome kept as a delivery of kind test."""

from nightjar.core.delivery import Attempt, Row, settled
from nightjar.core.destinations import Destination
from nightjar.core.wording import Notice
from nightjar.pipeline.health import note_outcome
from nightjar.pipeline.sending import Post, post_to, receiver_of
from nightjar.storage import deliveries
from nightjar.storage.client import Store

_NOTICE = Notice(
    kind="opened",
    icon="🔵",
    label="Test",
    title="Nightjar can reach this channel",
    sentence="this is a test message; no alert is open because of it",
    facts=(),
    description="",
    trend="",
    runbook_url="",
    agent="",
    event="nightjar.test",
    transitions=(),
)


def send_test(store: Store, destination: Destination, *, alert_id: str, now: int, post: Post | None = None) -> Attempt:
    """Send a test message once.

    Args:
        store: Where the outcome is kept.
        destination: Where to send it, enabled or not.
        alert_id: A new id, under which the attempt is then found (kind test); it is in no list.
        now: Wall time (µs).
        post: Makes the POST; the channel's own if not given.

    Returns:
        The attempt, sent or failed: it is never tried again.

    Rule: API.md, Destinations, test.
    """
    receiver = receiver_of(destination)
    (message,) = receiver.channel.render([_NOTICE])
    outcome = post_to(receiver, message, delivery_id=alert_id, now=now, post=post)
    row = Row(
        tray="", key=f"test#{alert_id}", policy_id="", number=0, alert_id=alert_id,
        destination_id=destination.destination_id, type="opened", put_at=now,
    )  # fmt: skip
    attempt = settled(row, outcome, receiver.name, receiver.target, now, kind="test").attempt
    deliveries.keep_attempt(store, attempt)
    note_outcome(store, destination.destination_id, outcome, given_up=outcome.status != "sent", now=now)
    return attempt
