"""An alert that has reached nobody says so when it is read, until somebody hears of it."""

from nightjar.core.instants import MINUTE

from tests.world import START, World, world

SLACK = {"channel": "slack", "url": "https://hooks.slack.com/services/T/B/x", "scope": "all"}
BURST = {"agent": "a", "event": "e", "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 1}


def unrouted(on: World) -> bool:
    """What the API says of the only alert."""
    (alert,) = on.alerts()
    found: bool = on.made("GET", f"/v1.0/alerts/{alert.alert_id}", None)["unrouted"]
    return found


def fires(on: World) -> None:
    on.tick(START)
    on.made("POST", "/v1.0/policies", BURST)
    on.send([{"agent": "a", "event": "e", "value": 1}] * 2)
    on.roll_up()


def test_without_a_destination_it_has_reached_nobody_until_one_is_made() -> None:
    with world() as on:
        fires(on)
        on.notify()
        assert unrouted(on)
        assert on.made("GET", "/v1.0/alerts", None)[0]["unrouted"] is None
        on.made("POST", "/v1.0/destinations", SLACK)
        on.now += MINUTE
        on.tick(START + MINUTE)
        assert not unrouted(on)  # it waits in a tray
        on.notify()
        assert not unrouted(on)


def test_refused_by_the_only_destination_it_has_reached_nobody() -> None:
    with world() as on:
        made = on.made("POST", "/v1.0/destinations", SLACK)
        on.receivers.scripts[SLACK["url"]] = [410, 200]
        fires(on)
        on.notify()
        assert unrouted(on)
        assert on.made("POST", f"/v1.0/destinations/{made['destination_id']}/resend", None)["resent"] == 1
        on.notify()
        assert not unrouted(on)


def test_held_by_a_mute_it_is_on_its_way_to_somebody() -> None:
    with world() as on:
        on.made("POST", "/v1.0/destinations", {**SLACK, "mute_until": "2099-01-01T00:00:00Z"})
        fires(on)
        on.notify()
        assert not unrouted(on)
