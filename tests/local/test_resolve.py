"""Intrinsic functions of CloudFormation."""

from typing import Any

import pytest

from local.resolve import Unresolvable, resolve

NAMES = {"Logs": "nightjar-Logs", "Logs.Arn": "arn:logs", "AWS::Region": "eu-west-1", "Stage": "prod"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Logs"}, "nightjar-Logs"),
        ({"Fn::GetAtt": ["Logs", "Arn"]}, "arn:logs"),
        ({"Fn::GetAtt": "Logs.Arn"}, "arn:logs"),
        ({"Fn::Sub": "https://${Stage}.${AWS::Region}/${Logs.Arn}"}, "https://prod.eu-west-1/arn:logs"),
        ({"Fn::Sub": ["${Own}-${Stage}", {"Own": {"Ref": "Logs"}}]}, "nightjar-Logs-prod"),
        ({"a": [{"Ref": "Stage"}, 1, None]}, {"a": ["prod", 1, None]}),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
    ],
)
def test_references_become_what_they_stand_for(value: Any, expected: Any) -> None:
    assert resolve(value, NAMES) == expected


@pytest.mark.parametrize(
    "value",
    [{"Ref": "Nobody"}, {"Fn::GetAtt": ["Logs", "Colour"]}, {"Fn::Sub": "${Nobody}"}, {"Fn::If": ["Yes", 1, 2]}, {"x": [{"Fn::Join": ["", []]}]}],
)
def test_anything_else_is_an_error_and_no_guess(value: Any) -> None:
    with pytest.raises(Unresolvable):
        resolve(value, NAMES)
