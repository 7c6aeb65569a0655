"""The coverage-guided fuzzer, for a few seconds; with NIGHTJAR_SOAK for long."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.hostile import SOAK_SECONDS
from tests.local.test_dev import ROOT

SEEDS = (
    b'[{"event":"job.run","agent":"worker","value":30.40,"log_id":"019cb4e0-0000-7000-8000-000000000000","occurred_at":"2026-03-03T14:00:00.5Z","meta":{"a":[1]}}]',
    b'{"event":"e","value":-1e-30,"meta":"\\ud800","value":NaN}',
    b"\xfeseed of a log, field by field, 2026-03-03T14:00:00Z",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x8b\x8e\x05\x00\x29\xbb\x4c\x0d\x02\x00\x00\x00",
)


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has wheels for Linux on x86_64 only")
@pytest.mark.timeout(120 + 2 * SOAK_SECONDS)
def test_no_bytes_do_more_than_be_refused(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(seed)
    effort = [f"-max_total_time={SOAK_SECONDS}"] if SOAK_SECONDS else ["-runs=200000", "-seed=12"]
    limits = ["-max_len=600", "-timeout=5", "-rss_limit_mb=1024", f"-artifact_prefix={tmp_path}/"]
    fuzzer = [sys.executable, "-m", "tests.hostile.fuzz_logs", *effort, *limits, str(corpus)]
    # By way of a shell: a child of this process would inherit its peak of memory, and take it for its own.
    command = ["sh", "-c", '"$@"; exit $?', "sh", *fuzzer]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/nightjar")])}
    found = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert found.returncode == 0, found.stderr[-5_000:]
    assert "Done " in found.stderr
    covered = [int(number) for number in re.findall(r"cov: (\d+)", found.stderr)]
    assert covered[-1] > 60, "it has found its way into the parser"
