"""Whatever ingest accepts rollup can apply: nothing that a client can send may stop the stream behind it, or be counted wrong."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from nightjar.core.decimals import EXACT

from functions.ingest import app as ingest
from tests.contract.world import proxy_event
from tests.hostile.odd_logs import LOGS
from tests.world import CONTEXT, KEY, World, world

ROLLUP = "nightjar.pipeline.rollup.count"


class Counter:
    """Metrics of rollup."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, value: float = 1) -> None:
        if value:
            self.names.append(name)


def post(text: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    body = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    found: dict[str, Any] = ingest.handler(proxy_event("POST", "/v1.0/logs", body, headers), CONTEXT)
    return found


def test_rollup_applies_whatever_ingest_accepts_and_counts_it_exactly() -> None:
    counted, stored = Counter(), dict[str, list[Decimal]]()
    with world(fakes={ROLLUP: counted}) as made:
        _what_is_accepted_is_applied(made, counted, stored)
        assert stored
        for event_id, values in stored.items():
            points = made("GET", f"/v1.0/events/{event_id}/logs?period=hour&limit=1000").body
            assert sum(point["count"] for point in points) == len(values)
            assert total(Decimal(point["value"]) for point in points) == total(values)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=LOGS)
def _what_is_accepted_is_applied(made: World, counted: Counter, stored: dict[str, list[Decimal]], text: str) -> None:
    """Send, and add to `stored` the values by event, as the stream tells of each new log."""
    answer = post(text)
    assert answer["statusCode"] in {200, 400}, answer
    assert "INTERNAL" not in answer["body"], answer
    made.read_streams()
    for record in made.logs:
        image = record["dynamodb"]["NewImage"]
        stored.setdefault(image["PK"]["S"].partition("#")[0], []).append(Decimal(image["v"]["S"]))
    assert not made.logs or answer["statusCode"] == 200
    counted.names.clear()
    assert made.roll_up() == {"batchItemFailures": []}
    assert not {"ParkedRecords", "UnreadableRecords"} & set(counted.names), "accepted, and then not applied"


def total(values: Iterable[Decimal]) -> Decimal:
    """Add without rounding."""
    found = Decimal(0)
    for value in values:
        found = EXACT.add(found, value)
    return found
