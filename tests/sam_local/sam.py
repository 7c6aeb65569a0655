"""`sam local`, told to run in the image that stands in for AWS's, with the tables that a test made."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.stack import Stack
from local.store import KEY
from scripts.demo.system import System
from scripts.emulator import ARCHITECTURE, BUILD, ROOT, free_port, wait_for

SAM = ROOT / ".venv-sam" / "bin" / "sam"
MOST_SECONDS = 120


class Sam:
    """The SAM CLI on the template that `make build` wrote, unchanged."""

    def __init__(self, stack: Stack, image: str, directory: Path) -> None:
        """Write down what the functions are told.

        Args:
            stack: Whose names the tables and the queue have.
            image: What the containers are made of.
            directory: For the file of variables, and for what the SAM CLI keeps.
        """
        self.output = directory / "output"
        told = directory / "environment.json"
        told.write_text(json.dumps({"Parameters": variables(stack)}))
        self._options = [
            "--template", str(BUILD / "template.yaml"), "--parameter-overrides", f"Architecture={ARCHITECTURE}", "--env-vars", str(told),
            "--invoke-image", image, "--skip-pull-image",
        ]  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}  # with credentials it asks AWS who they are
        self._environment = {**kept, "HOME": str(directory), "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "SAM_CLI_TELEMETRY": "0"}

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Hand one event to a function in a container of its own; returns what it answered."""
        command = [str(SAM), "local", "invoke", function, "--event", "-", *self._options]
        done = subprocess.run(
            command, input=json.dumps(event), env=self._environment, cwd=self.output.parent, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
        )
        assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def start_api(self) -> Iterator[System]:
        """Serve the API; a function's container starts with its first request and stays."""
        port = free_port()
        command = [str(SAM), "local", "start-api", "--port", str(port), "--warm-containers", "LAZY", *self._options]
        with self.output.open("w") as output:
            process = subprocess.Popen(command, env=self._environment, cwd=self.output.parent, stdout=output, stderr=output, text=True)
        with System(f"http://127.0.0.1:{port}", KEY, self.output, process) as system:
            wait_for(port)
            yield system


def variables(stack: Stack) -> dict[str, str]:
    """What a function must be told for it to find the tables: `sam local` would tell it their logical ids."""
    told = {name: value for function in stack.functions.values() for name, value in function.environment.items()}
    return {name: value for name, value in told.items() if name.startswith(("TABLE_", "QUEUE_"))}
