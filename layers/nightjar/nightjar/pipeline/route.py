"""From a transition to the trays of those who are told of it, and a bell for each tray."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nightjar.core.alerts import OPENINGS, TOLD, Transition
from nightjar.core.delivery import Record, RecordStatus, unsent, waits_in
from nightjar.core.destinations import Destination
from nightjar.core.quiet import HELD, OVER, UNTOLD, Held, Quiet, overtaken
from nightjar.core.routing import Target, reached, targets, untold, was_told
from nightjar.observability import count, logger
from nightjar.pipeline.release import quiet_now
from nightjar.queues import Bells, bells, ring
from nightjar.storage import alerts, deliveries, destinations, held, open_rows, outbox
from nightjar.storage.client import Store
from nightjar.storage.faults import is_fault


@dataclass(frozen=True, slots=True)
class Round:
    """What a batch routes with: destinations and mutes as they are now.

    Attributes:
        now: Wall time (µs).
        clock: What mutes are held against (µs); None: the engine's clock at each transition.
    """

    store: Store
    destinations: Sequence[Destination]
    quiet: Quiet
    now: int
    clock: int | None = None


def route(store: Store, queue: Bells, records: Sequence[dict[str, Any]], *, token: str, now: int) -> None:
    """Route the transitions in a batch of the alerts table's stream, then ring once for each tray that got something.

    Args:
        store: Where.
        queue: Where to ring.
        records: The batch. One that came before writes nothing new, but rings again.
        token: Unique to this invocation (see queues.ring).
        now: Wall time (µs).

    Rule: ENGINE.md, Notifying. By number, since a stream does not keep the order inside a transaction.
    """
    told = [found for found in map(_readable, records) if found and found.type in TOLD]
    if not told:
        return
    this = Round(store, destinations.list_all(store), quiet_now(store, {found.alert.policy_id for found in told}), now)
    into: set[str] = set()
    for transition in sorted(told, key=lambda found: (found.alert.policy_id, found.number)):
        into |= _guarded(this, transition)
    ring(queue, into, token)


def route_again(store: Store, alert_ids: Iterable[str], *, clock: int, now: int, queue: Bells | None = None) -> None:
    """Route open alerts that reached nobody again, to destinations that have no record of them.

    Args:
        store: Where.
        alert_ids: Alerts that are open; those that reached somebody are passed over.
        clock: The tick (µs).
        now: Wall time (µs).
        queue: Where to ring; this function's queue if not given.
    """
    waiting = [(alert_id, name) for alert_id in alert_ids if (name := deliveries.unrouted(store, alert_id))]
    if not waiting:
        return
    this = Round(store, destinations.list_all(store), quiet_now(store, {policy_id for _, (policy_id, _) in waiting}), now, clock)
    into: set[str] = set()
    for alert_id, name in waiting:
        into |= _again(this, alert_id, name)
    ring(queue or bells(), into, f"again/{clock}")


def note_if_untold(store: Store, transition: Transition) -> None:
    """Record an opening that nobody was told of so far, so that ticks route it again should it reach nobody; nothing when somebody was.

    To be called before it is recorded that a delivery failed: whoever dies in between comes again.
    """
    alert = transition.alert
    if not was_told(deliveries.history(store, alert.alert_id)[0]):
        deliveries.note_unrouted(store, alert.alert_id, alert.policy_id, transition.number, transition.clock)
        open_rows.mark_unrouted(store, alert.policy_id, alert.alert_id, unrouted=True)


def _readable(record: dict[str, Any]) -> Transition | None:
    """Read a stream record; one that cannot be read is counted and passed over, else it would block the outbox for ever."""
    try:
        return outbox.from_stream(record)
    except (ValueError, TypeError, KeyError):
        logger().exception("a transition cannot be read", extra={"keys": record.get("dynamodb", {}).get("Keys")})
        count("UnreadableTransitions")
        return None


def _guarded(this: Round, transition: Transition) -> set[str]:
    """Route one transition; a fault of the code in it must not keep the others from being told."""
    try:
        return _route_one(this, transition)
    except Exception as error:
        if is_fault(error):
            raise
        logger().exception("a transition cannot be routed", extra={"alert_id": transition.alert.alert_id, "number": transition.number})
        count("NotifyingErrors")
        _note_stuck(this, transition)
        return set()


def _note_stuck(this: Round, transition: Transition) -> None:
    """Have ticks route a transition again at which the code failed; nobody misses a reminder."""
    if transition.type == "reminded":
        return
    held.note_stuck(this.store, (transition.alert.policy_id, transition.number), this.now)
    try:
        if transition.type in OPENINGS:
            note_if_untold(this.store, transition)  # the alert says of itself that it has reached nobody
    except Exception as error:
        if is_fault(error):
            raise
        logger().exception("what became of an alert cannot be read", extra={"alert_id": transition.alert.alert_id})


def route_stuck(store: Store, names: Sequence[outbox.Name], *, now: int) -> set[str]:
    """Route again what the code failed to route.

    Args:
        store: Where.
        names: Which transitions, in the order of their numbers.
        now: Wall time (µs).

    Returns:
        The trays that got something: to be rung for.
    """
    transitions = outbox.read(store, names)
    this = Round(store, destinations.list_all(store), quiet_now(store, {policy_id for policy_id, _ in names}), now)
    into: set[str] = set()
    for name in names:
        found = transitions.get(name)
        routed = set() if found is None else _guarded(this, found)
        into |= routed
        if found is None or found.number in deliveries.history(store, found.alert.alert_id)[1]:
            held.forget_stuck(store, name)
    return into


def _route_one(this: Round, transition: Transition) -> set[str]:
    """Route a transition, after those of its alert that the stream has not brought yet; returns the trays that got something."""
    _, done = deliveries.history(this.store, transition.alert.alert_id)
    if transition.number in done:
        return set(done[transition.number])
    earlier = [] if transition.type == "opened" else outbox.before(this.store, transition)
    missed = [found for found in earlier if found.type in TOLD and found.number not in done]
    into: set[str] = set()
    for found in (*missed, transition):
        into |= _carry_out(this, found)
    return into


def _carry_out(this: Round, transition: Transition) -> set[str]:
    """Put one transition into the trays of all who are told, and record that it is done."""
    store, alert = this.store, transition.alert
    records = _told_before(this, transition)
    chosen = targets(transition, this.destinations, records, this.quiet, this.clock)
    into = {tray for target in chosen if (tray := put(this, transition, target, waits_in(records, target.destination_id)))}
    if transition.type in OPENINGS and not chosen:
        logger().warning("an alert has no destination", alert_id=alert.alert_id, policy_id=alert.policy_id)
        count("UnroutedAlerts")
    if transition.type in OPENINGS and not into:
        note_if_untold(store, transition)  # what is held has reached nobody yet
    deliveries.mark_routed(store, alert.alert_id, transition.number, into, this.now)
    return into


def _told_before(this: Round, transition: Transition) -> list[Record]:
    """Return what became of an alert's transitions so far; openings that an ending finds still held are given up first."""
    if transition.type == "opened":
        return []
    store, alert_id = this.store, transition.alert.alert_id
    records, _ = deliveries.history(store, alert_id)
    late = overtaken(transition, records) if transition.type == "resolved" else []
    for record in late:
        held.drop(store, replace(record, status="skipped", reason=OVER), this.now)
    # Read again: one of them may have been released in this moment, and then its destination hears of the ending.
    return deliveries.history(store, alert_id)[0] if late else records


