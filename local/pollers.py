"""The event sources at work: each a thread that asks the pure rules what comes next, invokes, and sleeps on the board."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from local.board import Board
from local.cloud import CallFailed, Moto, Streaming, call
from local.lambda_ import Answer, Pool
from local.sources import schedule, sqs, streams
from local.stack import REGION, EventSource, Queue, Schedule, Table

_FETCH = 10_000  # records looked at a time: the most that a batch may hold


def start(name: str, run: Callable[[], None]) -> threading.Thread:
    """Run a poller in a thread of its own."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


class StreamPoller:
    """Delivers one table's stream to one function."""

    def __init__(self, source: EventSource, table: Table, cloud: Streaming, pool: Pool, board: Board) -> None:
        self._name = source.logical_id
        self._settings = streams.Settings.of(source.properties)
        self._table = table
        self._cloud = cloud
        self._pool = pool
        self._board = board
        self.position = streams.Position()
        board.enter(self._name)

    def run(self) -> None:
        """Deliver until the board is closed."""
        while not self._board.closed:
            seen = self._board.version(self._table.name)
            there = self._cloud.records(self._table, self.position.after, _FETCH)
            batch = streams.next_batch(there, self.position, self._settings)
            if batch is None:
                self._board.rest(self._name, self._table.name, seen=seen)
            elif not batch.records:
                self.position = streams.passed(self.position, batch.upto)
            elif time.time() < self.position.ready_at:
                self._board.rest(self._name, self._table.name, seen=seen, waiting=len(batch.records), until=self.position.ready_at)
            else:
                self._deliver(batch)
        self._board.leave(self._name)

    def _deliver(self, batch: streams.Batch) -> None:
        event = streams.to_event(batch, self._cloud.stream_arn(self._table), REGION)
        answer = self._pool.invoke(json.dumps(event).encode())
        self.position = streams.after_answer(self.position, batch, self._settings, _parsed(answer), failed=_failed(answer), now=time.time())


class QueuePoller:
    """One of the consumers of a queue: receives a batch, invokes, deletes what was settled."""

    def __init__(self, source: EventSource, queue: Queue, cloud: Moto, pool: Pool, board: Board, *, number: int) -> None:
        self._name = f"{source.logical_id}-{number}"
        self._counts = number == 0  # one of them tells what waits
        self._settings = sqs.Settings.of(source.properties)
        self._queue = queue
        self._cloud = cloud
        self._pool = pool
        self._board = board
        board.enter(self._name)

    def run(self) -> None:
        """Deliver until the board is closed."""
        while not self._board.closed:
            seen = self._board.version(self._queue.name)
            messages = self._receive()
            if messages:
                self._deliver(messages)
                continue
            waiting = self._cloud.waiting(self._queue.name, time.time())
            held = waiting.count if self._counts else 0
            self._board.rest(self._name, self._queue.name, seen=seen, waiting=held, until=waiting.first)
        self._board.leave(self._name)

    def _receive(self) -> list[dict[str, Any]]:
        if not self._cloud.has_visible(self._queue.name):
            return []
        wanted = {"QueueUrl": self._queue.url, "MaxNumberOfMessages": self._settings.batch_size, "AttributeNames": ["All"]}
        found: list[dict[str, Any]] = call(self._cloud, "sqs", "ReceiveMessage", wanted).get("Messages", [])
        return found

    def _deliver(self, messages: list[dict[str, Any]]) -> None:
        answer = self._pool.invoke(json.dumps(sqs.to_event(messages, self._queue.arn, REGION)).encode())
        for message in sqs.settled(messages, self._settings, _parsed(answer), failed=_failed(answer)):
            try:
                call(self._cloud, "sqs", "DeleteMessage", {"QueueUrl": self._queue.url, "ReceiptHandle": message["ReceiptHandle"]})
            except CallFailed:
                continue  # it became visible again meanwhile, and another consumer has it
        self._board.wrote(self._queue.name)  # its group is free


class Clock:
    """A schedule: fires for the running minute at once, then at each full minute."""

    def __init__(self, plan: Schedule, pool: Pool, board: Board) -> None:
        schedule.check(plan.expression)
        self._plan = plan
        self._pool = pool
        self._board = board
        self._ended = threading.Event()

    def run(self) -> None:
        """Fire until it is closed."""
        for at in self._minutes():
            with self._board.running():
                self._pool.invoke(schedule.to_event(self._plan.input, at))

    def close(self) -> None:
        """Fire no more."""
        self._ended.set()

    def _minutes(self) -> Iterator[int]:
        at = schedule.first(time.time())
        while not self._ended.wait(max(0.0, at - time.time())):
            yield at
            at = max(at + schedule.MINUTE, schedule.first(time.time()))


def _parsed(answer: Answer) -> Any:
    return None if _failed(answer) else json.loads(answer.payload)


def _failed(answer: Answer) -> bool:
    return answer.error is not None or answer.refused
