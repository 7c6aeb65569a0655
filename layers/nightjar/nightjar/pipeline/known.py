"""The events that this process has seen stored, so that a log of a known event costs no read."""

from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache

from nightjar.core.events import Event, Shards, new_event
from nightjar.core.instants import MINUTE
from nightjar.core.logs import Log
from nightjar.observability import logger
from nightjar.storage import events
from nightjar.storage.client import Store
from nightjar.storage.faults import is_fault
from nightjar.storage.patience import Patience, each

# A change of write shards is known 25 hours before it takes effect, 24 hours before the first log can lie in it.
REMEMBERED = 10 * MINUTE
CAPACITY = 20_000


class KnownEvents:
    """Write shards of events that are stored, in bounded memory."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, Shards]] = OrderedDict()

    def ensure(self, store: Store, logs: Iterable[Log], *, now: int, patience: Patience) -> dict[str, Shards]:
        """Store the events of some logs that are not there yet, and return the write shards of all of them by event_id.

        An event at which our own code fails is left out: its logs cannot be stored, those of the others can.

        Raises:
            StorageBusy: Not all are known in time; those that are stay known.
            ClientError, BotoCoreError: Another fault of storage.
        """
        found: dict[str, Shards] = {}
        new: dict[str, Log] = {}
        for log in logs:
            if log.event_id not in found and log.event_id not in new:
                known = self._known.get(log.event_id)
                if known and 0 <= now - known[0] < REMEMBERED:
                    found[log.event_id] = known[1]
                else:
                    new[log.event_id] = log

        for event in each(new.values(), lambda log: _stored(store, log, now, patience)):
            if event:
                found[event.event_id] = event.shards
                self._known[event.event_id] = (now, event.shards)
        for _ in range(len(self._known) - CAPACITY):
            self._known.popitem(last=False)
        return found


def _stored(store: Store, log: Log, now: int, patience: Patience) -> Event | None:
    patience.check()
    try:
        return events.get(store, log.event_id) or events.ensure(store, new_event(log.agent, log.event, now))
    except Exception as error:
        if is_fault(error):
            raise
        logger().error("an event cannot be read", extra={"event_id": log.event_id}, exc_info=error)
        return None


@lru_cache(maxsize=4)
def known_in(store: Store) -> KnownEvents:  # noqa: ARG001
    """Return this process's memory of a store's events."""
    return KnownEvents()
