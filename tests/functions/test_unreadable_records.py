"""Rows among the raw logs that ingest did not write: parked where the hour in their key is known, and no silent alert waits for them."""

from collections.abc import Iterator
from typing import Any

import pytest
from nightjar.core.ids import event_id
from nightjar.core.instants import HOUR, MINUTE, iso
from nightjar.core.sources import source_keys
from nightjar.pipeline.recount import Target, look, recount
from nightjar.storage import events, rollups

from tests.world import START, World, world

EVENT = event_id("", "e")
(SOURCE,) = source_keys(EVENT, ((0, 1),), START, START + HOUR)
# Times that are none, or lie in another hour than their partition.
ODD = [f"{START:016d}x#i", f"{START:016d}5#i", f"{START + 5:016d}", f"{START + 5:016d}.5#i", f"{START // 10**6 + 1}", f"{START + 2 * HOUR:016d}#i"]


@pytest.fixture
def deployed() -> Iterator[World]:
    """An event with a policy for silence, from the hour at START on, and one log in that hour."""
    with world() as made:
        made.tick(START - MINUTE)
        policy = {"event": "e", "period": "hour", "aggregate": "count", "condition": "lt", "threshold": 10, "active_from": iso(START)}
        made.made("POST", "/v1.0/policies", policy)
        made.send([{"event": "e", "value": 1, "occurred_at": iso(START + MINUTE)}])
        yield made


def put(on: World, sort: str, **more: Any) -> None:
    """Put a row among the raw logs of the hour by hand."""
    item = {"PK": {"S": SOURCE}, "SK": {"S": sort}, "v": {"S": "1"}, **more}
    on.store.db.put_item(TableName=on.store.tables.logs, Item=item)
    on.read_streams()


@pytest.mark.parametrize("sort", ODD)
def test_a_silent_alert_does_not_wait_for_a_row_whose_time_cannot_be_read(deployed: World, sort: str) -> None:
    put(deployed, sort)
    assert deployed.roll_up() == {"batchItemFailures": []}
    deployed.now = START + HOUR + MINUTE
    deployed.tick(deployed.now)
    assert [alert.period_start for alert in deployed.alerts()] == [START]
    assert deployed.held_back() == 0


@pytest.mark.parametrize("sort", ODD)
def test_a_recount_parks_it_as_rollup_did(deployed: World, sort: str) -> None:
    put(deployed, sort)
    deployed.roll_up()
    found = rollups.read(deployed.store, EVENT, [("h", START)], now=deployed.now)["h", START]
    assert found.count + found.parked == 2
    deployed.now = START + 3 * HOUR
    event = events.get(deployed.store, EVENT)
    assert event
    assert not look(deployed.store, Target(event, START), now=deployed.now).changed
    assert list(recount(deployed.store, [Target(event, START)], now=lambda: deployed.now, pause=lambda: None)) == []


@pytest.mark.parametrize("value", [{}, {"v": {"S": "many"}}, {"v": {"N": "1"}}])
def test_a_silent_alert_does_not_wait_for_a_log_that_was_parked(deployed: World, value: dict[str, Any]) -> None:
    deployed.store.db.put_item(TableName=deployed.store.tables.logs, Item={"PK": {"S": SOURCE}, "SK": {"S": f"{START + MINUTE:016d}#i"}, **value})
    deployed.read_streams()
    assert deployed.roll_up() == {"batchItemFailures": []}
    deployed.now = START + HOUR + MINUTE
    deployed.tick(deployed.now)
    assert ([alert.period_start for alert in deployed.alerts()], deployed.held_back()) == ([START], 0)


ROWS = [{"v": {"S": "many"}}, {"v": {"N": "1"}}, {"v": {"S": "NaN"}}, {"x": {"S": "soon"}}, *({"SK": {"S": sort}} for sort in ODD if "#" in sort)]


@pytest.mark.parametrize("row", ROWS)
def test_the_raw_list_answers_the_logs_beside_it(deployed: World, row: dict[str, Any]) -> None:
    put(deployed, **{"sort": f"{START + 2 * MINUTE:016d}#i", "x": {"N": str(2 * START)}, **row})
    found = deployed.made("GET", f"/v1.0/events/{EVENT}/logs?period=raw", None)
    assert [log["occurred_at"] for log in found] == [iso(START + MINUTE)]
