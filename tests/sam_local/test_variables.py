"""What `sam local` must be told, and what the docs tell its users."""

import json
import re

from scripts.emulator import ROOT
from tests.desk import STACK
from tests.sam_local.sam import variables


def test_the_docs_name_every_variable_that_says_where_tables_are() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "runtimes.md").read_text(), re.DOTALL)
    assert set(json.loads(block)["Parameters"]) == set(variables(STACK))
