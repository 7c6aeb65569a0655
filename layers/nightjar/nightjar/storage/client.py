"""The DynamoDB client, made once for each process, and the store that every storage function takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from nightjar.settings import Tables, settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Store:
    """A client and the tables that it speaks to: the first argument of every storage function."""

    db: "DynamoDBClient"
    tables: Tables


# The account-id endpoint would cost a look-up at start and is unknown to simulators of DynamoDB Streams.
# Every call has a constant shape that the type checker has seen; validating each again costs ingest a fifth of its time.
# botocore keeps 10 connections unless told otherwise: rollup judges with more threads, and each call would shake hands anew.
_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4},
    connect_timeout=1,
    read_timeout=2,
    max_pool_connections=64,
    account_id_endpoint_mode="disabled",
    parameter_validation=False,
)

# The local runner puts its own client (moto, DynamoDB Local) in place of this.
make_client: Callable[[], "DynamoDBClient"] = lambda: boto3.client("dynamodb", config=_CONFIG)


@cache
def store() -> Store:
    """Return this function's store."""
    return Store(make_client(), settings().tables)
