"""FilterCriteria."""

from typing import Any

import pytest

from local.sources.filters import UnknownPattern, matches

INSERT = {"eventName": "INSERT", "dynamodb": {"Keys": {"SK": {"S": "t#000001"}}}}


def sort_key(*wanted: Any) -> dict[str, Any]:
    return {"dynamodb": {"Keys": {"SK": {"S": list(wanted)}}}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"eventName": ["INSERT"]}, True),
        ({"eventName": ["MODIFY", "INSERT"]}, True),
        ({"eventName": ["MODIFY"]}, False),
        (sort_key({"prefix": "t#"}), True),
        (sort_key({"prefix": "a"}), False),
        (sort_key({"anything-but": ["g"]}), True),
        (sort_key({"anything-but": ["t#000001"]}), False),
        ({"eventName": ["INSERT"], **sort_key("g")}, False),
        ({"nothing": {"here": [{"prefix": "x"}]}}, False),
    ],
)
def test_an_event_passes_if_it_has_all_that_is_named(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, INSERT) is expected


def test_a_comparison_that_is_not_known_is_an_error() -> None:
    with pytest.raises(UnknownPattern):
        matches({"eventName": [{"numeric": ["<", 3]}]}, INSERT)
