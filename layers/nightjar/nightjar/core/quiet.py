"""When messages are held, by active hours, by mute_until, and by mutes across policies; and what becomes of what was held.

Everything that keeps a message back is asked here and nowhere else. Judgements are never held.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

from nightjar.core.alerts import OPENINGS, Transition
from nightjar.core.delivery import Record, Row, row_for
from nightjar.core.destinations import Destination
from nightjar.core.mutes import Mute
from nightjar.core.periods import local_time
from nightjar.core.policies import ActiveHours, Policy

HELD = "held until a mute ends, or active hours begin"
OVER = "the alert ended before it could be told"
DISABLED = "the destination was disabled"
DELETED = "the destination was deleted"
UNWANTED = "the destination does not want it any more"
UNTOLD = "it was never told of the alert"

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Topic(Protocol):
    """What a message is about: an alert, or what is held of one."""

    @property
    def policy_id(self) -> str:
        """Its policy."""

    @property
    def agent(self) -> str:
        """Its event's agent."""

    @property
    def event(self) -> str:
        """Its event's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message that waits for the end of a mute.

    Attributes:
        record: Its record, of status `held`.
        clock: The engine's clock (µs) at its transition.
        after: For an ending: the numbers of the transitions that told its destination of the alert (see routing.Target).
    """

    record: Record
    policy_id: str
    agent: str
    event: str
    clock: int
    after: tuple[int, ...] = ()

    def row(self, destination: Destination, now: int, tray: str = "") -> Row:
        """Return its place in its destination's tray, or in another (see delivery.waits_in), put there now (µs, wall time)."""
        found = self.record
        return row_for(
            destination, policy_id=self.policy_id, number=found.number, alert_id=found.alert_id, type=found.type,
            clock=self.clock, now=now, tray=tray,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quiet:
    """All that keeps messages back, as it is now.

    Attributes:
        policies: By id, with their own active hours and mute_until; a deleted one with its active hours.
        mutes: The mutes across policies.
    """

    policies: Mapping[str, Policy] = field(default_factory=dict)
    mutes: Sequence[Mute] = ()

    def holds(self, topic: Topic, destination: Destination, clock: int) -> bool:
        """Tell whether a message must wait.

        Args:
            topic: What it is about.
            destination: Whom it is for.
            clock: The engine's clock (µs): at the transition when it is routed, at the tick when it is to be released.

        Rule: ENGINE.md, Notifying, Mutes.
        """
        policy = self.policies.get(topic.policy_id)
        if is_quiet(destination, clock) or (policy is not None and is_quiet(policy, clock)):
            return True
        return any(clock < mute.until and mute.matches(topic.policy_id, topic.agent, topic.event) for mute in self.mutes)


NOTHING = Quiet()


def is_quiet(of: Policy | Destination, clock: int) -> bool:
    """Tell whether a policy's or a destination's own settings hold its messages at a clock (µs)."""
    muted = of.mute_until is not None and clock < of.mute_until
    return muted or (of.active_hours is not None and not is_active(of.active_hours, clock))


def is_active(hours: ActiveHours, instant: int) -> bool:
    """Tell whether an instant (µs) lies inside active hours, by the clocks of their zone.

    An hour that the clocks show twice is inside both times; a span whose beginning they skip begins where they go on.

    Rule: API.md: days name the day a span begins, from is inside, to is not, from > to runs over midnight, from = to is the whole day.

    Example:
        >>> is_active(ActiveHours(days=("thu",), start="22:00", end="06:00"), 86_400 * 1_000_000)  # Friday 1970-01-02T00:00Z
        True
    """
    local = local_time(hours.timezone, instant)
    today = _WEEKDAYS[local.weekday()] in hours.days
    if hours.start == hours.end:
        return today
    now = f"{local:%H:%M}"
    if hours.start < hours.end:
        return today and hours.start <= now < hours.end
    yesterday = _WEEKDAYS[(local - timedelta(days=1)).weekday()] in hours.days
    return (today and now >= hours.start) or (yesterday and now < hours.end)


def overtaken(transition: Transition, records: Iterable[Record]) -> list[Record]:
    """Find the openings that are still held when their alert ends: they are not told, and so the ending is not either."""
    return [record for record in records if record.status == "held" and record.type in OPENINGS and record.number < transition.number]


def is_due(held: Held, destination: Destination | None, quiet: Quiet, clock: int) -> bool:
    """Tell whether a held message need not wait any longer at a tick (µs): its mutes are over, or its destination is gone."""
    return destination is None or not quiet.holds(held, destination, clock)


def refusal(held: Held, destination: Destination | None, *, over: bool, wanted: bool) -> tuple[Literal["failed", "skipped"], str] | None:
    """Say why a held message that is due will not be sent.

    Args:
        held: The message.
        destination: Whom it is for; None when it was deleted.
        over: Whether its alert has ended since.
        wanted: Whether the destination still wants such an alert (routing.wants).

    Returns:
        None when it is to be sent: an opening whose alert is still open, to who still wants it, and every ending. Else its
        status and the reason.

    Rule: ENGINE.md, Notifying: "Routing is decided when a transition is sent, from the destinations as they are then".
    """
    if destination is None:
        return "failed", DELETED
    opening = held.record.type in OPENINGS
    if opening and over:
        return "skipped", OVER
    if not destination.enabled:
        return "skipped", DISABLED
    return ("skipped", UNWANTED) if opening and not wanted else None
