"""Whether AWS made what template.yaml describes: tables, queue, event sources, schedule, gateway, alarms."""

import json
from typing import Any

from scripts.verify.account import NotShown, Visit, hold, of_type

_TABLE, _QUEUE, _ALARM = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::CloudWatch::Alarm"


def tables(visit: Visit) -> str:
    """Keys, local indexes, stream view, expiry and payment of each table."""
    wanted = of_type(_TABLE)
    for name, each in wanted.items():
        _table(visit, name, each)
    return f"{len(wanted)} tables with keys, {sum('LocalSecondaryIndexes' in each for each in wanted.values())} local index, streams and expiry as described"


def _table(visit: Visit, name: str, wanted: dict[str, Any]) -> None:
    db, table = visit.account.client("dynamodb"), visit.account.name(name)
    found = db.describe_table(TableName=table)["Table"]
    hold(found["KeySchema"] == wanted["KeySchema"], f"{name}: keys are {found['KeySchema']}")
    indexes = [(each["IndexName"], each["KeySchema"]) for each in found.get("LocalSecondaryIndexes", [])]
    hold(indexes == [(each["IndexName"], each["KeySchema"]) for each in wanted.get("LocalSecondaryIndexes", [])], f"{name}: local indexes are {indexes}")
    view = found.get("StreamSpecification", {}).get("StreamViewType")
    hold(view == wanted.get("StreamSpecification", {}).get("StreamViewType"), f"{name}: its stream shows {view}")
    paid = found.get("BillingModeSummary", {}).get("BillingMode")
    hold(paid == wanted["BillingMode"], f"{name}: is paid as {paid}")
    expiry = db.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    attribute = wanted["TimeToLiveSpecification"]["AttributeName"]
    hold((expiry.get("TimeToLiveStatus"), expiry.get("AttributeName")) == ("ENABLED", attribute), f"{name}: expiry is {expiry}")


