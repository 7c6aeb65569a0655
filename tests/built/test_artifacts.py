"""What `sam build` made: sizes, what is in it, and each file of events/ through it under Lambda's own runtime."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.lambda_ import environment_of
from local.runner import LOCAL_ONLY, Runner, now
from local.store import ensure_key
from scripts.emulator import BUILD, ROOT, emulated, is_built
from tests.payloads import payload, posted_at

pytestmark = pytest.mark.skipif(not is_built(), reason="nothing is built here: make build")

FUNCTIONS = ("Ingest", "Rollup", "Evaluator", "Notifier", "Api")
LAYER = BUILD / "NightjarLayer"
MOST_ZIPPED = 50_000_000
DONE: dict[str, Any] = {"batchItemFailures": []}


def zipped(directory: Path) -> int:
    """The size of a directory as sam deploy would upload it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            archive.write(path, path.relative_to(directory))
    return len(made.getvalue())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_holds_its_own_code_only(name: str) -> None:
    built = BUILD / f"{name}Function"
    own = ROOT / "functions" / name.lower()
    assert {path.relative_to(built) for path in built.rglob("*.py")} == {path.relative_to(own) for path in own.rglob("*.py")}
    assert {path.suffix for path in built.rglob("*") if path.is_file()} == {".py"}
    assert zipped(built) < 10_000


def test_the_layer_fits(capsys: pytest.CaptureFixture[str]) -> None:
    size = zipped(LAYER)
    with capsys.disabled():
        print(f"\nlayer: {size / 1e6:.1f} MB zipped")
    assert size < MOST_ZIPPED


def test_the_layer_holds_the_library_and_what_is_pinned() -> None:
    lines = (ROOT / "layers/nightjar/requirements.txt").read_text().splitlines()
    pinned = {line.replace("-", "_").lower() for line in lines if "==" in line}
    found = {path.name.removesuffix(".dist-info").replace("-", "==").lower() for path in (LAYER / "python").glob("*.dist-info")}
    assert found == pinned
    own = {path.relative_to(ROOT / "layers/nightjar") for path in (ROOT / "layers/nightjar/nightjar").rglob("*.py")}
    assert {path.relative_to(LAYER / "python") for path in (LAYER / "python/nightjar").rglob("*.py")} == own


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as made:
        ensure_key(made.store, now())  # the one in events/
        yield made


@pytest.mark.parametrize(
    ("name", "event", "answer"),
    [
        ("Ingest", "api-post-logs", {"statusCode": 200}),
        ("Rollup", "stream-logs", DONE),
        ("Evaluator", "schedule", {"outcome": "done"}),
        ("Notifier", "stream-transitions", DONE),
        ("Notifier", "sqs-bell", DONE),
        ("Api", "api-get-policies", {"statusCode": 200}),
    ],
)
def test_the_built_function_takes_its_triggers_event(runner: Runner, name: str, event: str, answer: dict[str, Any]) -> None:
    function = runner.stack.functions[f"{name}Function"]
    variables = environment_of(function, runner.aws_url, LOCAL_ONLY)
    own = {key: value for key, value in variables.items() if key not in {"PYTHONPATH", "PATH"}}
    sent = posted_at(now()) if name == "Ingest" else payload(event)
    with emulated([BUILD / f"{name}Function", LAYER / "python"], "app.handler", own) as invoke:
        found = invoke(sent)
    assert "errorType" not in found, found
    assert {key: found.get(key) for key in answer} == answer, found
