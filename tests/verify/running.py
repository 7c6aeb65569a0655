"""A pause for the checks: everything that can run has run in it."""

from nightjar.core.instants import MINUTE, floor, iso
from nightjar.storage.clock import read_clock

from local.runner import Runner, now
from scripts.verify.account import Api


class Ticks:
    """A pause in which everything that can run has run, and the schedule's next tick too."""

    def __init__(self, runner: Runner, every: int) -> None:
        self.runner = runner
        self.every = every * MINUTE
        there = read_clock(runner.store)
        self.tick = max(floor(now(), MINUTE), there.tick if there else 0)
        self.api = Api(runner.url, "")

    def __call__(self, _seconds: float) -> None:
        self.drained()
        if self.every:
            self.tick += self.every
            self.api.made("POST", "/2015-03-31/functions/EvaluatorFunction/invocations", {"time": iso(self.tick)})
            self.drained()

    def drained(self) -> None:
        self.api.made("POST", "/_local/drain?timeout=30")
