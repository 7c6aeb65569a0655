"""How long a retry waits: growing, and by chance, so that those who met once do not meet again."""

import random
import time
from collections.abc import Callable

# Waits before the n-th retry, n from 1.
Wait = Callable[[int], None]

_FIRST, _LONGEST = 0.025, 0.8  # seconds


def wait(attempt: int) -> None:
    """Sleep for a random part of 25 ms, 50 ms, 100 ms, … 0.8 s."""
    time.sleep(random.uniform(0, min(_LONGEST, _FIRST * 2**attempt)))
