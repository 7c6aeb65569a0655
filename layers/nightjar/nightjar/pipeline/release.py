"""What mutes held, sent when they end: at a tick, or when a mute is deleted. And what could not be routed, tried again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nightjar.core.alerts import OPENINGS
from nightjar.core.delivery import waits_in
from nightjar.core.destinations import Destination
from nightjar.core.quiet import UNTOLD, Held, Quiet, is_due, refusal
from nightjar.core.routing import wants
from nightjar.observability import count, logger
from nightjar.queues import Bells, bells, ring
from nightjar.storage import alerts, deliveries, destinations, held, mutes, outbox, policies
from nightjar.storage.client import Store
from nightjar.storage.faults import is_fault


@dataclass(frozen=True, slots=True)
class _Now:
    """What is released with: the destinations as they are now, and wall time (µs)."""

    store: Store
    destinations: Mapping[str, Destination]
    now: int


def quiet_now(store: Store, policy_ids: Iterable[str]) -> Quiet:
    """Read all that keeps messages of some policies back, as it is now."""
    return Quiet(policies.latest(store, policy_ids), mutes.list_all(store))


def release(store: Store, *, clock: int, now: int, token: str, queue: Bells | None = None) -> None:
    """Send what is held and need not wait any longer, or record why not.

    Args:
        store: Where.
        clock: The engine's clock (µs): a mute is over at the first tick at or after its end.
        now: Wall time (µs).
        token: Unique to this tick or request (see queues.ring).
        queue: Where to ring; this function's queue if not given.

    Rule: ENGINE.md, Notifying, Mutes. Each message is released, or given up, in one transaction: whoever dies in between,
    what lies in a tray is rung for again by a later tick, and what is still held is released by the next.
    """
    waiting, stuck = held.read_waiting(store)
    if not waiting and not stuck:
        return
    by_id = {found.destination_id: found for found in destinations.list_all(store)}
    quiet = quiet_now(store, {one.policy_id for one in waiting})
    due = [one for one in waiting if is_due(one, by_id.get(one.record.destination_id), quiet, clock)]
    this = _Now(store, by_id, now)
    into = {tray for one in due if (tray := _guarded(this, one))} | _route_stuck(store, stuck, now)
    if into:
        ring(queue or bells(), into, token)


def _route_stuck(store: Store, stuck: Sequence[outbox.Name], now: int) -> set[str]:
    """Route what the code failed to route: it may have been mended, or the fault has passed."""
    if not stuck:
        return set()
    from nightjar.pipeline.route import route_stuck  # which needs this module

    return route_stuck(store, stuck, now=now)


def _guarded(this: _Now, one: Held) -> str:
    """Release one message; a fault of the code in it must not keep the others waiting."""
    try:
        return _release(this, one)
    except Exception as error:
        if is_fault(error):
            raise
        logger().exception("what was held cannot be released", extra={"alert_id": one.record.alert_id, "number": one.record.number})
        count("NotifyingErrors")
        return ""


def _release(this: _Now, one: Held) -> str:
    """Put one message into its tray, or record why not; returns the tray, or nothing."""
    destination = this.destinations.get(one.record.destination_id)
    refused = refusal(one, destination, over=_is_over(this.store, one), wanted=_is_wanted(this.store, one, destination))
    if refused is None and destination is not None:
        records, _ = deliveries.history(this.store, one.record.alert_id)
        row = one.row(destination, this.now, waits_in(records, destination.destination_id))
        if held.release(this.store, one, row) != "untold":
            return row.tray
        refused = "skipped", UNTOLD
    if refused is not None:
        status, reason = refused
        held.drop(this.store, replace(one.record, status=status, reason=reason), this.now)
    return ""


def _is_wanted(store: Store, one: Held, destination: Destination | None) -> bool:
    """Tell whether a destination still wants the alert of a held opening, both as they are now."""
    if destination is None or one.record.type not in OPENINGS:
        return True
    alert = alerts.get_alert(store, one.record.alert_id)
    return alert is None or wants(destination, alert)


def _is_over(store: Store, one: Held) -> bool:
    """Tell whether the alert of a held opening has ended since, whatever the stream has brought of that."""
    if one.record.type not in OPENINGS:
        return False
    later = outbox.after(store, (one.policy_id, one.record.number), one.record.alert_id)
    return any(found.type == "resolved" for found in later)
