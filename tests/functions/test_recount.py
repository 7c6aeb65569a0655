"""`nightjar recount`: damaged buckets and parked logs heal, and the stream never counts again what was counted."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, MINUTE, iso
from nightjar.core.periods import Bin
from nightjar.core.recounting import bins_of_hour, counted
from nightjar.core.sketch import bin_of
from nightjar.core.sources import source_keys
from nightjar.pipeline.recount import Found, Moving, Target, earliest_hour, latest_hour, look, recount
from nightjar.storage import events, logs, rollups
from nightjar.storage.bucket_items import key as key_of

from tests.world import START, Record, World, world

HOUR_BIN: Bin = ("h", START)


@dataclass
class Operator:
    """Somebody with a shell, and what the stream brought before he came."""

    world: World
    target: Target
    brought: list[Record]

    def recount(self, *, meanwhile: Callable[[], Any] = lambda: None, hours: list[int] | None = None) -> list[Found]:
        """Run the command; `meanwhile` happens in each of its pauses."""
        targets = [Target(self.target.event, hour) for hour in hours or [self.target.hour]]
        return list(recount(self.world.store, targets, now=lambda: self.world.now, pause=meanwhile))

    def stored(self) -> dict[Bin, bytes]:
        """The packed buckets of the hour."""
        found = rollups.read_stored(self.world.store, self.target.event.event_id, bins_of_hour(START), now=self.world.now)
        return {key: row.packed for key, row in found.items()}

    def counts(self) -> tuple[int, int, int]:
        """Logs in the hour, in all of its minutes, and parked."""
        found = rollups.read(self.world.store, self.target.event.event_id, bins_of_hour(START), now=self.world.now)
        minutes = sum(bucket.count for key, bucket in found.items() if key[0] == "m")
        return found[HOUR_BIN].count, minutes, found[HOUR_BIN].parked

    def is_whole(self) -> bool:
        """Whether every bucket is what the raw logs say."""
        return not look(self.world.store, self.target, now=self.world.now).changed

    def damage(self, key: Bin, packed: bytes | None) -> None:
        """Put other bytes into a row, or take the row away."""
        table, event_id = self.world.store.tables.rollups, self.target.event.event_id
        where: Any = key_of(event_id, key)
        if packed is None:
            self.world.store.db.delete_item(TableName=table, Key=where)
        else:
            self.world.store.db.update_item(TableName=table, Key=where, UpdateExpression="SET b = :b", ExpressionAttributeValues={":b": {"B": packed}})


def log(minute: int, value: object = 1, **given: Any) -> dict[str, Any]:
    return {"agent": "a", "event": "e", "value": value, "occurred_at": iso(START + minute * MINUTE), **given}


@pytest.fixture
def operator() -> Iterator[Operator]:
    """Three hours after an hour with 12 logs in three of its minutes, all of them rolled up."""
    with world() as deployed:
        deployed.tick(START)
        deployed.send([log(minute, value) for minute in (3, 4, 59) for value in (1, 2.5, -7, 0)])
        deployed.send([log(3, event="other")])
        brought = list(deployed.logs)
        deployed.roll_up()
        deployed.now += 3 * HOUR
        deployed.tick(deployed.now)
        event = next(each for each in events.list_all(deployed.store) if each.event == "e")
        yield Operator(deployed, Target(event, START), brought)


def test_where_nothing_is_wrong_nothing_is_written(operator: Operator) -> None:
    calls: list[str] = []
    operator.world.cloud.before = lambda _service, operation, _body: calls.append(operation)
    assert operator.recount(meanwhile=lambda: calls.append("paused")) == []
    assert set(calls) == {"BatchGetItem", "Query", "GetItem"}


@pytest.mark.parametrize("key", [HOUR_BIN, ("m", START + 3 * MINUTE)])
@pytest.mark.parametrize("packed", [b"", b"rubbish", b"\x01" * 80, None])
def test_a_damaged_bucket_heals_and_is_not_added_to_again(operator: Operator, key: Bin, packed: bytes | None) -> None:
    before = operator.stored()
    operator.damage(key, packed)
    (found,) = operator.recount()
    assert (set(found.changed), found.logs, found.parked) == ({key}, 12, 0)
    assert {**operator.stored(), key: before[key]} == before
    operator.world.roll_up(operator.brought)
    assert operator.counts() == (12, 12, 0)
    assert operator.is_whole()


def test_a_parked_log_heals_once_the_code_is_mended(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: float) -> int:
        raise ArithmeticError

    operator.world.send([log(10, 42)])
    parked = list(operator.world.logs)
    with monkeypatch.context() as broken:
        broken.setattr("nightjar.core.rollups.bin_of", fail)
        operator.world.roll_up()
        assert operator.counts() == (12, 12, 1)
    (found,) = operator.recount()
    assert (len(found.changed), found.logs, found.parked) == (2, 13, 0)
    assert operator.counts() == (13, 13, 0)
    operator.world.roll_up(parked)
    assert operator.counts() == (13, 13, 0)


def test_a_log_on_which_the_code_still_fails_stays_parked(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.world.send([log(10, 42)])
    monkeypatch.setattr("nightjar.core.rollups.bin_of", lambda value: bin_of(value / int(value != 42)))
    operator.world.roll_up()
    assert operator.recount() == []
    operator.damage(HOUR_BIN, b"")
    (found,) = operator.recount()
    assert (found.logs, found.parked) == (12, 1)


def test_a_log_that_the_stream_brings_after_it_was_counted_is_not_counted_twice(operator: Operator) -> None:
    operator.world.send([log(3), log(20)])  # stored, but rollup is behind

    def meanwhile() -> None:
        operator.world.now += MINUTE
        if operator.world.logs:
            operator.world.roll_up()
            assert operator.counts() == (16, 16, 0), "the stream adds what was counted already; the next look sees it"

    assert len(operator.recount(meanwhile=meanwhile)) == 2
    assert operator.counts() == (14, 14, 0)
    assert operator.is_whole()


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_rollup_in_the_middle_of_it_is_neither_lost_nor_doubled(operator: Operator, nth: int) -> None:
    operator.damage(HOUR_BIN, counted([(START, "9")])[HOUR_BIN].pack())
    operator.damage(("m", START + 3 * MINUTE), None)
    operator.world.send([log(3, 100), log(59, 100)])
    seen = [0]

    def watch(_service: str, operation: str, _body: bytes) -> None:
        if operation in {"BatchGetItem", "Query", "PutItem"}:
            seen[0] += 1
            if seen[0] == nth:
                operator.world.cloud.before = lambda *_: None
                operator.world.roll_up()

    operator.world.cloud.before = watch
    operator.recount()
    assert not operator.world.logs, "rollup came between"
    assert operator.counts() == (14, 14, 0)
    assert operator.is_whole()
    operator.world.roll_up(operator.brought)
    assert operator.is_whole()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_was_damaged_and_however_the_stream_comes_again(operator: Operator, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        operator.world.send([log(chance.randrange(60), chance.choice((1, 0.1, -3, 1e6, 0))) for _ in range(chance.randrange(1, 6))])
    waiting, operator.world.logs = operator.world.logs, []
    arrived = waiting[: chance.randrange(len(waiting) + 1)]
    operator.world.roll_up(arrived)
    for key in chance.sample(sorted(operator.stored()), 3):
        operator.damage(key, chance.choice((None, counted([(START, "9")])[HOUR_BIN].pack(), counted([(START, "")])[HOUR_BIN].pack())))

    def meanwhile() -> None:
        operator.world.roll_up(waiting[chance.randrange(len(arrived) + 1) :])

    operator.recount(meanwhile=meanwhile)
    operator.world.roll_up(waiting)
    operator.recount()
    assert operator.is_whole()
    operator.world.roll_up([*operator.brought, *waiting])
    assert operator.is_whole()
    expected = sum(1 for source in source_keys(operator.target.event.event_id, operator.target.event.shards, START, START + HOUR)
                   for _ in logs.read_values(operator.world.store, source))  # fmt: skip
    assert operator.counts() == (expected, expected, 0)


def test_what_a_recount_finds_is_judged_as_late_data(operator: Operator) -> None:
    policy = {"agent": "a", "event": "e", "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 5, "active_from": iso(START)}
    operator.damage(HOUR_BIN, counted([(START, "9")])[HOUR_BIN].pack())
    operator.world.made("POST", "/v1.0/policies", policy)
    assert operator.world.alerts() == []
    operator.recount()
    assert [(alert.value, alert.period_start, alert.resolved_by) for alert in operator.world.alerts()] == [(12, START, "recovered")]


LATE = {"agent": "a", "event": "e", "period": "hour", "aggregate": "count", "condition": "gt", "threshold": 5, "active_from": iso(START)}


def test_a_recount_that_died_before_it_judged_is_judged_by_the_next(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.damage(HOUR_BIN, counted([(START, "9")])[HOUR_BIN].pack())
    operator.world.made("POST", "/v1.0/policies", LATE)
    with monkeypatch.context() as dying:
        dying.setattr("nightjar.pipeline.recount.judge_changed", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            operator.recount()
    assert (operator.is_whole(), operator.world.alerts()) == (True, [])
    assert operator.recount() == []
    assert [(alert.value, alert.resolved_by) for alert in operator.world.alerts()] == [(12, "recovered")]


def test_judging_again_where_nothing_changed_writes_nothing(operator: Operator) -> None:
    operator.world.made("POST", "/v1.0/policies", LATE)
    operator.recount()
    before = [(alert, alert.periods) for alert in operator.world.alerts()]
    calls: list[str] = []
    operator.world.cloud.before = lambda _service, operation, _body: calls.append(operation)
    assert operator.recount() == []
    assert set(calls) == {"BatchGetItem", "Query", "GetItem"}
    assert [(alert, alert.periods) for alert in operator.world.alerts()] == before != []


def test_what_was_written_before_others_kept_writing_is_judged(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.damage(HOUR_BIN, counted([(START, "9")])[HOUR_BIN].pack())
    operator.damage(("m", START + 3 * MINUTE), None)
    operator.world.made("POST", "/v1.0/policies", LATE)
    write = rollups.write_row
    monkeypatch.setattr(rollups, "write_row", lambda store, event, key, row: key[0] == "h" and write(store, event, key, row))
    with pytest.raises(Moving):
        operator.recount()
    assert [alert.value for alert in operator.world.alerts()] == [12]


def test_others_who_keep_writing_to_one_hour_do_not_keep_the_rest_from_being_mended(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.world.now += HOUR
    operator.damage(HOUR_BIN, b"rubbish")
    event = operator.target.event
    other = next(each for each in events.list_all(operator.world.store) if each.event == "other")
    write = rollups.write_row
    monkeypatch.setattr(rollups, "write_row", lambda store, event, key, row: event != other.event_id and write(store, event, key, row))
    operator.world.store.db.delete_item(TableName=operator.world.store.tables.rollups, Key=key_of(other.event_id, HOUR_BIN))
    with pytest.raises(Moving, match="/other, 2026-03-03T14:00:00Z: others keep writing"):
        list(recount(operator.world.store, [Target(other, START), Target(event, START)], now=lambda: operator.world.now, pause=lambda: None))
    assert operator.is_whole()


def test_others_who_keep_writing_are_left_to_it(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.damage(HOUR_BIN, b"")
    monkeypatch.setattr(rollups, "write_row", lambda *_: False)
    with pytest.raises(Moving):
        operator.recount()


def test_a_stream_that_never_catches_up_is_told_of(operator: Operator) -> None:
    operator.damage(HOUR_BIN, b"")
    with pytest.raises(Moving):
        operator.recount(meanwhile=lambda: operator.damage(HOUR_BIN, b""))


def test_only_hours_that_are_over_and_whole_are_recounted(operator: Operator) -> None:
    now = operator.world.now
    assert (latest_hour(now), latest_hour(now + 1)) == (START, START + HOUR)
    assert earliest_hour(now) == START + 3 * HOUR - 32 * DAY + HOUR
    for hour in (START + HOUR, START + 1, earliest_hour(now) - HOUR):
        with pytest.raises(ValueError, match="only hours that ended"):
            operator.recount(hours=[hour])
