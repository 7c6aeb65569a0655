"""The day of the demo's four policies in bad weather: nobody dies, calls and posts fail by chance, and the day ends as it would have.

Nothing is told twice, since nobody died between a post and its record; only a receiver that took a message and fell silent
is told again (ENGINE.md, invariant 3). CI plays a few seeded days; `make soak` hundreds, drawn anew.
"""

import os
import random
from collections import Counter
from collections.abc import Callable

import pytest
from nightjar.channels.transport import Answer, Unreachable

from tests.crashes.story import Stage, stage
from tests.faults.weather import Weather

SOAK = int(os.environ.get("NIGHTJAR_SOAK", "0"))
_drawn = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID"))  # all processes of a run must collect the same tests
SEEDS = [_drawn.randrange(1 << 32) for _ in range(SOAK)] or list(range(2 if os.environ.get("NIGHTJAR_DYNAMODB") else 4))
_MOST_TRIES = 200  # of one step: were it never done, it is the product that is stuck


class Faulty:
    """Tries each step in bad weather; the platform, or the client, comes again for as long as it fails."""

    def __init__(self, on: Stage, weather: Weather) -> None:
        self.on, self.weather = on, weather
        self.tries: Counter[str] = Counter()
        on.slack.answers, on.slack.before, on.slack.after = self._answers, self._before, self._after
        self._next: Answer | Unreachable | None = None

    def trial(self, name: str, work: Callable[[], object]) -> bool:
        """Do a step; True when it must come again."""
        self.weather.begin()
        self.on.world.cloud.after = self._note_record
        try:
            work()
        except Exception:  # noqa: BLE001  # whatever the handler made of it: the platform sees a failure
            self.tries[name] += 1
            assert self.tries[name] < _MOST_TRIES, name
            return True
        else:
            self.tries.clear()
            return False
        finally:
            self.weather.end()

    def _note_record(self, service: str, operation: str, body: bytes) -> None:
        if operation == "TransactWriteItems":
            self.on.slack.recorded(body)
        self.weather.after(service, operation, body)

    def _before(self) -> None:
        self._next = self.weather.receiver()
        if isinstance(self._next, Unreachable) and "reset" in str(self._next):
            raise self._next

    def _answers(self) -> Answer:
        return self._next if isinstance(self._next, Answer) else Answer(200, {}, b"ok")

    def _after(self) -> None:
        if isinstance(self._next, Unreachable):
            raise self._next


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bad", [0.06, 0.12])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_faults_ends_like_any_other_and_tells_nothing_twice(seed: int, bad: float) -> None:
    with stage() as calm:
        expected = calm.play()
    with stage() as on:
        weather = Weather(on.world.cloud, random.Random(seed), bad)
        on.trial = Faulty(on, weather).trial
        assert on.play() == expected, (seed, weather.met)
    print(f"seed {seed}, {bad:.0%}: {weather.met.total()} faults of {len(weather.met)} kinds")
    assert weather.met.total() > 10
