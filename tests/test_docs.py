"""What the documents name exists: files, and the tests of each rule in docs/semantics.md."""

import re
from pathlib import Path

import pytest

from scripts.verify.__main__ import CHECKS

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[([^\]]+)\]\(([^)#]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_exists(document: Path) -> None:
    links = [target for _, target in LINK.findall(document.read_text()) if "://" not in target]
    assert [target for target in links if not (document.parent / target).exists()] == []


def test_every_rule_of_the_semantics_names_a_test_that_exists() -> None:
    text = (ROOT / "docs" / "semantics.md").read_text()
    named = [(name, ROOT / "docs" / target) for name, target in LINK.findall(text) if "/tests/" in target and " " in name]
    assert len(named) > 50
    assert [name for name, path in named if f"def test_{name.replace(' ', '_')}(" not in path.read_text()] == []


def test_every_rule_of_the_semantics_has_a_file_and_a_test() -> None:
    rules = [line.split(" | ") for line in (ROOT / "docs" / "semantics.md").read_text().splitlines() if line.startswith("| ") and "|---" not in line]
    assert [cells[0] for cells in rules if len(cells) != 3 or not all(map(str.strip, cells))] == []


def test_every_rule_of_the_semantics_names_files_by_where_they_are() -> None:
    rules = [line.split(" | ") for line in (ROOT / "docs" / "semantics.md").read_text().splitlines() if line.startswith("| ") and "|---" not in line]
    named = [link for cells in rules for link in LINK.findall(cells[1])]
    assert len(named) > 50
    assert [name for name, target in named if target != f"../layers/nightjar/nightjar/{name}"] == []


def test_no_document_names_a_path_of_somebodys_machine() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"/(work|home|root|Users)/", document.read_text()), document.name


def test_what_to_do_is_said_for_every_alarm() -> None:
    alarms = re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", (ROOT / "template.yaml").read_text(), re.MULTILINE)
    rows = [line.split(" | ")[0].strip("| ").split(", ") for line in (ROOT / "docs" / "operations.md").read_text().splitlines() if line.startswith("| ")]
    named = tuple(name for row in rows for name in row)
    assert len(alarms) > 20
    assert [alarm for alarm in alarms if alarm not in named and not any(name.startswith("…") and alarm.endswith(name[1:]) for name in named)] == []


def test_every_check_of_verify_on_aws_is_named_where_its_assumption_is() -> None:
    text = (ROOT / "docs" / "runtimes.md").read_text()
    assert [name for name, _ in CHECKS if f"`{name}`" not in text] == []