def put(this: Round, transition: Transition, target: Target, waits_in: str = "") -> str:
    """Put a transition into one destination's tray, or where its alert's others wait, or hold it, or record why not; returns the tray, or nothing."""
    if target.destination is None or target.skipped:
        _skip(this, transition, target, target.skipped)
        return ""
    message = _message(this, transition, target)
    if target.held:
        announced, tray = held.hold(this.store, message), ""
        count("MessagesHeld", announced == "new")
    else:
        row = message.row(target.destination, this.now, waits_in)
        announced, tray = deliveries.announce(this.store, replace(message.record, status="pending", reason=""), row, target.after), row.tray
    if announced == "untold":
        _skip(this, transition, target, UNTOLD)
        return ""
    return tray


def _skip(this: Round, transition: Transition, target: Target, reason: str) -> None:
    """Record that a destination gets nothing."""
    record = _record(this, transition, target, "skipped", reason)
    deliveries.skip(this.store, record, unsent(record, this.now))


def _again(this: Round, alert_id: str, name: outbox.Name) -> set[str]:
    """Route one alert that reached nobody again."""
    store = this.store
    records, _ = deliveries.history(store, alert_id)
    if reached(records) and not was_told(records):
        return set()  # on its way to somebody, and may fail there
    if not reached(records) and {found.destination_id for found in this.destinations} <= {record.destination_id for record in records}:
        return set()  # held for everybody: nothing more to read, tick after tick
    transition = outbox.read(store, [name]).get(name)
    alert = alerts.get_alert(store, alert_id)
    if transition is None or alert is None or not alert.is_open or reached(records):
        _forget(store, name[0], alert_id)
        return set()
    transition = replace(transition, alert=alert)  # its severity may have been changed since
    into = {tray for target in untold(transition, this.destinations, records, this.quiet, this.clock) if (tray := put(this, transition, target))}
    if into:
        _forget(store, name[0], alert_id)
        # Had it ended since it was looked at, its ending found nobody to tell: whoever hears of the opening now must hear of that too.
        for later in outbox.after(store, name, alert_id):
            into |= _carry_out(this, later) if later.type == "resolved" else set()
    return into


def _forget(store: Store, policy_id: str, alert_id: str) -> None:
    """Take away the notes that an alert reached nobody."""
    deliveries.forget_unrouted(store, alert_id)
    open_rows.mark_unrouted(store, policy_id, alert_id, unrouted=False)


def _message(this: Round, transition: Transition, target: Target) -> Held:
    """Make what is held, or put into a tray, of a transition for a destination."""
    alert = transition.alert
    return Held(
        record=_record(this, transition, target, "held", HELD),
        policy_id=alert.policy_id,
        agent=alert.agent,
        event=alert.event,
        clock=transition.clock,
        after=target.after,
    )


def _record(this: Round, transition: Transition, target: Target, status: RecordStatus, reason: str = "") -> Record:
    """Make the record of a transition for a destination."""
    from nightjar.channels import target as masked  # on first use: the evaluator imports this module and rarely needs channels

    found, was = target.destination, target.was
    return Record(
        alert_id=transition.alert.alert_id,
        destination_id=target.destination_id,
        number=transition.number,
        type=transition.type,
        status=status,
        channel=found.channel if found else was.channel if was else "slack",
        target=masked(found.channel, found.url, dict(found.credentials)) if found else was.target if was else "",
        reason=reason,
        created_at=this.now,
    )
