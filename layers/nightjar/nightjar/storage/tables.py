"""What people edit and read, as PynamoDB models: the `policy` rows of the policies table and the rows of the config table.

Only modules that the api function alone imports may import this one: PynamoDB costs 100 ms of a cold start. template.yaml
describes the tables; a test holds these models equal to it.
"""

from functools import lru_cache
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from nightjar.storage.client import Store


class Row(Model):
    """One row: what it is, which one, its JSON text and its version."""

    noun = UnicodeAttribute(hash_key=True, attr_name="PK")
    row_id = UnicodeAttribute(range_key=True, attr_name="SK")
    text = UnicodeAttribute(attr_name="d")
    version = NumberAttribute(attr_name="n")


class PolicyRow(Row):
    """A policy; SK is its id, a UUIDv7, so rows lie in the order of their creation."""

    class Meta:
        """Which table of the template this is."""

        table_name = "PoliciesTable"


class ConfigRow(Row):
    """An event, a destination or a mute."""

    class Meta:
        """Which table of the template this is."""

        table_name = "ConfigTable"


@lru_cache(maxsize=16)
def policy_rows(store: Store) -> type[Row]:
    """Return the model of the policies table of a store."""
    return _bound(PolicyRow, store, store.tables.policies)


@lru_cache(maxsize=16)
def config_rows(store: Store) -> type[Row]:
    """Return the model of the config table of a store."""
    return _bound(ConfigRow, store, store.tables.config)


def _bound(model: type[Row], store: Store, table: str) -> type[Row]:
    """Bind a model to a table and to the store's client.

    PynamoDB would make a client of its own, with other time limits, which the local runner's simulated AWS never sees.
    """
    names: Any = {"Meta": type("Meta", (), {"table_name": table, "region": store.db.meta.region_name}), "__module__": model.__module__}
    bound: type[Row] = type(model)(model.__name__, (model,), names)  # type: ignore[misc]  # its metaclass makes models
    bound._get_connection().connection._client = store.db  # type: ignore[assignment]  # noqa: SLF001
    return bound
