"""What the template describes, as plain values: the resources that the local runner makes and serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, the arguments of CreateTable, and the attribute after which rows expire."""

    logical_id: str
    name: str
    arn: str
    definition: Mapping[str, Any]
    ttl: str | None
    has_stream: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: its attributes as CreateQueue takes them, and whether another must exist before it."""

    logical_id: str
    name: str
    arn: str
    url: str
    attributes: Mapping[str, str]
    needs: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One Allow of a function's role."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes:
        code: Directory that Lambda would unpack to /var/task.
        layers: Directories that Lambda would put on Python's path.
        memory: Megabytes.
        timeout: Seconds.
    """

    logical_id: str
    name: str
    arn: str
    handler: str
    code: Path
    layers: tuple[Path, ...]
    memory: int
    timeout: int
    environment: Mapping[str, str]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class EventSource:
    """A stream or a queue that invokes a function, and the mapping's properties as the template has them."""

    logical_id: str
    function: str
    source: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule that invokes a function with an input."""

    logical_id: str
    function: str
    expression: str
    input: str


@dataclass(frozen=True, slots=True)
class Route:
    """A method ("ANY" for all) and a path of the API, and the function behind it."""

    method: str
    path: str
    function: str


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """How the gateway words an answer of its own."""

    status: int | None
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Api:
    """The REST API."""

    stage: str
    routes: tuple[Route, ...]
    responses: Mapping[str, GatewayResponse]
    binary: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """All that a template describes; dictionaries are by logical id."""

    tables: Mapping[str, Table]
    queues: Mapping[str, Queue]
    functions: Mapping[str, Function]
    sources: tuple[EventSource, ...]
    schedules: tuple[Schedule, ...]
    api: Api
