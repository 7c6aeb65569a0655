"""What verdicts rest on besides their own buckets."""

import pytest
from nightjar.core.evidence import asks_first_log

from tests.builders import hour, hours, policy

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
