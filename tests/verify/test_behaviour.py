"""scripts/verify against the whole product in `nightjar dev`'s runner: each check passes, and fails when something is put wrong."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from local.cloud import failure
from local.lambda_ import Answer as Invoked
from local.runner import Runner
from local.sources import apigateway
from local.wire import Response
from scripts.verify import answers, minutes, way
from scripts.verify.account import Account, Answer, Api, Failed, NotShown, Visit
from tests.verify.running import Ticks

THROTTLED = failure("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "slower")


class Spoilt(Api):
    """The API, but for some answers."""

    instead: dict[tuple[str, str], Answer]

    def __call__(self, method: str, path: str, *given: Any, **named: Any) -> Answer:
        found = self.instead.get((method, path.partition("?")[0]))
        return found or Api.__call__(self, method, path, *given, **named)


@pytest.fixture
def spoil(visit: Visit) -> Callable[..., None]:
    def spoil(method: str, path: str, status: int, text: str = "{}", **headers: str) -> None:
        spoilt = Spoilt(visit.api.url, visit.api.key)
        spoilt.instead = {(method, path): Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, text)}
        visit.api = spoilt

    return spoil


def left(visit: Visit) -> list[str]:
    """What scripts/verify made and did not delete."""
    rows = [each for noun in ("policies", "destinations", "mutes") for each in visit.api.made("GET", f"/v1.0/{noun}")]
    return [str(each) for each in rows if "verify" in str(each)]


@pytest.mark.parametrize("each", [answers.contract, way.counted, way.told])
def test_a_check_passes_and_leaves_nothing(visit: Visit, each: Callable[[Visit], str]) -> None:
    assert each(visit)
    assert visit.clean() == []
    assert left(visit) == []


def test_a_mute_is_seen_to_hold_back_and_to_let_go(visit: Visit, runner: Runner) -> None:
    visit.pause = Ticks(runner, 1)
    assert "held back" in way.muted(visit)
    assert visit.clean() == []
    assert left(visit) == []


def test_a_status_that_is_not_the_contract_s_is_found(visit: Visit, spoil: Callable[..., None]) -> None:
    spoil("GET", "/v1.0/nothing-here", 403, '{"message":"Missing Authentication Token"}')
    with pytest.raises(Failed, match="not 404"):
        answers.contract(visit)


def test_a_body_that_is_not_the_contract_s_is_found(visit: Visit, spoil: Callable[..., None]) -> None:
    spoil("GET", "/v1.0/nothing-here", 404, '{"message":"Missing Authentication Token"}')
    with pytest.raises(Failed, match="404, ''"):
        answers.contract(visit)


def test_logs_that_are_not_counted_are_found(visit: Visit, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "_COUNTED", 2)
    visit.pause = time.sleep
    pool = runner.pools["RollupFunction"]
    monkeypatch.setattr(pool, "invoke", lambda _event: Invoked(b'{"errorMessage":"x"}', "Unhandled"))
    with pytest.raises(Failed, match="not counted"):
        way.counted(visit)


class Forgetful(Api):
    """A client that gives a log no id, so that each try is another log."""

    def __call__(self, method: str, path: str, body: Any = None, **named: Any) -> Answer:
        logs = path == "/v1.0/logs" and body
        return Api.__call__(self, method, path, [{**each, "log_id": None} for each in body] if logs else body, **named)


def test_a_log_that_is_counted_twice_is_found(visit: Visit) -> None:
    visit.api = Forgetful(visit.api.url, visit.api.key)
    with pytest.raises(Failed, match="are 6 of together 14"):
        way.counted(visit)


def test_a_delivery_that_fails_is_found(visit: Visit) -> None:
    visit.destination = f"{visit.destination}?status=404&body=no_service"
    with pytest.raises(Failed, match="a delivery failed"):
        way.told(visit)


def test_a_mute_that_does_not_hold_is_found(visit: Visit, runner: Runner, spoil: Callable[..., None]) -> None:
    visit.pause = Ticks(runner, 1)
    spoil("POST", "/v1.0/mutes", 201, '{"mute_id": "01a21f15-c8b9-7174-ad5f-5656d25920c7"}')
    with pytest.raises(Failed, match="in spite of the mute"):
        way.muted(visit)


def test_without_a_destination_nobody_is_written_to(visit: Visit) -> None:
    visit.destination = None
    for each in (way.told, way.muted):
        with pytest.raises(NotShown, match="--destination-url"):
            each(visit)


@pytest.mark.parametrize(("every", "says"), [(2, r"\[2\] minutes after"), (0, "stayed at")])
def test_a_schedule_that_skips_or_stands_still_is_found(visit: Visit, runner: Runner, every: int, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minutes, "_PATIENCE", 5 if every else 0)
    visit.pause = Ticks(runner, every)
    with pytest.raises(Failed, match=says):
        minutes.clock(visit)


def test_ticks_a_minute_apart_pass(visit: Visit, runner: Runner) -> None:
    visit.pause = Ticks(runner, 1)
    assert "a minute apart" in minutes.clock(visit)


def test_storage_that_throttles_is_a_429_until_it_does_not(visit: Visit, runner: Runner) -> None:
    refused = iter([*[True] * 40, *[False] * 10_000])
    visit.load = 300
    runner.endpoint.fault = lambda _caller, _service, operation, _body: THROTTLED if operation == "BatchWriteItem" and next(refused) else None
    try:
        told = way.throttling(visit)
    finally:
        runner.endpoint.fault = None
    assert "each counted once" in told


def test_an_overload_that_is_a_503_is_found(visit: Visit, spoil: Callable[..., None]) -> None:
    visit.load = 10
    spoil("POST", "/v1.0/logs", 503)
    with pytest.raises(Failed, match="answered status 503"):
        way.throttling(visit)


class Stopper:
    """Lambda's own API, as far as it stops a function of the runner."""

    def __init__(self, runner: Runner) -> None:
        self.pools = runner.pools
        self.stopped: dict[str, Any] = {}
        self.forgets = False

    def get_function_concurrency(self, **_: Any) -> dict[str, Any]:
        return {}

    def put_function_concurrency(self, FunctionName: str, ReservedConcurrentExecutions: int) -> None:  # noqa: ARG002, N803
        self._stop(FunctionName)

    def delete_function_concurrency(self, FunctionName: str) -> None:  # noqa: N803
        self._start(FunctionName)

    def get_function_configuration(self, **_: Any) -> dict[str, Any]:
        return {"Handler": "app.handler"}

    def update_function_configuration(self, FunctionName: str, Handler: str) -> None:  # noqa: N803
        (self._start if Handler == "app.handler" else self._stop)(FunctionName)

    def get_waiter(self, _name: str) -> Any:
        return self

    def wait(self, **_: Any) -> None:
        return

    def _stop(self, name: str) -> None:
        self.stopped[name] = self.pools[name].invoke
        self.pools[name].invoke = lambda _event: Invoked(b"{}", "Unhandled")  # type: ignore[method-assign]

    def _start(self, name: str) -> None:
        if name in self.stopped:
            self.pools[name].invoke = self.stopped.pop(name)  # type: ignore[method-assign]


