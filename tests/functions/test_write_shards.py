"""More write shards for an event: from the hour on its logs lie in several partitions, and everything counts them once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from nightjar.core.ids import event_id
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, iso
from nightjar.core.periods import Bin
from nightjar.core.sources import shard_of
from nightjar.pipeline.recount import Target, look, recount
from nightjar.storage import events, rollups
from nightjar.storage.bucket_items import key
from nightjar.storage.config import Stale

from tests.world import START, Record, World, world

HOT = event_id("a", "hot")
SINCE = START + 26 * HOUR  # set in the first hour, just after its start


@dataclass
class Hot:
    """An event that gets four write shards, set five minutes after START, and the world that it lies in."""

    world: World
    sent: int = 0

    def log(self, at: int, **given: Any) -> dict[str, Any]:
        """A log with an id of its own."""
        self.sent += 1
        return {"agent": "a", "event": "hot", "value": 1, "occurred_at": iso(at), "log_id": str(UUID(int=(7 << 76) | (2 << 62) | self.sent)), **given}

    def at(self, instant: int) -> None:
        """Let time pass, and the engine's clock with it."""
        self.world.now = instant
        self.world.tick(instant - instant % MINUTE)

    def policy(self, **given: Any) -> None:
        self.world.made("POST", "/v1.0/policies", {"agent": "a", "event": "hot", "period": "hour", "aggregate": "count", "threshold": 30, **given})

    def partitions(self, hour: int) -> dict[str, int]:
        """How many raw logs lie in each partition of an hour that holds any."""
        found: dict[str, int] = {}
        for item in self.world.store.db.scan(TableName=self.world.store.tables.logs)["Items"]:
            at = int(item["SK"]["S"].partition("#")[0])
            if hour <= at < hour + HOUR:
                found[item["PK"]["S"]] = found.get(item["PK"]["S"], 0) + 1
        return found

    def count(self, *bins: Bin) -> int:
        found = rollups.read(self.world.store, HOT, bins, now=self.world.now)
        return sum(bucket.count for bucket in found.values())

    def minutes(self, hour: int) -> list[Bin]:
        return [("m", start) for start in range(hour, hour + HOUR, MINUTE)]


@pytest.fixture
def hot() -> Iterator[Hot]:
    with world() as made:
        found = Hot(made)
        made.tick(START)
        made.send([found.log(START)])
        made.roll_up()
        made.now += 5 * MINUTE
        assert events.set_shards(made.store, HOT, 4, now=made.now)
        yield found


def test_logs_of_the_hours_before_stay_in_one_partition_and_those_from_the_hour_on_spread(hot: Hot) -> None:
    hot.at(SINCE - 20 * MINUTE)
    hot.world.send([hot.log(at + second * SECOND) for at in (SINCE - HOUR, SINCE, SINCE + HOUR) for second in range(40)])
    assert list(hot.partitions(SINCE - HOUR).values()) == [40]
    for hour in (SINCE, SINCE + HOUR):
        assert len(hot.partitions(hour)) == 4
        assert sum(hot.partitions(hour).values()) == 40


def test_the_first_log_a_day_ahead_of_the_hour_finds_an_ingest_that_knows(hot: Hot) -> None:
    """This process read the event before it was changed: what it remembers must be gone when logs can first lie in the hour."""
    hot.at(SINCE - DAY)
    logs = [hot.log(SINCE, value=value) for value in range(20)]
    hot.world.send(logs)
    assert len(hot.partitions(SINCE)) == 4
    hot.at(SINCE + MINUTE)
    hot.world.send(logs)
    assert sum(hot.partitions(SINCE).values()) == 20


@pytest.mark.parametrize("off", [-1, 0, 1, 59 * MINUTE], ids=["just before it", "at it", "just after it", "within it"])
def test_a_duplicate_that_is_sent_before_and_after_the_hour_counts_once(hot: Hot, off: int) -> None:
    at = SINCE + off
    logs = [hot.log(at) for _ in range(12)]
    for moment in (SINCE - 10 * HOUR, SINCE - SECOND, SINCE, SINCE + 10 * HOUR):
        hot.at(moment)
        hot.world.send(logs)
        hot.world.roll_up()
    assert hot.count(("h", at - at % HOUR)) == 12
    assert hot.count(("m", at - at % MINUTE)) == 12


def in_one(records: list[Record]) -> list[list[Record]]:
    return [records]


def in_turn(records: list[Record]) -> list[list[Record]]:
    return [records[at : at + 7] for at in range(0, len(records), 7)]


def shard_by_shard(records: list[Record]) -> list[list[Record]]:
    """As four pollers may bring them, the last shard first; each of them in its own order."""
    found = sorted({record["dynamodb"]["Keys"]["PK"]["S"] for record in records}, reverse=True)
    return [[record for record in records if record["dynamodb"]["Keys"]["PK"]["S"] == partition] for partition in found]


@pytest.mark.parametrize("batches", [in_one, in_turn, shard_by_shard])
def test_what_lies_in_several_shards_is_counted_once_judged_and_recounted(hot: Hot, batches: Callable[[list[Record]], list[list[Record]]]) -> None:
    hot.policy(condition="gt", early=True)
    hot.at(SINCE + 30 * MINUTE)
    hot.world.send([hot.log(SINCE + (number % 30) * MINUTE) for number in range(40)])
    assert len(hot.partitions(SINCE)) == 4
    records = list(hot.world.logs)
    for batch in batches(records):
        hot.world.roll_up(batch)
        hot.world.roll_up(batch)  # delivered again
    assert (hot.count(("h", SINCE)), hot.count(*hot.minutes(SINCE))) == (40, 40)
    assert [alert.period_start for alert in hot.world.alerts()] == [SINCE]
    hot.at(SINCE + HOUR + MINUTE)
    assert [each.value for each in hot.world.alerts()] == [40]
    hot.at(SINCE + 3 * HOUR)
    _damage_and_recount(hot, records)


