"""The rules of a queue."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.sources.sqs import Settings, Waiting, settled, to_event, waiting

SETTINGS = Settings.of({"BatchSize": 3, "FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": {"MaximumConcurrency": "4"}})
MESSAGES = [{"MessageId": name, "ReceiptHandle": f"r-{name}", "Body": "{}", "Attributes": {"ApproximateReceiveCount": "1"}} for name in "abc"]
EVENTS = Path(__file__).parent.parent.parent / "events"


def names(answer: Any, *, failed: bool = False, settings: Settings = SETTINGS) -> str:
    return "".join(message["MessageId"] for message in settled(MESSAGES, settings, answer, failed=failed))


@pytest.mark.parametrize(
    ("answer", "deleted"),
    [
        (None, "abc"),
        ({}, "abc"),
        ({"batchItemFailures": []}, "abc"),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, "ac"),
        ({"batchItemFailures": [{"itemIdentifier": "z"}]}, ""),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, ""),
        ({"batchItemFailures": ["b"]}, ""),
    ],
)
def test_what_is_not_named_is_deleted(answer: Any, deleted: str) -> None:
    assert names(answer) == deleted


def test_a_failed_invocation_settles_nothing() -> None:
    assert names(None, failed=True) == ""


def test_a_mapping_without_partial_answers_deletes_all_on_success() -> None:
    assert names({"batchItemFailures": [{"itemIdentifier": "b"}]}, settings=Settings.of({})) == "abc"


def test_a_fifo_batch_holds_ten_at_most() -> None:
    assert Settings.of({"BatchSize": 1000}).batch_size == 10
    assert SETTINGS.concurrency == 4


def test_messages_that_are_invisible_wait_for_the_first_of_their_times() -> None:
    assert waiting([1.0, 20.0, 15.0], now=10.0) == Waiting(2, 15.0)
    assert waiting([], now=10.0) == Waiting(0, None)


def test_an_event_has_every_field_of_a_real_one() -> None:
    (real,) = json.loads((EVENTS / "sqs-bell.json").read_text())["Records"]
    (made,) = to_event(MESSAGES[:1], real["eventSourceARN"], "eu-west-1")["Records"]
    assert made.keys() == real.keys()
