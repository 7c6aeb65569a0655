"""A running Nightjar, and everything that the demo does to it: over HTTP, as anybody would."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import chirpier
import requests

from scripts.demo.jobs import Entry

_READY = re.compile(r"api (?P<url>\S+)/v1\.0 .*key (?P<key>\S+)")
_START_SECONDS, _CALL_SECONDS, _FLUSH_SECONDS = 60, 60, 60


class Failed(Exception):
    """The system did not do what it was asked to; the message says what."""


@dataclass(slots=True)
class Post:
    """One message as a channel received it."""

    channel: str
    payload: dict[str, Any]


@dataclass(slots=True)
class System:
    """`nightjar dev` in a process of its own, on a free port and without a clock; the demo is its clock.

    Attributes:
        url: Where it listens.
        client: The official SDK, pointed at it by two URLs and a key.
        output: Where the functions' logs go.
    """

    url: str
    key: str
    output: Path
    process: subprocess.Popen[str]
    client: Any = field(init=False)
    _session: requests.Session = field(default_factory=requests.Session)
    _seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = chirpier.new_client(api_key=self.key, api_endpoint=f"{self.url}/v1.0/logs", servicer_endpoint=f"{self.url}/v1.0")

    @classmethod
    def start(cls, *options: str) -> Self:
        """Start it, and return when it is ready to serve.

        Args:
            options: For `nightjar dev`, besides a free port; without any it has no clock.
        """
        os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1", "localhost")))
        output = Path(tempfile.mkdtemp(prefix="nightjar-demo-")) / "functions.log"
        command = [str(Path(sys.executable).parent / "nightjar"), "dev", "--port", "0", "--logs", str(output), *(options or ("--no-clock",))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        found = _READY.search(_first_line(process))
        if found is None:
            process.kill()
            raise Failed(f"`nightjar dev` did not start; its functions' logs: {output}")
        return cls(url=found["url"], key=found["key"], output=output, process=process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=15)
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self._session.close()

    def send(self, entries: Sequence[Entry]) -> None:
        """Log a stretch of the story with the SDK, and return when the server has answered for all of it."""
        self.log([chirpier.Log(each.event, each.value, agent=each.agent, meta=each.meta, occurred_at=each.at) for each in entries])

    def log(self, logs: Sequence[Any]) -> None:
        """Log with the SDK, and return when the server has answered for all of it."""
        for log in logs:
            self.client.log(log)
        # The SDK's own flush waits for as long as a server is away.
        flush = threading.Thread(target=self.client.flush, daemon=True)
        flush.start()
        flush.join(_FLUSH_SECONDS)
        if flush.is_alive():
            raise Failed(f"the SDK could not send {len(logs)} logs within {_FLUSH_SECONDS} s")

    def tick(self, at: datetime) -> None:
        """Hand the evaluator a minute of the schedule, through Lambda's own Invoke API."""
        answer = self._post("/2015-03-31/functions/EvaluatorFunction/invocations", {"time": at.isoformat()})
        if "X-Amz-Function-Error" in answer.headers or answer.json().get("outcome") not in {"done", "old"}:
            raise Failed(f"the tick of {at:%H:%M} failed: {answer.text}")

    def drain(self) -> None:
        """Return when every stream, tray and queue is empty and every function idle."""
        left = self._post(f"/_local/drain?timeout={_CALL_SECONDS}").json()
        if left.get("waiting") != 0:
            raise Failed(f"something still waits: {left}")

    def new_posts(self, channel: str) -> list[Post]:
        """Return what a Slack channel has received since the last time, in its order."""
        answer = self._session.get(f"{self.url}/_slack/{channel}", timeout=_CALL_SECONDS)
        found = answer.json()[self._seen.get(channel, 0) :]
        self._seen[channel] = self._seen.get(channel, 0) + len(found)
        return [Post(channel, post["payload"]) for post in found]

    def compared(self, event_id: str, at: datetime) -> dict[str, Any]:
        """Compare an event's last hour with the same hour a day before, as of an instant (which the SDK cannot name)."""
        query = {"view": "window", "period": "1h", "previous": "previous_1d", "at": at.isoformat()}
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = self._session.get(f"{self.url}/v1.0/events/{event_id}/analytics", params=query, headers=headers, timeout=_CALL_SECONDS)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()["data"]
        return found

    def _post(self, path: str, body: Any = None) -> requests.Response:
        answer = self._session.post(f"{self.url}{path}", json=body, timeout=_CALL_SECONDS + 10)
        answer.raise_for_status()
        return answer


def _first_line(process: subprocess.Popen[str]) -> str:
    """Read the line with which it says that it is ready; empty if it ends or keeps silent."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(process.stdout.readline() if process.stdout else ""), daemon=True)
    reader.start()
    reader.join(_START_SECONDS)
    return found[0] if found else ""
