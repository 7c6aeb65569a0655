"""Random policies, and what a person may change of one."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from nightjar.core.instants import DAY, iso

from tests.properties.paces import Pace

Body = dict[str, Any]

THRESHOLDS = {
    "sum": (0, 8), "count": (0, 4), "average": (-2, 6), "min": (-2, 6), "max": (-2, 6), "p50_est": (-2, 6), "p95_est": (-2, 6), "stddev": (0, 3),
}  # fmt: skip
ABOVE, BELOW = ("gt", "gte"), ("lt", "lte")
AHEAD = {"previous_1d": DAY, "previous_7d": 7 * DAY, "previous_1m": 30 * DAY}
PERIODS_LONG = {"minute": (2, 10, 60), "hour": (2, 10, 60, 180), "day": (60, 120, 180, 1_440)}


@st.composite
def policies(draw: st.DrawFn, pace: Pace, start: int, events: tuple[str, ...]) -> Body:
    """A policy's body; most fields at their default most of the time."""
    aggregate = draw(st.sampled_from(sorted(THRESHOLDS)))
    body: Body = {
        "event": draw(st.sampled_from(events)),
        "period": draw(st.sampled_from(pace.kinds)),
        "aggregate": aggregate,
        "condition": draw(st.sampled_from(["gt", "gte", "lt", "lte", "eq", "ne"])),
        "threshold": draw(st.integers(*THRESHOLDS[aggregate])),
        "active_from": iso(start - draw(st.sampled_from(pace.before))),
    }
    rare: dict[str, st.SearchStrategy[Any]] = {
        "missing": st.sampled_from(["zero", "ignore", "breach"]),
        "early": st.just(False),
        "delay_seconds": st.sampled_from([0, 30, 120, 600, 3600]),
        "min_count": st.integers(1, 3),
        "recovery_periods": st.integers(2, 3),
        "auto_resolve": st.just(False),
        "renotify_minutes": st.sampled_from([5, 7, 60, 1_440]),
        "recovery_threshold": st.just(_healthy_side(body)),
        "compare": st.sampled_from([{"previous": name} for name in ("previous_window", *AHEAD)]),
    }
    if body["condition"] in {"eq", "ne"}:
        del rare["recovery_threshold"]
    for name, values in rare.items():
        if draw(st.integers(0, 4)) == 0:
            body[name] = draw(values)
    if "compare" in body:
        body["threshold"] = draw(st.sampled_from([-50, 0, 50]))
        body.pop("recovery_threshold", None)
    if body["period"] != "minute" and draw(st.integers(0, 4)) == 0:
        body |= {"window": "rolling", "window_minutes": draw(st.sampled_from(PERIODS_LONG[body["period"]]))}
    elif draw(st.integers(0, 4)) == 0:
        body["evaluation_periods"] = draw(st.integers(2, 4))
        body["datapoints_to_alarm"] = draw(st.integers(1, body["evaluation_periods"]))
    return body


def _healthy_side(body: Body) -> int:
    return int(body["threshold"]) + (1 if body["condition"] in {"lt", "lte"} else -1)


@st.composite
def edits(draw: st.DrawFn, body: Body, kinds: tuple[str, ...]) -> Body:
    """What a person changes of a policy: a thing or two that it measures, or how it behaves, or only its name."""
    threshold = draw(st.integers(0, 3))
    choices: list[Body] = [
        {"threshold": threshold, **({"recovery_threshold": threshold} if "recovery_threshold" in body else {})},
        {"missing": draw(st.sampled_from(["zero", "ignore", "breach"]))},
        {"min_count": draw(st.integers(1, 2))},
        {"aggregate": draw(st.sampled_from(sorted(THRESHOLDS)))},
        {"enabled": False},
        {"enabled": True},
        {"title": "new"},
        {"severity": "critical"},
        {"auto_resolve": draw(st.booleans())},
        {"early": draw(st.booleans())},
        {"renotify_minutes": draw(st.sampled_from([5, 60]))},
        {"delay_seconds": draw(st.sampled_from([0, 60, 120, 600, 1_200]))},
        {"condition": draw(st.sampled_from(ABOVE if body["condition"] in ABOVE else BELOW))},
    ]
    if "window" not in body:
        choices.append({"period": draw(st.sampled_from(kinds))})
    choices.append({"recovery_periods": draw(st.integers(1, 3))})
    if body.get("window") != "rolling":
        choices += [{"evaluation_periods": 3, "datapoints_to_alarm": draw(st.integers(1, 3))}]
    return draw(st.sampled_from(choices))


VALUES = st.sampled_from([*range(-2, 8), *range(1, 6), -15, 15]).map(Decimal)  # one of them undoes, or outdoes, all others
WILD = st.sampled_from([Decimal(text) for text in ("0.1", "-0.1", "1e-30", "-1e-30", "1e29", "-1e29", "123456789.125", "0")])
