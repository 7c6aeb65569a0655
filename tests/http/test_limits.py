"""The time within which a request is decided."""

from threading import Event

import pytest
from nightjar.http.errors import TooManyRequests
from nightjar.http.limits import DECIDE_SECONDS, STORE_SECONDS, within


def test_work_that_is_done_in_time_gives_its_answer() -> None:
    assert within(5, lambda: 42) == 42
    assert within(5, lambda: None) is None


def test_the_errors_of_work_come_out() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_work_that_hangs_is_answered_with_429() -> None:
    release = Event()
    with pytest.raises(TooManyRequests, match="in time"):
        within(0.01, release.wait)
    release.set()


def test_a_request_is_decided_within_four_seconds() -> None:
    assert STORE_SECONDS < DECIDE_SECONDS < 4
