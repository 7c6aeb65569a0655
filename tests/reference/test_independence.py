"""The reference is a second engine only as long as it shares no code with the first."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted(path for path in [*HERE.glob("*.py"), HERE.parent / "cases" / "script.py"] if not path.name.startswith("test_"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_reference_knows_nothing_of_the_product(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert roots & {"nightjar", "functions", "local", "ddsketch", "numpy", "hypothesis"} == set()
    assert {name for name in imported(path) if name.startswith("tests.")} <= {f"tests.reference.{one.stem}" for one in FILES} | {"tests.cases.script"}
