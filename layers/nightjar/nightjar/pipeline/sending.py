"""One message to one receiver: what deliver and the test of a destination have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightjar.core.delivery import Outcome
from nightjar.core.destinations import Channel as ChannelName
from nightjar.core.destinations import Destination

if TYPE_CHECKING:
    from nightjar.channels import Channel, Message
    from nightjar.channels.transport import Answer, Request

# The channels are imported on first use: the evaluator imports this module to ring, and never sends.
Post = Callable[["Request"], "Answer"]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A place that messages are posted to; several destinations may share one. Holds secrets: log its name and target only."""

    name: ChannelName
    url: str
    secrets: tuple[tuple[str, str], ...]

    @property
    def channel(self) -> "Channel":
        """The module that speaks to it."""
        from nightjar.channels import of

        return of(self.name)

    @property
    def target(self) -> str:
        """Its name without secrets."""
        return self.channel.mask(self.url, dict(self.secrets))


def receiver_of(destination: Destination) -> Receiver:
    """Return where a destination's messages go."""
    return Receiver(destination.channel, destination.url, destination.credentials)


def post_to(receiver: Receiver, message: "Message", *, delivery_id: str, now: int, post: Post | None = None) -> Outcome:
    """Post a message.

    Args:
        receiver: Where to.
        message: What.
        delivery_id: Names the message, the same in every attempt.
        now: Wall time (µs).
        post: Makes the POST; the channel's own if not given.
    """
    return send_to(receiver, request_for(receiver, message, delivery_id=delivery_id, now=now), now=now, post=post)


def request_for(receiver: Receiver, message: "Message", *, delivery_id: str, now: int) -> "Request":
    """Make the POST of a message that `delivery_id` names in every attempt, now (µs, wall time)."""
    return receiver.channel.request(message, receiver.url, dict(receiver.secrets), delivery_id=delivery_id, now=now)


def send_to(receiver: Receiver, request: "Request", *, now: int, post: Post | None = None) -> Outcome:
    """Make a POST, at `now` (µs, wall time), the channel's own way if no other is given, and say what came of it."""
    from nightjar.channels import send

    return send(receiver.channel, request, (receiver.url, *dict(receiver.secrets).values()), now, post)
