"""What a function imports before its first event: a cold start is a user's first alert."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAVY = ("nightjar.api", "nightjar.channels", "pydantic", "pynamodb", "slack_sdk", "simplejson")
FORBIDDEN = {
    "ingest": (*HEAVY, "ddsketch"),
    "rollup": HEAVY,
    "evaluator": HEAVY,
    "notifier": ("nightjar.api", "pydantic", "pynamodb", "slack_sdk", "ddsketch"),
    "api": ("slack_sdk", "ddsketch"),
}


@pytest.mark.parametrize("function", FORBIDDEN)
def test_a_function_imports_only_what_it_uses(function: str) -> None:
    code = f"import sys, functions.{function}.app; print(*sys.modules)"
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers" / "nightjar")))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "AWS_DEFAULT_REGION": "eu-west-1"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    loaded = ran.stdout.split()
    unwanted = FORBIDDEN[function]
    assert [name for name in loaded if name in unwanted or name.startswith(tuple(f"{each}." for each in unwanted))] == []
    assert not {"local", "tests", "moto"} & set(loaded)
