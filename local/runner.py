"""The whole system in one place: cloud, endpoint, functions, event sources, front."""

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from local.aws import Endpoint
from local.board import Board
from local.cloud import Moto, Service, Streaming, create
from local.dynamodb_local import DynamoDbLocal
from local.lambda_ import Died, Pool, environment_of
from local.mail import Mail
from local.pollers import Clock, QueuePoller, StreamPoller, start
from local.server import Front
from local.slack import Slack
from local.sources import sqs
from local.stack import Function
from local.store import count_trays, open_store
from local.template import load
from local.wire import Request, Response, Server

ROOT = Path(__file__).resolve().parent.parent

# What a function is told here and nowhere else: a tick may lie in any future, so that tests and the demo can move the clock.
LOCAL_ONLY = {"TICK_LEAD_MINUTES": ""}


def local_only(function: Function, url: str) -> dict[str, str]:
    """List what a function is told here in the place of what it is told on AWS; `url` is where the API is."""
    return {**LOCAL_ONLY, **({"API_URL": url} if "API_URL" in function.environment else {})}


class Runner:
    """A running system; `with Runner() as runner: …`."""

    def __init__(
        self,
        template: Path = ROOT / "template.yaml",
        *,
        port: int = 0,
        clock: bool = False,
        dynamodb_endpoint: str | None = None,
        parameters: Mapping[str, str] | None = None,
        stack_name: str = "nightjar",
        log: IO[str] | None = None,
    ) -> None:
        """Make everything; nothing runs before `start`.

        Args:
            template: The SAM template.
            port: Of the front on 127.0.0.1; 0 for a free one.
            clock: Whether schedules fire by themselves.
            dynamodb_endpoint: A running DynamoDB Local; None for moto.
            parameters: For the template.
            stack_name: Prefix of all names.
            log: Where functions write; None for stderr.
        """
        self.stack = load(template, parameters, stack_name)
        self.board = Board()
        self.slack = Slack()
        self.moto = Moto()
        self.dynamodb: Streaming = DynamoDbLocal(dynamodb_endpoint) if dynamodb_endpoint else self.moto
        services: dict[str, Service] = {"dynamodb": self.dynamodb, "dynamodbstreams": self.dynamodb, "sqs": self.moto, "ses": Mail(self.slack.keep)}
        self.endpoint = Endpoint(services, self.stack.functions, self.board)
        self._aws = Server(self.endpoint.respond)
        self._front = Server(self._respond, port)  # bound before the functions are told where it is
        self.pools = {
            name: Pool(function, environment_of(function, self._aws.url, local_only(function, self.url)), log)
            for name, function in self.stack.functions.items()
        }
        create(self.stack, self.dynamodb, self.moto)
        self.store = open_store(self.stack, self._aws.url)
        self._routes = Front(self.stack.api, self.pools, self.slack, self.board, lambda: count_trays(self.store))
        self._clocks = [Clock(plan, self.pools[plan.function], self.board) for plan in self.stack.schedules] if clock else []

    def _respond(self, request: Request) -> Response:
        return self._routes.respond(request)

    @property
    def url(self) -> str:
        """Where the front listens."""
        return self._front.url

    @property
    def aws_url(self) -> str:
        """Where AWS is: for the functions and for `aws --endpoint-url`."""
        return self._aws.url

    def start(self) -> None:
        """Serve and deliver; returns when everything answers, each function's first environment included."""
        self._aws.start()
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as executor, suppress(Died):
            list(executor.map(Pool.warm, self.pools.values()))
        self._front.start()
        self._start_sources()
        for clock in self._clocks:
            start("clock", clock.run)

    def close(self) -> None:
        """End: no more requests, no more deliveries, then the functions."""
        for clock in self._clocks:
            clock.close()
        self._front.close()
        self.board.close()
        for pool in self.pools.values():
            pool.close()
        self._aws.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_sources(self) -> None:
        for source in self.stack.sources:
            pool = self.pools[source.function]
            if source.source in self.stack.tables:
                poller = StreamPoller(source, self.stack.tables[source.source], self.dynamodb, pool, self.board)
                start(source.logical_id, poller.run)
                continue
            queue = self.stack.queues[source.source]
            for number in range(sqs.Settings.of(source.properties).concurrency):
                start(f"{source.logical_id}-{number}", QueuePoller(source, queue, self.moto, pool, self.board, number=number).run)


def now() -> int:
    """Return wall time in microseconds."""
    return time.time_ns() // 1_000
