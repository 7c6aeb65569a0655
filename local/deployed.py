"""The tables of a deployed stack, for the commands that keep it."""

from dataclasses import dataclass

import boto3
from nightjar.settings import Tables
from nightjar.storage.client import Store

OUTPUTS = {field: f"{field.capitalize()}Table" for field in Tables.__slots__}


class NoSuchStack(Exception):
    """The stack has no outputs that name its tables."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which stack: its name, and where AWS is (None: as boto3 is configured)."""

    stack: str
    endpoint: str | None


def open_tables(where: Where) -> Store:
    """Open the tables of a stack.

    Against an endpoint (`nightjar dev` prints its own) the names are those that the local runner gives; on AWS they are the
    stack's outputs.

    Raises:
        NoSuchStack: There is none, or it is not Nightjar.
    """
    if where.endpoint:
        names = {field: f"{where.stack}-{output}" for field, output in OUTPUTS.items()}
        client = boto3.client("dynamodb", endpoint_url=where.endpoint, region_name="eu-west-1", aws_access_key_id="operator", aws_secret_access_key="local")  # noqa: S106
        return Store(client, Tables(**names))
    found = _outputs(where.stack)
    missing = set(OUTPUTS.values()) - found.keys()
    if missing:
        raise NoSuchStack(f"the stack {where.stack} has no output {min(missing)}")
    return Store(boto3.client("dynamodb"), Tables(**{field: found[output] for field, output in OUTPUTS.items()}))


def _outputs(stack: str) -> dict[str, str]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise NoSuchStack(str(error)) from None
    return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
