"""scripts/verify-on-aws as it is run: against `nightjar dev`, as far as that can serve."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.runner import now
from scripts.verify.__main__ import CHECKS
from tests.local.test_dev import Dev, start

ROOT = Path(__file__).parent.parent.parent
SLOW = {"clock"}  # it watches real minutes
KEY = "chp_local"


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with start(tmp_path_factory.mktemp("verify") / "functions.log", "--no-clock") as running:
        running.tick(datetime.fromtimestamp(now() // 60_000_000 * 60, UTC))
        yield running
        running.process.terminate()


def verify(dev: Dev, *options: str, checks: Iterable[str], key: str = KEY) -> "subprocess.CompletedProcess[str]":
    """Run some of its checks."""
    chosen = [word for name in checks for word in ("--only", name)]
    aws = dev.line.rstrip().rpartition(" ")[2]
    command = [sys.executable, "-m", "scripts.verify", "--endpoint-url", aws, "--api-url", dev.url, *chosen, *options]
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers/nightjar")])
    environment = {**os.environ, "NIGHTJAR_KEY": key, "PYTHONPATH": path}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=100, check=False)


def test_what_nightjar_dev_can_show_passes_and_the_rest_says_why_not(dev: Dev) -> None:
    done = verify(dev, "--load", "600", "--disturb", checks=[name for name, _ in CHECKS if name not in SLOW])
    told = {name: (kind, why) for kind, name, why in re.findall(r"^(ok|not shown here|FAILED) +([^:]+): (.+)$", done.stdout, re.MULTILINE)}
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(told) == {name for name, _ in CHECKS} - SLOW
    passed = {name for name, (kind, _) in told.items() if kind == "ok"}
    assert passed == {"tables", "queue", "contract", "log to bucket", "throttled storage"}
    assert told["alarms"][1] == "nightjar dev has no cloudwatch"
    assert "--destination-url" in told["alert to delivery"][1]


def test_a_failure_is_the_exit_code(dev: Dev) -> None:
    done = verify(dev, "--destination-url", f"{dev.url}/_slack/verify?status=404&body=no_service", checks=["tables", "alert to delivery"])
    assert done.returncode == 1
    assert "FAILED          alert to delivery: a delivery failed" in done.stdout


def test_without_a_key_it_says_how_to_make_one(dev: Dev) -> None:
    done = verify(dev, checks=["tables"], key="")
    assert done.returncode == 1
    assert "nightjar keys create --scope admin" in done.stderr
