"""The demo's story holds whenever it is told: the plain reference, fed with its logs and ticks, says what the demo waits for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from uuid import UUID

import pytest

from scripts.demo import jobs
from scripts.demo.jobs import entries
from scripts.demo.story import HOUR, MINUTE, Story
from scripts.demo.wanted import POLICIES, wanted
from tests.reference.alerts import Transition
from tests.reference.engine import Engine
from tests.reference.logs import Log
from tests.reference.periods import to_instant

DAY = datetime(2026, 3, 3, tzinfo=UTC)
POLICY_BODIES = [policy for policies in POLICIES.values() for policy in policies]
entries_of = cache(entries)

# Where the story changes its shape: around midnight, where the day before yesterday has a few minutes left, and at half hours.
TIMES = ["00:00", "00:01", "01:44", "01:45", "01:46", "02:00", "09:29", "09:30", "13:59", "23:59"]


def all_day() -> list[Story]:
    """A story for every 37th minute of a day: every part of the hour, at every part of the day."""
    return [Story(DAY + minute * MINUTE) for minute in range(0, 1440, 37)]


def told_by_the_reference(story: Story) -> list[tuple[str, str]]:
    """Play a story to the reference; return label and title of each transition."""
    engine, logs = Engine(), list(enumerate(entries_of(story)))
    for policy in POLICY_BODIES:
        body = {**policy, "threshold": Decimal(policy["threshold"]), "active_from": to_instant(story.start)}
        engine.put_policy(to_instant(story.start), policy["title"], body)
    engine.tick(to_instant(story.start))
    for step in story.steps():
        made = [
            Log((log.agent, log.event), UUID(int=number), to_instant(log.at), Decimal(log.value))
            for number, log in logs if step.start <= log.at < step.end
        ]  # fmt: skip
        engine.store(to_instant(step.end), made)
        engine.roll_up(to_instant(step.end), made)
        for tick in step.ticks:
            engine.tick(to_instant(tick))
    return [(_label(transition), transition.policy_id) for transition in engine.transitions]


def _label(transition: Transition) -> str:
    named = transition.policy.field("severity") if transition.kind == "opened" else transition.resolved_by
    return str(named).capitalize()


@pytest.mark.parametrize("time", TIMES)
def test_the_reference_says_what_the_demo_waits_for(time: str) -> None:
    story = Story(DAY.replace(hour=int(time[:2]), minute=int(time[3:])))
    told = told_by_the_reference(story)
    assert sorted(told) == sorted((each.label, each.title) for each in wanted(story, entries_of(story)))


def test_at_any_time_of_day_each_alert_opens_once_inside_the_26_hours() -> None:
    for story in all_day():
        found = wanted(story, entries_of(story))
        opened = [each.title for each in found if each.label != "Recovered"]
        assert sorted(opened) == sorted(policy["title"] for policy in POLICY_BODIES), story.end
        assert all(story.start < each.at <= story.end for each in found), story.end


def test_at_any_time_of_day_the_last_hour_has_four_times_yesterdays_retries() -> None:
    for story in all_day():
        retries = [log.at for log in entries_of(story) if log.event == jobs.RETRIES]
        assert sum(story.end - HOUR <= at < story.end for at in retries) == 28, story.end
        assert sum(story.end - 25 * HOUR <= at < story.end - 24 * HOUR for at in retries) == 7, story.end


def test_at_any_time_of_day_one_clock_hour_alone_has_more_than_twenty_retries() -> None:
    for story in all_day():
        hours = [log.at.replace(minute=0, second=0) for log in entries_of(story) if log.event == jobs.RETRIES]
        burst = story.burst.replace(minute=0)
        assert [hour for hour in sorted(set(hours)) if hours.count(hour) > 20] == [burst], story.end
        assert (hours.count(burst), hours.count(burst - timedelta(days=1))) == (28, 7), story.end


def test_the_steps_cover_the_26_hours_and_their_ticks_never_go_back() -> None:
    for story in all_day():
        steps = story.steps()
        assert (steps[0].start, steps[-1].end) == (story.start, story.end)
        assert all(earlier.end == later.start for earlier, later in pairwise(steps))
        assert all(step.start < tick <= step.end for step in steps for tick in step.ticks)
        ticks = [tick for step in steps for tick in step.ticks]
        assert ticks == sorted(set(ticks))
        assert max(later - earlier for earlier, later in pairwise(ticks)) < HOUR  # the horizon of a minute policy
