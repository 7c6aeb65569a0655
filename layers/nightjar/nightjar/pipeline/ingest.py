"""Logs in: read each → events appear → times → store all → say what was rejected."""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nightjar.core.keys import Key
from nightjar.core.logs import Code, Log, Rejection, new_log_id, parse_log
from nightjar.core.sources import raw_key
from nightjar.observability import count, logger
from nightjar.pipeline.known import known_in
from nightjar.storage import batches
from nightjar.storage.client import Store
from nightjar.storage.logs import item
from nightjar.storage.patience import Patience
from nightjar.storage.receipts import first_receipts

# An answer may have 6 MB at most; a body of 4 MiB can hold a million wrong logs.
LISTED = 10_000

_RANDOM_BITS = 74


@dataclass(slots=True)
class Outcome:
    """What became of a request's logs.

    Attributes:
        accepted: How many are durably stored (repetitions within the request included).
        rejected: Why others were not, the first 10,000 of them.
        reasons: How often each reason was given, without indexes and values.
    """

    accepted: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def reject(self, rejection: Rejection) -> None:
        """Note a log that is not taken."""
        if len(self.rejected) < LISTED:
            self.rejected.append(rejection)
        self.reasons[rejection.message.partition("]")[2].lstrip(".: ")] += 1

    def fail(self, index: int, error: Exception | None) -> None:
        """Note a log at which our own code failed: the client could send it for ever, so it is refused for good."""
        logger().error("a log was rejected because our code failed at it", extra={"index": index}, exc_info=error)
        count("InternalRejections")
        self.reject(Rejection(index, "INTERNAL", f"logs[{index}]: could not be stored, and sending it again will not help"))


def ingest(store: Store, raws: Sequence[Any], key: Key, *, now: int, ttl_days: int, patience: Patience) -> Outcome:
    """Store the valid logs of one request.

    Args:
        store: The tables.
        raws: The request's logs as `http.body.read` gives them.
        key: Whose request it is.
        now: The instant of its receipt in µs.
        ttl_days: Days that a raw log lives after its time.
        patience: Until when everything must be stored.

    Returns:
        How many were stored, and why the others were not.

    Raises:
        StorageBusy: Not all valid logs are stored; those that are will be found again.
        ClientError, BotoCoreError: Another fault of storage.

    Rule: API.md, Logs; ENGINE.md, Logs.
    """
    outcome = Outcome()
    logs = dict(_read(raws, key, now, outcome))
    shards = known_in(store).ensure(store, logs.values(), now=now, patience=patience)
    untimed = [(log.event_id, log.log_id) for log in logs.values() if log.at is None and log.log_id]
    times = first_receipts(store, untimed, now=now, ttl_days=ttl_days, patience=patience) if untimed else {}
    items: dict[batches.Place, batches.Item] = {}
    places: dict[int, batches.Place] = {}
    for index, log in logs.items():
        try:
            log_id = log.log_id or new_log_id(now, secrets.randbits(_RANDOM_BITS))
            at = log.at if log.at is not None else times.get((log.event_id, log_id), now)
            place = raw_key(log.event_id, shards[log.event_id], at, log_id)
            items[place] = item(place, log.value, log.meta, at, ttl_days)
            places[index] = place
        except Exception as error:  # noqa: BLE001
            outcome.fail(index, error)
    malformed = set(batches.write(store, items, patience))
    for index, place in places.items():
        if place in malformed:
            outcome.fail(index, None)
        else:
            outcome.accepted += 1
    _tell(outcome, key)
    return outcome


def _read(raws: Sequence[Any], key: Key, now: int, outcome: Outcome) -> Iterator[tuple[int, Log]]:
    """Yield the valid logs with their indexes."""
    for index, raw in enumerate(raws):
        try:
            log = parse_log(raw, index=index, now=now)
        except Exception as error:  # noqa: BLE001
            outcome.fail(index, error)
            continue
        if isinstance(log, Rejection):
            outcome.reject(log)
        elif not key.may_write(log.agent):
            outcome.reject(Rejection(index, _FORBIDDEN, f"logs[{index}].agent: this key may only write agents that begin with {key.agent_prefix}"))
        else:
            yield index, log


_FORBIDDEN: Code = "FORBIDDEN"


def _tell(outcome: Outcome, key: Key) -> None:
    """Count and log what was rejected, since the SDKs show it to nobody."""
    count("AcceptedLogs", outcome.accepted)
    if outcome.reasons:
        count("RejectedLogs", outcome.reasons.total())
        told = {"rejected": outcome.reasons.total(), "reasons": dict(outcome.reasons), "first": outcome.rejected[0].message}
        logger().warning("logs rejected", extra={**told, "key_name": key.name, "key_hash": key.key_hash[:8]})
