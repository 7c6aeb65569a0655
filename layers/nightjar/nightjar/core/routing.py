"""Which destinations are told of a transition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nightjar.core.alerts import Transition
from nightjar.core.delivery import Record
from nightjar.core.destinations import Destination
from nightjar.core.policies import SEVERITIES

OPENINGS = frozenset({"opened", "reopened"})
# After one of these a destination knows of the alert, so that it must hear of its end too.
_TELLING = frozenset({"opened", "reopened", "reminded"})
_REACHED = frozenset({"pending", "sent"})


@dataclass(frozen=True, slots=True)
class Target:
    """One destination of one transition.

    Attributes:
        destination: Where to; None when it was deleted since.
        destination_id: Its id.
        skipped: Why it gets nothing although it should hear of this; empty when it is told.
        after: Number of the transition that told it of the alert (endings only): had that failed, it would not be told.
    """

    destination: Destination | None
    destination_id: str
    skipped: str = ""
    after: int | None = None


def targets(transition: Transition, destinations: Sequence[Destination], records: Iterable[Record]) -> list[Target]:
    """Decide who is told of a transition.

    Args:
        transition: One whose type is told (alerts.TOLD).
        destinations: All of them, as they are now.
        records: What became of the alert's earlier transitions.

    Returns:
        Openings and reminders: every enabled destination whose severity and scope they reach. Endings: the destinations
        that were sent the opening or still have it waiting, whatever they want now; one disabled or deleted since with the
        reason for which it is skipped.

    Rule: ENGINE.md, Notifying.
    """
    if transition.type == "resolved":
        return _ending(transition, destinations, records)
    return [Target(found, found.destination_id) for found in destinations if wants(found, transition)]


def wants(destination: Destination, transition: Transition) -> bool:
    """Tell whether a destination wants an opening or a reminder: enabled, severe enough, and of a policy it covers."""
    alert = transition.alert
    severe = SEVERITIES.index(alert.severity) >= SEVERITIES.index(destination.min_severity)
    return destination.enabled and severe and (destination.scope == "all" or alert.policy_id in destination.policy_ids)


def reached(records: Iterable[Record]) -> bool:
    """Tell whether anybody was told of an alert, or will be."""
    return any(record.type in _TELLING and record.status in _REACHED for record in records)


def untold(transition: Transition, destinations: Sequence[Destination], records: Iterable[Record]) -> list[Target]:
    """Find who should still hear of an opening that reached nobody: those that want it and have no record of the alert."""
    known = {record.destination_id for record in records}
    return [Target(found, found.destination_id) for found in destinations if wants(found, transition) and found.destination_id not in known]


def _ending(transition: Transition, destinations: Sequence[Destination], records: Iterable[Record]) -> list[Target]:
    """Find the destinations that believe the alert to be open."""
    by_id = {found.destination_id: found for found in destinations}
    return [_end(by_id.get(told), told, after) for told, after in sorted(_believers(transition, records).items())]


def _believers(transition: Transition, records: Iterable[Record]) -> dict[str, int]:
    """Return who was told of the alert since it last ended, with the number of the latest transition that told them."""
    told: dict[str, int] = {}
    earlier = sorted((record for record in records if record.number < transition.number), key=lambda record: record.number)
    for record in earlier:
        if record.type == "resolved":
            told.pop(record.destination_id, None)
        elif record.type in _TELLING and record.status in _REACHED:
            told[record.destination_id] = record.number
    return told


def _end(destination: Destination | None, destination_id: str, after: int) -> Target:
    """Tell one destination of an end, or say why not."""
    if destination is None:
        return Target(None, destination_id, "the destination was deleted", after)
    skipped = "" if destination.enabled else "the destination was disabled"
    return Target(destination, destination_id, skipped, after)
