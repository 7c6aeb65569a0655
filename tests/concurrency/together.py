"""Runs two handlers at the same time: each stops where the schedule says, just before one of its calls to AWS, and the other goes on.

Each handler has a thread of its own, but only ever one of them runs: a schedule has one outcome, every time.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from unittest import mock

from tests import calls
from tests.aws import Cloud

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "SendMessageBatch"})
_POOLS = ("pipeline.rollup", "pipeline.evaluate", "pipeline.judge", "storage.rollups", "storage.patience")
_STUCK = 120  # seconds after which a handler hangs: none comes near

# Which of the two handlers goes on, and before which of its stops it is stopped again; None to let it end.
Leg = tuple[int, int | None]


@dataclass
class Running:
    """One handler under way.

    Attributes:
        work: What it does.
        is_stop: Tells which operations it may be stopped before.
        stops: How many of those it has come to.
        answer: What it returned.
        error: What it raised: the platform, or the client, then comes again.
    """

    cloud: Cloud
    work: Callable[[], Any]
    is_stop: Callable[[str], bool]
    stops: int = 0
    ended: bool = False
    answer: Any = None
    error: Exception | None = None
    _until: int | None = None
    _thread: threading.Thread | None = None
    _go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _stopped: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _handlers: list[str] = field(default_factory=list)

    def go_on(self, until: int | None) -> None:
        """Let it run until just before its n-th stop, or to its end; whoever waits for it does nothing meanwhile."""
        if self.ended:
            return
        self._until, self.cloud.before = until, self._before
        others, calls._running[:] = list(calls._running), self._handlers
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        else:
            self._go.release()
        assert self._stopped.acquire(timeout=_STUCK), "a handler hangs"
        self._handlers, calls._running[:] = list(calls._running), others
        self.cloud.before = lambda *_: None

    def _run(self) -> None:
        try:
            self.answer = self.work()
        except Exception as error:  # noqa: BLE001  # a fault of one must not leave the other waiting
            self.error = error
        self.ended = True
        self._stopped.release()

    def _before(self, _service: str, operation: str, _body: bytes) -> None:
        if not self.is_stop(operation):
            return
        self.stops += 1
        if self.stops == self._until:
            self._stopped.release()
            self._go.acquire()


def together(cloud: Cloud, works: Sequence[Callable[[], Any]], schedule: Iterable[Leg], *, everywhere: bool = False) -> tuple[list[Running], bool]:
    """Run handlers by a schedule, then each to its end.

    Args:
        cloud: What they call.
        works: The handlers.
        schedule: Who goes on, and how far.
        everywhere: Stop before reads as well.

    Returns:
        The handlers when all have ended, and whether each of them came as far as the schedule says.
    """
    is_stop = (lambda _: True) if everywhere else WRITES.__contains__
    running = [Running(cloud, work, is_stop) for work in works]
    reached = True
    for who, until in schedule:
        running[who].go_on(until)
        reached = reached and (until is None or not running[who].ended)
    for each in running:
        each.go_on(None)
    return running, reached


class Inline:
    """Stands in for ThreadPoolExecutor: does each piece of work when it is submitted, so that a handler's calls have one order."""

    def __init__(self, *_: Any, **__: Any) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def submit(self, work: Callable[..., Any], *given: Any) -> "Future[Any]":
        """Do it now."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given))
        except BaseException as error:  # noqa: BLE001  # as the real one does
            done.set_exception(error)
        return done

    def map(self, work: Callable[..., Any], *items: Iterable[Any]) -> Iterator[Any]:
        """Do all now."""
        return iter([work(*each) for each in zip(*items, strict=False)])

    def shutdown(self, **_: Any) -> None:
        """Nothing is left."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Have handlers do one thing at a time."""
    from contextlib import ExitStack

    with ExitStack() as patches:
        for name in _POOLS:
            patches.enter_context(mock.patch(f"nightjar.{name}.ThreadPoolExecutor", Inline))
        yield
