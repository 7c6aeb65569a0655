"""Small histories in which most data is late: a few minutes, judged again and again, by pipeline and reference.

The histories of test_engine are long and wide, and seldom judge one period three times; these do little else. Left out is what
ENGINE.md leaves open: late data of what is compared with, early judgements that values below zero undo before the close, and whether
a period before an open alert joins it that one tick closes together with a healthy one between (missed ticks).
"""

from typing import Any, Final

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from nightjar.core.instants import MINUTE, SECOND, iso, parse_instant

from tests.cases.script import Script, load_script
from tests.properties.test_engine import LONG, compare, over_a_ledger, told

START: Final = parse_instant("2026-03-03T14:00:00Z")
MINUTES: Final = 8
CLOSED: Final = MINUTES + 3
# Breaching, healthy, and what heals or breaks what was logged before.
VALUES: Final = [50, 1, 15, [0] * 9, [0] * 40, [1_000] * 3]


@st.composite
def late_histories(draw: st.DrawFn) -> Script:
    """Draw one policy, its logs of eight minutes, most of them late, ticks, of which some are missed, and what a person does."""
    policy: dict[str, Any] = {"id": "p", "event": "job.run", "period": "minute", "active_from": "2026-03-01T00:00:00Z"}
    policy |= draw(st.fixed_dictionaries({"aggregate": st.sampled_from(["average", "average", "max", "min", "count"])}))
    policy |= {"condition": draw(st.sampled_from(["gt", "gt", "lt", "lte", "gte"])), "threshold": 3 if policy["aggregate"] == "count" else 20}
    for name, values in (("missing", ["zero", "ignore", "breach"]), ("recovery_periods", [2, 3]), ("auto_resolve", [False]), ("delay_seconds", [0, 180])):
        if draw(st.integers(0, 3)) == 0:
            policy[name] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        slots = draw(st.integers(2, 3))
        policy |= {"evaluation_periods": slots, "datapoints_to_alarm": draw(st.integers(1, slots))}
    silent = policy["condition"] in {"lt", "lte"}  # one batch would correct its alert and, behind a look at the raw logs, open the next
    batches = draw(st.lists(st.integers(60, CLOSED * 60), max_size=0 if silent else 3))
    logs = st.lists(_log(batches), min_size=3, max_size=12, unique_by=(lambda log: log["recv"]) if silent else None)
    given = {"policies": [policy], "logs": draw(logs), "actions": draw(st.lists(_action(), max_size=2))}
    never_early = policy["aggregate"] == "average" and "delay_seconds" not in policy
    missed = draw(st.sets(st.integers(1, CLOSED), max_size=3)) if never_early else set()
    ticks = [iso(START + minute * MINUTE) for minute in range(CLOSED + 2) if minute not in missed]
    return load_script({"id": "late", "kind": "engine", "given": {**given, "ticks": ticks}, "expect": {}})


@st.composite
def _log(draw: st.DrawFn, batches: list[int]) -> dict[str, Any]:
    """Draw a log that comes by itself, or in one of the batches (seconds) with others."""
    at = draw(st.integers(1, (MINUTES + 1) * 60 - 1))
    together = [batch for batch in batches if batch >= at]
    received = draw(st.sampled_from(together)) if together and draw(st.booleans()) else draw(st.integers(at, CLOSED * 60))
    return {"t": iso(START + at * SECOND), "v": draw(st.sampled_from(VALUES)), "recv": iso(START + received * SECOND)}


@st.composite
def _action(draw: st.DrawFn) -> dict[str, Any]:
    at = draw(st.integers(60, CLOSED * 60))
    return {"at": iso(START + at * SECOND), draw(st.sampled_from(["resolve", "resolve", "acknowledge", "archive"])): "p"}


@settings(max_examples=int(LONG or 10) * 20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=LONG is None, print_blob=True)
@given(late_histories())
def test_late_data_is_judged_like_the_reference_has_it(script: Script) -> None:
    note(told(script))
    compare(script, over_a_ledger)
