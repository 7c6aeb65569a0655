"""What was given up for a destination: listed, and sent again."""

from uuid6 import uuid7

from nightjar.api.alerts import DELIVERIES, show_delivery
from nightjar.api.destinations import known
from nightjar.api.lists import listed
from nightjar.api.models.destinations import ResendAnswer
from nightjar.api.requests import Call, Reply
from nightjar.core.delivery import GivenUp
from nightjar.http.errors import Conflict
from nightjar.pipeline.resend import resend
from nightjar.storage import given_up


def list_given_up(call: Call, destination_id: str) -> Reply:
    """List what a destination was not told of, because it refused it or was down for a day: the last attempts, newest first."""
    destination = known(call, destination_id)

    def fetch(limit: int, cursor: str | None) -> tuple[list[GivenUp], str | None]:
        return given_up.newest(call.store, destination.destination_id, limit, cursor)

    return listed(call, fetch, lambda one: show_delivery(one.attempt), default=DELIVERIES)


def resend_given_up(call: Call, destination_id: str) -> Reply:
    """Send what was given up for a destination again, with the endings of alerts that are over by now."""
    destination = known(call, destination_id)
    if not destination.enabled:
        raise Conflict("enabled: the destination is disabled")
    found = resend(call.store, destination, token=f"resend/{uuid7()}", now=call.now)
    return Reply(ResendAnswer(destination_id=destination.destination_id, resent=found.count, more=found.more).fields())
