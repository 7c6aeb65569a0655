"""Who has something to do, and when nobody has."""

import threading
import time

from local.board import Board


def test_a_source_sleeps_until_something_is_written() -> None:
    board = Board()
    board.enter("source")
    woken = threading.Event()

    def run() -> None:
        board.rest("source", "table", seen=board.version("table"))
        woken.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert board.drained(timeout=2) == {}
    assert not woken.is_set()
    board.wrote("table")
    assert woken.wait(2)
    thread.join()


def test_what_was_written_while_a_source_looked_wakes_it_at_once() -> None:
    board = Board()
    board.enter("source")
    seen = board.version("table")
    board.wrote("table")
    board.rest("source", "table", seen=seen)


def test_a_source_sleeps_no_longer_than_its_time() -> None:
    board = Board()
    board.enter("source")
    began = time.monotonic()
    board.rest("source", "table", seen=board.version("table"), waiting=1, until=time.time() + 0.1)  # noqa: TID251
    assert time.monotonic() - began > 0.05


def test_it_is_not_drained_while_an_invocation_runs_or_a_source_works() -> None:
    board = Board()
    with board.running():
        assert board.drained(timeout=0.05) is None
    assert board.drained(timeout=0.05) == {}
    board.enter("source")
    assert board.drained(timeout=0.05) is None
    board.leave("source")
    assert board.drained(timeout=0.05) == {}


def test_it_is_not_drained_when_a_source_has_not_seen_the_latest_write() -> None:
    board = Board()
    board.enter("source")

    def run() -> None:
        board.rest("source", "table", seen=board.version("table"))
        time.sleep(0.2)
        board.leave("source")

    thread = threading.Thread(target=run)
    thread.start()
    assert board.drained(timeout=1) == {}
    board.wrote("table")
    assert board.drained(timeout=0.05) is None
    thread.join()


def test_what_waits_for_a_time_is_told() -> None:
    board = Board()
    board.enter("source")
    thread = threading.Thread(target=lambda: board.rest("source", "table", seen=board.version("table"), waiting=3, until=4e9))
    thread.start()
    assert board.drained(timeout=1) == {"source": 3}
    board.close()
    thread.join(1)
    assert not thread.is_alive()


def test_a_write_elsewhere_wakes_nobody() -> None:
    board = Board()
    board.enter("source")
    thread = threading.Thread(target=lambda: board.rest("source", "table", seen=board.version("table")))
    thread.start()
    assert board.drained(timeout=1) == {}
    board.wrote("another")
    assert board.drained(timeout=0.2) == {}
    board.close()
    thread.join(1)
