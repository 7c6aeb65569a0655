"""From a bell to the messages that lie in its tray: read, group, post, record, pace, look again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nightjar.core.alerts import OPENINGS, Transition
from nightjar.core.delivery import Outcome, Row, Settled, delivery_id, of_first_alerts, owed_reason, same_alert, settled
from nightjar.core.destinations import Channel, Destination
from nightjar.core.quiet import UNTOLD
from nightjar.core.retries import kind_of, wait_seconds
from nightjar.core.stories import settle_all
from nightjar.core.wording import Notice
from nightjar.observability import count, logger
from nightjar.pipeline.health import note_outcome
from nightjar.pipeline.owed import shown_as, untold_endings
from nightjar.pipeline.route import note_if_untold
from nightjar.pipeline.sending import Post, Receiver, receiver_of, request_for, send_to
from nightjar.pipeline.telling import telling
from nightjar.queues import Bell, Bells, hide, ring
from nightjar.storage import destinations, outbox, trays
from nightjar.storage.client import Store
from nightjar.storage.patience import Patience
from nightjar.storage.settling import pass_over, settle

if TYPE_CHECKING:
    from nightjar.channels.transport import Request

# A post takes at most 8 seconds, the lookup of its name included, its record and its pause one each; one is to spare.
_ROUND_SECONDS: Final = 11.0
_PACE_SECONDS: Final = 1.0
# What is left of an invocation when it stops trying to record what it posted.
_LAST_SECONDS: Final = 0.5
# The statuses of a receiver that finds a message itself wrong, or too large.
_WRONG: Final = frozenset({400, 413, 422})
# Of how many alerts one look tells at most, and how many rows it reads to find what waits of each (1.5 MB): a storm of
# thousands is served look by look, and an ending must be seen with its opening, which may lie thousands of rows before it.
_MOST_ALERTS: Final = 500
_MOST_ROWS: Final = 5_000

Transitions = Mapping[outbox.Name, Transition]


@dataclass(frozen=True, slots=True)
class Courier:
    """What it takes to deliver.

    Attributes:
        clock: Wall time (µs).
        sleep: Waits for so many seconds.
        left: Seconds that this invocation may still run.
        post: Makes one POST.
        token: Unique to this invocation (see queues.ring).
    """

    store: Store
    queue: Bells
    clock: Callable[[], int]
    sleep: Callable[[float], None]
    left: Callable[[], float]
    token: str
    post: Post | None = None

    @property
    def patience(self) -> Patience:
        """How long it tries to record a post: to the end of the invocation, since otherwise it would be made again."""
        return Patience(-_LAST_SECONDS, lambda: -self.left(), self.sleep)


@dataclass(frozen=True, slots=True)
class _Line:
    """The rows of one alert that one receiver is owed, and their words."""

    rows: list[Row]
    notice: Notice


@dataclass(frozen=True, slots=True)
class _Failure:
    """An answer that asks for another try, and the first row of the message that got it: when that was sent, the next failure is another."""

    outcome: Outcome
    first: Row


def answer(courier: Courier, bell: Bell) -> bool:
    """Send what lies in a bell's tray, look again, and so on until it is empty.

    Returns:
        True when the bell is done. False when it must come again: it has been hidden for as long as the receiver asked.

    Rule: ENGINE.md, Notifying: "Trays and bells".
    """
    store, tray = courier.store, bell.tray
    while True:
        seen = trays.puts(store, tray)
        rows = of_first_alerts(trays.read_tray(store, tray, _MOST_ROWS), _MOST_ALERTS)
        if not rows:
            if seen is None or trays.clear(store, tray, seen):
                return True
            continue
        if failed := _serve(courier, rows):
            hide(courier.queue, bell, _wait(store, tray, failed))
            return False
        if courier.left() < _ROUND_SECONDS:
            # Rung before this bell is answered for: one of the two is always there.
            ring(courier.queue, [tray], courier.token)
            return True


def _serve(courier: Courier, rows: Sequence[Row]) -> list[_Failure]:
    """Serve what one look found; returns what asks to be tried again."""
    by_id = {found.destination_id: found for found in destinations.list_all(courier.store)}
    transitions = outbox.read(courier.store, [(row.policy_id, row.number) for row in rows])
    owed = _without_the_untold(courier, _without_the_lost(courier, rows, by_id, transitions), by_id)
    told = [_tell(courier, receiver, theirs, transitions) for receiver, theirs in _by_receiver(owed, by_id).items()]
    return [failure for failure in told if failure]


def _wait(store: Store, tray: str, failed: Sequence[_Failure]) -> int:
    """Say how many seconds a tray rests: as long as the one that asks for most, growing with failures of one kind at one place in the tray."""
    times = trays.count_failure(store, tray, " ".join(f"{kind_of(each.outcome)} {each.first.key}" for each in failed))
    return max(wait_seconds(each.outcome, times) for each in failed)


def _without_the_lost(courier: Courier, rows: Sequence[Row], by_id: Mapping[str, Destination], transitions: Transitions) -> list[Row]:
    """Settle the rows that will never be sent, with the reason; return the others."""
    owed, lost = [], []
    for row in rows:
        destination = by_id.get(row.destination_id)
        reason = owed_reason(destination) or ("" if (row.policy_id, row.number) in transitions else "its transition is gone")
        if reason:
            outcome = Outcome("failed" if destination is None or destination.enabled else "skipped", None, reason)
            channel, target = _place(receiver_of(destination)) if destination else shown_as(courier.store, row)
            lost.append(settled(row, outcome, channel, target, courier.clock()))
        else:
            owed.append(row)
    _settle(courier, lost, transitions)
    return owed


def _without_the_untold(courier: Courier, rows: Sequence[Row], by_id: Mapping[str, Destination]) -> list[Row]:
    """Pass over the endings of alerts of which their destination was not told after all; return the others.

    Whoever put such an ending here found its opening waiting; since then that failed, or was given up.
    """
    untold = list(untold_endings(courier.store, rows))
    for row, given_up in untold:
        outcome = Outcome("skipped", None, UNTOLD)
        pass_over(courier.store, settled(row, outcome, *_place(receiver_of(by_id[row.destination_id])), courier.clock()), given_up)
    passed = {row.key for row, _ in untold}
    return [row for row in rows if row.key not in passed]


def _by_receiver(rows: Sequence[Row], by_id: Mapping[str, Destination]) -> dict[Receiver, list[Row]]:
    """Put rows together by where they go: nearly always one place, but a destination's URL may have been changed since."""
    found: dict[Receiver, list[Row]] = {}
    for row in rows:
        found.setdefault(receiver_of(by_id[row.destination_id]), []).append(row)
    return found


