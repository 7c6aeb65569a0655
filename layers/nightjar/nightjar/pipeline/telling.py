"""What is told, in words that fit the moment at which it is posted: late, an alert is told as it is by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nightjar.core.alerts import Alert, Transition
from nightjar.core.delivery import Row
from nightjar.core.instants import HOUR, MINUTE
from nightjar.core.wording import Notice, notice, shown_alert
from nightjar.observability import count, logger
from nightjar.pipeline.background import background
from nightjar.settings import settings
from nightjar.storage import outbox
from nightjar.storage.alerts import get_alerts
from nightjar.storage.client import Store
from nightjar.storage.clock import latest_tick

# What is posted so soon after the tick that it belongs to needs no second look at its alert.
_AT_ONCE: Final = 2 * MINUTE
# How far wall time and the engine's clock may lie apart while ticks come by themselves.
_IN_STEP: Final = 5 * MINUTE
# Where ticks come from another time, the clock runs ahead of delivery: only what lies so far back is late.
_AHEAD: Final = 2 * HOUR

Transitions = Mapping[outbox.Name, Transition]


@dataclass(frozen=True, slots=True)
class Telling:
    """One look into a tray, with what it takes to put it into words.

    Attributes:
        wall: Wall time (µs).
        latest: Alerts that are told late, as they are by now.
        moments: When each row is told (µs).
    """

    store: Store
    wall: int
    latest: Mapping[str, Alert]
    moments: Mapping[str, int]

    def notice(self, rows: Sequence[Row], transitions: Transitions, *, trend: bool) -> Notice:
        """Put the rows of one alert into words; with a trend, if there is room for one."""
        told = [transitions[name] for name in sorted({(row.policy_id, row.number) for row in rows})]
        latest = self.latest.get(rows[0].alert_id)
        around = background(self.store, shown_alert(told[-1], latest), self.wall) if trend else None
        return notice(told, around, now=max(self.moments[row.key] for row in rows), latest=latest, api_url=settings().api_url)


def telling(store: Store, rows: Sequence[Row], transitions: Transitions, wall: int) -> Telling:
    """Find when rows are told, and read again the alerts of those that are told late.

    Args:
        store: Where.
        rows: What one look found; each has its transition.
        transitions: By name.
        wall: Wall time (µs).

    Rule: ENGINE.md, Alerts: "Title, severity, runbook, routing, mutes change in place"; Notifying: "The words fit the case".
    """
    moments, late = {}, set()
    tick = _Tick(store)
    for row in rows:
        transition = transitions[row.policy_id, row.number]
        moments[row.key] = _moment(row, transition, wall, tick)
        if moments[row.key] - transition.clock > _AT_ONCE:
            late.add(row.alert_id)
    return Telling(store, wall, _by_now(store, late), moments)


def _by_now(store: Store, alert_ids: set[str]) -> dict[str, Alert]:
    """Read alerts as they are by now; whatever is wrong with that, they are told as they were."""
    try:
        return get_alerts(store, sorted(alert_ids))
    except Exception:  # noqa: BLE001
        logger().exception("what is told late is told as it was", extra={"alerts": len(alert_ids)})
        count("BackgroundErrors")
        return {}


class _Tick:
    """The latest tick, read when it is first asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: list[int | None] = []

    def __call__(self) -> int | None:
        if not self._read:
            self._read.append(latest_tick(self._store))
        return self._read[0]


def _moment(row: Row, transition: Transition, wall: int, tick: _Tick) -> int:
    """Say when a row is told (µs): now, unless the local runner's ticks come from another time than ours."""
    if settings().tick_lead_minutes is not None or abs(row.put_at - transition.clock) < _IN_STEP:
        return wall
    latest = tick()
    if latest is None or abs(wall - latest) < _IN_STEP:
        return wall
    return latest if latest - transition.clock > _AHEAD else transition.at
