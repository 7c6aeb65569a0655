"""What verdicts rest on besides their own buckets."""

from dataclasses import replace

import pytest
from nightjar.core.due import oldest_start
from nightjar.core.evidence import asks_first_log, periods_needed
from nightjar.core.instants import MINUTE
from nightjar.core.state import Span, pruned

from tests.builders import at, hour, hours, minute, policy, state
from tests.core.test_evaluation import Engine

COMPARED = {"compare": "previous_window", "missing": "zero"}


@pytest.mark.parametrize(
    ("given", "logged", "asks"),
    [
        (COMPARED, {"14:00": 3}, True),
        (COMPARED, {"13:00": 5, "14:00": 3}, False),
        ({**COMPARED, "missing": "ignore"}, {"14:00": 3}, False),
        ({"missing": "zero"}, {}, False),
    ],
)
def test_when_an_event_began_matters_only_where_a_baseline_without_logs_is_zero(given: dict[str, str], logged: dict[str, int], asks: bool) -> None:
    assert asks_first_log(policy(**given), hours(logged), [hour("14:00")]) is asks


def test_an_alert_that_is_healthy_already_looks_back_to_nothing_however_long_it_lies_open() -> None:
    engine = Engine(policy(auto_resolve=False, recovery_periods=2))
    engine.judge(hour("10:00"), hours({"10:00": 30}), "11:01")
    late = hour("20:00")
    assert len(periods_needed(engine.policy, engine.state, late, at("21:01"))) == 12
    healed = replace(engine.state, open=replace(engine.open, healed=at("11:00")))
    assert periods_needed(engine.policy, healed, late, at("21:01")) == [late, hour("21:00")]


def test_a_flapping_rolling_policy_keeps_no_more_than_its_last_alerts() -> None:
    """Windows are judged once: kept for as long as late data, two days of a day policy, its state would grow with each flap."""
    flapping, now = policy(period="day", window="rolling", window_minutes=2), at("14:00")
    spans = tuple(Span(str(n), start := now - n * 4 * MINUTE, start + 2 * MINUTE, "recovered") for n in range(700))
    assert len(pruned(replace(state(flapping), spans=spans), oldest_start(flapping, now)).spans) < 20


def test_an_ended_alert_is_kept_as_long_as_the_period_that_it_was_made_of_may_be_judged_again() -> None:
    span = Span("a", at("14:00"), at("14:01"), "recovered", judged=at("14:09"))
    kept = [pruned(replace(state(policy()), spans=(span,)), minute(oldest).start).spans for oldest in ("14:08", "14:09")]
    assert kept == [(span,), ()]