def _tell(courier: Courier, receiver: Receiver, rows: Sequence[Row], transitions: Transitions) -> _Failure | None:
    """Post to one receiver what it is owed, message by message, until all is sent, it asks to wait, or time runs out.

    A digest that it finds wrong or too large, or that the code cannot write, is sent in halves: what is wrong with one alert
    must not keep the others from being told.
    """
    waiting = [list(_lines(courier, receiver, rows, transitions))]
    while waiting:
        lines = waiting.pop()
        if not lines:
            continue
        if courier.left() < _ROUND_SECONDS:
            return None
        request, names = _written(courier, receiver, lines)
        if request is None:
            waiting += _halves(lines)
            if len(lines) == 1:
                _give_up_wordless(courier, receiver, lines[0].rows, transitions)
            continue
        named, rest = lines[:names], lines[names:]
        told = [row for line in named for row in line.rows]
        outcome = send_to(receiver, request, now=courier.clock(), post=courier.post)
        waiting.append(rest)
        if outcome.status == "failed" and outcome.code in _WRONG and len(named) > 1:
            waiting += _halves(named)
        else:
            _record(courier, receiver, told, outcome, transitions)
        if outcome.status in ("busy", "down"):
            return _Failure(outcome, told[0])
        courier.sleep(_PACE_SECONDS)
    return None


def _written(courier: Courier, receiver: Receiver, lines: Sequence[_Line]) -> "tuple[Request | None, int]":
    """Write as many lines as one message holds; returns it and their number, no message when the code fails at one of them."""
    try:
        message = receiver.channel.render([line.notice for line in lines])[0]
        named = [row for line in lines[: message.names] for row in line.rows]
        return request_for(receiver, message, delivery_id=delivery_id(named), now=courier.clock()), max(message.names, 1)
    except Exception:  # noqa: BLE001
        logger().exception("a message cannot be written", extra={"channel": receiver.name, "alerts": len(lines)})
        return None, 0


def _halves(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Return the halves of lines, the first of them last; nothing for one line."""
    middle = len(lines) // 2
    return [list(lines[middle:]), list(lines[:middle])] if middle else []


def _give_up_wordless(courier: Courier, receiver: Receiver, rows: Sequence[Row], transitions: Transitions) -> None:
    """Settle the rows of one alert that the code cannot put into words, so that they do not stop the others."""
    count("NotifyingErrors")
    outcome = Outcome("failed", None, "it cannot be put into words")
    _settle(courier, [settled(row, outcome, *_place(receiver), courier.clock()) for row in rows], transitions)


def _lines(courier: Courier, receiver: Receiver, rows: Sequence[Row], transitions: Transitions) -> Iterator[_Line]:
    """Put what a receiver is owed into words, a line an alert; an alert that the code cannot put into words must not stop the others."""
    groups = same_alert(rows)
    teller = telling(courier.store, rows, transitions, courier.clock())
    alone = len(groups) == 1 and receiver.name != "webhook"  # only a message of its own has room for a trend
    for group in groups:
        try:
            yield _Line(group, teller.notice(group, transitions, trend=alone))
        except Exception:  # noqa: BLE001
            logger().exception("an alert cannot be put into words", extra={"alert_id": group[0].alert_id})
            _give_up_wordless(courier, receiver, group, transitions)


def _record(courier: Courier, receiver: Receiver, rows: Sequence[Row], outcome: Outcome, transitions: Transitions) -> None:
    """Record what came of a message: for each row, for each destination, and for alerts that now have reached nobody."""
    store, now = courier.store, courier.clock()
    done = settle_all(rows, outcome, *_place(receiver), now)
    _settle(courier, done, transitions)
    for destination_id in sorted({row.destination_id for row in rows}):
        note_outcome(store, destination_id, outcome, given_up=any(one.status == "failed" for one in done), now=now)
    logger().info("posted", channel=receiver.name, target=receiver.target, outcome=outcome.status, status=outcome.code, transitions=len(rows))
    count(f"Posts{outcome.status.capitalize()}")


def _settle(courier: Courier, done: Sequence[Settled], transitions: Transitions) -> None:
    """Record what came of rows, trying to the end of the invocation; before that, which alerts may now have reached nobody."""
    for one in done:
        transition = transitions.get((one.row.policy_id, one.row.number))
        if one.status in ("failed", "skipped") and one.row.type in OPENINGS and transition:
            note_if_untold(courier.store, transition)
    settle(courier.store, done, courier.patience)


def _place(receiver: Receiver) -> tuple[Channel, str]:
    """Return a receiver as records and attempts show it."""
    return receiver.name, receiver.target
