"""template.yaml: what must never change unnoticed, a row each."""

import json
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.stack import Stack
from local.template import load, transform

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
TABLES = ("LogsTable", "RollupsTable", "PoliciesTable", "ConfigTable", "AlertsTable", "DeliveriesTable")
FUNCTIONS = ("IngestFunction", "RollupFunction", "EvaluatorFunction", "NotifierFunction", "ApiFunction")


@cache
def stack() -> Stack:
    return load(TEMPLATE)


@cache
def source() -> dict[str, Any]:
    found: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
    return found


def properties(logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = source()["Resources"][logical_id]["Properties"]
    return found


def test_there_are_six_tables_five_functions_and_two_queues() -> None:
    assert set(stack().tables) == set(TABLES)
    assert set(stack().functions) == set(FUNCTIONS)
    assert set(stack().queues) == {"BellsQueue", "BellsDeadLetters"}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_text_keys_expires_by_x_and_is_paid_by_the_request(name: str) -> None:
    table = stack().tables[name]
    assert [key["AttributeName"] for key in table.definition["KeySchema"]] == ["PK", "SK"]
    assert {each["AttributeType"] for each in table.definition["AttributeDefinitions"]} == {"S"}
    assert table.ttl == "x"
    assert table.definition["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("name", TABLES)
def test_no_table_goes_with_the_stack_once_it_has_lived(name: str) -> None:
    assert source()["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert source()["Resources"][name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TABLES)
def test_what_users_cannot_make_again_can_be_recovered(name: str) -> None:
    recovers = properties(name)["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert recovers is (name != "DeliveriesTable"), "an older state of deliveries would send again what was sent"


def test_the_logs_table_is_pinned_to_one_partition_a_collection() -> None:
    (pin,) = stack().tables["LogsTable"].definition["LocalSecondaryIndexes"]
    assert pin["IndexName"] == "pin"
    assert [key["AttributeName"] for key in pin["KeySchema"]] == ["PK", "_"]
    assert pin["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_there_are_two_streams_in_all() -> None:
    assert {name for name, table in stack().tables.items() if table.has_stream} == {"LogsTable", "AlertsTable"}
    assert properties("LogsTable")["StreamSpecification"] == properties("AlertsTable")["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_no_index_is_eventually_consistent() -> None:
    assert not any("GlobalSecondaryIndexes" in table.definition for table in stack().tables.values())


@pytest.mark.parametrize(("function", "event", "table"), [("RollupFunction", "NewLogs", "LogsTable"), ("NotifierFunction", "Transitions", "AlertsTable")])
def test_no_stream_record_is_ever_discarded_or_overtaken(function: str, event: str, table: str) -> None:
    (found,) = [each for each in stack().sources if each.source == table]
    assert (found.function, found.logical_id) == (function, function + event)
    assert found.properties["StartingPosition"] == "TRIM_HORIZON"
    assert found.properties["ParallelizationFactor"] == 1
    assert found.properties["BisectBatchOnFunctionError"] is True
    assert found.properties["MaximumRetryAttempts"] == -1
    assert found.properties["MaximumRecordAgeInSeconds"] == -1
    assert found.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "DestinationConfig" not in found.properties


@pytest.mark.parametrize(
    ("function", "pattern"),
    [
        ("RollupFunction", {"eventName": ["INSERT"], "dynamodb": {"Keys": {"SK": {"S": [{"anything-but": ["g"]}]}}}}),
        ("NotifierFunction", {"eventName": ["INSERT"], "dynamodb": {"Keys": {"SK": {"S": [{"prefix": "t#"}]}}}}),
    ],
)
def test_only_new_rows_of_the_right_kind_invoke(function: str, pattern: dict[str, Any]) -> None:
    (found,) = [each for each in stack().sources if each.function == function and "FilterCriteria" in each.properties]
    assert [json.loads(each["Pattern"]) for each in found.properties["FilterCriteria"]["Filters"]] == [pattern]


def test_bells_ring_one_webhook_at_a_time_and_outlive_a_handler() -> None:
    (found,) = [each for each in stack().sources if each.source == "BellsQueue"]
    assert found.properties["BatchSize"] == 1
    assert int(found.properties["ScalingConfig"]["MaximumConcurrency"]) >= 2
    bells = stack().queues["BellsQueue"].attributes
    assert bells["FifoQueue"] == "true"
    assert int(bells["VisibilityTimeout"]) >= 6 * stack().functions["NotifierFunction"].timeout
    assert json.loads(bells["RedrivePolicy"])["maxReceiveCount"] <= 1000
    assert stack().queues["BellsDeadLetters"].attributes["FifoQueue"] == "true"


def test_the_schedule_hands_over_the_minute_that_it_meant() -> None:
    (found,) = stack().schedules
    assert (found.function, found.expression) == ("EvaluatorFunction", "rate(1 minute)")
    assert json.loads(found.input) == {"time": "<aws.scheduler.scheduled-time>"}
    assert properties("EvaluatorFunction")["Events"]["EveryMinute"]["Properties"]["FlexibleTimeWindow"] == {"Mode": "OFF"}


BUSY = "DEFAULT_5XX INTEGRATION_FAILURE INTEGRATION_TIMEOUT THROTTLED QUOTA_EXCEEDED API_CONFIGURATION_ERROR AUTHORIZER_FAILURE AUTHORIZER_CONFIGURATION_ERROR"


@pytest.mark.parametrize("kind", BUSY.split())
def test_a_fault_of_the_gateway_makes_the_sdks_try_again(kind: str) -> None:
    found = stack().api.responses[kind]
    assert found.status == 429
    assert int(found.headers["Retry-After"]) >= 1
    assert json.loads(found.body)["error"]["code"] == "TOO_MANY_REQUESTS"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", 404, "NOT_FOUND"),
        ("RESOURCE_NOT_FOUND", 404, "NOT_FOUND"),
        ("ACCESS_DENIED", 403, "FORBIDDEN"),
        ("WAF_FILTERED", 403, "FORBIDDEN"),
        ("REQUEST_TOO_LARGE", 413, "PAYLOAD_TOO_LARGE"),
        ("UNSUPPORTED_MEDIA_TYPE", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("DEFAULT_4XX", None, "BAD_REQUEST"),  # the status that the gateway chose
    ],
)
def test_the_gateway_speaks_the_contracts_envelope(kind: str, status: int | None, code: str) -> None:
    found = stack().api.responses[kind]
    body = found.body.replace("$context.error.messageString", '"quoted by the gateway"')
    assert (found.status, json.loads(body)["error"]["code"]) == (status, code)


def test_logs_go_to_ingest_and_all_else_to_the_api() -> None:
    routes = {(route.method, route.path): route.function for route in stack().api.routes}
    assert routes.pop(("POST", "/v1.0/logs")) == "IngestFunction"
    others = {(method, "/v1.0/logs") for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")}  # all that a gateway knows besides
    assert set(routes) == {*others, ("ANY", "/{proxy+}"), ("ANY", "/")}
    assert set(routes.values()) == {"ApiFunction"}


def test_no_method_of_a_path_is_routed_twice() -> None:
    """AWS takes the more exact one; `sam local start-api` takes either, by chance."""
    paths = [route.path for route in stack().api.routes if route.method == "ANY"]
    assert [route for route in stack().api.routes if route.path in paths and route.method != "ANY"] == []


def test_every_body_arrives_as_it_was_sent() -> None:
    assert stack().api.binary == ("*~1*",)
    assert "MinimumCompressionSize" not in properties("Api")


@pytest.mark.parametrize(
    ("function", "tables"),
    [
        ("IngestFunction", "LOGS CONFIG"),
        ("RollupFunction", "LOGS ROLLUPS POLICIES CONFIG ALERTS"),
        ("EvaluatorFunction", "LOGS ROLLUPS POLICIES CONFIG ALERTS DELIVERIES"),
        ("NotifierFunction", "ROLLUPS POLICIES CONFIG ALERTS DELIVERIES"),
        ("ApiFunction", "LOGS ROLLUPS POLICIES CONFIG ALERTS DELIVERIES"),
    ],
)
def test_a_function_is_told_only_what_it_uses(function: str, tables: str) -> None:
    told = stack().functions[function].environment
    assert {name.removeprefix("TABLE_") for name in told if name.startswith("TABLE_")} == set(tables.split())
    assert ("QUEUE_BELLS" in told) is (function in {"EvaluatorFunction", "NotifierFunction", "ApiFunction"})
    assert ("HEARTBEAT_URL" in told) is (function == "EvaluatorFunction")
    assert "TICK_LEAD_MINUTES" not in told, "only the local runner lifts the limit on ticks from the future"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_names_actions_and_tables_and_no_wildcard(function: str) -> None:
    for statement in stack().functions[function].statements:
        assert not any("*" in action for action in statement.actions)
        assert all("*" not in resource or resource.endswith(":identity/*") for resource in statement.resources)
        assert "dynamodb:Scan" not in statement.actions


@pytest.mark.parametrize(
    ("function", "table", "actions"),
    [
        ("IngestFunction", "LogsTable", "BatchGetItem BatchWriteItem PutItem"),
        ("IngestFunction", "ConfigTable", "GetItem PutItem"),
        ("RollupFunction", "LogsTable", "Query"),
        ("RollupFunction", "PoliciesTable", "Query"),
        ("RollupFunction", "ConfigTable", "GetItem"),
        ("RollupFunction", "RollupsTable", "BatchGetItem GetItem PutItem Query"),
        ("RollupFunction", "AlertsTable", "DeleteItem GetItem PutItem UpdateItem"),
        ("RollupFunction", "DeliveriesTable", ""),
        ("EvaluatorFunction", "LogsTable", "Query"),
        ("EvaluatorFunction", "RollupsTable", "BatchGetItem Query"),
        ("EvaluatorFunction", "PoliciesTable", "BatchGetItem GetItem Query"),
        ("NotifierFunction", "LogsTable", ""),
        ("NotifierFunction", "PoliciesTable", "BatchGetItem"),
        ("NotifierFunction", "RollupsTable", "BatchGetItem"),
        ("NotifierFunction", "ConfigTable", "GetItem PutItem Query"),
        ("NotifierFunction", "AlertsTable", "BatchGetItem Query UpdateItem"),
        ("ApiFunction", "DeliveriesTable", "ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem"),
        ("ApiFunction", "LogsTable", "Query"),
        ("ApiFunction", "RollupsTable", "BatchGetItem Query"),
    ],
)
def test_who_may_do_what_to_which_table(function: str, table: str, actions: str) -> None:
    arn = stack().tables[table].arn
    found = {action for statement in stack().functions[function].statements if arn in statement.resources for action in statement.actions}
    assert found == {f"dynamodb:{each}" for each in actions.split()}


def test_a_function_ends_before_its_callers_hang_up() -> None:
    """The JavaScript SDK waits for 5 s, of which ingest takes 4 to decide; the gateway waits for 29."""
    assert stack().functions["IngestFunction"].timeout <= 6
    assert stack().functions["ApiFunction"].timeout < 29


def test_python_is_named_once() -> None:
    assert source()["Parameters"]["Runtime"]["Default"] == "python3.11"
    assert TEMPLATE.read_text().count("python3.11") == 2, "once as the default, once among the allowed values"


def pins(path: str) -> dict[str, str]:
    lines = (TEMPLATE.parent / path).read_text().splitlines()
    return {name.lower().replace("_", "-"): version for name, _, version in (line.partition("==") for line in lines if "==" in line)}


def test_the_layer_runs_what_the_tests_ran() -> None:
    layer, tested = pins("layers/nightjar/requirements.txt"), pins("requirements.txt")
    assert layer.items() <= tested.items()


def test_the_layer_brings_everything_that_its_packages_need() -> None:
    """boto3 too: the runtime's own would meet the layer's newer botocore, which PynamoDB brings."""
    layer = pins("layers/nightjar/requirements.txt")
    for name in layer:
        for each in metadata.requires(name) or []:
            if "extra ==" not in each:
                needed = re.split(r"[^A-Za-z0-9_.-]", each, maxsplit=1)[0].lower().replace("_", "-")
                assert needed in layer, f"{name} needs {needed}"


def test_the_gateway_throttles_and_one_key_cannot_use_up_a_container() -> None:
    (setting,) = properties("Api")["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert setting["ThrottlingRateLimit"] == setting["ThrottlingBurstLimit"] == {"Ref": "RequestsPerSecond"}
    for name in ("IngestFunction", "ApiFunction"):
        assert properties(name)["Environment"]["Variables"]["KEY_REQUESTS_PER_SECOND"] == {"Ref": "KeyRequestsPerSecond"}


def test_every_method_is_throttled_at_the_only_stage() -> None:
    """SAM makes a second stage, named Stage and without the settings, for an API that says no version of OpenAPI."""
    made = transform(TEMPLATE)["Resources"].values()
    stages = [
        each["Properties"]["StageName"]
        for each in made
        if each["Type"] in {"AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment"} and "StageName" in each["Properties"]
    ]
    assert stages == [{"Ref": "StageName"}]


def test_a_second_stack_fits_beside_the_first() -> None:
    """Nothing has a name that must be the only one in its account and region; versions of one layer may share theirs."""
    keys = ("Name", "TableName", "QueueName", "RoleName", "LogGroupName", "AlarmName", "DashboardName", "LayerName", "FunctionName")
    given = [(key, each["Properties"].get(key)) for each in transform(TEMPLATE)["Resources"].values() for key in keys]
    assert {key for key, name in given if isinstance(name, str)} == {"LayerName"}


def test_a_tick_is_tried_once_more_and_no_longer_than_its_minute() -> None:
    """The next tick does all that this one did not."""
    assert properties("EvaluatorFunction")["EventInvokeConfig"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert properties("EvaluatorFunction")["Events"]["EveryMinute"]["Properties"]["RetryPolicy"] == {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}


def test_what_is_secret_is_encrypted_by_a_key_that_is_watched_and_shown_nowhere() -> None:
    assert properties("ConfigTable")["SSESpecification"] == {"SSEEnabled": True}
    assert source()["Parameters"]["HeartbeatUrl"]["NoEcho"] is True


def test_a_log_outlives_every_retry_of_it() -> None:
    assert source()["Parameters"]["LogTtlDays"]["MinValue"] == source()["Parameters"]["LogTtlDays"]["Default"] == 32
