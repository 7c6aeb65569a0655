"""template.yaml as a deployment makes it: through SAM's translator, then created by moto's CloudFormation.

What moto cannot create is listed here, by type, with why; it is made afterwards from the same properties, through the service's own API, which at
least checks their names and types.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from local.resolve import Names, resolve
from local.template import ACCOUNT, REGION, transform

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
PARAMETERS = {"AlarmTopic": TOPIC}

# Types that moto's CloudFormation does not make.
NOT_MADE = {
    "AWS::ApiGateway::Deployment": "moto makes a REST API without its Body, and deploys none that has no methods",
    "AWS::ApiGateway::Stage": "unknown to moto's CloudFormation",
    "AWS::CloudWatch::Alarm": "unknown to moto's CloudFormation",
    "AWS::Lambda::EventInvokeConfig": "unknown to moto's CloudFormation",
    "AWS::Scheduler::Schedule": "unknown to moto's CloudFormation",
}
# Names that moto must be given, where CloudFormation makes them up.
NAMED = {
    "AWS::SQS::Queue": ("QueueName", "{}.fifo", "moto makes up a name without .fifo, and refuses it"),
    "AWS::ApiGateway::RestApi": ("Name", "{}", "moto does not take the title of the Body"),
}
# Properties that moto's CloudFormation passes over.
PASSED_OVER = {
    "AWS::DynamoDB::Table": {"TimeToLiveSpecification", "PointInTimeRecoverySpecification"},
    "AWS::ApiGateway::RestApi": {"Body", "BinaryMediaTypes"},
}


@dataclass
class Deployed:
    """A stack in moto.

    Attributes:
        template: What CloudFormation was given, before anything was taken out of it.
        names: What each Ref and GetAtt stands for.
        made: The logical ids that CloudFormation made.
    """

    template: dict[str, Any]
    names: Names = field(default_factory=dict)
    made: frozenset[str] = frozenset()

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The properties of a resource, every reference resolved."""
        found: dict[str, Any] = resolve(self.template["Resources"][logical_id].get("Properties", {}), self.names)
        return found

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type."""
        return {name: self.properties(name) for name, each in self.template["Resources"].items() if each["Type"] == kind}


@contextmanager
def deployed(stack_name: str = "nightjar") -> Iterator[Deployed]:
    """Create the stack in an account that is otherwise empty."""
    with mock_aws():
        stack = Deployed(transform(TEMPLATE, PARAMETERS))
        _put_code()
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()]
        client("cloudformation").create_stack(
            StackName=stack_name, TemplateBody=json.dumps(makeable(stack.template)), Parameters=given, Capabilities=["CAPABILITY_IAM"]
        )
        summaries = client("cloudformation").list_stack_resources(StackName=stack_name)["StackResourceSummaries"]
        found = {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in summaries}
        stack.made = frozenset(found)
        stack.names = _names(stack.template, stack_name, found)
        yield stack


def client(service: str) -> Any:
    """A client of the mocked account."""
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]


def makeable(template: dict[str, Any]) -> dict[str, Any]:
    """The template without what moto does not make, and with the names that it must be given."""
    resources = {}
    for name, each in template["Resources"].items():
        if each["Type"] not in NOT_MADE:
            key, pattern, _ = NAMED.get(each["Type"], ("", "", ""))
            resources[name] = {**each, "Properties": {**each["Properties"], **({key: pattern.format(name)} if key else {})}}
    return {**template, "Resources": resources}


def make_rest(stack: Deployed) -> None:
    """Make through each service's own API what CloudFormation did not, or passed over."""
    for name, each in stack.of_type("AWS::DynamoDB::Table").items():
        table = stack.names[name]
        client("dynamodb").update_time_to_live(TableName=table, TimeToLiveSpecification=each["TimeToLiveSpecification"])
        client("dynamodb").update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=each["PointInTimeRecoverySpecification"])
    for name, each in stack.of_type("AWS::CloudWatch::Alarm").items():
        client("cloudwatch").put_metric_alarm(AlarmName=name, **{**each, "Threshold": float(each["Threshold"])})
    for name, each in stack.of_type("AWS::Scheduler::Schedule").items():
        client("scheduler").create_schedule(Name=name, **each)
    for each in stack.of_type("AWS::Lambda::EventInvokeConfig").values():
        client("lambda").put_function_event_invoke_config(**each)
    _make_api(stack)


def _make_api(stack: Deployed) -> None:
    ((name, api),) = stack.of_type("AWS::ApiGateway::RestApi").items()
    rest_api, gateway = stack.names[name], client("apigateway")
    gateway.put_rest_api(restApiId=rest_api, mode="overwrite", body=json.dumps(api["Body"]))
    for kind, each in api["Body"]["x-amazon-apigateway-gateway-responses"].items():
        gateway.put_gateway_response(restApiId=rest_api, responseType=kind, **each)
    ((name, each),) = stack.of_type("AWS::ApiGateway::Deployment").items()
    own = {"stageName": each["StageName"]} if "StageName" in each else {}
    stack.names = {**stack.names, name: gateway.create_deployment(restApiId=rest_api, **own)["id"]}
    for each in stack.of_type("AWS::ApiGateway::Stage").values():
        gateway.create_stage(restApiId=rest_api, stageName=each["StageName"], deploymentId=each["DeploymentId"], tracingEnabled=each["TracingEnabled"])


def _put_code() -> None:
    """Put something where `transform` says that all code is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "")
    client("s3").create_bucket(Bucket="local", CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_object(Bucket="local", Key="local", Body=packed.getvalue())


def _names(template: dict[str, Any], stack_name: str, found: dict[str, str]) -> Names:
    names = {name: str(each.get("Default", "")) for name, each in template["Parameters"].items()} | PARAMETERS | found
    names |= {"AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::Region": REGION, "AWS::StackName": stack_name, "AWS::URLSuffix": "amazonaws.com"}
    for name, physical in found.items():
        match template["Resources"][name]["Type"]:
            case "AWS::DynamoDB::Table":
                table = client("dynamodb").describe_table(TableName=physical)["Table"]
                names |= {f"{name}.Arn": table["TableArn"], f"{name}.StreamArn": table.get("LatestStreamArn", "")}
            case "AWS::SQS::Queue":
                arn = client("sqs").get_queue_attributes(QueueUrl=physical, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
                names |= {f"{name}.Arn": arn, f"{name}.QueueName": arn.rpartition(":")[2]}
            case "AWS::Lambda::Function":
                names[f"{name}.Arn"] = client("lambda").get_function(FunctionName=physical)["Configuration"]["FunctionArn"]
            case "AWS::IAM::Role":
                names[f"{name}.Arn"] = client("iam").get_role(RoleName=physical)["Role"]["Arn"]
    return names
