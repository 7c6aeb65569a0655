"""Mutes across policies: no messages for what matches, for a deploy or a maintenance."""

from functools import partial
from typing import Any

from uuid6 import uuid7

from nightjar.api.lists import listed
from nightjar.api.models.base import read
from nightjar.api.models.mutes import MuteAnswer, MuteBody
from nightjar.api.requests import Call, Reply, valid_id
from nightjar.core.mutes import Mute, from_text
from nightjar.http import body
from nightjar.http.errors import NotFound, Unprocessable
from nightjar.observability import count, logger
from nightjar.pipeline.release import release
from nightjar.storage import mutes, pages
from nightjar.storage.clock import read_clock


def list_mutes(call: Call) -> Reply:
    """List mutes, newest first; those that ended more than a month ago are gone."""

    def fetch(limit: int, cursor: str | None) -> tuple[list[Mute], str | None]:
        texts, following = pages.newest(call.store, "mute", limit, cursor)
        return [from_text(text) for text in texts], following

    return listed(call, fetch, partial(show, call))


def create_mute(call: Call) -> Reply:
    """Make a mute: messages for what matches all that it names wait for its end."""
    found = read(MuteBody, body.read(call.event), creating=True)
    assert found.until is not None  # noqa: S101  # required
    ids = None if found.policy_ids is None else tuple(dict.fromkeys(found.policy_ids))
    unknown = sorted(set(ids or ()) - pages.known_policies(call.store, ids or ()))
    if unknown:
        raise Unprocessable(f"policy_ids: there is no policy {unknown[0]}")
    mute = Mute(
        mute_id=str(uuid7()),
        agent=found.agent,
        event=found.event,
        policy_ids=ids,
        until=found.until,
        reason=found.reason or "",
        created_at=call.now,
    )
    mutes.put_new(call.store, mute)
    return Reply(show(call, mute))


def delete_mute(call: Call, mute_id: str) -> Reply:
    """Delete a mute: it ends at once, and what it held is sent."""
    mute = mutes.get(call.store, valid_id("mute_id", mute_id))
    if mute is None:
        raise NotFound("mute_id: there is no such mute")
    mutes.delete(call.store, mute.mute_id)
    _release(call, mute)
    return Reply(show(call, mute))


def show(call: Call, mute: Mute) -> dict[str, Any]:
    """Return a mute as it is answered."""
    return MuteAnswer.of(mute, call.now).fields()


def _release(call: Call, mute: Mute) -> None:
    """Send what the mute held. What is deleted is deleted: where this fails, the next tick does it."""
    try:
        if clock := read_clock(call.store):
            release(call.store, clock=clock.tick, now=call.now, token=f"mute/{mute.mute_id}")
    except Exception:  # noqa: BLE001  # whatever it is, the next tick does it again
        logger().exception("what a mute held is left to the next tick")
        count("ReleasesLeftToTicks")
