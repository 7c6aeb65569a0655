"""What a case may name in braces; made when it is named."""

from collections.abc import Callable
from typing import Any
from unittest import mock

from nightjar.channels.transport import Answer as Response
from nightjar.core import ids
from nightjar.core.delivery import Attempt, Outcome, Record, Row, settled, tray_of
from nightjar.core.instants import HOUR, MINUTE, iso
from nightjar.storage import deliveries, destinations
from nightjar.storage.bucket_items import key
from nightjar.storage.keys import create_key, revoke_key
from nightjar.storage.settling import settle

from tests.contract.world import KEY, NOBODY, NOW, Api, alarmed, logged, policy, slack

BOT = {"bot_token": "123456:AAEsecretsecretsecretsecretsecretse", "chat_id": "-987"}
HOOK = {"channel": "webhook", "url": "https://hook.example/secret", "credentials": {"authorization": "Bearer secret"}}


class Givens:
    """Ids by name, for one case."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._made: dict[str, str] = {"nobody": NOBODY, "known": ids.event_id("worker.billing", "job.run")}

    def __contains__(self, name: str) -> bool:
        """Whether there is something of this name."""
        return name in self._made or name in _MAKERS

    def __getitem__(self, name: str) -> str:
        """Return the id of a name; what it stands for is made at its first use."""
        if name not in self._made:
            self._made[name] = _MAKERS[name](self._api)
        return self._made[name]


def _event(api: Api) -> str:
    """Make an event: worker.billing's job.run, or find it where a policy made it."""
    answer = api.post("/v1.0/events", {"agent": "worker.billing", "event": "job.run"})
    return str(answer.body["event_id"] if answer.status == 201 else answer.body["error"]["event_id"])


def _busy(api: Api) -> str:
    """An event with logs: 5 at 14:10, 3 and 1 at 13:20, 100 a week ago at 14:20, in the running minute 1000."""
    event_id = _event(api)
    for at, values in (("2026-03-03T14:10:00Z", [5]), ("2026-03-03T13:20:00Z", [3, 1]), ("2026-02-24T14:20:00Z", [100]), ("2026-03-03T14:30:00Z", [1000])):
        logged(api, event_id, at, *values)
    return event_id


def _damaged(api: Api) -> str:
    """Another event, whose hour and minute at 13:00 cannot be read."""
    event_id = str(api.made("/v1.0/events", {"event": "job.damaged"})["event_id"])
    logged(api, event_id, "2026-03-03T13:00:00Z", 1)
    for letter in ("h", "m"):
        place = key(event_id, (letter, NOW - NOW % HOUR - HOUR))
        api.store.db.update_item(
            TableName=api.store.tables.rollups, Key=place, UpdateExpression="SET b = :b", ExpressionAttributeValues={":b": {"B": b"rubbish"}}
        )
    return event_id


def _kept(noun: str, body: Callable[[], dict[str, Any]]) -> Callable[[Api], str]:
    """Make something of a noun and return its id."""
    return lambda api: next(value for name, value in api.made(f"/v1.0/{noun}", body()).items() if name.endswith("_id"))


def _alert(*actions: str) -> Callable[[Api], str]:
    """Have a policy in alarm, and a person do something about it."""

    def make(api: Api) -> str:
        policy_id = alarmed(api, event="job.alarmed", title="Too many runs", severity="error")["policy_id"]
        (alert_id,) = (alert["alert_id"] for alert in api.get("/v1.0/alerts").body if alert["policy_id"] == policy_id)
        for action in actions:
            assert api.post(f"/v1.0/alerts/{alert_id}/{action}").status == 200
        return str(alert_id)

    return make


def _told(api: Api) -> str:
    """An alert with an attempt that was sent, one that failed, and a destination that still waits."""
    alert_id = _alert()(api)
    common: dict[str, Any] = {"alert_id": alert_id, "destination_id": NOBODY, "channel": "slack", "target": "https://hooks.slack.com/…"}
    failed = Attempt(attempt_id="a1", status="failed", response_status=500, error_message="500", created_at=api.now + 1, **common)
    deliveries.keep_attempt(api.store, failed)
    deliveries.keep_attempt(api.store, Attempt(attempt_id="a2", status="sent", response_status=200, created_at=api.now + 2, **common))
    record = Record(number=1, type="opened", status="pending", attempts=0, reason="", created_at=api.now, **common)
    assert deliveries.transact(api.store, [deliveries.new_record(api.store, record)]) == []
    return alert_id


def _refused(api: Api) -> str:
    """A destination to which an alert was not told, since its webhook is gone."""
    destination_id = _kept("destinations", slack)(api)
    (alert,) = [api.get(f"/v1.0/alerts/{_alert()(api)}").body]
    destination = destinations.get(api.store, destination_id)
    assert destination
    common: dict[str, Any] = {"alert_id": alert["alert_id"], "destination_id": destination_id, "number": 1, "type": "opened"}
    row = Row(tray=tray_of(destination), key="1", policy_id=alert["policy_id"], put_at=api.now, **common)
    assert deliveries.announce(api.store, Record(status="pending", created_at=api.now, **common), row) == "new"
    settle(api.store, [settled(row, Outcome("failed", 404, "404 no_team"), "slack", "https://hooks.slack.com/…", api.now)])
    return destination_id


def _tested(api: Api) -> str:
    """The alert_id of a test of a destination whose webhook is gone."""
    made = api.made("/v1.0/destinations", slack())
    with mock.patch("nightjar.channels.slack.post", return_value=Response(404, {}, b"no_team")):
        return str(api.post(f"/v1.0/destinations/{made['destination_id']}/test").body["alert_id"])


def _key(scope: Any, *, revoked: bool = False, **given: Any) -> Callable[[Api], str]:
    """Make a key, and return its text."""

    def make(api: Api) -> str:
        text, key = create_key(api.store, scope=scope, now=api.now, **given)
        if revoked:
            revoke_key(api.store, key.key_hash, now=api.now)
        return text

    return make


_MAKERS: dict[str, Callable[[Api], str]] = {
    "event": _event,
    "busy": _busy,
    "damaged": _damaged,
    "policy": _kept("policies", policy),
    "rolling": _kept("policies", lambda: policy(window="rolling", window_minutes=30)),
    "lenient": _kept("policies", lambda: policy(recovery_threshold=20)),
    "destination": _kept("destinations", slack),
    "telegram": _kept("destinations", lambda: {"channel": "telegram", "credentials": BOT}),
    "refused": _refused,
    "disabled": _kept("destinations", lambda: slack(enabled=False)),
    "mute": _kept("mutes", lambda: {"until": "2026-03-03T16:00:00Z", "reason": "deploy"}),
    "alert": _alert(),
    "acknowledged": _alert("acknowledge"),
    "resolved": _alert("resolve"),
    "archived": _alert("resolve", "archive"),
    "told": _told,
    "tested": _tested,
    "admin": lambda _: KEY,
    "ingest": _key("ingest"),
    "prefixed": _key("ingest", agent_prefix="worker."),
    "revoked": _key("admin", revoked=True),
    "long_ago": lambda api: iso(api.now - 31 * 24 * HOUR),
    "just": lambda api: iso(api.now - MINUTE),
}
