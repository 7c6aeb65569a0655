"""What lies in trays: what is told together, paced, skipped, given up, rung for and routed again."""

from typing import Any

import pytest
from nightjar.channels.transport import Unreachable
from nightjar.core.delivery import tray_of
from nightjar.core.instants import HOUR, MINUTE
from nightjar.pipeline import deliver
from nightjar.pipeline.ring_again import ring_again
from nightjar.pipeline.route import route_again
from nightjar.queues import bell_of
from nightjar.storage import deliveries, destinations, trays

from tests.builders import at
from tests.desk import Desk, alert, slack, texts, transition

OPENED = transition(alert())
ENDED = transition(alert(), "resolved", 2, clock="14:06")


def test_opening_and_ending_that_wait_together_are_one_post_with_two_records(desk: Desk) -> None:
    desk.route(ENDED, OPENED)
    desk.deliver_all()
    assert [text for text in texts(desk.receivers.bodies()) if "Over: " in text]
    assert len(desk.receivers.posts) == 1
    assert desk.statuses(OPENED.alert) == ["sent 200", "sent 200"]


def test_a_destination_disabled_in_between_gets_nothing_and_the_ending_is_recorded_as_skipped(desk: Desk) -> None:
    desk.route(OPENED)
    desk.deliver_all()
    desk.change("d1", enabled=False)
    desk.route(ENDED)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 1
    assert [(each.status, each.error_message) for each in desk.attempts(OPENED.alert)] == [("sent", None), ("skipped", "the destination was disabled")]


def test_deleting_a_destination_fails_what_waits_for_it_with_that_reason(desk: Desk) -> None:
    desk.route(OPENED)
    destinations.delete(desk.store, "d1")
    desk.deliver_all()
    assert desk.receivers.posts == []
    assert [(each.status, each.error_message) for each in desk.attempts(OPENED.alert)] == [("failed", "the destination was deleted")]


def test_what_became_of_a_deleted_destinations_deliveries_shows_where_they_were_to_go() -> None:
    desk = Desk()
    desk.add(slack("d1", channel="discord", url="https://discord.com/api/webhooks/1/abc"))
    desk.route(OPENED)
    desk.deliver_all()
    desk.route(transition(alert("p2")))
    destinations.delete(desk.store, "d1")
    desk.route(ENDED)
    desk.deliver_all()
    found = [*desk.attempts(OPENED.alert), *desk.attempts(alert("p2"))]
    assert [each.status for each in found] == ["sent", "skipped", "failed"]
    assert {(each.channel, each.target) for each in found} == {("discord", "https://discord.com/…")}


def test_what_waits_for_a_destination_that_was_disabled_is_skipped(desk: Desk) -> None:
    desk.route(OPENED)
    desk.change("d1", enabled=False)
    desk.deliver_all()
    assert [(each.status, each.error_message) for each in desk.attempts(OPENED.alert)] == [("skipped", "the destination is disabled")]


def test_an_ending_follows_an_opening_that_still_waits_and_never_one_that_failed(desk: Desk) -> None:
    desk.receivers.scripts[slack().url] = [500, (404, "no_service"), 200]
    desk.route(OPENED)
    assert not desk.deliver(tray_of(slack()))
    desk.route(transition(alert("p2")))
    desk.now += MINUTE
    assert desk.deliver(tray_of(slack()))
    desk.route(ENDED)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 2
    assert desk.statuses(OPENED.alert) == ["failed 500", "failed 404"]


def test_a_webhook_changed_since_gets_what_waits_under_the_old_one(desk: Desk) -> None:
    desk.route(OPENED)
    desk.change("d1", url=slack("other").url)
    desk.deliver_all()
    assert [request.url for request in desk.receivers.posts] == [slack("other").url]
    assert desk.statuses(OPENED.alert) == ["sent 200"]


def test_two_destinations_of_one_webhook_are_told_in_one_post_with_a_record_each(desk: Desk) -> None:
    desk.add(slack("d2", url=slack().url))
    desk.route(OPENED)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 1
    assert (desk.statuses(OPENED.alert, "d1"), desk.statuses(OPENED.alert, "d2")) == (["sent 200"], ["sent 200"])


def test_what_is_down_for_a_day_is_given_up_and_said_so(desk: Desk) -> None:
    desk.receivers.scripts[slack().url] = [Unreachable]
    desk.route(OPENED)
    for hours, done in ((0, False), (23, False), (2, False)):
        desk.now += hours * HOUR
        assert desk.deliver(tray_of(slack())) is done
    desk.receivers.scripts[slack().url] = [200]
    assert desk.deliver(tray_of(slack()))
    assert len(desk.receivers.posts) == 3
    assert desk.statuses(OPENED.alert) == ["failed", "failed", "failed"]
    assert desk.destination("d1").last_error == "the receiver closes the connection"


def test_success_is_noted_on_the_destination_and_an_older_error_stays_readable(desk: Desk) -> None:
    desk.receivers.scripts[slack().url] = [(410, "channel_is_archived"), 200]
    desk.route(OPENED, transition(alert("p2")))
    desk.deliver_all()
    desk.route(transition(alert("p3")))
    desk.deliver_all()
    found = desk.destination("d1")
    assert found.last_error == "410 channel_is_archived"
    assert found.last_delivered_at is not None


