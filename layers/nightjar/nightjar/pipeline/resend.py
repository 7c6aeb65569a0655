"""What was given up for a destination, sent again because somebody asks for it."""

from dataclasses import dataclass

from nightjar.core.alerts import OPENINGS, Transition
from nightjar.core.delivery import GivenUp, Row, row_for, tray_of
from nightjar.core.destinations import Destination
from nightjar.core.quiet import NOTHING
from nightjar.core.routing import Target
from nightjar.pipeline.route import Round, put
from nightjar.queues import Bells, bells, ring
from nightjar.storage import given_up, outbox
from nightjar.storage.client import Store

# What one request puts back: some seconds of an API's time.
MOST = 250


@dataclass(frozen=True, slots=True)
class Resent:
    """What came of a request.

    Attributes:
        count: How much of what was given up waits for the destination again.
        more: Whether some of what was given up is left: ask again.
    """

    count: int
    more: bool


def resend(store: Store, destination: Destination, *, token: str, now: int, queue: Bells | None = None) -> Resent:
    """Put what was given up for a destination into its tray again, the newest first; mutes do not hold what somebody asks for.

    With an opening goes the ending of its alert, if there is one by now: together they are one line.

    Args:
        store: Where.
        destination: Whose; it must be enabled.
        token: Unique to the request (see queues.ring).
        now: Wall time (µs); giving up counts from here again.
        queue: Where to ring; this function's queue if not given.

    Rule: ENGINE.md, Notifying: "What was given up is listed on the destination and can be sent again". Whoever dies in between,
    what lies in the tray is rung for by a tick, and the rest is still on the list.
    """
    found, following = given_up.newest(store, destination.destination_id, MOST)
    transitions = outbox.read(store, [(one.policy_id, one.number) for one in found])
    this = Round(store, [destination], NOTHING, now)
    sent = 0
    for one in found:
        transition = transitions.get((one.policy_id, one.number))
        if transition is None:
            given_up.forget(store, one)  # older than all that is kept of its alert
        else:
            sent += _again(this, destination, one, transition)
    if sent:
        ring(queue or bells(), [tray_of(destination)], token)
    return Resent(sent, following is not None)


def _again(this: Round, destination: Destination, given: GivenUp, transition: Transition) -> bool:
    """Put one transition back, and behind an opening the ending of its alert; False when somebody else did."""
    if not given_up.put_back(this.store, _row(destination, transition, this.now), given):
        return False
    ending = _ending(this.store, transition) if transition.type in OPENINGS else None
    # Routing passed it over, or comes to it in this moment: there is one record, so it is told once.
    if ending and put(this, ending, Target(destination, destination.destination_id, after=(transition.number,))):
        given_up.put_ending_back(this.store, _row(destination, ending, this.now))
    return True


def _ending(store: Store, opening: Transition) -> Transition | None:
    """Read the ending of an alert that opened; None while it is open. It is read after the opening waits: routing sees one of the two."""
    alert = opening.alert
    later = outbox.after(store, (alert.policy_id, opening.number), alert.alert_id)
    return next((found for found in later if found.type == "resolved"), None)


def _row(destination: Destination, transition: Transition, now: int) -> Row:
    """Return a transition's place in its destination's tray."""
    alert = transition.alert
    return row_for(
        destination, policy_id=alert.policy_id, number=transition.number, alert_id=alert.alert_id, type=transition.type, clock=transition.clock, now=now
    )
