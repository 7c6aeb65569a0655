"""template.yaml: what refers to what."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

from local.template import load, transform
from tests.test_template import TEMPLATE


def test_the_notifier_knows_where_the_api_is_and_nothing_waits_for_itself() -> None:
    """CloudFormation refuses a template whose resources refer to each other in a circle."""
    assert load(TEMPLATE).functions["NotifierFunction"].environment["API_URL"] == "https://nightjar-Api.execute-api.eu-west-1.amazonaws.com/prod"
    resources = transform(TEMPLATE)["Resources"]
    needs = {name: set(_referred(each)) & resources.keys() for name, each in resources.items()}
    assert "Api" in needs["NotifierFunction"]
    assert tuple(TopologicalSorter(needs).static_order())


def _referred(part: Any) -> Iterator[str]:
    """Yield what a piece of a template refers to, by Ref, GetAtt, Sub or DependsOn."""
    if isinstance(part, list):
        yield from (name for each in part for name in _referred(each))
    for key, each in part.items() if isinstance(part, dict) else ():
        if key in {"Ref", "DependsOn"}:
            yield from [each] if isinstance(each, str) else each
        elif key == "Fn::GetAtt":
            yield each.partition(".")[0] if isinstance(each, str) else each[0]
        elif key == "Fn::Sub":
            yield from re.findall(r"\$\{([A-Za-z0-9]+)", each if isinstance(each, str) else each[0])
        else:
            yield from _referred(each)
