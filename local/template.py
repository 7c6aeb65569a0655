"""template.yaml → Stack, through SAM's own translator."""

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.reader import FUNCTION, MAPPING, QUEUE, REST_API, SCHEDULE, TABLE, Reader
from local.resolve import Names, Unresolvable
from local.stack import ACCOUNT, REGION, Stack

__all__ = ["ACCOUNT", "REGION", "load", "transform"]

logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of switches that only AWS's own has

# What AWS needs besides and nothing here does. A type in neither list is an error.
IGNORED = frozenset({
    "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::LayerVersion", "AWS::Lambda::Permission", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter",
})  # fmt: skip
KNOWN = frozenset({TABLE, QUEUE, FUNCTION, MAPPING, SCHEDULE, REST_API})


def load(path: Path, parameters: Mapping[str, str] | None = None, stack_name: str = "nightjar") -> Stack:
    """Read a SAM template.

    Args:
        path: The template; CodeUri and ContentUri are relative to its directory.
        parameters: Values for the template's parameters; the rest keep their defaults.
        stack_name: Prefix of every name.

    Returns:
        What there is to make and to serve.

    Raises:
        Unresolvable: It holds a resource or a reference that is not known here.
    """
    source = yaml_parse(path.read_text())
    values = _values(source, parameters)
    code = {name: path.resolve().parent / uri for name, uri in _take_code(source)}
    layers = tuple(code[name] for name, each in source["Resources"].items() if each["Type"] == "AWS::Serverless::LayerVersion")
    resources = _translate(source, values)["Resources"]
    unknown = {name: each["Type"] for name, each in resources.items() if each["Type"] not in KNOWN | IGNORED}
    if unknown:
        raise Unresolvable(f"resources of types that are not known here: {unknown}")
    return Reader(resources, _names(resources, values, stack_name), code, layers).stack()


def transform(path: Path, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Transform a SAM template into the one that CloudFormation creates; all code is the object `local` of a bucket `local`."""
    source = yaml_parse(path.read_text())
    dict(_take_code(source))
    return _translate(source, _values(source, parameters))


def _values(source: Mapping[str, Any], parameters: Mapping[str, str] | None) -> dict[str, str]:
    return {name: str(each.get("Default", "")) for name, each in source.get("Parameters", {}).items()} | dict(parameters or {})


def _take_code(source: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each resource's directory, and put in its place what the translator wants: an object in S3."""
    for name, resource in source["Resources"].items():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                yield name, resource["Properties"][key]
                resource["Properties"][key] = "s3://local/local"


def _translate(source: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    with _region():
        translated: dict[str, Any] = Translator({}, Parser()).translate(source, dict(values))
    return translated


@contextlib.contextmanager
def _region() -> Iterator[None]:
    """Give the translator the region that it asks boto3 for."""
    before = os.environ.get("AWS_DEFAULT_REGION")
    os.environ["AWS_DEFAULT_REGION"] = REGION
    try:
        yield
    finally:
        if before is None:
            del os.environ["AWS_DEFAULT_REGION"]
        else:
            os.environ["AWS_DEFAULT_REGION"] = before


def _names(resources: Mapping[str, Any], values: Mapping[str, str], stack_name: str) -> Names:
    """Say what every Ref and GetAtt to a known resource, a parameter or a pseudo parameter stands for."""
    names = {
        **values,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }
    for logical_id, resource in resources.items():
        names |= _names_of(logical_id, resource, f"{stack_name}-{logical_id}")
    return names


def _names_of(logical_id: str, resource: Mapping[str, Any], name: str) -> dict[str, str]:
    def arn(service: str, rest: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"

    match resource["Type"]:
        case "AWS::DynamoDB::Table":
            table = arn("dynamodb", f"table/{name}")
            return {logical_id: name, f"{logical_id}.Arn": table, f"{logical_id}.StreamArn": f"{table}/stream/local"}
        case "AWS::SQS::Queue":
            name += ".fifo" if resource["Properties"].get("FifoQueue") else ""
            url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            return {logical_id: url, f"{logical_id}.Arn": arn("sqs", name), f"{logical_id}.QueueName": name}
        case "AWS::Lambda::Function":
            return {logical_id: name, f"{logical_id}.Arn": arn("lambda", f"function:{name}")}
        case "AWS::ApiGateway::RestApi":
            return {logical_id: name}
        case _:
            return {}
