"""The look before a silent alert: what rests on data that is there does not wait for data that is on its way."""

from nightjar.core.instants import MINUTE, iso

from tests.world import START, world


def test_a_minimum_that_fell_is_told_early_though_logs_keep_coming() -> None:
    with world() as on_moto:
        on_moto.tick(START)
        on_moto.made("POST", "/v1.0/policies", {"event": "balance", "period": "hour", "aggregate": "min", "condition": "lt", "threshold": 0})
        on_moto.now = START + MINUTE
        on_moto.send([{"event": "balance", "value": -5, "occurred_at": iso(on_moto.now)}])
        first = list(on_moto.logs)
        on_moto.send([{"event": "balance", "value": 10, "occurred_at": iso(on_moto.now)}])
        on_moto.roll_up(first)
        assert [alert.status for alert in on_moto.alerts()] == ["triggered"]
        assert on_moto.held_back() == 0
