"""The tables as the runner itself sees them: to make the first key, and to count what lies in trays."""

import boto3
from botocore.config import Config
from nightjar.settings import Tables
from nightjar.storage import trays
from nightjar.storage.client import Store
from nightjar.storage.config import Taken
from nightjar.storage.keys import create_key

from local.stack import REGION, Stack

KEY = "chp_local"
_FAR = 2**62
_MANY = 1_000_000


def open_store(stack: Stack, endpoint: str) -> Store:
    """Open the tables of a stack behind an endpoint."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="operator",
        aws_secret_access_key="local",  # noqa: S106
        config=Config(account_id_endpoint_mode="disabled"),
    )
    names = {name: table.name for name, table in stack.tables.items()}
    return Store(client, Tables(**{field: names.get(f"{field.capitalize()}Table", "") for field in Tables.__slots__}))


def ensure_key(store: Store, now: int) -> str:
    """Make the default key, if it is not there from an earlier run."""
    try:
        create_key(store, scope="admin", now=now, name="local", text=KEY)
    except Taken:
        return KEY
    return KEY


def count_trays(store: Store) -> int:
    """Count the deliveries that lie in trays."""
    if not store.tables.deliveries:
        return 0
    return sum(len(trays.read_tray(store, tray, _MANY)) for tray in trays.waiting_since(store, _FAR))
