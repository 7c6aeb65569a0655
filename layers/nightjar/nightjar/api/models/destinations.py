"""Destinations as clients write and read them. Secrets are write-only."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from nightjar.api.models.base import Answer, Body, cleared
from nightjar.api.models.fields import Id, Instant, Long, Short, Uuid, When
from nightjar.api.models.hours import HoursAnswer, HoursBody
from nightjar.core.destinations import Channel, Destination
from nightjar.core.instants import iso
from nightjar.core.policies import Severity

# The parts of credentials that say where to and give nobody access.
_OPEN = frozenset({"chat_id"})
HIDDEN = "********"


class DestinationBody(Body):
    """A destination to make or to change. `url` and `credentials` are kept where a change does not name them."""

    required: ClassVar[tuple[str, ...]] = ("channel",)
    clearable: ClassVar[frozenset[str]] = frozenset({"active_hours", "mute_until"})

    channel: Channel | None = None
    url: Long | None = Field(None, description="A webhook of Slack or Discord, any public https URL, or an e-mail address. Masked in answers.")
    credentials: dict[str, Long | None] | None = Field(None, max_length=10, description="An empty text takes one away; masked values are kept.")
    scope: Literal["all", "policies"] | None = Field(None, description="Every alert, or those of `policy_ids`; default all.")
    policy_ids: list[Id] | None = Field(None, max_length=1_000)
    enabled: bool | None = Field(None, description="Default true.")
    name: Short | None = None
    min_severity: Severity | None = Field(None, description="Only alerts as severe as this; default info.")
    active_hours: HoursBody | None = Field(None, description="When messages may be sent; what comes at other times waits.")
    mute_until: Instant | None = Field(None, description="No messages before this instant; they wait.")

    def changes(self, raw: Any, before: Destination, masked_url: str) -> dict[str, Any]:
        """Return the fields of `core.destinations.Destination` that the request sets.

        Args:
            raw: The body that this was read from: an empty text takes a clearable setting away.
            before: The destination as it is.
            masked_url: How its url is answered: sent back like that, it stays.
        """
        found = {**self.named(), **cleared(type(self), raw)}
        if self.active_hours:
            found["active_hours"] = self.active_hours.value()
        if "policy_ids" in found:
            found["policy_ids"] = tuple(dict.fromkeys(found["policy_ids"]))
        if "url" in found and before.url and found["url"] == masked_url:
            del found["url"]
        if self.credentials is not None:
            found["credentials"] = _merged(before.credentials, self.credentials)
        return found


def _merged(before: tuple[tuple[str, str], ...], named: dict[str, str | None]) -> tuple[tuple[str, str], ...]:
    """Return credentials with what a request names; a masked or absent value stays as it is."""
    known = dict(before)
    for name, value in named.items():
        if value is not None and not (value == HIDDEN and name in known):
            known[name] = value
    return tuple(sorted((name, value) for name, value in known.items() if value))


class DestinationAnswer(Answer):
    """One destination. `url` is masked, and so are tokens."""

    destination_id: Uuid
    channel: str
    url: str
    credentials: dict[str, str]
    scope: str
    policy_ids: list[str]
    enabled: bool
    name: str
    min_severity: str
    active_hours: HoursAnswer | None
    mute_until: When | None
    created_at: When
    updated_at: When
    last_delivered_at: When | None
    last_error: str

    @classmethod
    def of(cls, destination: Destination, masked_url: str) -> Self:
        """Show a destination."""
        shown: dict[str, Any] = {name: getattr(destination, name) for name in cls.model_fields}
        for name in ("created_at", "updated_at", "last_delivered_at", "mute_until"):
            shown[name] = None if shown[name] is None else iso(shown[name])
        shown["url"] = masked_url
        shown["active_hours"] = HoursAnswer.of(destination.active_hours)
        shown["credentials"] = {name: value if name in _OPEN else HIDDEN for name, value in destination.credentials}
        shown["policy_ids"] = list(destination.policy_ids)
        return cls(**shown)


class TestAnswer(Answer):
    """What a test came to; its attempt is found under the deliveries of this alert_id."""

    __test__: ClassVar[bool] = False

    alert_id: Uuid
    destination_id: Uuid
    status: str


class ResendAnswer(Answer):
    """What came of sending again: how much of what was given up waits now, and whether some is left to ask for."""

    destination_id: Uuid
    resent: int
    more: bool
