"""The PynamoDB models are those of the template."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from nightjar.storage import pages, policies
from nightjar.storage.client import Store
from nightjar.storage.tables import ConfigRow, PolicyRow, Row, policy_rows

from tests import builders
from tests.contract.world import simulated, tables


class _Template(yaml.SafeLoader):
    """Reads YAML with CloudFormation's tags; what they stand for does not matter here."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, node: str(node.value))


@pytest.fixture
def store() -> Iterator[Store]:
    with simulated() as db, tables(db) as found:
        yield found


@pytest.mark.parametrize("model", [PolicyRow, ConfigRow])
def test_the_models_are_equal_to_the_template(model: type[Row], request: pytest.FixtureRequest) -> None:
    template: dict[str, Any] = yaml.load((request.config.rootpath / "template.yaml").read_text(), _Template)  # noqa: S506
    found = template["Resources"][model.Meta.table_name]["Properties"]
    keys = [{"AttributeName": model.noun.attr_name, "KeyType": "HASH"}, {"AttributeName": model.row_id.attr_name, "KeyType": "RANGE"}]
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in found["AttributeDefinitions"]}
    assert found["KeySchema"] == keys
    assert types == {model.noun.attr_name: model.noun.attr_type, model.row_id.attr_name: model.row_id.attr_type}


def test_a_model_speaks_through_the_stores_own_client(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, str]] = []
    original = store.db._make_api_call  # type: ignore[attr-defined]

    def noted(name: str, given: dict[str, Any]) -> Any:
        called.append((name, given["TableName"]))
        return original(name, given)

    monkeypatch.setattr(store.db, "_make_api_call", noted)
    assert pages.newest(store, "policy", 10) == ([], None)
    assert called == [("Query", store.tables.policies)]


def test_models_read_the_rows_that_the_other_modules_write(store: Store) -> None:
    policies.put_new(store, builders.policy())
    (row,) = policy_rows(store).query("policy")
    assert (row.row_id, row.version, row.text[:1]) == ("p1", 1, "{")


def test_pages_go_newest_first_without_gap_or_repeat(store: Store) -> None:
    for number in range(5):
        policies.put_new(store, builders.policy(policy_id=f"p{number}"))
    first, cursor = pages.newest(store, "policy", 2)
    second, cursor = pages.newest(store, "policy", 2, cursor)
    third, end = pages.newest(store, "policy", 2, cursor)
    assert [f'"p{number}"' in text for number, text in zip((4, 3, 2, 1, 0), first + second + third, strict=True)] == [True] * 5
    assert end is None
