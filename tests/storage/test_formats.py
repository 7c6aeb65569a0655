"""What the first format wrote is read for ever: rows as they lie in tables, byte for byte. Never change a row here; add the next format's beside it."""

from decimal import Decimal

from nightjar.core import destinations, events, keys, policies
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
    destination = destinations.from_text('{"destination_id":"d1","channel":"slack","url":"https://hooks.slack.com/services/T/B/x"}')
    assert (destination.destination_id, destination.channel, destination.enabled) == ("d1", "slack", True)
    event = events.from_text(EVENT_1)
    assert (event.event_id, event.agent, event.event, event.zones[0][1]) == ("e1", "worker", "job.run", "UTC")
    assert keys.from_text(KEY_1).scope == "ingest"
