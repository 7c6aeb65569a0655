"""The translated template's resources, resource type by resource type, as plain values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local.resolve import Names, Unresolvable, resolve
from local.stack import Api, EventSource, Function, GatewayResponse, Queue, Route, Schedule, Stack, Statement, Table

TABLE, QUEUE, FUNCTION = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Lambda::Function"
MAPPING, SCHEDULE, REST_API = "AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule", "AWS::ApiGateway::RestApi"

_TABLE_ARGUMENTS = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes")
_QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit", "MessageRetentionPeriod", "VisibilityTimeout",
)  # fmt: skip
_UNWORDED = '{"message":$context.error.messageString}'


@dataclass
class Reader:
    """Reads one translated template.

    Attributes:
        resources: By logical id.
        names: What each reference stands for.
        code: Directory of each function and layer.
        layers: Directories of the layers.
    """

    resources: Mapping[str, Any]
    names: Names
    code: Mapping[str, Path]
    layers: tuple[Path, ...]

    def stack(self) -> Stack:
        """Read everything.

        Raises:
            Unresolvable: Something is not known here.
        """
        apis = [self._api(properties) for _, properties in self._each(REST_API)]
        if len(apis) != 1:
            raise Unresolvable(f"the template has {len(apis)} REST APIs, not one")
        return Stack(
            tables={name: self._table(name, properties) for name, properties in self._each(TABLE)},
            queues={name: self._queue(name, properties) for name, properties in self._each(QUEUE)},
            functions={name: self._function(name, properties) for name, properties in self._each(FUNCTION)},
            sources=tuple(self._source(name, properties) for name, properties in self._each(MAPPING)),
            schedules=tuple(self._schedule(name, properties) for name, properties in self._each(SCHEDULE)),
            api=apis[0],
        )

    def _each(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((name, resource["Properties"]) for name, resource in self.resources.items() if resource["Type"] == kind)

    @cached_property
    def _owners(self) -> dict[str, str]:
        """The logical id of the resource that a resolved Ref or GetAtt came from."""
        owned = [(value, name.partition(".")[0]) for name, value in self.names.items()]
        return {value: owner for value, owner in owned if owner in self.resources}

    def _table(self, logical_id: str, properties: Mapping[str, Any]) -> Table:
        found = resolve(properties, self.names)
        definition = {key: found[key] for key in _TABLE_ARGUMENTS if key in found} | {"TableName": self.names[logical_id]}
        if "StreamSpecification" in found:
            definition["StreamSpecification"] = {"StreamEnabled": True, **found["StreamSpecification"]}
        ttl = found.get("TimeToLiveSpecification", {})
        return Table(
            logical_id=logical_id,
            name=self.names[logical_id],
            arn=self.names[f"{logical_id}.Arn"],
            definition=definition,
            ttl=ttl.get("AttributeName") if ttl.get("Enabled") else None,
            has_stream="StreamSpecification" in found,
        )

    def _queue(self, logical_id: str, properties: Mapping[str, Any]) -> Queue:
        found = resolve(properties, self.names)
        attributes = {key: str(found[key]).lower() for key in _QUEUE_ATTRIBUTES if key in found}
        needs = None
        if "RedrivePolicy" in found:
            attributes["RedrivePolicy"] = json.dumps(found["RedrivePolicy"])
            needs = self._owners[found["RedrivePolicy"]["deadLetterTargetArn"]]
        return Queue(logical_id, self.names[f"{logical_id}.QueueName"], self.names[f"{logical_id}.Arn"], self.names[logical_id], attributes, needs)

    def _function(self, logical_id: str, properties: Mapping[str, Any]) -> Function:
        own = {key: properties[key] for key in ("Handler", "MemorySize", "Timeout", "Environment") if key in properties}
        found = resolve(own, self.names)
        policies = resolve(self.resources[f"{logical_id}Role"]["Properties"].get("Policies", []), self.names)
        return Function(
            logical_id=logical_id,
            name=self.names[logical_id],
            arn=self.names[f"{logical_id}.Arn"],
            handler=found["Handler"],
            code=self.code[logical_id],
            layers=self.layers if properties.get("Layers") else (),
            memory=int(found.get("MemorySize", 128)),
            timeout=int(found.get("Timeout", 3)),
            environment={key: str(value) for key, value in found.get("Environment", {}).get("Variables", {}).items()},
            statements=tuple(_statement(each) for policy in policies for each in policy["PolicyDocument"]["Statement"]),
        )

    def _source(self, logical_id: str, properties: Mapping[str, Any]) -> EventSource:
        found = resolve(properties, self.names)
        return EventSource(logical_id, self._owners[found["FunctionName"]], self._owners[found["EventSourceArn"]], found)

    def _schedule(self, logical_id: str, properties: Mapping[str, Any]) -> Schedule:
        target = resolve({key: properties["Target"][key] for key in ("Arn", "Input")}, self.names)
        return Schedule(logical_id, self._owners[target["Arn"]], properties["ScheduleExpression"], target["Input"])

    def _api(self, properties: Mapping[str, Any]) -> Api:
        body = properties["Body"]
        return Api(
            stage=self.names["StageName"],
            routes=tuple(self._routes(body["paths"])),
            responses={kind: _gateway_response(found) for kind, found in body.get("x-amazon-apigateway-gateway-responses", {}).items()},
            binary=tuple(properties.get("BinaryMediaTypes", ())),
        )

    def _routes(self, paths: Mapping[str, Any]) -> Iterator[Route]:
        for path, methods in paths.items():
            for method, found in methods.items():
                uri = resolve(found["x-amazon-apigateway-integration"]["uri"], self.names)
                function = self._owners[uri.split("/functions/")[1].removesuffix("/invocations")]
                yield Route("ANY" if method == "x-amazon-apigateway-any-method" else method.upper(), path, function)


def _statement(found: Mapping[str, Any]) -> Statement:
    if found["Effect"] != "Allow":
        raise Unresolvable(f"a statement that is no Allow: {found}")
    return Statement(_listed(found["Action"]), _listed(found["Resource"]))


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _gateway_response(found: Mapping[str, Any]) -> GatewayResponse:
    status = found.get("statusCode")
    headers = {name.removeprefix("gatewayresponse.header."): value.strip("'") for name, value in found.get("responseParameters", {}).items()}
    return GatewayResponse(int(status) if status else None, headers, found.get("responseTemplates", {}).get("application/json", _UNWORDED))
