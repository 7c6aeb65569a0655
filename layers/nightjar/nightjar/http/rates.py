"""How often one key may ask: a bucket of tokens for each key, in this process's memory."""

from collections import OrderedDict
from math import ceil
from threading import Lock

from nightjar.core.instants import SECOND

# How many seconds' worth of requests may come at once.
BURST_SECONDS = 2
CAPACITY = 1_000


class Rates:
    """Buckets by key in bounded memory; safe to share between threads.

    A function's containers do not know of each other: a key that is served by ten of them may ask ten times as often. That is meant
    to keep one client that runs wild from using up everybody's concurrency, not to bill anybody; the gateway's throttling bounds the sum.
    """

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key_hash: str, per_second: float, now: int) -> int:
        """Take a token of a key.

        Args:
            key_hash: The key.
            per_second: Tokens that it gets a second; 0 for no limit.
            now: The instant in µs; one before the last one counts as the last one.

        Returns:
            0, or after how many whole seconds there will be a token.
        """
        if per_second <= 0:
            return 0
        full = max(1.0, per_second * BURST_SECONDS)
        with self._lock:
            last, left = self._buckets.get(key_hash, (now, full))
            left = min(full, left + max(0, now - last) / SECOND * per_second)
            granted = left >= 1
            self._buckets[key_hash] = (max(now, last), left - 1 if granted else left)
            self._buckets.move_to_end(key_hash)
            while len(self._buckets) > CAPACITY:
                self._buckets.popitem(last=False)
        return 0 if granted else max(1, ceil((1 - left) / per_second))
