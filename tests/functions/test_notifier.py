"""NotifierFunction: what it routes, sends, leaves, asks to have again; with the payloads of events/."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nightjar.channels import slack as channel
from nightjar.channels.transport import Unreachable
from nightjar.core import routing, wording
from nightjar.core.alerts import transition_from_text
from nightjar.core.delivery import tray_of
from nightjar.pipeline import route, telling
from nightjar.pipeline.trial import send_test
from nightjar.queues import Unheard, bell_of
from nightjar.storage import deliveries, rollups
from nightjar.storage.faults import StorageBusy

from functions.notifier import app
from tests.desk import Desk, alert, record, slack, texts, transition

EVENTS = Path(__file__).parent.parent.parent / "events"
OPENED = transition(alert())
ENDED = transition(alert(), "resolved", 2, clock="14:06")


@pytest.fixture
def handler(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Any:
    context = SimpleNamespace(
        function_name="n", memory_limit_in_mb=1, invoked_function_arn="arn:aws:lambda:x", aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000
    )
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    monkeypatch.setattr(app, "store", lambda: desk.store)
    monkeypatch.setattr(app, "bells", lambda: desk.queue)
    monkeypatch.setattr(app, "time", SimpleNamespace(time_ns=lambda: desk.now * 1_000, sleep=desk.slept.append))
    monkeypatch.setattr(channel, "post", desk.receivers)
    return lambda event: app.handler(event, context)


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_a_transition_of_the_stream_reaches_the_channel(desk: Desk, handler: Any) -> None:
    stream = event("stream-transitions")
    told = transition_from_text(stream["Records"][0]["dynamodb"]["NewImage"]["d"]["S"])
    desk.write(told)
    assert handler(stream) == {"batchItemFailures": []}
    (bell,) = desk.bells()
    assert json.loads(bell["body"]) == {"tray": tray_of(slack())}
    assert handler({"Records": [bell]}) == {"batchItemFailures": []}
    assert "🔴 Critical: Billing jobs fail" in texts(desk.receivers.bodies()[0])
    assert desk.slept == [1.0]


def test_a_bell_for_an_empty_tray_posts_nothing(desk: Desk, handler: Any) -> None:
    assert handler(event("sqs-bell")) == {"batchItemFailures": []}
    assert desk.receivers.posts == []


def test_a_bell_that_must_wait_is_hidden_and_reported(desk: Desk, handler: Any) -> None:
    desk.receivers.scripts[slack().url] = [503]
    desk.route(OPENED)
    (bell,) = desk.bells()
    assert handler({"Records": [bell]}) == {"batchItemFailures": [{"itemIdentifier": bell["messageId"]}]}
    assert desk.bells() == []


def test_an_ending_that_the_stream_brings_first_waits_for_its_opening(desk: Desk) -> None:
    desk.write(OPENED)
    desk.route(ENDED)
    desk.route_only([OPENED])
    desk.deliver_all()
    assert desk.statuses(OPENED.alert) == ["sent 200", "sent 200"]
    assert len(desk.receivers.posts) == 1


def test_a_batch_that_comes_again_writes_nothing_new_but_rings_again(desk: Desk) -> None:
    desk.route(OPENED)
    before = desk.store.db.scan(TableName=desk.store.tables.deliveries)["Items"]
    desk.queue.sqs.purge_queue(QueueUrl=desk.queue.url)
    desk.add(slack("made-since"))
    desk.route_only([OPENED])
    assert desk.store.db.scan(TableName=desk.store.tables.deliveries)["Items"] == before
    assert [bell_of(each).tray for each in desk.bells()] == [tray_of(slack())]


def test_acknowledging_and_archiving_are_not_told(desk: Desk) -> None:
    desk.route(transition(alert(), "acknowledged", 2), transition(alert(), "archived", 3))
    assert desk.bells() == []


def test_a_transition_that_cannot_be_read_or_routed_does_not_keep_the_others_from_being_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = record(transition(alert("p2")))
    broken["dynamodb"]["NewImage"]["d"]["S"] = "{}"
    real = routing.targets

    def targets(told: Any, *rest: Any) -> Any:
        if told.alert.policy_id == "p3":
            raise ZeroDivisionError
        return real(told, *rest)

    monkeypatch.setattr(route, "targets", targets)
    for each in (OPENED, transition(alert("p3"))):
        desk.write(each)
    route.route(desk.store, desk.queue, [broken, record(transition(alert("p3"))), record(OPENED)], token="t", now=desk.now)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert) == ["sent 200"]


def test_an_alert_that_cannot_be_put_into_words_does_not_stop_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = wording.notice

    def notice(told: Any, *given: Any, **named: Any) -> Any:
        if told[0].alert.policy_id == "p1":
            raise ZeroDivisionError
        return real(told, *given, **named)

    monkeypatch.setattr(telling, "notice", notice)
    other = transition(alert("p2"))
    desk.route(OPENED, other)
    desk.deliver_all()
    assert (desk.statuses(OPENED.alert), desk.statuses(other.alert)) == (["failed"], ["sent 200"])


def test_a_trend_that_cannot_be_read_is_left_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, **__: Any) -> Any:
        raise StorageBusy

    monkeypatch.setattr(rollups, "read", read)
    desk.route(OPENED)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert) == ["sent 200"]


def test_a_bell_that_the_queue_refuses_is_a_fault_so_that_the_batch_comes_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def send_message_batch(self, **_: Any) -> Any:
            return {"Failed": [{"Id": "0", "Code": "InternalError"}]}

    desk.write(OPENED)
    with pytest.raises(Unheard):
        route.route(desk.store, replace(desk.queue, sqs=Refusing()), [record(OPENED)], token="t", now=desk.now)  # type: ignore[arg-type]


@pytest.mark.parametrize(("answer", "expected"), [(200, "sent"), ((404, "no_service"), "failed"), (Unreachable, "failed"), ((429, ""), "failed")])
def test_the_test_of_a_destination_is_one_attempt_that_waits_for_nothing(desk: Desk, answer: Any, expected: str) -> None:
    desk.receivers.scripts[slack().url] = [answer]
    attempt = send_test(desk.store, desk.destination("d1"), alert_id="a-test", now=desk.now, post=desk.receivers)
    assert (attempt.status, attempt.kind) == (expected, "test")
    assert deliveries.deliveries(desk.store, "a-test", "test") == [attempt]
    assert deliveries.deliveries(desk.store, "a-test") == []
    assert len(desk.receivers.posts) == 1


def test_no_log_line_holds_a_secret(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.receivers.scripts[slack().url] = [(400, f"bad url {slack().url}"), 200]
    desk.route(OPENED)
    desk.deliver_all()
    desk.route(transition(alert("p2")))
    desk.deliver_all()
    assert "/services/T/B/d1" not in capsys.readouterr().out
    assert "/services/T/B/d1" not in repr(desk.attempts(OPENED.alert))


def test_a_cold_start_loads_no_pydantic_no_pynamodb_and_no_api() -> None:
    code = "import sys; sys.path[:0] = ['.', 'layers/nightjar']; import functions.notifier.app; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not {"pydantic", "pynamodb", "slack_sdk", "nightjar.api", "nightjar.channels.email", "ddsketch"} & loaded


def test_what_the_evaluator_uses_of_this_loads_no_channel() -> None:
    code = "import sys; sys.path[:0] = ['.', 'layers/nightjar']; import nightjar.pipeline.deliver, nightjar.pipeline.route; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not {name for name in loaded if name.startswith("nightjar.channels")}
