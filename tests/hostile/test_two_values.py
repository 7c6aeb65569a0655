"""Another value under the same log_id is the client's mistake: whatever happens then, exactly one of the values counts."""

from collections.abc import Iterator

import pytest
from nightjar.core import ids
from nightjar.core.instants import HOUR, iso
from nightjar.core.logs import new_log_id
from nightjar.pipeline.recount import Target, recount
from nightjar.storage import events

from tests.world import START, World, world

EVENT_ID = ids.event_id("", "e")
EARLIER, LATER = ({"event": "e", "value": value, "log_id": new_log_id(START, 1), "occurred_at": iso(START)} for value in (5, 7))


@pytest.fixture
def deployed() -> Iterator[World]:
    with world() as made:
        made.tick(START)
        yield made


def counted(deployed: World) -> tuple[int, int]:
    """Count and sum of the hour."""
    (point,) = deployed("GET", f"/v1.0/events/{EVENT_ID}/logs?period=hour").body
    return point["count"], point["value"]


@pytest.mark.parametrize("batches", [[[EARLIER], [LATER]], [[EARLIER, LATER]], [[EARLIER], [LATER], [EARLIER], [LATER, EARLIER, LATER]]])
def test_of_two_values_under_one_log_id_exactly_one_counts(deployed: World, batches: list[list[dict[str, object]]]) -> None:
    for batch in batches:
        assert deployed.send(batch).body["accepted"] == len(batch)
    deployed.roll_up()
    assert counted(deployed) in {(1, 5), (1, 7)}
    (raw,) = deployed("GET", f"/v1.0/events/{EVENT_ID}/logs?period=raw").body
    assert raw["value"] in {5, 7}
    deployed.now += 3 * HOUR
    event = events.get(deployed.store, EVENT_ID)
    assert event
    list(recount(deployed.store, [Target(event, START)], now=lambda: deployed.now, pause=lambda: None))
    assert counted(deployed) == (1, raw["value"]), "a recount takes the raw log's"
