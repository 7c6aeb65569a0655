"""The control plane that each contract test talks to."""

from collections.abc import Iterator

import pytest
from nightjar.storage.client import Store

from tests.contract.world import Api, api_on, tables


@pytest.fixture
def store() -> Iterator[Store]:
    with tables() as found:
        yield found


@pytest.fixture
def api(store: Store) -> Api:
    return api_on(store)
