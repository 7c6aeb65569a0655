"""What a review found to differ between handlers and reference where late data corrects alerts, shrunk: each must be alike."""

from tests.properties.test_differences import told

AVERAGE = {"period": "minute", "aggregate": "average", "condition": "gt", "threshold": 20}


def minutes(*of: int) -> list[str]:
    """Instants of ticks: so many minutes after 14:00."""
    return [f"2026-03-03T{14 + minute // 60}:{minute % 60:02d}:00Z" for minute in of]


def test_a_corrected_alert_comes_back_with_its_period_though_another_is_open_by_then() -> None:
    found = told(
        policies=[AVERAGE],
        logs=[
            {"t": "2026-03-03T14:00:01Z", "v": 50},
            {"t": "2026-03-03T14:00:02Z", "v": [0] * 9, "recv": "2026-03-03T14:02:10Z"},
            *({"t": f"2026-03-03T14:0{minute}:01Z", "v": 1} for minute in (1, 3, 4)),
            {"t": "2026-03-03T14:02:01Z", "v": 1, "recv": "2026-03-03T14:02:20Z"},
            {"t": "2026-03-03T14:05:01Z", "v": 50},
            {"t": "2026-03-03T14:00:03Z", "v": [1_000] * 3, "recv": "2026-03-03T14:07:10Z"},
        ],
        ticks=minutes(*range(1, 9)),
    )
    assert [line.partition(" ")[2] for line in found] == [
        "opened 2026-03-03T14:00:00Z",
        "corrected 2026-03-03T14:00:00Z",
        "opened 2026-03-03T14:05:00Z",
        "reopened 2026-03-03T14:00:00Z",
        "recovered 2026-03-03T14:00:00Z",
    ]


def test_a_corrected_alert_comes_back_with_the_period_of_its_id_though_its_first_is_beyond_the_horizon() -> None:
    found = told(
        policies=[AVERAGE],
        logs=[
            {"t": "2026-03-03T14:02:01Z", "v": 50},
            {"t": "2026-03-03T14:00:01Z", "v": 50, "recv": "2026-03-03T14:04:05Z"},
            {"t": "2026-03-03T14:00:02Z", "v": [0] * 9, "recv": "2026-03-03T14:04:06Z"},
            {"t": "2026-03-03T14:02:02Z", "v": [0] * 9, "recv": "2026-03-03T14:04:07Z"},
            {"t": "2026-03-03T14:02:03Z", "v": [1_000] * 3, "recv": "2026-03-03T15:02:10Z"},
        ],
        ticks=minutes(*range(1, 65)),
    )
    assert [line.split()[1] for line in found] == ["opened", "corrected", "reopened"]


def test_a_late_value_changes_the_alert_that_begins_last_of_those_whose_spans_hold_its_period() -> None:
    found = told(
        policies=[{"period": "minute", "aggregate": "count", "condition": "gt", "threshold": 2}],
        logs=[
            {"t": "2026-03-03T14:04:01Z", "v": [1] * 3},
            {"t": "2026-03-03T14:05:01Z", "v": [1] * 3},
            {"t": "2026-03-03T14:03:01Z", "v": [1] * 4, "recv": "2026-03-03T14:09:01Z"},
            {"t": "2026-03-03T14:05:01Z", "v": [1] * 90, "recv": "2026-03-03T14:09:30Z"},
        ],
        ticks=minutes(*range(1, 12)),
    )
    assert [line.split()[1] for line in found] == ["opened", "recovered", "opened", "recovered"]
