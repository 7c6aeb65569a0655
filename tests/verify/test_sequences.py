"""The numbers of a stream: what is in order, what is not, and the check on the local runner's stream."""

from typing import Any

import pytest

from scripts.verify import sequences
from scripts.verify.account import Account, Failed, NotShown, Visit
from scripts.verify.sequences import Shard, disorder, regress


def test_numbers_that_grow_in_one_shard_are_in_order() -> None:
    assert disorder({"a": {"s1": [1, 5, 9]}, "b": {"s1": [2, 3]}, "c": {"s2": [1]}}) is None


def test_numbers_that_do_not_grow_are_found() -> None:
    assert disorder({"a": {"s1": [1, 5, 5]}}) == "numbers of a do not grow in s1"
    assert disorder({"a": {"s1": [2, 1]}}) == "numbers of a do not grow in s1"


def test_a_partition_in_two_shards_is_found() -> None:
    assert disorder({"a": {"s1": [1], "s2": [2]}}) == "a lies in 2 shards"


def test_a_shard_goes_on_above_the_one_before_it() -> None:
    there = [Shard("s1", None, 1, 10), Shard("s2", "s1", 11, 20), Shard("s3", "s1", 12, None), Shard("s4", "gone", 3, None)]
    assert regress(there) is None
    assert len(sequences.followed(there)) == 2


@pytest.mark.parametrize("first", [10, 4])
def test_a_shard_that_goes_back_is_found(first: int) -> None:
    there = [Shard("s1", None, 1, 10), Shard("s2", "s1", first, None)]
    assert regress(there) == f"s2 begins at {first}, s1 before it ended at 10"


def test_logs_are_found_in_the_stream_again(still: Visit) -> None:
    assert "lie in one shard, their numbers growing" in sequences.numbers(still)


def test_a_stream_that_goes_back_is_found(still: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    read = sequences._read

    def backwards(*given: Any) -> Any:
        return {shard: records[::-1] for shard, records in read(*given).items()}

    monkeypatch.setattr(sequences, "_read", backwards)
    with pytest.raises(Failed, match="do not grow"):
        sequences.numbers(still)


def test_logs_that_the_stream_does_not_show_are_missed(still: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "_SECONDS", 0)
    monkeypatch.setattr(sequences, "_read", lambda _streams, _readers, found: found)
    with pytest.raises(Failed, match="did not appear in the stream"):
        sequences.numbers(still)


def test_a_stream_none_of_whose_shards_has_ended_shows_nothing_of_a_split(still: Visit) -> None:
    with pytest.raises(NotShown, match="no shard has ended yet"):
        sequences.lineage(still)


class Split:
    """A stream whose second shard begins where it is told, in two pages."""

    def __init__(self, first: str) -> None:
        self.first = first

    def describe_table(self, **_: Any) -> Any:
        return {"Table": {"LatestStreamArn": "arn"}}

    def describe_stream(self, ExclusiveStartShardId: str = "", **_: Any) -> Any:  # noqa: N803
        old = {"ShardId": "s1", "SequenceNumberRange": {"StartingSequenceNumber": "100", "EndingSequenceNumber": "900"}}
        new = {"ShardId": "s2", "ParentShardId": "s1", "SequenceNumberRange": {"StartingSequenceNumber": self.first}}
        return {"StreamDescription": {"Shards": [new]} if ExclusiveStartShardId else {"Shards": [old], "LastEvaluatedShardId": "s1"}}


def test_a_split_is_seen_to_go_on_and_to_go_back(still: Visit) -> None:
    visit = Visit(Account(lambda _service: Split("1000"), {"LogsTable": "l", "AlertsTable": "a"}), still.api)
    assert sequences.lineage(visit).startswith("2 shards")
    visit.account = Account(lambda _service: Split("899"), {"LogsTable": "l", "AlertsTable": "a"})
    with pytest.raises(Failed, match="LogsTable: s2 begins at 899"):
        sequences.lineage(visit)
