"""The whole product in the local runner, visited by the checks."""

from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import pytest
from nightjar.storage.keys import create_key

from local.runner import Runner, now
from scripts.verify.account import Api, Visit, of_dev
from tests.verify.running import Ticks


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as made:
        Ticks(made, 1)(0)  # nothing is judged early before the engine's clock has begun
        yield made


@pytest.fixture(scope="module")
def key(runner: Runner) -> str:
    text, _ = create_key(runner.store, scope="admin", now=now())
    return text


@pytest.fixture(scope="module")
def still() -> Iterator[Visit]:
    """The same with no event source: what lies in a stream stays there."""
    with mock.patch.object(Runner, "_start_sources"), Runner() as made:
        text, _ = create_key(made.store, scope="admin", now=now())
        account = of_dev("nightjar", made.aws_url)
        yield Visit(replace(account, local=False), Api(made.url, text))


@pytest.fixture
def visit(runner: Runner, key: str) -> Iterator[Visit]:
    made = Visit(of_dev("nightjar", runner.aws_url), Api(runner.url, key), f"{runner.url}/_slack/verify", pause=Ticks(runner, 0))
    yield made
    assert made.clean() == []