@pytest.fixture
def stopper(visit: Visit, runner: Runner) -> Stopper:
    made = Stopper(runner)
    visit.disturb = True
    visit.account = Account(lambda _service: made, {name: name for name in runner.pools})
    return made


@pytest.mark.parametrize("each", [answers.throttled, answers.crashing])
def test_a_stopped_function_is_seen_as_a_429_and_runs_again(visit: Visit, stopper: Stopper, each: Callable[[Visit], str]) -> None:
    assert "two functions" in each(visit)
    assert stopper.stopped == {}


def test_a_gateway_that_lets_a_502_out_is_found_and_the_function_runs_again(visit: Visit, stopper: Stopper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apigateway, "own", lambda *_: Response(502, {}, b'{"message":"Internal server error"}'))
    with pytest.raises(Failed, match="ApiFunction, throttled: status 502"):
        answers.throttled(visit)
    visit.clean()
    assert stopper.stopped == {}


def test_functions_are_stopped_only_when_that_is_asked_for(visit: Visit) -> None:
    for each in (answers.throttled, answers.crashing):
        with pytest.raises(NotShown, match="--disturb"):
            each(visit)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(429, {"Retry-After": "2"}, '{"error":{"code":"TOO_MANY_REQUESTS"}}'), None),
        (Answer(429, {}, '{"error":{"code":"TOO_MANY_REQUESTS"}}'), "Retry-After ''"),
        (Answer(429, {"Retry-After": "0.5"}, '{"error":{"code":"TOO_MANY_REQUESTS"}}'), "Retry-After '0.5'"),
        (Answer(429, {"Retry-After": "2"}, '{"message":"Too Many Requests"}'), 'body {"message":"Too Many Requests"}'),
        (Answer(502, {"Retry-After": "2"}, "{}"), "status 502 {}"),
    ],
)
def test_a_429_of_ours_is_one_that_the_sdks_understand(answer: Answer, problem: str | None) -> None:
    assert answers.busy(answer) == problem