def recovery(visit: Visit) -> str:
    """Point-in-time recovery, where it is described."""
    if visit.account.local:
        raise NotShown("nightjar dev keeps nothing")
    wanted = {name: each["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] for name, each in of_type(_TABLE).items()}
    for name, enabled in wanted.items():
        found = visit.account.client("dynamodb").describe_continuous_backups(TableName=visit.account.name(name))["ContinuousBackupsDescription"]
        status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        hold(status == ("ENABLED" if enabled else "DISABLED"), f"{name}: recovery is {status}")
    return f"on for {sum(wanted.values())} of {len(wanted)} tables, as described"


def queue(visit: Visit) -> str:
    """Redrive, visibility and kind of the queue of bells, and that nothing lies in the dead letters."""
    attributes = {name: _attributes(visit, name) for name in ("BellsQueue", "BellsDeadLetters")}
    bells, dead = attributes["BellsQueue"], attributes["BellsDeadLetters"]
    wanted = of_type(_QUEUE)["BellsQueue"]
    redrive = json.loads(bells.get("RedrivePolicy", "{}"))
    goal = (dead["QueueArn"], wanted["RedrivePolicy"]["maxReceiveCount"])
    hold((redrive.get("deadLetterTargetArn"), int(redrive.get("maxReceiveCount", 0))) == goal, f"redrive is {redrive}")
    hold(bells.get("FifoQueue") == "true", "the queue is not FIFO")
    hold(int(bells["VisibilityTimeout"]) == wanted["VisibilityTimeout"], f"a message is invisible for {bells['VisibilityTimeout']} s")
    lying = int(dead.get("ApproximateNumberOfMessages", 0))
    hold(lying == 0, f"{lying} messages lie in the dead letters")
    return f"FIFO, {goal[1]} receives before the dead letters, which are empty"


def _attributes(visit: Visit, name: str) -> dict[str, str]:
    found: dict[str, str] = visit.account.client("sqs").get_queue_attributes(QueueUrl=visit.account.name(name), AttributeNames=["All"])["Attributes"]
    return found


def sources(visit: Visit) -> str:
    """Each event source: enabled, with its filter, batch and what is done on failure."""
    wanted = of_type("AWS::Lambda::EventSourceMapping")
    for name, each in wanted.items():
        found = visit.account.client("lambda").get_event_source_mapping(UUID=visit.account.name(name))
        hold(found["State"] in {"Enabled", "Enabling", "Updating"}, f"{name} is {found['State']}: {found.get('StateTransitionReason', '')}")
        problem = found.get("LastProcessingResult", "")
        hold("PROBLEM" not in problem, f"{name}: {problem}")
        for key in each.keys() - {"FunctionName", "EventSourceArn", "ScalingConfig", "StartingPosition"}:
            hold(found.get(key) == each[key], f"{name}: {key} is {found.get(key)}")
    return f"{len(wanted)} enabled, with filters and retries as described"


def schedule(visit: Visit) -> str:
    """The minute's schedule."""
    ((name, wanted),) = of_type("AWS::Scheduler::Schedule").items()
    found = visit.account.client("scheduler").get_schedule(Name=visit.account.name(name))
    told = (found["State"], found["ScheduleExpression"], found["FlexibleTimeWindow"]["Mode"], found["Target"].get("Input"))
    goal = ("ENABLED", wanted["ScheduleExpression"], "OFF", wanted["Target"]["Input"])
    hold(told == goal, f"it is {told}")
    return f"{told[1]}, to the minute, with the time it was meant for"


def gateway(visit: Visit) -> str:
    """The answers that the gateway gives by itself, and its throttle."""
    client = visit.account.client("apigateway")
    api = visit.account.name("Api")
    found = {each["responseType"]: each for each in client.get_gateway_responses(restApiId=api, limit=500)["items"]}
    wanted = of_type("AWS::ApiGateway::RestApi")["Api"]["Body"]["x-amazon-apigateway-gateway-responses"]
    for kind, each in wanted.items():
        for key in ("statusCode", "responseParameters", "responseTemplates"):
            told = found.get(kind, {}).get(key) or None
            hold(told == (each.get(key) or None) or key not in each, f"{kind}: {key} is {told}")
    stages = [each["stageName"] for each in client.get_stages(restApiId=api)["item"]]
    hold(len(stages) == 1, f"the stages are {stages}: only one of them is throttled")
    return f"{len(wanted)} answers worded as described, {sum(each.get('statusCode') == '429' for each in wanted.values())} of them 429; one stage"


def alarms(visit: Visit) -> str:
    """Each alarm exists and none rings."""
    client = visit.account.client("cloudwatch")
    if not visit.account.parameters.get("AlarmTopic"):
        raise NotShown("the stack was deployed without AlarmTopic: it has none, and nobody hears that Nightjar is ill")
    names = {name: visit.account.name(name) for name in of_type(_ALARM)}
    found: dict[str, Any] = {}
    for some in (list(names.values())[at : at + 100] for at in range(0, len(names), 100)):
        found |= {each["AlarmName"]: each for each in client.describe_alarms(AlarmNames=some, MaxRecords=100)["MetricAlarms"]}
    lacking = [name for name, own in names.items() if own not in found]
    hold(not lacking, f"there is no {', '.join(lacking)}")
    ringing = [name for name, own in names.items() if found[own]["StateValue"] == "ALARM"]
    hold(not ringing, f"in alarm: {', '.join(ringing)}")
    deaf = [name for name, own in names.items() if not found[own].get("AlarmActions") or not found[own].get("ActionsEnabled", True)]
    hold(not deaf, f"tell nobody: {', '.join(deaf)}")
    unsure = sum(found[own]["StateValue"] == "INSUFFICIENT_DATA" for own in names.values())
    return f"{len(names)} alarms, none rings" + (f" ({unsure} have no data yet)" if unsure else "")
