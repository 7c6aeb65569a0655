"""Keys in their table."""

from collections.abc import Iterator

import pytest
from nightjar.core.keys import Key, digest
from nightjar.storage.client import Store
from nightjar.storage.config import Taken
from nightjar.storage.keys import create_key, find, list_keys, revoke_key

from tests.ingesting import NOW, ingesting


@pytest.fixture
def store() -> Iterator[Store]:
    with ingesting() as ingest:
        yield ingest.store


def test_a_key_has_at_least_128_random_bits_and_only_its_hash_is_stored(store: Store) -> None:
    text, key = create_key(store, scope="admin", now=NOW, name="laptop", agent_prefix="worker.")
    assert text.startswith("chp_")
    assert len(text) - 4 >= 128 / 6
    assert key == Key(key_hash=digest(text), scope="admin", agent_prefix="worker.", name="laptop", created_at=NOW)
    assert find(store, digest(text)) == key
    assert text not in str(store.db.scan(TableName=store.tables.config)["Items"])
    assert create_key(store, scope="admin", now=NOW)[0] != text


def test_a_key_is_made_once(store: Store) -> None:
    with pytest.raises(Taken):
        create_key(store, scope="admin", now=NOW, text="chp_local")
    assert find(store, digest("chp_local")).scope == "ingest"  # type: ignore[union-attr]


def test_keys_are_listed_oldest_first_and_revoked_for_ever(store: Store) -> None:
    _, newer = create_key(store, scope="admin", now=NOW + 1)
    revoked = revoke_key(store, newer.key_hash, now=NOW + 5)
    assert revoked is not None
    assert revoked.revoked_at == NOW + 5
    assert revoke_key(store, newer.key_hash, now=NOW + 9) == revoked
    assert list_keys(store) == [find(store, digest("chp_local")), revoked]
    assert revoke_key(store, "unknown", now=NOW) is None
    assert find(store, "unknown") is None
