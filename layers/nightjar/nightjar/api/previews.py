"""What a policy would have raised over a past range. Nothing is stored, not even the event that it may name."""

from dataclasses import replace
from typing import Any

from nightjar.api import rules
from nightjar.api.lists import MOST
from nightjar.api.models.base import read
from nightjar.api.models.policies import PolicyBody
from nightjar.api.models.previews import OutcomesAnswer, PreviewAnswer, PreviewBody, RaisedAnswer
from nightjar.api.policies import drafted, event_of
from nightjar.api.requests import Call, Reply
from nightjar.core.instants import iso
from nightjar.core.policies import Policy
from nightjar.core.preview import Preview, TooLong
from nightjar.http import body
from nightjar.http.errors import BadRequest
from nightjar.pipeline.kept import TooFarBack
from nightjar.pipeline.preview import preview


def preview_policy(call: Call) -> Reply:
    """Say what a policy would have raised over a past range, without storing anything."""
    raw = body.read(call.event)
    found = read(PreviewBody, raw, creating=True)
    start, end = _range(call, found)
    policy = _policy(call, raw, start) if found.policy is None else _policy(call, raw["policy"], start, within="policy.")
    try:
        return Reply(_shown(policy, start, end, preview(call.store, policy, start, end, now=call.now)))
    except (TooLong, TooFarBack) as error:
        raise BadRequest(f"from: {error}") from None


def _range(call: Call, found: PreviewBody) -> tuple[int, int]:
    """Return the range, which ends now at the latest.

    Raises:
        BadRequest: It is none, or does not lie in the past.
    """
    assert found.start is not None  # noqa: S101  # it is required
    end = call.now if found.to is None else min(found.to, call.now)
    if found.start >= call.now:
        raise BadRequest("from: must lie in the past")
    if found.start >= end:
        raise BadRequest("to: must lie after from")
    return found.start, end


def _policy(call: Call, raw: Any, start: int, within: str = "") -> Policy:
    """Make the policy that would have been active from the start of the range (µs)."""
    found = read(PolicyBody, raw, creating=True, within=within)
    named = {name: value for name, value in found.changes(raw).items() if name not in {"active_from", "enabled"}}
    return replace(drafted(call, found, named, event_of(call, found, None)), active_from=start)


def _shown(policy: Policy, start: int, end: int, found: Preview) -> dict[str, Any]:
    raised = list(found.alerts.values())
    return PreviewAnswer(
        **{"from": iso(start)},
        to=iso(end),
        periods=OutcomesAnswer(**{name: found.outcomes[name] for name in OutcomesAnswer.model_fields}),  # type: ignore[index]
        total=len(raised),
        alerts=[RaisedAnswer.of(alert) for alert in reversed(raised[-MOST:])],
        warnings=rules.warnings(policy),
    ).fields()
