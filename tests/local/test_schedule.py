"""The rules of a schedule."""

import json
from pathlib import Path

import pytest

from local.sources.schedule import UnknownSchedule, check, first, to_event

EVENTS = Path(__file__).parent.parent.parent / "events"


def test_the_input_names_the_minute_that_was_meant() -> None:
    found = to_event('{"time":"<aws.scheduler.scheduled-time>"}', 1795615380)
    assert json.loads(found) == json.loads((EVENTS / "schedule.json").read_text()) == {"time": "2026-11-25T14:03:00Z"}


def test_the_first_tick_is_that_of_the_running_minute() -> None:
    assert first(1795615439.9) == 1795615380


def test_another_schedule_is_an_error() -> None:
    check("rate(1 minute)")
    with pytest.raises(UnknownSchedule):
        check("rate(5 minutes)")
