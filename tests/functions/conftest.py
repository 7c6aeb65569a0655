"""What tests of the notifier begin with."""

import pytest

from tests.desk import Desk, slack


@pytest.fixture
def desk() -> Desk:
    """One channel that hears of all."""
    made = Desk()
    made.add(slack())
    return made
