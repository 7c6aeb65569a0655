"""Errors: the envelope, and that no fault of our own ends as a status at which clients drop their logs."""

import json
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, ParamValidationError
from nightjar.http import errors
from nightjar.http.errors import ApiError, Conflict, Response, TooManyRequests, answered, as_api_error, compact, exact, refusal, respond
from nightjar.storage.faults import StorageBusy


def refuse(error: Exception) -> Response:
    """Raise it."""
    raise error


def aws(code: str) -> ClientError:
    """What botocore raises for an error answer."""
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "PutItem")


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ApiError)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_refusal_has_the_envelope_and_no_fifth_hundred(kind: type[ApiError]) -> None:
    answer = answered(lambda: refuse(kind("logs[3].value: must be a finite number")))
    assert 400 <= answer["statusCode"] < 500
    assert json.loads(answer["body"]) == {"error": {"code": kind.code, "message": "logs[3].value: must be a finite number"}}
    assert answer["headers"]["Content-Type"] == "application/json"


def test_a_conflict_carries_what_is_there() -> None:
    assert json.loads(refusal(Conflict("event: exists", event_id="e1"))["body"])["error"]["event_id"] == "e1"


@pytest.mark.parametrize(("asked", "said"), [(1, "1"), (0, "1"), (-5, "1"), (30, "30"), (2.9, "2")])
def test_retry_after_is_a_whole_number_of_at_least_one(asked: int, said: str) -> None:
    assert refusal(TooManyRequests("busy", retry_after=asked))["headers"]["Retry-After"] == said


@pytest.mark.parametrize(
    "fault",
    [
        StorageBusy("late"),
        aws("ProvisionedThroughputExceededException"),
        aws("ResourceNotFoundException"),
        aws("AccessDeniedException"),
        aws("InternalServerError"),
        ConnectTimeoutError(endpoint_url="http://localhost"),
        NoCredentialsError(),
    ],
)
def test_a_fault_of_storage_is_429(fault: Exception) -> None:
    answer = answered(lambda: refuse(fault))
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (429, "1")


@pytest.mark.parametrize("fault", [ZeroDivisionError(), KeyError("secret"), aws("ValidationException"), ParamValidationError(report="x"), MemoryError()])
def test_a_fault_of_our_code_is_told_apart_and_says_nothing_of_itself(fault: Exception) -> None:
    answer = answered(lambda: refuse(fault))
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (429, "30")
    assert "secret" not in answer["body"]
    assert "Traceback" not in answer["body"]


def test_an_api_error_stays_what_it_is() -> None:
    error = Conflict("x")
    assert as_api_error(error) is error


def test_answers_are_json_with_the_digits_of_decimals() -> None:
    assert compact({"a": [1, None]}) == '{"a":[1,null]}'
    assert exact({"a": Decimal("1.10")}) == '{"a":1.10}'
    assert respond(201, {"a": Decimal("0.1")}, {"Link": "<x>"}, write=exact) == {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "Link": "<x>"},
        "body": '{"a":0.1}',
        "isBase64Encoded": False,
    }
    assert respond(200, "<html>", {"Content-Type": "text/html"})["headers"]["Content-Type"] == "text/html"
