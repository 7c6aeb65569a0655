"""What one request and its answer may cost: bytes, and seconds until it is decided."""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from nightjar.http.errors import TooManyRequests

BODY_BYTES = 4 * 2**20

# A function's answer has 6 MB at most, with the body quoted inside it and headers beside it; a larger one fails, each time anew.
ANSWER_BYTES = 5 * 2**20

# The JavaScript SDK hangs up after 5 seconds and does not retry that itself; the rest is the gateway's and the network's.
DECIDE_SECONDS = 3.8
STORE_SECONDS = 3.3

Answer = TypeVar("Answer")


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Do some work, or refuse when it is not done in time.

    The work goes on in its thread (a call to storage cannot be broken off); that does no harm where doing it twice changes nothing.

    Args:
        seconds: How long to wait.
        work: What to do; its exceptions come out here.

    Raises:
        TooManyRequests: It was not done in time.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TooManyRequests("storage did not answer in time, try again")
    return answers[0]