def test_more_than_a_message_holds_is_paced_a_second_a_post(desk: Desk) -> None:
    desk.route(*(transition(alert(f"p{number}")) for number in range(50)))
    desk.deliver_all()
    assert [len(body["blocks"]) - 1 for body in desk.receivers.bodies()] == [45, 5]
    assert desk.slept == [1.0, 1.0]


def test_endings_behind_more_openings_than_one_look_tells_are_told_with_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "_MOST_ALERTS", 2)
    opened = [transition(alert(f"p{number}")) for number in range(5)]
    desk.route(*opened)
    desk.route(*(transition(each.alert, "resolved", 2, clock="14:05") for each in opened))
    desk.deliver_all()
    labels = [text for body in desk.receivers.bodies() for text in texts(body["blocks"]) if "job.run: count" in text]
    assert labels == ["✅ Over: job.run: count above 20"] * 5
    assert [each.status for one in opened for each in desk.attempts(one.alert)] == ["sent"] * 10


def test_when_time_runs_out_a_new_bell_is_rung_for_the_rest(desk: Desk) -> None:
    desk.route(*(transition(alert(f"p{number}")) for number in range(50)))
    desk.queue.sqs.purge_queue(QueueUrl=desk.queue.url)
    desk.receivers.on_post = lambda _: setattr(desk, "seconds_left", 5.0)
    assert desk.deliver(tray_of(slack()))
    assert len(desk.receivers.posts) == 1
    assert [bell_of(each).tray for each in desk.bells()] == [tray_of(slack())]
    desk.seconds_left = 30.0
    desk.receivers.on_post = lambda _: None
    desk.deliver_all()
    assert trays.read_tray(desk.store, tray_of(slack()), 10) == []


def test_what_is_put_into_a_tray_while_it_is_served_is_sent_too(desk: Desk) -> None:
    later = transition(alert("p2", title="later"))

    def put(_: object) -> None:
        desk.receivers.on_post = lambda _: None
        desk.route(later)

    desk.receivers.on_post = put
    desk.route(OPENED)
    assert desk.deliver(tray_of(slack()))
    assert len(desk.receivers.posts) == 2


def test_what_is_put_in_just_before_a_tray_is_forgotten_is_found(desk: Desk) -> None:
    desk.route(OPENED)
    seen: list[str] = []

    def before(_: str, operation: str, __: bytes) -> None:
        if operation == "DeleteItem" and not seen:
            seen.append(operation)
            desk.route(transition(alert("p2")))

    desk.cloud.before = before
    assert desk.deliver(tray_of(slack()))
    assert len(desk.receivers.posts) == 2


def test_a_tick_rings_for_trays_older_than_two_minutes(desk: Desk) -> None:
    desk.route(OPENED)
    desk.queue.sqs.purge_queue(QueueUrl=desk.queue.url)
    ring_again(desk.store, desk.queue, now=desk.now + 2 * MINUTE - 1)
    assert desk.bells() == []
    ring_again(desk.store, desk.queue, now=desk.now + 2 * MINUTE)
    desk.deliver_all()
    assert len(desk.receivers.posts) == 1
    ring_again(desk.store, desk.queue, now=desk.now + 10 * MINUTE)
    assert desk.bells() == []


def test_an_alert_that_reached_nobody_is_told_to_a_destination_made_later() -> None:
    desk = Desk()
    desk.route(OPENED)
    assert deliveries.unrouted(desk.store, OPENED.alert.alert_id) == ("p1", 1)
    again: Any = {"clock": at("14:04"), "now": desk.now, "queue": desk.queue}
    route_again(desk.store, [OPENED.alert.alert_id], **again)
    assert desk.bells() == []
    desk.add(slack("late"))
    route_again(desk.store, [OPENED.alert.alert_id, "unknown"], **again)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert, "late") == ["sent 200"]
    desk.add(slack("later"))
    route_again(desk.store, [OPENED.alert.alert_id], **again)
    assert desk.bells() == []
    desk.route(ENDED)
    desk.deliver_all()
    assert desk.statuses(OPENED.alert) == ["sent 200", "sent 200"]


def test_an_alert_that_failed_everywhere_reached_nobody(desk: Desk) -> None:
    desk.receivers.scripts[slack().url] = [404]
    desk.route(OPENED)
    desk.deliver_all()
    desk.add(slack("new"))
    route_again(desk.store, [OPENED.alert.alert_id], clock=at("14:04"), now=desk.now, queue=desk.queue)
    desk.deliver_all()
    assert (desk.statuses(OPENED.alert, "d1"), desk.statuses(OPENED.alert, "new")) == (["failed 404"], ["sent 200"])


def test_an_alert_that_is_over_is_not_routed_again() -> None:
    desk = Desk()
    desk.route(OPENED)
    desk.route(ENDED)
    desk.add(slack("late"))
    route_again(desk.store, [OPENED.alert.alert_id], clock=at("14:07"), now=desk.now, queue=desk.queue)
    assert desk.bells() == []
    assert deliveries.unrouted(desk.store, OPENED.alert.alert_id) is None
