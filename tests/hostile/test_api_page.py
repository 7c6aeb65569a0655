"""docs/api.md: every example is run against `nightjar dev`, in order, and answers with the status that it names."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nightjar.api.routes import ROUTES
from nightjar.channels import webhook
from nightjar.core.wording import notice

from tests.desk import alert, transition
from tests.local.test_dev import ROOT, Dev, run, this_minute

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = [(status.strip(), code) for status, code in re.findall(r"^```sh( \d+)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    with run(tmp_path / "log", "--no-clock") as running:
        yield running


def shell(dev: Dev) -> dict[str, str]:
    """The environment of a newcomer's shell; curl ends what it prints with the status."""
    home = dev.log.parent
    (home / ".curlrc").write_text('write-out = "\\n%{http_code}"\n')
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "CURL_HOME": str(home), "NIGHTJAR": dev.url, "AWS": dev.line.split(" aws ")[1].strip()}


def ids(answer: Any) -> dict[str, str]:
    """The ids of an answer, or of the first row of a list, as the page's variables."""
    row = answer[0] if isinstance(answer, list) and answer else answer
    row = {**row, **row.get("error", {})} if isinstance(row, dict) else {}
    return {name.upper(): value for name, value in row.items() if name.endswith("_id") and isinstance(value, str)}


def test_every_example_answers_as_the_page_says(dev: Dev) -> None:
    prelude, environment = BLOCKS[0][1], shell(dev)
    dev.tick(this_minute())
    for status, code in BLOCKS:
        if "status=triggered" in code:
            dev.tick(this_minute() + timedelta(minutes=1))  # rollup may know the event's policies of some seconds ago; the next tick looks again
            dev.drain()
        ran = subprocess.run(["bash", "-euc", prelude + code], env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, (code, ran.stderr)
        if status:
            text, _, answered = ran.stdout.rpartition("\n")
            assert answered == status, (code, ran.stdout)
            environment |= ids(json.loads(text)) if text.startswith(("{", "[")) else {}
        dev.drain()


def test_every_route_has_an_example() -> None:
    for route in ROUTES:
        path = re.escape(re.sub(r"<(\w+)>", lambda found: f"${found[1].upper()}", route.path))
        method = {"GET": "(?!.*(--request|--data))", "POST": "(?=.*(--data|POST))"}.get(route.method, f"(?=.*{route.method})")
        shown = any(re.search(rf"^{method}.*\$NIGHTJAR{path}(?![\w/])", code, re.MULTILINE) for _, code in BLOCKS)
        assert shown, f"{route.method} {route.path}"


def test_the_receivers_code_verifies_what_is_sent() -> None:
    found: dict[str, Any] = {}
    exec(PYTHON[0], found)  # noqa: S102
    clock = found["time"].time
    (message,) = webhook.render([notice([transition(alert())])])
    sent = webhook.request(message, "https://h.example/x", {"secret": "s"}, delivery_id="d", now=int(clock()) * 1_000_000)
    assert found["verified"](sent.headers, sent.body, "s")
    assert not found["verified"](sent.headers, sent.body + b" ", "s")
    assert not found["verified"](sent.headers, sent.body, "t")
    old = webhook.request(message, "https://h.example/x", {"secret": "s"}, delivery_id="d", now=(int(clock()) - 400) * 1_000_000)
    assert not found["verified"](old.headers, old.body, "s")
