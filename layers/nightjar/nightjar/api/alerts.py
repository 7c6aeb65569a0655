"""Alerts: what people see of them, and what they do to them."""

from collections import Counter
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from nightjar.api.lists import listed, sliced
from nightjar.api.models.alerts import AlertAnswer, DeliveryAnswer
from nightjar.api.requests import Call, Reply, valid_id
from nightjar.core.alerts import Action, Alert, Impossible, UnknownAlert
from nightjar.core.delivery import Attempt
from nightjar.core.routing import is_routed
from nightjar.http.errors import Conflict, NotFound
from nightjar.pipeline.actions import act
from nightjar.storage import alerts, deliveries
from nightjar.storage.faults import StorageBusy

_STATUSES = ("triggered", "acknowledged", "resolved", "archived")
_KINDS = ("alert", "test", "all")
DELIVERIES = 100
_ALL = 1_000_000  # an alert has some hundred deliveries: every retry of a day for each destination


def list_alerts(call: Call) -> Reply:
    """List alerts, newest first; `status` narrows the list."""
    status = call.choice("status", _STATUSES) if call.query("status") else None

    def fetch(limit: int, cursor: str | None) -> tuple[list[Alert], str | None]:
        return alerts.list_alerts(call.store, limit=limit, cursor=cursor, status=status, now=call.now)

    return listed(call, fetch, show)


def get_alert(call: Call, alert_id: str) -> Reply:
    """Read one alert."""
    alert = alerts.get_alert(call.store, valid_id("alert_id", alert_id))
    if alert is None:
        raise NotFound("alert_id: there is no such alert")
    unrouted = deliveries.unrouted(call.store, alert.alert_id) is not None and not is_routed(deliveries.history(call.store, alert.alert_id)[0])
    return Reply(AlertAnswer.of(alert, unrouted=unrouted).fields())


def acknowledge(call: Call, alert_id: str) -> Reply:
    """Say that somebody looks after a triggered alert: no more reminders."""
    return _acted(call, alert_id, "acknowledge")


def resolve(call: Call, alert_id: str) -> Reply:
    """Say that it is over."""
    return _acted(call, alert_id, "resolve")


def archive(call: Call, alert_id: str) -> Reply:
    """Put a resolved alert away."""
    return _acted(call, alert_id, "archive")


def list_deliveries(call: Call, alert_id: str) -> Reply:
    """List an alert's deliveries: what waits, then the attempts, newest first; also of the alert_id that a test answered."""
    found = valid_id("alert_id", alert_id)
    kind = call.choice("kind", _KINDS, "alert")
    rows = deliveries.deliveries(call.store, found, kind="all", limit=_ALL)
    if not rows and alerts.get_alert(call.store, found) is None:
        raise NotFound("alert_id: there is no such alert")
    placed = _placed(row for row in rows if kind in {"all", row.kind})
    return listed(call, sliced(placed, itemgetter(0)), lambda row: show_delivery(row[1]), default=DELIVERIES)


def show(alert: Alert) -> dict[str, Any]:
    """Return an alert as it is answered."""
    return AlertAnswer.of(alert).fields()


def show_delivery(attempt: Attempt) -> dict[str, Any]:
    """Return a delivery as it is answered."""
    return DeliveryAnswer.of(attempt).fields()


def _acted(call: Call, alert_id: str, action: Action) -> Reply:
    """Do what a person asked for and answer the alert as it is then.

    Raises:
        NotFound: There is no such alert.
        Conflict: Its status does not allow the action.
    """
    try:
        return Reply(show(act(call.store, valid_id("alert_id", alert_id), action, now=call.now)))
    except UnknownAlert:
        raise NotFound("alert_id: there is no such alert") from None
    except Impossible as error:
        raise Conflict(f"status: {error}") from None
    except alerts.Conflict:
        raise StorageBusy("others keep writing the same alert") from None


def _placed(rows: Iterable[Attempt]) -> list[tuple[str, Attempt]]:
    """Order deliveries, what waits first, then the newest; each with its place, which stays while attempts are added."""
    seen: Counter[tuple[Any, ...]] = Counter()
    placed = []
    for row in rows:
        place = (int(row.attempt_id is None), row.created_at, row.attempt_id or row.destination_id)
        seen[place] += 1  # an opening and an ending may wait for the same destination since the same instant
        placed.append((f"{place[0]}#{place[1]:016d}#{place[2]}#{seen[place]:06d}", row))
    return sorted(placed, key=itemgetter(0), reverse=True)
