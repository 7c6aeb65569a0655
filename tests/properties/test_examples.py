"""The worked examples of docs/semantics.md, through the real handlers: when each fires and recovers, and what is said."""

from typing import Any

from nightjar.core.instants import iso

from scripts.timeline import BEGIN, END, OUT, Story, drawn, stories
from tests.cases.play import Play
from tests.cases.script import load_script
from tests.reference.replay import replay
from tests.world import world


def seen(policy: dict[str, Any], logs: list[dict[str, Any]], ticks: list[str], events: tuple[dict[str, Any], ...] = ()) -> tuple[list[str], list[str]]:
    """Play an example; return the transitions with their instants, and what Slack was told."""
    policies = [{"id": "p", "event": "job", "active_from": "2026-03-01T00:00:00Z", "title": "T", **policy}]
    given = {"events": [{"event": "job", **each} for each in events], "policies": policies, "logs": [{"e": "job", **log} for log in logs], "ticks": ticks}
    script = load_script({"id": "example", "kind": "engine", "given": given, "expect": {}})
    with world(script.start) as on_moto:
        play = Play(on_moto, script)
        play.run()
    return [f"{iso(at)[5:16]} {each.alert.resolved_by or each.type}" for at, each in play.transitions], play.texts


def hour(start: str, *values: float) -> list[dict[str, Any]]:
    """Logs at the beginning of an hour of 3 March."""
    return [{"t": f"2026-03-03T{start}:00Z", "v": list(values)}]


def ticks(*times: str) -> list[str]:
    return [f"2026-03-03T{time}:00Z" for time in times]


def test_three_slow_jobs_at_night_page_nobody_and_forty_do_at_the_close() -> None:
    policy = {"period": "hour", "aggregate": "p95_est", "condition": "gt", "threshold": 2000, "min_count": 20}
    logs = [*hour("03:10", 9000, 9000, 9000), *hour("04:10", *[1000] * 37, *[9000] * 3)]
    transitions, texts = seen(policy, logs, ticks("03:30", "04:01", "04:30", "05:01"))
    assert transitions == ["03-03T05:01 opened"]
    assert "p95 9,000 this hour, limit 2,000" in texts[0]


def test_twice_the_jobs_of_a_week_ago_is_a_change_of_a_hundred_per_cent() -> None:
    policy = {"period": "hour", "aggregate": "count", "condition": "gt", "threshold": 50, "compare": {"previous": "previous_7d"}, "min_count": 5}
    logs = [{"t": "2026-02-24T14:10:00Z", "v": [1] * 8, "recv": "2026-03-03T13:00:00Z"}, *hour("14:10", *[1] * 16)]
    transitions, texts = seen(policy, logs, ticks("14:30", "15:01"))
    assert transitions == ["03-03T15:01 opened"]
    assert "16, 100 % more than 7 days before (8), limit +50 %" in texts[0]


def test_three_minutes_out_of_five() -> None:
    policy = {"period": "minute", "aggregate": "max", "condition": "gt", "threshold": 5, "evaluation_periods": 5, "datapoints_to_alarm": 3, "missing": "ignore"}
    logs = [log for minute, value in enumerate((9, 1, 9, 1, 9, 1, 1), 1) for log in hour(f"14:0{minute}", value)]
    transitions, _ = seen({**policy, "early": False}, logs, ticks(*(f"14:0{minute}" for minute in range(10))))
    assert transitions == ["03-03T14:07 opened", "03-03T14:08 recovered"]


def test_between_the_two_thresholds_an_alert_stays_open() -> None:
    policy = {"period": "hour", "aggregate": "sum", "condition": "gt", "threshold": 20, "recovery_threshold": 10}
    logs = [*hour("14:10", 27), *hour("15:10", 15), *hour("16:10", 9)]
    transitions, texts = seen(policy, logs, ticks("14:09", "15:01", "15:09", "16:01", "16:09", "17:01"))
    assert transitions == ["03-03T14:10 opened", "03-03T17:01 recovered"]
    assert "27 so far this hour, limit 20" in texts[0]
    assert "recovered after 2 h 51 min" in texts[1]


def test_a_berlin_day_of_23_hours_is_judged_when_it_ends() -> None:
    policy = {"period": "day", "aggregate": "count", "condition": "lt", "threshold": 1, "active_from": "2026-03-28T12:00:00Z"}
    logs = [{"t": "2026-03-28T22:59:59Z", "v": 1}]
    transitions, texts = seen(policy, logs, ["2026-03-28T22:30:00Z", "2026-03-29T22:00:00Z", "2026-03-29T22:01:00Z"], ({"timezone": "Europe/Berlin"},))
    assert transitions == ["03-29T22:01 opened"]
    assert "no logs this day, expected at least 1" in texts[0]


def test_the_timeline_in_docs_is_what_the_core_makes_of_the_afternoon() -> None:
    assert OUT.read_text(encoding="utf-8") == drawn(), "run python -m scripts.timeline"


def test_the_timeline_tells_what_the_reference_makes_of_the_afternoon() -> None:
    for story in stories():
        expected = [f"{iso(at)} {transition.alert.resolved_by or transition.type}" for at, told in story.told for transition in told]
        found = [f"{iso(one.at)} {one.resolved_by or one.kind}" for one in replay(load_script(_case(story))).engine.transitions]
        assert found == expected
        assert len(found) >= 2


def _case(story: Story) -> dict[str, Any]:
    policy = story.policy
    body = {"id": "p", "agent": policy.agent, "event": policy.event, "period": "hour", "aggregate": "count", "condition": policy.condition}
    body |= {"threshold": int(policy.threshold), "active_from": iso(policy.active_from)}
    logs = [{"e": policy.event, "t": iso(occurred), "v": 1, "recv": iso(came)} for came, occurred in story.arrivals]
    given = {"policies": [body], "logs": logs, "ticks": [f"{iso(BEGIN)}/{iso(END)}/PT1M"]}
    return {"id": "timeline", "kind": "engine", "given": given, "expect": {}}
