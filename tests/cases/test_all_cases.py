"""cases.json and siblings.json: every case is a test, named after what it shows."""

import re
from types import ModuleType

import pytest

from tests.cases import (
    test_deliveries,
    test_engine_cases,
    test_http_expired,
    test_http_ingest,
    test_messages,
    test_sibling_deliveries,
    test_sibling_http,
    test_sibling_messages,
)
from tests.cases.script import SIBLINGS, load_cases

FILES = {
    "message": (test_messages, test_sibling_messages), "delivery": (test_deliveries, test_messages, test_sibling_deliveries),
    "http": (test_http_ingest, test_http_expired),
}  # fmt: skip
KNOWN = {**load_cases(), **load_cases(SIBLINGS)}
PLAYED = {*test_engine_cases.CASES, *test_sibling_messages.PLAYED}
SENT = {name for name, case in test_sibling_http.CASES.items() if {"requests", "logs_of", "bad"} & set(case["given"])}


def names(module: ModuleType) -> list[str]:
    """The tests of a file."""
    return [name for name in vars(module) if name.startswith("test_")]


@pytest.mark.parametrize("case_id", KNOWN)
def test_the_case_is_run(case_id: str) -> None:
    if case_id in PLAYED | SENT:
        return
    number = re.escape(case_id[:3])
    shown = [name for module in FILES[KNOWN[case_id]["kind"]] for name in names(module) if re.match(f"test_{number}_", name)]
    assert shown, "no test has it in its name"


def test_no_number_is_given_twice() -> None:
    numbers = [case_id[:3] for case_id in KNOWN]
    assert len(set(numbers)) == len(numbers) == len(load_cases()) + len(load_cases(SIBLINGS))


@pytest.mark.parametrize("module", sorted({file for files in FILES.values() for file in files}, key=str), ids=lambda module: str(module.__name__))
def test_each_test_is_of_a_case_there_is(module: ModuleType) -> None:
    known = {case_id[:3] for case_id in KNOWN}
    assert {found[1] for name in names(module) if (found := re.match(r"test_([a-z]\d\d)_", name))} <= known
