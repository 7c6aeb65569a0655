"""The transformed template created whole in moto: what a deployment would find in its account. The rows on the template itself are in test_template.py."""

import json
from ast import literal_eval
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto.cloudformation.parsing import get_model_map

from local.deployed import Where, open_tables
from local.template import REGION, load
from tests.deployed import NAMED, NOT_MADE, PASSED_OVER, TEMPLATE, TOPIC, Deployed, client, deployed, make_rest, makeable

WANTED = load(TEMPLATE)
TABLES, FUNCTIONS = tuple(WANTED.tables), tuple(WANTED.functions)


@pytest.fixture(scope="module")
def stack() -> Iterator[Deployed]:
    with deployed() as made:
        assert time_to_live(made, "LogsTable") == {"TimeToLiveStatus": "DISABLED"}, "moto passes over it no longer: see PASSED_OVER"
        make_rest(made)
        yield made


def time_to_live(stack: Deployed, table: str) -> Any:
    return client("dynamodb").describe_time_to_live(TableName=stack.names[table])["TimeToLiveDescription"]


def configuration(stack: Deployed, function: str) -> dict[str, Any]:
    found: dict[str, Any] = client("lambda").get_function(FunctionName=stack.names[function])["Configuration"]
    return found


def role(arn: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Who may take a role, and what its own policy allows."""
    name = arn.rpartition("/")[2]
    trust = client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = client("iam").list_role_policies(RoleName=name)["PolicyNames"]
    document = client("iam").get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return [service for each in trust for service in each["Principal"]["Service"]], literal_eval(document)["Statement"]  # as moto writes it


def test_cloudformation_makes_everything_but_what_is_listed(stack: Deployed) -> None:
    (found,) = client("cloudformation").describe_stacks(StackName="nightjar")["Stacks"]
    assert found["StackStatus"] == "CREATE_COMPLETE"
    left = {each["Type"] for name, each in stack.template["Resources"].items() if name not in stack.made}
    assert left == set(NOT_MADE)


def test_what_is_listed_moto_does_not_make() -> None:
    assert set(NOT_MADE) & set(get_model_map()) == {"AWS::ApiGateway::Deployment"}
    assert set(NAMED) | set(PASSED_OVER) <= set(get_model_map())


@pytest.mark.parametrize(
    ("kind", "complaint"), [("AWS::SQS::Queue", "must end in .fifo"), ("AWS::ApiGateway::RestApi", "Name"), ("AWS::ApiGateway::Deployment", "any methods")]
)
def test_why_moto_is_helped(stack: Deployed, kind: str, complaint: str) -> None:
    helped = makeable(stack.template)["Resources"]
    given = {name: each if each["Type"] == kind else helped[name] for name, each in stack.template["Resources"].items() if each["Type"] in {kind, *NAMED}}
    bodiless = {name: {**each, "Properties": {key: value for key, value in each["Properties"].items() if key != "Body"}} for name, each in given.items()}
    with pytest.raises((ClientError, ResponseParserError, KeyError), match=complaint):
        client("cloudformation").create_stack(StackName=kind.replace("::", "-"), TemplateBody=json.dumps({"Resources": bodiless}))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_as_described(stack: Deployed, name: str) -> None:
    wanted = WANTED.tables[name].definition
    found = client("dynamodb").describe_table(TableName=stack.names[name])["Table"]
    assert found["KeySchema"] == wanted["KeySchema"]
    assert found["AttributeDefinitions"] == wanted["AttributeDefinitions"]
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert found["LocalSecondaryIndexes"] == list(wanted.get("LocalSecondaryIndexes", []))
    assert found["GlobalSecondaryIndexes"] == []
    assert found.get("StreamSpecification", {}) == ({"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"} if name in {"LogsTable", "AlertsTable"} else {})
    assert time_to_live(stack, name) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "x"}
    backups = client("dynamodb").describe_continuous_backups(TableName=stack.names[name])["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == ("DISABLED" if name == "DeliveriesTable" else "ENABLED")


def test_the_queue_of_bells_and_its_dead_letters(stack: Deployed) -> None:
    bells, dead = (
        client("sqs").get_queue_attributes(QueueUrl=stack.names[name], AttributeNames=["All"])["Attributes"] for name in ("BellsQueue", "BellsDeadLetters")
    )
    assert bells["FifoQueue"] == dead["FifoQueue"] == "true"
    assert bells["SqsManagedSseEnabled"] == dead["SqsManagedSseEnabled"] == "true"
    assert (bells["VisibilityTimeout"], bells["MessageRetentionPeriod"], dead["MessageRetentionPeriod"]) == ("180", "86400", "1209600")
    assert json.loads(bells["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 1000}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_as_described(stack: Deployed, name: str) -> None:
    wanted, found = WANTED.functions[name], configuration(stack, name)
    assert (found["Handler"], found["MemorySize"], found["Timeout"], found["Runtime"]) == (wanted.handler, wanted.memory, wanted.timeout, "python3.11")
    assert set(found["Environment"]["Variables"]) == set(wanted.environment)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_told_tables_and_a_queue_that_exist(stack: Deployed, name: str) -> None:
    told = configuration(stack, name)["Environment"]["Variables"]
    tables = {value for variable, value in told.items() if variable.startswith("TABLE_")}
    assert tables <= set(client("dynamodb").list_tables()["TableNames"])
    assert {value for variable, value in told.items() if variable.startswith("QUEUE_")} <= {stack.names["BellsQueue"]}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_reaches_what_was_made_and_lambda_may_take_it(stack: Deployed, name: str) -> None:
    trusted, statements = role(configuration(stack, name)["Role"])
    assert trusted == ["lambda.amazonaws.com"]
    made = {value for key, value in stack.names.items() if key.endswith(".Arn")}
    assert {each["Resource"] for each in statements if each["Action"] != "ses:SendEmail"} <= made


@pytest.mark.parametrize(
    ("mapping", "function", "source", "size"),
    [
        ("RollupFunctionNewLogs", "RollupFunction", "LogsTable.StreamArn", 1000),
        ("NotifierFunctionTransitions", "NotifierFunction", "AlertsTable.StreamArn", 100),
        ("NotifierFunctionBells", "NotifierFunction", "BellsQueue.Arn", 1),
    ],
)
def test_an_event_source_is_wired_as_described(stack: Deployed, mapping: str, function: str, source: str, size: int) -> None:
    found = client("lambda").get_event_source_mapping(UUID=stack.names[mapping])
    assert (found["FunctionArn"], found["EventSourceArn"]) == (stack.names[f"{function}.Arn"], stack.names[source])
    assert (found["State"], found["BatchSize"], found["FunctionResponseTypes"]) == ("Enabled", size, ["ReportBatchItemFailures"])
    wanted = {key: value for key, value in stack.properties(mapping).items() if key not in {"FunctionName", "ScalingConfig"}}
    assert {key: found[key] for key in wanted} == wanted


def test_there_is_no_other_event_source(stack: Deployed) -> None:
    assert len(client("lambda").list_event_source_mappings()["EventSourceMappings"]) == 3


def test_the_schedule_may_start_the_evaluator(stack: Deployed) -> None:
    found = client("scheduler").get_schedule(Name="EvaluatorFunctionEveryMinute")
    assert (found["ScheduleExpression"], found["State"], found["FlexibleTimeWindow"]) == ("rate(1 minute)", "ENABLED", {"Mode": "OFF"})
    target = found["Target"]
    assert (target["Arn"], json.loads(target["Input"])) == (stack.names["EvaluatorFunction.Arn"], {"time": "<aws.scheduler.scheduled-time>"})
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}
    trusted, (statement,) = role(target["RoleArn"])
    assert trusted == ["scheduler.amazonaws.com"]
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", target["Arn"])


def test_a_tick_that_failed_is_not_tried_again_by_lambda(stack: Deployed) -> None:
    found = client("lambda").get_function_event_invoke_config(FunctionName=stack.names["EvaluatorFunction"])
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (0, 60)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_into_a_group_of_its_own_that_is_kept_thirty_days(stack: Deployed, name: str) -> None:
    group = stack.properties(name)["LoggingConfig"]["LogGroup"]
    assert group == stack.names[name.replace("Function", "Logs")]
    (found,) = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["retentionInDays"] == 30


def test_each_alarm_watches_what_was_made_and_tells_the_topic(stack: Deployed) -> None:
    found = client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    assert {each["AlarmName"] for each in found} == set(stack.of_type("AWS::CloudWatch::Alarm"))
    assert {topic for each in found for topic in (*each["AlarmActions"], *each["OKActions"])} == {TOPIC}
    watched = {dimension["Value"] for each in found for dimension in each["Dimensions"] if dimension["Name"] != "service"}
    assert watched == {*(stack.names[name] for name in FUNCTIONS), stack.names["BellsDeadLetters.QueueName"]}


def test_the_dashboard_shows_functions_and_queues_that_exist(stack: Deployed) -> None:
    (entry,) = client("cloudwatch").list_dashboards()["DashboardEntries"]
    widgets = json.loads(client("cloudwatch").get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    shown = {metric[-1] for metric in metrics if any(name.startswith("nightjar-") or name.endswith(".fifo") for name in metric)}
    assert shown == {*(stack.names[name] for name in FUNCTIONS), *(stack.names[f"{name}.QueueName"] for name in ("BellsQueue", "BellsDeadLetters"))}


def routes(stack: Deployed) -> dict[tuple[str, str], str]:
    """Method and path → ARN of the function behind it, as the gateway has them."""
    found = {}
    for resource in client("apigateway").get_resources(restApiId=stack.names["Api"], limit=100)["items"]:
        for method in resource.get("resourceMethods", {}):
            integration = client("apigateway").get_integration(restApiId=stack.names["Api"], resourceId=resource["id"], httpMethod=method)
            name = "ANY" if method == "X-AMAZON-APIGATEWAY-ANY-METHOD" else method
            found[name, resource["path"]] = integration["uri"].split("/functions/")[1].removesuffix("/invocations")
    return found


def test_the_gateway_routes_to_functions_that_it_may_invoke(stack: Deployed) -> None:
    found = routes(stack)
    assert {(method, path): arn for (method, path), arn in found.items() if arn == stack.names["IngestFunction.Arn"]} == {
        ("POST", "/v1.0/logs"): stack.names["IngestFunction.Arn"]
    }
    for (method, path), function in found.items():
        statements = json.loads(client("lambda").get_policy(FunctionName=function)["Policy"])["Statement"]
        allowed = {each["Condition"]["ArnLike"]["AWS:SourceArn"].partition("/")[2] for each in statements}
        assert f"*/{method.replace('ANY', '*')}{path.replace('{proxy+}', '*')}" in allowed


def test_the_gateway_words_its_own_answers(stack: Deployed) -> None:
    found = {each["responseType"]: each for each in client("apigateway").get_gateway_responses(restApiId=stack.names["Api"])["items"]}
    assert {kind for kind, each in found.items() if each.get("statusCode") == "429"} == {
        "DEFAULT_5XX", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "API_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR",
        "THROTTLED", "QUOTA_EXCEEDED",
    }  # fmt: skip
    assert {each["responseParameters"]["gatewayresponse.header.Retry-After"] for each in found.values() if each.get("statusCode") == "429"} == {"'2'"}


def test_there_is_one_stage(stack: Deployed) -> None:
    assert [each["stageName"] for each in client("apigateway").get_stages(restApiId=stack.names["Api"])["item"]] == ["prod"]


def test_the_command_line_finds_the_tables_by_the_stacks_outputs(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    found = open_tables(Where("nightjar", None)).tables
    assert {getattr(found, name) for name in type(found).__slots__} == {stack.names[name] for name in TABLES}
