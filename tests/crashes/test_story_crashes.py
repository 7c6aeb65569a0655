"""Every handler dies before and after each call to AWS and each post of a day with the demo's four policies; the day ends as it would have.

A step's first try dies at one call; the platform, or the client, then comes again. Each run of the story kills every step once, so
that as many runs as the longest step has calls visit every point. CI makes a few of those runs, in a seeded order; `make soak` all.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from functions.rollup import app as rollup
from tests.crashes.dying import Deadly, Died, When
from tests.crashes.story import Stage, stage

LONG = bool(os.environ.get("NIGHTJAR_SOAK"))
RUNS = 6  # of the story, in CI


class Count:
    """Counts the calls of each kind of step: the most that one of them made."""

    def __init__(self) -> None:
        self.most: Counter[str] = Counter()
        self.calls = 0

    def __call__(self, *_: object) -> None:
        self.calls += 1

    def trial(self, on: Stage, name: str, work: Callable[[], object]) -> bool:
        """Do a step and count."""
        self.calls, on.world.cloud.after, on.slack.after = 0, self, self
        work()
        self.most[name] = max(self.most[name], self.calls)
        on.world.cloud.after = on.slack.after = lambda *_: None
        return False


class Killer:
    """Kills each step's first try once, at a call that the run's number decides."""

    def __init__(self, orders: dict[str, list[int]], run: int, when: When) -> None:
        self.orders, self.run, self.when = orders, run, when
        self.steps: Counter[str] = Counter()
        self.retrying = ""
        self.visited: list[tuple[str, int, int]] = []

    def trial(self, on: Stage, name: str, work: Callable[[], object]) -> bool:
        """Do a step; True when it died."""
        if self.retrying == name:
            self.retrying = ""
            work()
            return False
        self.steps[name] += 1
        order = self.orders[name]
        at = order[(self.run + self.steps[name]) % len(order)]
        if not self._dies(on, at, work):
            return False
        self.retrying = name
        self.visited.append((name, self.steps[name], at))
        on.slack.died()
        rollup._policies.cache_clear()  # a new process remembers nothing
        return True

    def _dies(self, on: Stage, at: int, work: Callable[[], object]) -> bool:
        deadly = Deadly(at)

        def refuse(*_: object) -> None:
            if deadly.dead:
                raise Died

        def after(_service: str, operation: str, body: bytes) -> None:
            if operation == "TransactWriteItems":
                on.slack.recorded(body)
            if self.when == "after":
                deadly()

        on.world.cloud.before, on.world.cloud.after = deadly if self.when == "before" else refuse, after
        on.slack.before, on.slack.after = (deadly, _nothing) if self.when == "before" else (refuse, deadly)
        try:
            work()
        except BaseException:
            if not deadly.dead:
                raise
        finally:
            on.world.cloud.before = on.world.cloud.after = lambda *_: None
            on.slack.before = on.slack.after = _nothing
        return deadly.dead


def _nothing() -> None:
    return


def played(trial: Callable[[Stage, str, Callable[[], object]], bool]) -> dict[str, Any]:
    """Play the story under some trial."""
    with stage() as on:
        on.trial = lambda name, work: trial(on, name, work)
        return on.play()


@pytest.mark.timeout(7200 if LONG else 300)
def test_a_day_on_which_every_handler_dies_everywhere_ends_like_any_other() -> None:
    count = Count()
    expected = played(count.trial)
    assert len(expected["alerts"]) == 5
    assert len(expected["told"]) == 10
    assert {status for *_, status in expected["told"]} == {"sent"}
    chance = random.Random(11)
    orders = {name: chance.sample(range(1, most + 1), most) for name, most in count.most.items()}
    longest = max(map(len, orders.values()))
    visited: set[tuple[str, int, int, str]] = set()
    for when in ("before", "after"):
        for run in range(longest if LONG else RUNS):
            killer = Killer(orders, run, when)  # type: ignore[arg-type]
            assert played(killer.trial) == expected, (when, run, killer.visited)
            visited |= {(*point, when) for point in killer.visited}
    print(f"{len(visited)} crash points visited, {sum(count.most.values())} calls in the longest step of each kind: {dict(count.most)}")
    assert len(visited) > 200
