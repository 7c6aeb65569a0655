"""cases.json: every case is a test, named after what it shows."""

import re
from types import ModuleType

import pytest

from tests.cases import test_deliveries, test_engine_cases, test_http_expired, test_http_ingest, test_messages
from tests.cases.script import load_cases

FILES = {"message": (test_messages,), "delivery": (test_deliveries, test_messages), "http": (test_http_ingest, test_http_expired)}


def names(module: ModuleType) -> list[str]:
    """The tests of a file."""
    return [name for name in vars(module) if name.startswith("test_")]


@pytest.mark.parametrize("case_id", load_cases())
def test_the_case_is_run(case_id: str) -> None:
    case = load_cases()[case_id]
    if case_id in test_engine_cases.CASES:
        return
    number = re.escape(case_id[:3])
    shown = [name for module in FILES[case["kind"]] for name in names(module) if re.match(f"test_{number}_", name)]
    assert shown, "no test has it in its name"


@pytest.mark.parametrize("module", sorted({file for files in FILES.values() for file in files}, key=str), ids=lambda module: str(module.__name__))
def test_each_test_is_of_a_case_there_is(module: ModuleType) -> None:
    known = {case_id[:3] for case_id in load_cases()}
    assert {found[1] for name in names(module) if (found := re.match(r"test_([a-z]\d\d)_", name))} <= known
