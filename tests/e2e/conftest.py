"""Running systems, each a process of its own; one without a clock serves all tests that bring their own events and channels."""

from collections.abc import Iterator

import pytest

from scripts.demo.system import System


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A system whose clock the tests are."""
    with System.start("--no-clock") as running:
        yield running


@pytest.fixture(scope="module")
def ticking() -> Iterator[System]:
    """A system on its own clock."""
    with System.start("--clock") as running:
        yield running
