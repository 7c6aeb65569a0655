"""template.yaml → Stack, through SAM's own translator."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.resolve import Names, Unresolvable, resolve
from local.stack import Api, EventSource, Function, GatewayResponse, Queue, Route, Schedule, Stack, Statement, Table

ACCOUNT = "123456789012"
REGION = "eu-west-1"

# What AWS needs besides and nothing here does. A type in neither list is an error.
IGNORED = frozenset({
    "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::IAM::Role", "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::LayerVersion", "AWS::Lambda::Permission", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter",
})  # fmt: skip
TABLE, QUEUE, FUNCTION = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Lambda::Function"
MAPPING, SCHEDULE, REST_API = "AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule", "AWS::ApiGateway::RestApi"
KNOWN = frozenset({TABLE, QUEUE, FUNCTION, MAPPING, SCHEDULE, REST_API})

_TABLE_ARGUMENTS = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes")


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
    values = {name: str(each.get("Default", "")) for name, each in source.get("Parameters", {}).items()} | dict(parameters or {})
    code = {name: path.parent / uri for name, uri in _take_code(source)}
    layers = tuple(code[name] for name, each in source["Resources"].items() if each["Type"] == "AWS::Serverless::LayerVersion")
    resources = _translate(source, values)
    unknown = {name: each["Type"] for name, each in resources.items() if each["Type"] not in KNOWN | IGNORED}
    if unknown:
        raise Unresolvable(f"resources of types that are not known here: {unknown}")
    return _read(resources, _names(resources, values, stack_name), code, layers)


def _take_code(source: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each resource's directory, and put in its place what the translator wants: an object in S3."""
    for name, resource in source["Resources"].items():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                yield name, resource["Properties"][key]
                resource["Properties"][key] = "s3://local/local"


