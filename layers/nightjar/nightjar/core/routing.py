"""Which destinations are told of a transition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nightjar.core.alerts import OPENINGS, Alert, Transition
from nightjar.core.delivery import Record
from nightjar.core.destinations import Destination
from nightjar.core.policies import SEVERITIES
from nightjar.core.quiet import DELETED, DISABLED, NOTHING, Quiet

# After one of these a destination knows of the alert, so that it must hear of its end too.
_TELLING = OPENINGS | {"reminded"}
_REACHED = frozenset({"pending", "sent"})
_HEARD = _REACHED | {"held"}


@dataclass(frozen=True, slots=True)
class Target:
    """One destination of one transition.

    Attributes:
        destination: Where to; None when it was deleted since.
        destination_id: Its id.
        skipped: Why it gets nothing although it should hear of this; empty when it is told.
        held: Whether it is told only when a mute ends.
        after: Numbers of the transitions that told it of the alert, or wait to (endings only), those that were sent first: had
            all of them failed, it would not be told.
        was: What became of the latest of them.
    """

    destination: Destination | None
    destination_id: str
    skipped: str = ""
    held: bool = False
    after: tuple[int, ...] = ()
    was: Record | None = None


def targets(
    transition: Transition, destinations: Sequence[Destination], records: Iterable[Record], quiet: Quiet = NOTHING, clock: int | None = None
) -> list[Target]:
    """Decide who is told of a transition.

    Args:
        transition: One whose type is told (alerts.TOLD).
        destinations: All of them, as they are now.
        records: What became of the alert's earlier transitions.
        quiet: What keeps messages back, as it is now.
        clock: What mutes are held against (µs); the engine's clock at the transition if not given.

    Returns:
        Openings and reminders: every enabled destination whose severity and scope they reach; a reminder that would be held
        is dropped. Endings: the destinations that were sent the opening or still have it in a tray, whatever they want now;
        one disabled or deleted since with the reason for which it is skipped.

    Rule: ENGINE.md, Notifying.
    """
    if transition.type == "resolved":
        found = _ending(transition, destinations, records)
    else:
        found = [Target(one, one.destination_id) for one in destinations if wants(one, transition.alert)]
    at = transition.clock if clock is None else clock
    marked = [_marked(target, transition, quiet, at) for target in found]
    return [target for target in marked if transition.type != "reminded" or not target.held]


def wants(destination: Destination, alert: Alert) -> bool:
    """Tell whether a destination wants an alert's openings and reminders: enabled, severe enough, and of a policy it covers."""
    severe = SEVERITIES.index(alert.severity) >= SEVERITIES.index(destination.min_severity)
    return destination.enabled and severe and (destination.scope == "all" or alert.policy_id in destination.policy_ids)


def reached(records: Iterable[Record]) -> bool:
    """Tell whether anybody was told of an alert, or will be."""
    return any(record.type in _TELLING and record.status in _REACHED for record in records)


def is_routed(records: Iterable[Record]) -> bool:
    """Tell whether anybody was told of an alert, or will be, be it when a mute ends."""
    return any(record.type in _TELLING and record.status in _HEARD for record in records)


def was_told(records: Iterable[Record]) -> bool:
    """Tell whether somebody was told of an alert: what only waits for somebody may still fail."""
    return any(record.type in _TELLING and record.status == "sent" for record in records)


def untold(
    transition: Transition, destinations: Sequence[Destination], records: Iterable[Record], quiet: Quiet = NOTHING, clock: int | None = None
) -> list[Target]:
    """Find who should still hear of an opening that reached nobody: those that want it and have no record of the alert."""
    known = {record.destination_id for record in records}
    return [target for target in targets(transition, destinations, (), quiet, clock) if target.destination_id not in known]


def _marked(target: Target, transition: Transition, quiet: Quiet, clock: int) -> Target:
    """Note on a target whether it is told only when a mute ends."""
    if target.destination is None or target.skipped or not quiet.holds(transition.alert, target.destination, clock):
        return target
    return replace(target, held=True)


def _ending(transition: Transition, destinations: Sequence[Destination], records: Iterable[Record]) -> list[Target]:
    """Find the destinations that believe the alert to be open."""
    by_id = {found.destination_id: found for found in destinations}
    return [_end(by_id.get(told), told, after) for told, after in sorted(_believers(transition, records).items())]


def _believers(transition: Transition, records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return who was told of the alert since it last ended, with what told them: a reminder that fails unsays no opening."""
    known = list(records)
    found = {name: tellings(known, name, transition.number) for name in {record.destination_id for record in known}}
    return {name: reaching for name, told in found.items() if (reaching := [record for record in told if record.status in _REACHED])}


def tellings(records: Iterable[Record], destination_id: str, number: int) -> list[Record]:
    """Return what was to tell a destination that an alert is open, whatever became of it.

    Args:
        records: What became of the alert's transitions.
        destination_id: Which destination.
        number: The transition before which it was told; an ending that it heard of, or will, begins anew.
    """
    told: list[Record] = []
    earlier = (record for record in records if record.destination_id == destination_id and record.number < number)
    for record in sorted(earlier, key=lambda record: record.number):
        if record.type == "resolved" and record.status in _HEARD:
            told = []
        elif record.type in _TELLING:
            told.append(record)
    return told


def _end(destination: Destination | None, destination_id: str, told: Sequence[Record]) -> Target:
    """Tell one destination of an end, or say why not."""
    after = tuple(record.number for record in sorted(told, key=lambda record: record.status != "sent"))
    if destination is None:
        return Target(None, destination_id, DELETED, after=after, was=told[-1])
    return Target(destination, destination_id, "" if destination.enabled else DISABLED, after=after)
