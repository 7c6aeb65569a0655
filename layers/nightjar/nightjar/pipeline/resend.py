"""What was given up for a destination, sent again because somebody asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nightjar.core.alerts import OPENINGS, Transition
from nightjar.core.delivery import GivenUp, Record, Row, row_for, tray_of, waits_in
from nightjar.core.destinations import Destination
from nightjar.pipeline.sending import receiver_of
from nightjar.queues import Bells, bells, ring
from nightjar.storage import deliveries, given_up, outbox
from nightjar.storage.client import Store

# What one request puts back, and what belongs to it: some seconds of an API's time.
MOST = 250
# As much of one alert as a transaction holds.
_AT_ONCE = 25
# How often what changes in this moment is looked at again; what is left then stays on the list.
_TRIES = 8
_STATES = OPENINGS | {"resolved"}


@dataclass(frozen=True, slots=True)
class Resent:
    """What came of a request.

    Attributes:
        count: How much of what was given up waits for the destination again.
        more: Whether some of what was given up is left: ask again.
    """

    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Story:
    """One alert as one destination was told of it.

    Attributes:
        states: The transitions that opened, reopened or ended it, in order.
        records: What became of each for the destination, by number.
    """

    states: list[Transition]
    records: dict[int, Record]

    def lost(self, but: set[int]) -> list[Transition]:
        """Return the newest of what was given up, but for what was put back already."""
        found = [each for each in self.states if each.number not in but and _is_lost(self.records.get(each.number))]
        return found[-_AT_ONCE:]


def resend(store: Store, destination: Destination, *, token: str, now: int, queue: Bells | None = None) -> Resent:
    """Put what was given up for a destination into its tray again, the newest first; mutes do not hold what somebody asks for.

    All of an alert goes back at once, with the latest of its transitions, sent before or not: together they are one line, which
    tells how the alert stands by now.

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
    by_alert: dict[tuple[str, str], list[GivenUp]] = {}
    for one in found:
        by_alert.setdefault((one.policy_id, one.attempt.alert_id), []).append(one)
    counted, into = 0, set()
    for given in by_alert.values():
        count, tray = _again(store, destination, given, now)
        counted += count
        into |= {tray} if tray else set()
    if into:
        ring(queue or bells(), into, token)
    more = following is not None and bool(given_up.newest(store, destination.destination_id, 1, following)[0])
    return Resent(counted, more)


def _again(store: Store, destination: Destination, given: Sequence[GivenUp], now: int) -> tuple[int, str]:
    """Put all that was given up of one alert back; returns how much that was, and the tray."""
    story = _read(store, destination, given)
    _forget_stale(store, given, story)
    back: set[int] = set()
    known, into = 0, ""
    for _ in range(_TRIES):
        lost = story.lost(back)
        # What came meanwhile was not routed to somebody to whom the opening had not been put back: it is put in here.
        if not lost and not (back and story.states[-1].number > known):
            break
        tray = waits_in(story.records.values(), destination.destination_id) or tray_of(destination)
        if _put_back(store, destination, story, lost, tray=tray, now=now):
            back |= {each.number for each in lost}
            known, into = story.states[-1].number, tray
        story = _read(store, destination, given)
    return len(back), into


def _read(store: Store, destination: Destination, given: Sequence[GivenUp]) -> _Story:
    """Read an alert's story: what became of it first, so that whatever is routed since is seen as new."""
    policy_id, alert_id = given[0].policy_id, given[0].attempt.alert_id
    found, _ = deliveries.history(store, alert_id)
    records = {record.number: record for record in found if record.destination_id == destination.destination_id}
    for one in given:
        was = records.get(one.number)
        if was and not was.tried_at:  # written by an earlier version
            records[one.number] = replace(was, tried_at=one.attempt.created_at)
    first = min([one.number for one in given] + [number for number, record in records.items() if _is_lost(record)])
    later = outbox.after(store, (policy_id, first - 1), alert_id)
    return _Story([each for each in later if each.type in _STATES], records)


def _is_lost(record: Record | None) -> bool:
    """Tell whether something was given up, and is on the list; nobody misses a reminder."""
    return record is not None and record.status == "failed" and record.type in _STATES and record.tried_at > 0


def _forget_stale(store: Store, given: Sequence[GivenUp], story: _Story) -> None:
    """Take off the list what is older than all that is kept of its alert, or waits again already."""
    known = {each.number for each in story.states}
    for one in given:
        if one.number not in known or not _is_lost(story.records.get(one.number)):
            given_up.forget(store, one)


def _put_back(store: Store, destination: Destination, story: _Story, lost: Sequence[Transition], *, tray: str, now: int) -> bool:
    """Put some transitions, and the latest of the alert, into a tray."""
    last = story.states[-1]
    was = story.records.get(last.number)
    rows = [_row(destination, each, tray, now) for each in lost]
    if last not in lost and (was is None or was.status != "pending"):
        rows.append(_row(destination, last, tray, now, again=was is not None and was.status == "sent"))
    receiver = receiver_of(destination)
    record = Record(
        alert_id=last.alert.alert_id, destination_id=destination.destination_id, number=last.number, type=last.type, status="pending",
        channel=receiver.name, target=receiver.target, created_at=now, tray=tray,
    )  # fmt: skip
    return given_up.put_back(store, rows, [story.records[each.number] for each in lost], was, record)


def _row(destination: Destination, transition: Transition, tray: str, now: int, *, again: bool = False) -> Row:
    """Return a transition's place in a tray."""
    alert = transition.alert
    return row_for(
        destination, policy_id=alert.policy_id, number=transition.number, alert_id=alert.alert_id, type=transition.type,
        clock=transition.clock, now=now, tray=tray, again=again,
    )  # fmt: skip
