"""What the first format wrote is read for ever: rows as they lie in tables, byte for byte. Never change a row here; add the next format's beside it."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from nightjar.core import destinations, events, keys, mutes, policies, state
from nightjar.core.alerts import transition_from_text
from nightjar.core.rollups import Bucket

BUCKET_1 = bytes.fromhex(
    "01c0050000000000000000000000000000000ed7086bad93b93fe94a2b3c04048e401721d1d266009240004020464847060000c7b3494847060055"
    "00313139392e3620313434303031352e3236202d332031323030dd81010203ed4003973e03c20203ea04"
)
POLICY_1 = (
    '{"policy_id":"p1","event_id":"e1","agent":"worker","event":"job.run","period":"day","aggregate":"p95_est","condition":"gt","threshold":"30000",'
    '"severity":"critical","active_hours":[[0,1],"09:00","17:00","Europe/Berlin"],"zones":[[-4611686018427387904,"Europe/Berlin"]],"revision":3}'
)
TRANSITION_1 = (
    '{"number":1,"type":"opened","clock":1772546580000000,"at":1772546580000000,"alert":{"alert_id":"60070b09-4928-51d0-9c61-f2cef0a18eed",'
    '"policy_id":"p1","revision":1,"event_id":"e1","agent":"worker.billing","event":"job.run","severity":"warning","period":"minute",'
    '"aggregate":"count","condition":"gt","threshold":"20","period_start":1772546580000000,"last_start":1772546580000000,'
    '"last_end":1772546640000000,"value":"25","count":25,"min":"1","max":"1","worst_value":"25","triggered_at":1772546580000000}}'
)
EVENT_1 = (
    '{"event_id":"e1","agent":"worker","event":"job.run","title":"","description":"","unit":"","public":false,"share_token":"","zones":'
    '[[-4611686018427387904,"UTC"]],"shards":[[0,1]],"created_at":0,"version":1}'
)
DESTINATION_1 = '{"destination_id":"d1","channel":"slack","url":"https://hooks.slack.com/services/T/B/x"}'
MUTE_1 = '{"mute_id":"m1","agent":"worker.*","event":null,"policy_ids":["p1"],"until":1772546580000000,"reason":"deploy","created_at":0}'
STATE_1 = (
    '{"revision":1,"number":1,"open":{"alert_id":"60070b09-4928-51d0-9c61-f2cef0a18eed","policy_id":"p1","revision":1,"event_id":"e1",'
    '"agent":"worker.billing","event":"job.run","severity":"warning","period":"minute","aggregate":"count","condition":"gt","threshold":"20",'
    '"period_start":1772546520000000,"last_start":1772546580000000,"last_end":1772546640000000,"value":"25","count":25,"min":"1","max":"1",'
    '"worst_value":"25","periods":2,"in_alarm":[1772546520000000,1772546580000000],"prior":{"last_start":1772546520000000,'
    '"last_end":1772546580000000,"value":"22","count":22,"min":"1","max":"1","previous_value":null,"change_percent":null},'
    '"triggered_at":1772546580000000},"spans":[["x",1772540000000000,1772540060000000,"recovered"]],"slots_from":-4611686018427387904,'
    '"quiet":false,"live":true}'
)
KEY_1 = '{"key_hash":"ab","scope":"ingest","agent_prefix":"","name":"","created_at":0,"revoked_at":null,"version":1}'


def test_a_bucket_of_the_first_format() -> None:
    found = Bucket.unpack(BUCKET_1)
    assert (found.count, found.total, found.low, found.high, found.squares) == (5, Decimal("1199.6"), Decimal(-3), Decimal(1200), Decimal("1440015.26"))
    assert (found.newest, found.clock, found.parked) == (1767225600000000, 1767225660000000, 0)
    assert abs(found.quantile(Decimal("0.5")) - Decimal("0.1")) < Decimal("0.001")
    found.add(Decimal(7), 1767225600000000)
    assert (Bucket.unpack(found.pack()).count, Bucket.unpack(found.pack()).total) == (6, Decimal("1206.6"))


def test_a_policy_of_the_first_format_whose_defaults_were_left_out() -> None:
    """A default is part of the format: rows that leave it out mean it."""
    found = policies.from_text(POLICY_1)
    assert (found.policy_id, found.threshold, found.revision, found.zones[0][1]) == ("p1", Decimal(30000), 3, "Europe/Berlin")
    assert (found.evaluation_periods, found.datapoints_to_alarm, found.recovery_periods, found.delay_seconds) == (1, 1, 1, 60)
    assert (found.enabled, found.early, found.auto_resolve) == (True, True, True)


def test_a_transition_of_the_first_format() -> None:
    found = transition_from_text(TRANSITION_1)
    assert (found.number, found.type, found.alert.value, found.alert.threshold, found.alert.count) == (1, "opened", Decimal(25), Decimal(20), 25)


def test_a_destination_an_event_and_a_key_of_the_first_format() -> None:
    destination = destinations.from_text(DESTINATION_1)
    assert (destination.destination_id, destination.channel, destination.enabled) == ("d1", "slack", True)
    event = events.from_text(EVENT_1)
    assert (event.event_id, event.agent, event.event, event.zones[0][1]) == ("e1", "worker", "job.run", "UTC")
    assert keys.from_text(KEY_1).scope == "ingest"


def test_a_mute_and_a_state_of_the_first_format() -> None:
    assert mutes.from_text(MUTE_1).policy_ids == ("p1",)
    found = state.from_text("p1", 3, STATE_1)
    assert (found.version, found.number, found.spans[0].ending, found.live) == (3, 1, "recovered", True)
    assert found.open is not None
    assert (found.open.in_alarm, found.open.value, found.open.priors) == ((1772546520000000, 1772546580000000), Decimal(25), ())


@pytest.mark.parametrize(
    ("read", "row"),
    [
        (policies.from_text, POLICY_1),
        (transition_from_text, TRANSITION_1),
        (events.from_text, EVENT_1),
        (keys.from_text, KEY_1),
        (destinations.from_text, DESTINATION_1),
        (mutes.from_text, MUTE_1),
        (partial(state.from_text, "p1", 3), STATE_1),
    ],
)
def test_a_row_that_a_later_version_wrote_is_read_after_its_upgrade_was_taken_back(read: Callable[[str], Any], row: str) -> None:
    later = json.loads(row) | {"of_a_later_version": {"x": [1]}}
    for member in ("alert", "open"):
        if member in later:
            later[member] = later[member] | {"of_a_later_version": 1}
    assert read(json.dumps(later)) == read(row)
