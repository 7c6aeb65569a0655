"""template.yaml: what watches Nightjar itself, a row each: alarms, the dashboard, the logs of its functions."""

import json
import re
from typing import Any

import pytest

from tests.test_template import FUNCTIONS, TEMPLATE, properties, source

ALARMS = {name: each for name, each in source()["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"}


def test_alarms_cost_nothing_where_nobody_hears_them() -> None:
    assert {each["Condition"] for each in ALARMS.values()} == {"HasAlarmTopic"}
    assert all(each["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}] for each in ALARMS.values())


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_functions_errors_and_throttles_are_watched(metric: str) -> None:
    watched = [each["Properties"] for each in ALARMS.values() if each["Properties"]["MetricName"] == metric]
    assert {each["Dimensions"][0]["Value"]["Ref"] for each in watched} == set(FUNCTIONS)


@pytest.mark.parametrize("metric", sorted(each["Properties"]["MetricName"] for each in ALARMS.values() if each["Properties"]["Namespace"] == "Nightjar"))
def test_an_alarm_watches_a_metric_that_the_code_writes(metric: str) -> None:
    code = [*TEMPLATE.parent.glob("layers/nightjar/nightjar/**/*.py"), *TEMPLATE.parent.glob("functions/**/*.py")]
    assert any(f'count("{metric}"' in each.read_text() for each in code)


def test_a_dead_schedule_and_streams_that_stand_still_are_watched() -> None:
    assert ALARMS["TicksMissing"]["Properties"]["TreatMissingData"] == "breaching"
    ages = [each["Properties"]["Dimensions"][0]["Value"]["Ref"] for each in ALARMS.values() if each["Properties"]["MetricName"] == "IteratorAge"]
    assert set(ages) == {"RollupFunction", "NotifierFunction"}


@pytest.mark.parametrize(
    ("name", "metric", "breaches", "minutes", "of"),
    [
        ("IngestErrors", "AWS/Lambda Errors", "Sum > 0", "1 of 1", "IngestFunction"),
        ("RollupErrors", "AWS/Lambda Errors", "Sum > 0", "3 of 1", "RollupFunction"),
        ("EvaluatorErrors", "AWS/Lambda Errors", "Sum > 0", "3 of 1", "EvaluatorFunction"),
        ("NotifierErrors", "AWS/Lambda Errors", "Sum > 0", "3 of 1", "NotifierFunction"),
        ("ApiErrors", "AWS/Lambda Errors", "Sum > 0", "3 of 1", "ApiFunction"),
        ("IngestThrottles", "AWS/Lambda Throttles", "Sum > 0", "3 of 1", "IngestFunction"),
        ("RollupThrottles", "AWS/Lambda Throttles", "Sum > 0", "3 of 1", "RollupFunction"),
        ("EvaluatorThrottles", "AWS/Lambda Throttles", "Sum > 0", "3 of 1", "EvaluatorFunction"),
        ("NotifierThrottles", "AWS/Lambda Throttles", "Sum > 0", "3 of 1", "NotifierFunction"),
        ("ApiThrottles", "AWS/Lambda Throttles", "Sum > 0", "3 of 1", "ApiFunction"),
        ("RollupBehind", "AWS/Lambda IteratorAge", "Maximum > 60000", "2 of 1", "RollupFunction"),
        ("NotifierBehind", "AWS/Lambda IteratorAge", "Maximum > 60000", "2 of 1", "NotifierFunction"),
        ("ConcurrencyHigh", "AWS/Lambda ConcurrentExecutions", "Maximum > ConcurrencyAlarm", "3 of 1", ""),
        ("BellsDead", "AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum > 0", "1 of 5", "BellsDeadLetters.QueueName"),
        ("TicksMissing", "Nightjar TicksDone", "Sum < 1", "1 of 5", "AWS::StackName"),
        ("LogsParked", "Nightjar ParkedRecords", "Sum > 0", "1 of 5", "AWS::StackName"),
        ("RecordsUnreadable", "Nightjar UnreadableRecords", "Sum > 0", "1 of 5", "AWS::StackName"),
        ("LogsRefused", "Nightjar InternalRejections", "Sum > 0", "1 of 5", "AWS::StackName"),
        ("ApiFaults", "Nightjar InternalErrors", "Sum > 0", "1 of 5", "AWS::StackName"),
        ("JudgementsFailing", "Nightjar JudgementErrors", "Sum > 0", "1 of 5", "AWS::StackName"),
        ("AlertsHeldBack", "Nightjar SilentAlertsHeldBack", "Sum > 0", "1 of 5", "AWS::StackName"),
        ("AlertsUnrouted", "Nightjar UnroutedAlerts", "Sum > 0", "1 of 5", "AWS::StackName"),
        ("NotifyingFailing", "Nightjar NotifyingErrors", "Sum > 0", "1 of 5", "AWS::StackName"),
    ],
)
def test_when_an_alarm_rings(name: str, metric: str, breaches: str, minutes: str, of: str) -> None:
    """Minutes: so many periods, of so many minutes each."""
    found = ALARMS[name]["Properties"]
    sign = {"GreaterThanThreshold": ">", "LessThanThreshold": "<"}[found["ComparisonOperator"]]
    assert f"{found['Namespace']} {found['MetricName']}" == metric
    assert f"{found['Statistic']} {sign} {named(found['Threshold'])}" == breaches
    assert f"{found['EvaluationPeriods']} of {found['Period'] // 60}" == minutes
    assert [named(each["Value"]) for each in found.get("Dimensions", [])] == ([of] if of else [])
    assert found["TreatMissingData"] == ("breaching" if name == "TicksMissing" else "notBreaching")


def named(value: Any) -> str:
    """A plain value, or what a reference refers to."""
    if not isinstance(value, dict):
        return str(value)
    ((_, of),) = value.items()
    return of if isinstance(of, str) else ".".join(of)


def test_there_is_no_alarm_without_a_row() -> None:
    (rows,) = [mark.args[1] for mark in test_when_an_alarm_rings.pytestmark]
    assert sorted(ALARMS) == sorted(row[0] for row in rows)


def test_a_stacks_alarms_see_its_own_metrics_only() -> None:
    """Metrics of two stacks in one account would else be one: the ticks of one would hide that the other has none."""
    told = source()["Globals"]["Function"]["Environment"]["Variables"]
    assert told["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
    shown = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    assert re.findall(r'"service", "([^"]*)"', shown) == ["${AWS::StackName}"] * 3


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_into_a_group_of_its_own_for_as_long_as_is_said(name: str) -> None:
    group = properties(name)["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == name.replace("Function", "Logs")
    assert properties(group) == {"RetentionInDays": {"Ref": "LogRetentionDays"}}


def test_the_dashboard_shows_metrics_that_the_code_writes() -> None:
    body = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    assert set(re.findall(r"\$\{(\w+)", body)) <= {"AWS", *source()["Resources"]}
    widgets = [each["properties"] for each in json.loads(body)["widgets"]]
    code = "".join(each.read_text() for pattern in ("layers/nightjar/nightjar/**/*.py", "functions/*/app.py") for each in TEMPLATE.parent.glob(pattern))
    shown = [metric[1] for widget in widgets if widget["metrics"][0][0] == "Nightjar" for metric in widget["metrics"]]
    assert shown
    assert all(f'count("{name}"' in code for name in shown)
