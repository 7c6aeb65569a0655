"""How often one key may ask."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from nightjar.core.instants import MINUTE, SECOND
from nightjar.http import auth
from nightjar.http.auth import authenticate
from nightjar.http.errors import TooManyRequests
from nightjar.http.rates import CAPACITY, Rates
from nightjar.storage.keys import create_key

from tests.ingesting import NOW, Ingest, ingesting


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with ingesting() as running:
        yield running


def test_two_seconds_worth_may_come_at_once_and_then_as_many_as_are_allowed() -> None:
    rates = Rates()
    assert [rates.take("k", 5, NOW) for _ in range(11)] == [0] * 10 + [1]
    assert [rates.take("k", 5, NOW + SECOND) for _ in range(6)] == [0] * 5 + [1]
    assert [rates.take("k", 5, NOW + MINUTE) for _ in range(11)] == [0] * 10 + [1]


def test_the_wait_is_when_there_will_be_a_token() -> None:
    rates = Rates()
    assert [rates.take("slow", 0.1, NOW) for _ in range(2)] == [0, 10]
    assert rates.take("slow", 0.1, NOW + 9 * SECOND) == 1
    assert rates.take("slow", 0.1, NOW + 10 * SECOND) == 0


def test_keys_do_not_share_and_zero_is_no_limit() -> None:
    rates = Rates()
    assert [rates.take(key, 0.5, NOW) for key in ("a", "b", "a")] == [0, 0, 2]
    assert not any(rates.take("a", 0, NOW) for _ in range(1_000))


def test_a_clock_that_goes_back_gives_nothing_and_memory_is_bounded() -> None:
    rates = Rates()
    assert rates.take("a", 0.5, NOW) == 0
    assert rates.take("a", 0.5, NOW - MINUTE) == 2
    for number in range(CAPACITY + 10):
        rates.take(str(number), 1, NOW)
    assert len(rates._buckets) == CAPACITY


def test_a_key_that_runs_wild_is_answered_with_429_and_others_are_served(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "settings", lambda: SimpleNamespace(key_requests_per_second=1))
    other, _ = create_key(ingest.store, scope="ingest", now=NOW)
    log = {"event": "e", "value": 1}
    answers = [ingest.post(log) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1"
    assert json.dumps(answers[2].body).count("TOO_MANY_REQUESTS") == 1
    assert ingest.post(log, key=other).status == 200
    with pytest.raises(TooManyRequests):
        authenticate(ingest.store, {"Authorization": "Bearer chp_local"}, scope="ingest", now=NOW)
    ingest.clock.sleep(1)
    assert ingest.post(log).status == 200
