"""scripts/verify against the stack as moto has it: each check passes, and fails when what it looks at is put wrong."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.template import REGION
from scripts.verify import deployment, minutes
from scripts.verify.__main__ import Check, check
from scripts.verify.account import Account, Answer, Api, Failed, NotShown, Visit, of_stack
from tests.deployed import PARAMETERS, TOPIC, Deployed, client, deployed, make_rest


class Nobody(Api):
    """No API: these checks look at the account only."""

    def __call__(self, *_: Any, **__: Any) -> Answer:
        raise AssertionError


@pytest.fixture
def stack() -> Iterator[Deployed]:
    with deployed() as made:
        make_rest(made)
        made.names = {**made.names, **{name: name for kind in ("AWS::CloudWatch::Alarm", "AWS::Scheduler::Schedule") for name in made.of_type(kind)}}
        yield made


@pytest.fixture
def visit(stack: Deployed) -> Visit:
    account = Account(client, {name: value for name, value in stack.names.items() if "." not in name}, PARAMETERS)
    return Visit(account, Nobody("http://127.0.0.1", "chp_x"), pause=lambda _: None)


CHECKS: tuple[Check, ...] = (
    *(deployment.tables, deployment.recovery, deployment.queue, deployment.sources, deployment.schedule, deployment.gateway, deployment.alarms),
    minutes.permissions,
)


def test_what_was_deployed_as_described_passes(visit: Visit) -> None:
    lines: list[str] = []
    assert check(visit, [(each.__name__, each) for each in CHECKS], lines.append) == 0, lines
    assert [line.partition(" ")[0] for line in lines] == ["ok"] * len(CHECKS), lines


def no_expiry(stack: Deployed) -> None:
    wanted = {"Enabled": False, "AttributeName": "x"}
    client("dynamodb").update_time_to_live(TableName=stack.names["LogsTable"], TimeToLiveSpecification=wanted)


def no_stream(stack: Deployed) -> None:
    client("dynamodb").update_table(TableName=stack.names["AlertsTable"], StreamSpecification={"StreamEnabled": False})


def no_recovery(stack: Deployed) -> None:
    wanted = {"PointInTimeRecoveryEnabled": False}
    client("dynamodb").update_continuous_backups(TableName=stack.names["ConfigTable"], PointInTimeRecoverySpecification=wanted)


def no_redrive(stack: Deployed) -> None:
    dead = client("sqs").get_queue_attributes(QueueUrl=stack.names["BellsDeadLetters"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    client("sqs").set_queue_attributes(QueueUrl=stack.names["BellsQueue"], Attributes={"RedrivePolicy": policy})


def dead_letter(stack: Deployed) -> None:
    client("sqs").send_message(QueueUrl=stack.names["BellsDeadLetters"], MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d")


def source_off(stack: Deployed) -> None:
    client("lambda").update_event_source_mapping(UUID=stack.names["RollupFunctionNewLogs"], Enabled=False)


def small_batches(stack: Deployed) -> None:
    client("lambda").update_event_source_mapping(UUID=stack.names["RollupFunctionNewLogs"], BatchSize=10)


def schedule_off(stack: Deployed) -> None:
    found = client("scheduler").get_schedule(Name="EvaluatorFunctionEveryMinute")
    kept = {key: found[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    client("scheduler").update_schedule(**kept, State="DISABLED")


def gateway_503(stack: Deployed) -> None:
    client("apigateway").put_gateway_response(restApiId=stack.names["Api"], responseType="DEFAULT_5XX", statusCode="503")


def second_stage(stack: Deployed) -> None:
    deployment_id = client("apigateway").get_stages(restApiId=stack.names["Api"])["item"][0]["deploymentId"]
    client("apigateway").create_stage(restApiId=stack.names["Api"], stageName="Stage", deploymentId=deployment_id)


def ringing(_stack: Deployed) -> None:
    client("cloudwatch").set_alarm_state(AlarmName="TicksMissing", StateValue="ALARM", StateReason="x")


def alarm_gone(_stack: Deployed) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=["LogsParked"])


def logged(stack: Deployed, group: str, message: str) -> None:
    name = stack.names[group]
    client("logs").create_log_stream(logGroupName=name, logStreamName="s")
    client("logs").put_log_events(logGroupName=name, logStreamName="s", logEvents=[{"timestamp": time.time_ns() // 1_000_000, "message": message}])


def access_denied(stack: Deployed) -> None:
    logged(stack, "NotifierLogs", "AccessDenied when calling the Query operation")


@pytest.mark.parametrize(
    ("looks", "fault", "says"),
    [
        (deployment.tables, no_expiry, "LogsTable: expiry is"),
        (deployment.tables, no_stream, "AlertsTable: its stream shows None"),
        (deployment.recovery, no_recovery, "ConfigTable: recovery is DISABLED"),
        (deployment.queue, no_redrive, "'maxReceiveCount': 3"),
        (deployment.queue, dead_letter, "1 messages lie in the dead letters"),
        (deployment.sources, source_off, "RollupFunctionNewLogs is Disabled"),
        (deployment.sources, small_batches, "BatchSize is 10"),
        (deployment.schedule, schedule_off, "DISABLED"),
        (deployment.gateway, gateway_503, "DEFAULT_5XX: statusCode is 503"),
        (deployment.gateway, second_stage, "only one of them is throttled"),
        (deployment.alarms, ringing, "in alarm: TicksMissing"),
        (deployment.alarms, alarm_gone, "there is no LogsParked"),
        (minutes.permissions, access_denied, "NotifierLogs: AccessDenied"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_fault_is_found(stack: Deployed, visit: Visit, looks: Check, fault: Callable[[Deployed], None], says: str) -> None:
    looks(visit)
    fault(stack)
    with pytest.raises(Failed) as found:
        looks(visit)
    assert says in str(found.value)


def test_what_the_stack_does_not_have_is_told_and_does_not_end_the_run(visit: Visit) -> None:
    visit.account.names = {}
    lines: list[str] = []
    assert check(visit, [("tables", deployment.tables), ("queue", deployment.queue)], lines.append) == 2
    assert all("it was made from another template.yaml" in line for line in lines)


def test_a_stack_is_found_by_its_name(stack: Deployed) -> None:
    account, url = of_stack("nightjar", REGION, None)
    assert {name: account.names[name] for name in ("LogsTable", "BellsQueue", "Api", "ApiFunction", "RollupFunctionNewLogs")} == {
        name: stack.names[name] for name in ("LogsTable", "BellsQueue", "Api", "ApiFunction", "RollupFunctionNewLogs")
    }
    assert account.parameters["AlarmTopic"] == TOPIC
    assert url.startswith(f"https://{stack.names['Api']}.execute-api.{REGION}.")
    assert "6 tables" in deployment.tables(Visit(account, Nobody(url, "chp_x")))


def test_alarms_that_nobody_asked_for_are_not_shown(visit: Visit) -> None:
    visit.account.parameters = {"AlarmTopic": ""}
    with pytest.raises(NotShown, match="AlarmTopic"):
        deployment.alarms(visit)


def test_a_heartbeat_is_looked_for_in_the_function_and_its_log(stack: Deployed, visit: Visit) -> None:
    with pytest.raises(NotShown, match="HeartbeatUrl"):
        minutes.heartbeat(visit)
    name = stack.names["EvaluatorFunction"]
    told = client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {**told, "HEARTBEAT_URL": "https://example.com/x"}})
    assert "none failed" in minutes.heartbeat(visit)
    logged(stack, "EvaluatorLogs", "the heartbeat did not get through")
    with pytest.raises(Failed, match="did not get through"):
        minutes.heartbeat(visit)
