"""What counts as a fault of storage: something that goes away by itself, so that the client should try again. And what does not."""

from botocore.exceptions import BotoCoreError, ClientError

from nightjar.core.instants import HOUR, floor, iso
from nightjar.core.periods import Bin


class StorageBusy(Exception):
    """Storage did not take everything in time; what it took is found again by a retry."""


class Broken(Exception):
    """What is stored is not what this code writes, and trying again does not help: the message tells an operator what does."""


class Unreadable(Broken):
    """A bucket cannot be read: it was damaged, or a newer version wrote it.

    Args:
        event_id: Whose it is.
        bin: Which.
    """

    def __init__(self, event_id: str, bin: Bin) -> None:
        letter, start = bin
        mend = f"`nightjar recount --from {iso(floor(start, HOUR))}` makes it anew once its hour has been over for an hour"
        super().__init__(f"event_id: the {'hour' if letter == 'h' else 'minute'} {iso(start)} of {event_id} is stored in a way that cannot be read: {mend}")
        self.event_id = event_id
        self.bin = bin


# Why a transaction was cancelled that may be tried again once its rows were read again: a condition did not hold, or another
# transaction was on the same row.
OVERTAKEN = frozenset({"ConditionalCheckFailed", "TransactionConflict"})

# A missing table or a missing permission is among them on purpose: the operator mends it, and no client loses a log meanwhile.
FAULTS: tuple[type[Exception], ...] = (StorageBusy, BotoCoreError, ClientError)

# These say that our code asked for something wrong: they do not go away by themselves.
_OURS = frozenset({"ValidationException", "ParamValidationError", "SerializationException"})

# Worth another try within the same request.
THROTTLED = frozenset({
    "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError", "ServiceUnavailable",
})  # fmt: skip


def is_fault(error: Exception) -> bool:
    """Tell whether an exception is a fault of storage rather than of the code that spoke to it."""
    return isinstance(error, FAULTS) and code_of(error) not in _OURS


def code_of(error: Exception) -> str:
    """Return AWS's name of an error ("ProvisionedThroughputExceededException"), or that of its class."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "ClientError"))
    return type(error).__name__


def reasons_of(error: ClientError) -> list[str]:
    """Return for each write of a cancelled transaction "None" or why it could not be ("ConditionalCheckFailed"), in their order."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
