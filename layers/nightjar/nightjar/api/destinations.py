"""Destinations: where alerts go."""

import re
from dataclasses import replace
from typing import Any

from uuid6 import uuid7

from nightjar import channels
from nightjar.api.edits import again
from nightjar.api.lists import listed
from nightjar.api.models.base import read
from nightjar.api.models.destinations import DestinationAnswer, DestinationBody, TestAnswer
from nightjar.api.requests import Call, Reply, valid_id
from nightjar.core.delivery import credentials
from nightjar.core.destinations import Destination, from_text
from nightjar.http import body
from nightjar.http.errors import BadRequest, NotFound, Unprocessable
from nightjar.pipeline.trial import send_test
from nightjar.storage import destinations, pages

_NAMED = re.compile(r"[a-z_.]+: ")


def list_destinations(call: Call) -> Reply:
    """List destinations, newest first."""

    def fetch(limit: int, cursor: str | None) -> tuple[list[Destination], str | None]:
        texts, following = pages.newest(call.store, "destination", limit, cursor)
        return [from_text(text) for text in texts], following

    return listed(call, fetch, show)


def create_destination(call: Call) -> Reply:
    """Make a destination."""
    raw = body.read(call.event)
    found = read(DestinationBody, raw, creating=True)
    assert found.channel  # noqa: S101  # required
    new = Destination(destination_id=str(uuid7()), channel=found.channel, created_at=call.now, updated_at=call.now)
    named = found.changes(raw, new, "")
    if named.get("policy_ids"):
        named.setdefault("scope", "policies")
    destination = replace(new, **named)
    _check(call, destination, destination.policy_ids)
    destinations.put_new(call.store, destination)
    return Reply(show(destination))


def get_destination(call: Call, destination_id: str) -> Reply:
    """Read one destination, its secrets masked."""
    return Reply(show(known(call, destination_id)))


def update_destination(call: Call, destination_id: str) -> Reply:
    """Change what the request names; what it does not name stays, secrets too."""
    raw = body.read(call.event)
    found = read(DestinationBody, raw)
    return Reply(show(again(lambda: _update(call, destination_id, found, raw))))


def delete_destination(call: Call, destination_id: str) -> Reply:
    """Delete a destination; what waits for it fails."""
    destination = known(call, destination_id)
    destinations.delete(call.store, destination.destination_id)
    return Reply(show(destination))


def test_destination(call: Call, destination_id: str) -> Reply:
    """Send a test message at once, and say whether it was sent or failed; its attempt is found under the answered alert_id."""
    destination = known(call, destination_id)
    attempt = send_test(call.store, destination, alert_id=str(uuid7()), now=call.now)
    answer = TestAnswer(alert_id=attempt.alert_id, destination_id=destination.destination_id, status=attempt.status)
    return Reply(answer.fields())


def known(call: Call, destination_id: str) -> Destination:
    """Read a destination that must be there.

    Raises:
        BadRequest: The id is no UUID.
        NotFound: There is no such destination.
    """
    destination = destinations.get(call.store, valid_id("destination_id", destination_id))
    if destination is None:
        raise NotFound("destination_id: there is no such destination")
    return destination


def show(destination: Destination) -> dict[str, Any]:
    """Return a destination as it is answered."""
    return DestinationAnswer.of(destination, _masked_url(destination)).fields()


def _update(call: Call, destination_id: str, found: DestinationBody, raw: Any) -> Destination:
    """Read, change and write a destination once."""
    before = known(call, destination_id)
    named = found.changes(raw, before, _masked_url(before))
    after = replace(before, **named, version=before.version + 1, updated_at=call.now)
    _check(call, after, set(after.policy_ids) - set(before.policy_ids))
    destinations.replace(call.store, after)
    return after


def _check(call: Call, destination: Destination, new_ids: Any) -> None:
    """Check what the channel demands, and that the policies exist.

    Raises:
        BadRequest: The configuration is wrong; the message names the field.
        Unprocessable: There is no policy with one of the ids.
    """
    problem = channels.problem(destination.channel, destination.url, credentials(destination))
    if problem:
        raise BadRequest(problem if _NAMED.match(problem) else f"url: {problem}")
    unknown = sorted(set(new_ids) - pages.known_policies(call.store, new_ids))
    if unknown:
        raise Unprocessable(f"policy_ids: there is no policy {unknown[0]}")


def _masked_url(destination: Destination) -> str:
    """Return the url as it is answered."""
    return channels.target(destination.channel, destination.url, credentials(destination)) if destination.url else ""