def _damage_and_recount(hot: Hot, records: list[Record]) -> None:
    """Damage the hour, and recount it: the stream adds none of it again."""
    event = events.get(hot.world.store, HOT)
    assert event
    target, store = Target(event, SINCE), hot.world.store
    assert not look(store, target, now=hot.world.now).changed
    update: Any = {"UpdateExpression": "SET b = :b", "ExpressionAttributeValues": {":b": {"B": b"rubbish"}}}
    store.db.update_item(TableName=store.tables.rollups, Key=key(HOT, ("h", SINCE)), **update)
    (found,) = recount(store, [target], now=lambda: hot.world.now, pause=lambda: None)
    assert (found.logs, set(found.changed)) == (40, {("h", SINCE)})
    hot.world.roll_up(records)
    assert (hot.count(("h", SINCE)), hot.count(*hot.minutes(SINCE))) == (40, 40)


def test_the_look_before_a_silent_alert_counts_the_logs_of_all_shards(hot: Hot) -> None:
    hot.policy(condition="lt", active_from=iso(SINCE))
    hot.at(SINCE + 30 * MINUTE)
    hot.world.send([hot.log(SINCE + number * SECOND) for number in range(40)])
    (first, *_) = sorted(hot.partitions(SINCE))
    hot.world.roll_up([record for record in hot.world.logs if record["dynamodb"]["Keys"]["PK"]["S"] == first])
    assert 0 < hot.count(("h", SINCE)) < 30
    hot.at(SINCE + HOUR + MINUTE)
    assert (hot.world.held_back(), [alert for alert in hot.world.alerts() if alert.period_start == SINCE]) == (1, [])
    hot.world.roll_up()
    hot.at(SINCE + HOUR + 2 * MINUTE)
    assert [alert for alert in hot.world.alerts() if alert.period_start == SINCE] == []


def test_the_raw_list_shows_the_logs_of_all_shards_newest_first_page_by_page(hot: Hot) -> None:
    hot.at(SINCE + 30 * MINUTE)
    hot.world.send([hot.log(SINCE - MINUTE + number * 10 * SECOND) for number in range(12)])
    hot.world.roll_up()
    pages, path = list[str](), f"/v1.0/events/{HOT}/logs?period=raw&limit=5"
    while path:
        answer = hot.world("GET", path)
        pages += [log["occurred_at"] for log in answer.body]
        path = answer.headers.get("Link", "").partition(">")[0].lstrip("<").partition("api.example/prod")[2]
    assert pages == [iso(SINCE - MINUTE + number * 10 * SECOND) for number in reversed(range(12))] + [iso(START)]


def test_fewer_again_from_a_later_hour_on(hot: Hot) -> None:
    hot.at(SINCE)
    assert events.set_shards(hot.world.store, HOT, 1, now=SINCE)
    lowered = SINCE + 25 * HOUR
    hot.at(SINCE + 24 * HOUR)
    hot.world.send([hot.log(at + second * SECOND) for at in (lowered - HOUR, lowered) for second in range(40)])
    assert (len(hot.partitions(lowered - HOUR)), len(hot.partitions(lowered))) == (4, 1)
    hot.world.roll_up()
    assert hot.count(("h", lowered - HOUR), ("h", lowered)) == 80


def test_an_event_is_edited_and_spread_at_the_same_time(hot: Hot) -> None:
    """Whoever is second reads again: neither loses what the other wrote."""
    put: Callable[[], Any] = lambda: hot.world.made("PUT", f"/v1.0/events/{HOT}", {"title": "Hot", "timezone": "Asia/Kolkata"})
    _in_between(hot, lambda: events.set_shards(hot.world.store, HOT, 8, now=hot.world.now))
    put()
    found = events.get(hot.world.store, HOT)
    assert found
    assert (found.title, found.timezone, found.shards[-1]) == ("Hot", "Asia/Kolkata", (SINCE, 8))
    _in_between(hot, lambda: hot.world.made("PUT", f"/v1.0/events/{HOT}", {"title": "Hotter"}))
    with pytest.raises(Stale):
        events.set_shards(hot.world.store, HOT, 2, now=hot.world.now)
    found = events.get(hot.world.store, HOT)
    assert found
    assert (found.title, found.shards[-1]) == ("Hotter", (SINCE, 8))


def _in_between(hot: Hot, work: Callable[[], Any]) -> None:
    """Do something between the next reading of the event and the write that follows."""

    def before(_service: str, operation: str, _body: bytes) -> None:
        if operation == "PutItem":
            hot.world.cloud.before = lambda *_: None
            work()

    hot.world.cloud.before = before


def test_the_logs_ids_decide_their_shards_evenly(hot: Hot) -> None:
    event = events.get(hot.world.store, HOT)
    assert event
    shards = [shard_of(event.shards, SINCE, hot.log(SINCE)["log_id"]) for _ in range(4_000)]
    assert all(800 < shards.count(shard) < 1_200 for shard in range(4))
