"""The account and the stack that are checked, and the product's own API."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import requests

from local.template import load, transform

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
LOCAL = frozenset({"dynamodb", "dynamodbstreams", "sqs"})  # what `nightjar dev` has of AWS for us
_SECONDS = 40  # the gateway gives up after 29


class Failed(Exception):
    """A check found something else than it must; the message says what."""


class NotShown(Exception):
    """A check could not be made here; the message says why."""


def hold(condition: object, otherwise: str) -> None:
    """Fail unless a condition holds.

    Raises:
        Failed: It does not.
    """
    if not condition:
        raise Failed(otherwise)


@cache
def described() -> dict[str, Any]:
    """The resources of template.yaml as CloudFormation gets them, by logical id."""
    found: dict[str, Any] = transform(TEMPLATE)["Resources"]
    return found


def of_type(kind: str) -> dict[str, Any]:
    """The described properties of all resources of a type, by logical id."""
    return {name: each["Properties"] for name, each in described().items() if each["Type"] == kind}


@dataclass(slots=True)
class Account:
    """An account with a deployed stack.

    Attributes:
        make: Makes a client of a service.
        names: Physical names of the stack's resources, by logical id.
        parameters: What the stack was deployed with.
        local: Whether this is `nightjar dev`, which has tables and queues only.
    """

    make: Callable[[str], Any]
    names: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    local: bool = False
    _clients: dict[str, Any] = field(default_factory=dict, init=False)

    def client(self, service: str) -> Any:
        """A client.

        Raises:
            NotShown: `nightjar dev` has no such service.
        """
        if self.local and service not in LOCAL:
            raise NotShown(f"nightjar dev has no {service}")
        if service not in self._clients:
            self._clients[service] = self.make(service)
        return self._clients[service]

    def name(self, logical_id: str) -> str:
        """The physical name of a resource.

        Raises:
            Failed: The stack does not have it.
        """
        hold(logical_id in self.names, f"the stack has no {logical_id}: it was made from another template.yaml")
        return self.names[logical_id]


def of_stack(stack: str, region: str | None, profile: str | None) -> tuple[Account, str]:
    """Find a stack, and the URL of its API."""
    session = boto3.Session(region_name=region, profile_name=profile)
    formation = session.client("cloudformation")
    (found,) = formation.describe_stacks(StackName=stack)["Stacks"]
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for page in pages for each in page["StackResourceSummaries"]}
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    return Account(session.client, names, parameters), outputs["ApiUrl"]  # type: ignore[arg-type]


def of_dev(stack: str, endpoint: str) -> Account:
    """Take a running `nightjar dev` by the address that it prints for AWS."""
    found = load(TEMPLATE, None, stack)
    names = {each.logical_id: each.name for each in found.tables.values()} | {each.logical_id: each.url for each in found.queues.values()}
    given = {"endpoint_url": endpoint, "region_name": "eu-west-1", "aws_access_key_id": "operator", "aws_secret_access_key": "local"}
    return Account(lambda service: boto3.client(service, **given), names, local=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """Its JSON; None if it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass(slots=True)
class Api:
    """The product over HTTP, as anybody has it.

    Attributes:
        url: Up to and with the stage.
        key: An admin key.
    """

    url: str
    key: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = urlsplit(self.url).hostname not in {"127.0.0.1", "localhost"}

    def __call__(self, method: str, path: str, body: Any = None, *, key: str | None = None, data: bytes | None = None) -> Answer:
        """Make a request; it is not tried again."""
        token = self.key if key is None else key
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        sent = data if data is not None else None if body is None else json.dumps(body).encode()
        found = self.session.request(method, self.url + path, data=sent, headers=headers, timeout=_SECONDS)
        return Answer(found.status_code, found.headers, found.text)

    def made(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request that must succeed.

        Raises:
            Failed: It did not.
        """
        answer = self(method, path, body)
        hold(answer.status in {200, 201, 204}, f"{method} {path} → {answer.status} {answer.text[:200]}")
        return answer.body


def wait(seconds: float) -> None:
    """Let time pass."""
    time.sleep(seconds)


@dataclass(slots=True)
class Visit:
    """One run: who is checked, what was asked for, and what must be cleaned up.

    Attributes:
        destination: The URL of a Slack channel or a webhook that may get a few messages; None for none.
        disturb: Whether two functions may be stopped for some seconds.
        load: Logs to send at once, so that storage throttles; 0 for none.
        pause: Lets time pass; a test moves its clock.
        mark: What everything that is made here is called by.
    """

    account: Account
    api: Api
    destination: str | None = None
    disturb: bool = False
    load: int = 0
    pause: Callable[[float], None] = wait
    mark: str = "verify"
    _undo: list[Callable[[], object]] = field(default_factory=list)

    def until(self, found: Callable[[], Any], seconds: float, otherwise: str) -> Any:
        """Wait until something is there.

        Raises:
            Failed: It did not come.
        """
        end = time.monotonic() + seconds
        while not (there := found()):
            hold(time.monotonic() < end, f"{otherwise} within {seconds:.0f} s")
            self.pause(2)
        return there

    def later(self, undo: Callable[[], object]) -> None:
        """Remember what puts something right again."""
        self._undo.append(undo)

    def clean(self) -> list[str]:
        """Put everything right again, the last first; return what could not be."""
        left = []
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:  # noqa: BLE001 — the rest must be put right too
                left.append(f"{type(error).__name__}: {error}")
        return left
