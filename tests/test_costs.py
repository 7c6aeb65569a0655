"""What docs/deploy.md says of costs is what the recorded quantities and the prices come to; nothing here measures."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import costs
from bench.costs import MINUTES, SIZES, Size, batch_of, billed, load, quantities, table, written
from bench.measured import rounds
from bench.prices import PRICES, Price
from local.template import load as template

RECORDED: dict[str, Any] = json.loads(costs.RECORDED.read_text())
FUNCTIONS = {"ingest": "IngestFunction", "rollup": "RollupFunction", "evaluator": "EvaluatorFunction", "route": "NotifierFunction", "send": "NotifierFunction"}
TEMPLATE = Path(__file__).parent.parent / "template.yaml"


def test_the_table_in_the_document_is_what_prices_and_quantities_come_to() -> None:
    document = costs.DOCUMENT.read_text()
    assert written(document, table(RECORDED)) == document, "python -m bench.costs --docs"


def test_another_quantity_makes_another_table() -> None:
    assert table({**RECORDED, "alarms": RECORDED["alarms"] + 1}) != table(RECORDED)


def test_alarms_and_dashboards_are_as_many_as_the_template_has() -> None:
    text = TEMPLATE.read_text()
    counted = (text.count("AWS::CloudWatch::Alarm\n"), text.count("AWS::CloudWatch::Dashboard\n"))
    assert (RECORDED["alarms"], RECORDED["dashboards"]) == counted, "make costs"


@pytest.mark.parametrize("function", costs.MEMORY)
def test_memory_is_the_template_s(function: str) -> None:
    assert template(TEMPLATE).functions[FUNCTIONS[function]].memory == costs.MEMORY[function]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_every_price_has_its_quantity(size: Size) -> None:
    assert list(quantities(size, RECORDED)) == list(PRICES)


def test_a_price_falls_from_one_step_to_the_next() -> None:
    price = Price("x", 2, 10, 5, "", "", ((100, 1),))
    assert price.of(50) == 10
    assert price.of(130) == 20 + 3
    assert price.after_free(15) == 2
    assert price.after_free(4) == 0


def test_half_a_processor_takes_twice_the_time_and_waits_as_long() -> None:
    measured = {"milliseconds": {"rollup": {"call": 10, "event": 2}, "send": {"call": 1}}, "rounds": {"rollup": {"call": 3, "event": 0.5}, "send": {"call": 0}}}
    assert billed(measured, "rollup", event=5) == 10 + 10 + 5.5 * 5 + 0.5, "rounded up to a whole ms"
    assert billed(measured, "send") == 304, "512 MB are 0.29 of a vCPU: 3.46 ms, and the webhook"


def test_a_quiet_process_sends_each_log_alone_and_a_busy_one_full_batches() -> None:
    assert batch_of(10_000, 1) < 1.02
    assert batch_of(20_000_000, 1) == 500


def test_without_logs_only_the_clock_is_paid_for() -> None:
    idle = quantities(Size("", 0, 0, 1, 0), RECORDED)
    assert (idle["requests"], idle["stored"], idle["sent_gb"]) == (0, 0, 0)
    assert idle["invocations"] == idle["ticks"] == MINUTES
    assert idle["writes"] == MINUTES * RECORDED["writes"]["tick"]


def test_a_request_of_one_log_is_one_batch_of_one_event_while_there_are_few() -> None:
    month = load(Size("", 100, 1_000, 1, 0))
    assert month.requests == 30_000
    assert month.batches == pytest.approx(30_000, rel=0.01)
    assert month.pairs == pytest.approx(month.batches, rel=0.01)


def test_lambda_looks_into_a_shard_no_oftener_than_it_does() -> None:
    month = load(Size("", 5_000, 10**9, 1, 0))
    assert month.batches == pytest.approx(costs.SHARDS * costs.POLLS * costs.SECONDS)
    assert month.pairs <= month.logs


def test_calls_at_the_same_time_are_one_round() -> None:
    assert rounds([(0.0, 1.0), (0.1, 1.1), (0.9, 2.0), (1.2, 2.0), (2.5, 3.0)]) == 3
    assert rounds([]) == 0
