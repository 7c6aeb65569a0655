"""How long storage may take: a deadline on a monotonic clock, and work done several at a time within it."""

import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from nightjar.storage.faults import StorageBusy

# As many as botocore keeps connections for, less what other calls need.
WORKERS = 8

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.8

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """A deadline.

    Attributes:
        until: The reading of `clock` (seconds) at which it is over.
    """

    until: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def check(self) -> None:
        """Raise StorageBusy once it is over."""
        if self.clock() >= self.until:
            raise StorageBusy("storage did not take everything in time")

    def pause(self, attempt: int) -> None:
        """Wait before a new attempt (0, 1, …): growing, with jitter; raise StorageBusy if the deadline comes first."""
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt, 10)) * (0.5 + random.random() / 2)
        if self.clock() + pause >= self.until:
            raise StorageBusy("storage did not take everything in time")
        self.sleep(pause)


def each(tasks: Iterable[Task], work: Callable[[Task], Result]) -> list[Result]:
    """Do some work for each task, several at a time, begun in their order.

    Raises:
        Exception: The first task that failed, by order; those not begun yet are left out.
    """
    tasks = list(tasks)
    if len(tasks) < 2:  # noqa: PLR2004
        return [work(task) for task in tasks]
    pool = ThreadPoolExecutor(max_workers=min(WORKERS, len(tasks)))
    try:
        return list(pool.map(work, tasks))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
