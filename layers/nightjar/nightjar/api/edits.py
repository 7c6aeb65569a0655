"""Reading, changing and writing again for as long as others write the same rows."""

from collections.abc import Callable
from typing import TypeVar

from nightjar.storage.config import Stale
from nightjar.storage.faults import StorageBusy

_TRIES = 8

Result = TypeVar("Result")


def again(edit: Callable[[], Result]) -> Result:
    """Do an edit (read, change, write) until nobody else wrote in between.

    Args:
        edit: Reads anew each time it is called.

    Raises:
        StorageBusy: Others kept writing; the client is asked to come again.
    """
    for _ in range(_TRIES):
        try:
            return edit()
        except Stale:
            continue
    raise StorageBusy("others keep writing the same rows")
