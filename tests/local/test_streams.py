"""The rules of a stream: batches, order, retries, bisecting, partial answers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from local.sources.streams import Batch, Position, Settings, after_answer, next_batch, passed, sequence, to_event

SETTINGS = Settings.of({"BatchSize": 4, "BisectBatchOnFunctionError": True, "FunctionResponseTypes": ["ReportBatchItemFailures"]})


def record(number: int, name: str = "INSERT") -> dict[str, Any]:
    return {"eventName": name, "dynamodb": {"SequenceNumber": str(number), "Keys": {"PK": {"S": str(number)}}}}


RECORDS = [record(number) for number in range(1, 11)]


def numbers(batch: Batch | None) -> list[int]:
    assert batch is not None
    return [int(each["dynamodb"]["SequenceNumber"]) for each in batch.records]


def left(position: Position) -> list[dict[str, Any]]:
    return [each for each in RECORDS if sequence(each) > position.after]


def play(handler: Callable[[Sequence[int]], tuple[Any, bool]], settings: Settings = SETTINGS, tries: int = 200) -> tuple[list[list[int]], Position]:
    """Deliver until nothing is left; returns every batch that the handler was given."""
    position, given_batches = Position(), []
    for now in range(tries):
        batch = next_batch(left(position), position, settings)
        if batch is None:
            break
        given_batches.append(numbers(batch))
        answer, failed = handler(given_batches[-1])
        position = after_answer(position, batch, settings, answer, failed=failed, now=float(now))
    return given_batches, position


def test_records_come_in_order_and_in_batches() -> None:
    assert play(lambda _: (None, False))[0] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]


def test_a_failed_batch_comes_again_in_halves_and_nothing_else_before_it() -> None:
    seen: list[int] = []

    def once_poisoned(batch: Sequence[int]) -> tuple[Any, bool]:
        seen.append(len(batch))
        return None, len(seen) <= 3 and 3 in batch

    batches, _ = play(once_poisoned)
    assert batches == [[1, 2, 3, 4], [1, 2], [3, 4], [3], [4], [5, 6, 7, 8], [9, 10]]


def test_a_record_that_always_fails_holds_up_all_after_it_and_none_before() -> None:
    batches, position = play(lambda batch: (None, 6 in batch), tries=40)
    done = {number for batch in batches for number in batch if 6 not in batch}
    assert done == {1, 2, 3, 4, 5}
    assert batches[-1] == [6]
    assert position.failures > 10


def test_each_failure_of_one_record_waits_longer_up_to_half_a_minute() -> None:
    position = Position(after="0" * 39 + "5", ends=())
    waits = []
    for _ in range(12):
        batch = Batch((record(6),), sequence(record(6)))
        position = after_answer(position, batch, SETTINGS, None, failed=True, now=100.0)
        waits.append(position.ready_at - 100.0)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.25, 30)


def test_a_partial_answer_goes_on_from_the_first_that_it_names() -> None:
    seen: list[list[int]] = []

    def stumbles(batch: Sequence[int]) -> tuple[Any, bool]:
        seen.append(list(batch))
        named = [{"itemIdentifier": str(number)} for number in (4, 3) if number in batch and len(seen) == 1]
        return {"batchItemFailures": named}, False

    assert play(stumbles)[0] == [[1, 2, 3, 4], [3, 4], [5, 6, 7, 8], [9, 10]]


def test_a_partial_answer_that_names_the_first_record_fails_the_batch() -> None:
    batch = next_batch(RECORDS, Position(), SETTINGS)
    assert batch is not None
    for named in ("1", "", None, "77", 1):
        position = after_answer(Position(), batch, SETTINGS, {"batchItemFailures": [{"itemIdentifier": named}]}, failed=False, now=0.0)
        assert position.after == ""
        assert position.ends == (sequence(record(2)), sequence(record(4)))


def test_a_report_means_nothing_where_the_mapping_does_not_ask_for_it() -> None:
    batch = next_batch(RECORDS, Position(), SETTINGS)
    assert batch is not None
    position = after_answer(Position(), batch, replace(SETTINGS, partial=False), {"batchItemFailures": [{"itemIdentifier": "1"}]}, failed=False, now=0.0)
    assert position.after == sequence(record(4))


def test_without_bisecting_the_whole_batch_comes_again() -> None:
    failures: list[int] = []

    def fails_twice(batch: Sequence[int]) -> tuple[Any, bool]:
        failures.append(len(batch))
        return None, len(failures) <= 2

    assert play(fails_twice, replace(SETTINGS, bisect=False))[0][:3] == [[1, 2, 3, 4]] * 3


def test_after_the_last_retry_a_record_is_given_up_where_retries_are_limited() -> None:
    batches, position = play(lambda batch: (None, 6 in batch), replace(SETTINGS, max_retries=2))
    assert position.discarded == 1
    assert batches[-1] == [9, 10]


def test_what_no_filter_wants_is_passed_over_without_an_invocation() -> None:
    settings = replace(SETTINGS, patterns=({"eventName": ["INSERT"]},))
    there = [record(1, "MODIFY"), record(2, "REMOVE"), record(3), record(4, "MODIFY")]
    assert next_batch(there[:2], Position(), settings) == Batch((), sequence(record(2)))
    batch = next_batch(there, Position(), settings)
    assert numbers(batch) == [3]
    assert batch is not None
    assert batch.upto == sequence(record(4)), "its success settles what was passed over after it"
    assert passed(Position(), batch.upto).after == sequence(record(4))


def test_a_batch_fits_into_lambdas_six_megabytes() -> None:
    there = [{**record(number), "image": "x" * 2_500_000} for number in range(1, 5)]
    assert numbers(next_batch(there, Position(), SETTINGS)) == [1, 2]


def test_sequence_numbers_compare_as_numbers() -> None:
    assert sequence(record(9)) < sequence(record(10)) < sequence(record(10**21))


def test_an_event_is_worded_as_lambda_does() -> None:
    there = {**record(1)}
    there["dynamodb"]["ApproximateCreationDateTime"] = datetime(2026, 11, 25, 14, 3, 7)
    event = to_event(Batch((there,), sequence(there)), "arn:stream", "eu-west-1")
    (found,) = json.loads(json.dumps(event))["Records"]
    assert found["eventSourceARN"] == "arn:stream"
    assert found["awsRegion"] == "eu-west-1"
    assert found["dynamodb"]["ApproximateCreationDateTime"] == 1795615387.0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), max_size=60), st.integers(1, 6), st.booleans(), st.booleans())
def test_whatever_fails_every_record_is_done_in_order_and_none_is_skipped(script: list[tuple[bool, int]], size: int, bisect: bool, partial: bool) -> None:
    """A handler that fails as the script says and works ever after: each record is handled at least once, in order of first success."""
    steps = iter(script)
    done: list[int] = []

    def handler(batch: Sequence[int]) -> tuple[Any, bool]:
        fails, at = next(steps, (False, 99))
        if fails:
            return None, True
        first = batch[at] if partial and at < len(batch) else None
        done.extend(number for number in batch if first is None or number < first)
        return {"batchItemFailures": [{"itemIdentifier": str(first)}] if first else []}, False

    _, position = play(handler, replace(SETTINGS, batch_size=size, bisect=bisect, partial=partial))
    assert done == list(range(1, 11))
    assert position == Position(after=sequence(record(10)))
