"""The control plane that each contract test talks to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from nightjar.storage.client import Store

from tests.contract.world import Api, api_on, simulated, tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="package")
def db() -> "Iterator[DynamoDBClient]":
    with simulated() as found:
        yield found


@pytest.fixture
def store(db: "DynamoDBClient") -> Iterator[Store]:
    with tables(db) as found:
        yield found


@pytest.fixture
def api(store: Store) -> Api:
    return api_on(store)