def _translate(source: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    with _region():
        translated = Translator({}, Parser()).translate(source, dict(values))
    found: dict[str, Any] = translated["Resources"]
    return found


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
        case _:
            return {}


def _read(resources: Mapping[str, Any], names: Names, code: Mapping[str, Path], layers: tuple[Path, ...]) -> Stack:
    def each(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((name, resource["Properties"]) for name, resource in resources.items() if resource["Type"] == kind)

    by_reference = {value: name for name, value in names.items() if name.partition(".")[0] in resources}
    apis = [_api(properties, names) for _, properties in each(REST_API)]
    if len(apis) != 1:
        raise Unresolvable(f"the template has {len(apis)} REST APIs, not one")
    return Stack(
        tables={name: _table(name, properties, names) for name, properties in each(TABLE)},
        queues={name: _queue(name, properties, names, by_reference) for name, properties in each(QUEUE)},
        functions={name: _function(name, properties, names, code[name], layers, resources) for name, properties in each(FUNCTION)},
        sources=tuple(_source(name, resolve(properties, names), by_reference) for name, properties in each(MAPPING)),
        schedules=tuple(_schedule(name, properties, names, by_reference) for name, properties in each(SCHEDULE)),
        api=apis[0],
    )


def _table(logical_id: str, properties: Mapping[str, Any], names: Names) -> Table:
    found = resolve(properties, names)
    definition = {key: found[key] for key in _TABLE_ARGUMENTS if key in found} | {"TableName": names[logical_id]}
    if "StreamSpecification" in found:
        definition["StreamSpecification"] = {"StreamEnabled": True, **found["StreamSpecification"]}
    ttl = found.get("TimeToLiveSpecification", {})
    return Table(
        logical_id=logical_id,
        name=names[logical_id],
        arn=names[f"{logical_id}.Arn"],
        definition=definition,
        ttl=ttl.get("AttributeName") if ttl.get("Enabled") else None,
        has_stream="StreamSpecification" in found,
    )


_QUEUE_ATTRIBUTES = ("ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit", "MessageRetentionPeriod", "VisibilityTimeout")


def _queue(logical_id: str, properties: Mapping[str, Any], names: Names, by_reference: Names) -> Queue:
    import json

    found = resolve(properties, names)
    attributes = {key: str(found[key]).lower() for key in _QUEUE_ATTRIBUTES if key in found}
    needs = None
    if "RedrivePolicy" in found:
        attributes["RedrivePolicy"] = json.dumps(found["RedrivePolicy"])
        needs = _owner(found["RedrivePolicy"]["deadLetterTargetArn"], by_reference)
    return Queue(logical_id, names[f"{logical_id}.QueueName"], names[f"{logical_id}.Arn"], names[logical_id], attributes, needs)


def _owner(reference: str, by_reference: Names) -> str:
    """Return the logical id of the resource that a resolved Ref or GetAtt came from."""
    return by_reference[reference].partition(".")[0]


def _function(logical_id: str, properties: Mapping[str, Any], names: Names, code: Path, layers: tuple[Path, ...], resources: Mapping[str, Any]) -> Function:
    own = {key: properties[key] for key in ("Handler", "MemorySize", "Timeout", "Environment") if key in properties}
    found = resolve(own, names)
    policies = resolve(resources[f"{logical_id}Role"]["Properties"].get("Policies", []), names)
    return Function(
        logical_id=logical_id,
        name=names[logical_id],
        arn=names[f"{logical_id}.Arn"],
        handler=found["Handler"],
        code=code,
        layers=layers if properties.get("Layers") else (),
        memory=int(found["MemorySize"]),
        timeout=int(found["Timeout"]),
        environment={key: str(value) for key, value in found.get("Environment", {}).get("Variables", {}).items()},
        statements=tuple(_statement(each) for policy in policies for each in policy["PolicyDocument"]["Statement"]),
    )


def _statement(found: Mapping[str, Any]) -> Statement:
    if found["Effect"] != "Allow":
        raise Unresolvable(f"a statement that is no Allow: {found}")
    return Statement(_listed(found["Action"]), _listed(found["Resource"]))


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _source(logical_id: str, found: Mapping[str, Any], by_reference: Names) -> EventSource:
    return EventSource(logical_id, _owner(found["FunctionName"], by_reference), _owner(found["EventSourceArn"], by_reference), found)


def _schedule(logical_id: str, properties: Mapping[str, Any], names: Names, by_reference: Names) -> Schedule:
    target = resolve({key: properties["Target"][key] for key in ("Arn", "Input")}, names)
    return Schedule(logical_id, _owner(target["Arn"], by_reference), properties["ScheduleExpression"], target["Input"])


def _api(properties: Mapping[str, Any], names: Names) -> Api:
    body = properties["Body"]
    return Api(
        stage=names["StageName"],
        routes=tuple(_routes(body["paths"], names)),
        responses={kind: _gateway_response(found) for kind, found in body.get("x-amazon-apigateway-gateway-responses", {}).items()},
        binary=tuple(properties.get("BinaryMediaTypes") or body.get("x-amazon-apigateway-binary-media-types", ())),
    )


def _routes(paths: Mapping[str, Any], names: Names) -> Iterator[Route]:
    functions = {value: name.removesuffix(".Arn") for name, value in names.items() if name.endswith(".Arn") and ":function:" in value}
    for path, methods in paths.items():
        for method, found in methods.items():
            uri = resolve(found["x-amazon-apigateway-integration"]["uri"], names)
            function = functions[uri.split("/functions/")[1].removesuffix("/invocations")]
            yield Route("ANY" if method == "x-amazon-apigateway-any-method" else method.upper(), path, function)


def _gateway_response(found: Mapping[str, Any]) -> GatewayResponse:
    status = found.get("statusCode")
    headers = {name.removeprefix("gatewayresponse.header."): value.strip("'") for name, value in found.get("responseParameters", {}).items()}
    return GatewayResponse(int(status) if status else None, headers, found.get("responseTemplates", {}).get("application/json", '{"message":$context.error.messageString}'))
