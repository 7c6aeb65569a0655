"""Who has something to do: sources sleep here until a write wakes them, and `drain` waits here until all sleep."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rest:
    """Why a source has nothing to do: it saw all that was written to its resource up to `version`; what it holds waits for a time."""

    resource: str
    version: int
    waiting: int


class Board:
    """The number of writes to each table and queue so far, who works, and who rests.

    A source that has looked at everything up to a version says so by resting; a later write makes it look again. So nothing
    polls, and "nothing can run now" is a fact: all rest at the newest version, and no invocation runs.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._versions: dict[str, int] = defaultdict(int)
        self._running = 0
        self._rests: dict[str, Rest | None] = {}
        self._closed = False

    def wrote(self, resource: str) -> None:
        """Note that something was written to a table or a queue (by name): its sources look again."""
        with self._changed:
            self._versions[resource] += 1
            self._changed.notify_all()

    def version(self, resource: str) -> int:
        """Return the number of writes to a resource so far; read it before looking at what there is to do."""
        with self._changed:
            return self._versions[resource]

    @property
    def closed(self) -> bool:
        """Whether the runner ends."""
        return self._closed

    def close(self) -> None:
        """Wake every sleeper for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count an invocation that no source stands for: an HTTP request, a call of the Invoke API, a tick."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def enter(self, name: str) -> None:
        """Make a source known; until it rests it counts as working."""
        with self._changed:
            self._rests[name] = None

    def leave(self, name: str) -> None:
        """Forget a source."""
        with self._changed:
            self._rests.pop(name, None)
            self._changed.notify_all()

    def rest(self, name: str, resource: str, *, seen: int, waiting: int = 0, until: float | None = None) -> None:
        """Sleep until something is written after `seen`, or until a time.

        Args:
            name: The source.
            resource: What it reads.
            seen: The version read before the source looked.
            waiting: How many records or messages it holds that wait for a time.
            until: When (`time.time()` seconds) the first of them may go on; None for never.
        """
        with self._changed:
            self._rests[name] = Rest(resource, seen, waiting)
            self._changed.notify_all()
            while not self._closed and self._versions[resource] == seen:
                left = None if until is None else until - time.time()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            self._rests[name] = None

    def drained(self, timeout: float | None = None) -> dict[str, int] | None:
        """Wait until nothing can run now.

        Args:
            timeout: Seconds to wait at most; None for ever.

        Returns:
            For each source that holds something: how much of it waits for a time. None if the time was up before.
        """
        with self._changed:
            if not self._changed.wait_for(self._at_rest, timeout):
                return None
            return {name: rest.waiting for name, rest in self._rests.items() if rest and rest.waiting}

    def _at_rest(self) -> bool:
        if self._closed:
            return True
        return not self._running and all(rest is not None and rest.version == self._versions[rest.resource] for rest in self._rests.values())
