"""Looking a name up and connecting to one of its addresses, both within a time that is given."""

import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any, Final, cast

# What socket.getaddrinfo returns.
Entry = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]

# For how long an address is waited for alone, before the next is tried as well (RFC 8305, section 5).
_HEAD_START: Final = 0.25


class Unresolved(TimeoutError):
    """A name took too long to look up."""


def resolve(host: str, port: int, until: float) -> Sequence[Entry]:
    """Look a name up: in a thread, which is left behind when it takes too long, since the system's resolver cannot be stopped.

    Args:
        host: The name, or an address.
        port: Goes into each entry.
        until: Instant of the monotonic clock (s).

    Raises:
        Unresolved: It takes longer.
        OSError: There is no such name.
    """
    found: Future[Sequence[Entry]] = Future()

    def look() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            found.set_exception(error)

    Thread(target=look, daemon=True).start()
    try:
        return found.result(until - time.monotonic())
    except TimeoutError:
        raise Unresolved from None


def race(entries: Sequence[Entry], until: float) -> socket.socket:
    """Connect to the first address that answers: one that hangs keeps the next waiting for its head start only.

    Args:
        entries: Where to, the best first.
        until: Instant of the monotonic clock (s).

    Raises:
        OSError: None has answered, or the time is over.
    """
    with selectors.DefaultSelector() as begun:
        try:
            return _first(deque(entries), begun, until)
        finally:
            for key in begun.get_map().values():
                cast("socket.socket", key.fileobj).close()


def _first(left: deque[Entry], begun: selectors.BaseSelector, until: float) -> socket.socket:
    """Return the first socket that is connected; it is watched no longer, others still are."""
    failed = OSError()
    while left or begun.get_map():
        failed = (_begin(left.popleft(), begun) if left else None) or failed
        time_left = until - time.monotonic()
        for made in _ended(begun, min(_HEAD_START, time_left) if left else time_left):
            code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                return made
            made.close()
            failed = OSError(code, os.strerror(code))
        if time_left <= 0:
            raise TimeoutError
    raise failed


def _begin(entry: Entry, begun: selectors.BaseSelector) -> OSError | None:
    """Begin to connect to an address; return what is wrong with it where that is known at once."""
    family, kind, protocol, _, address = entry
    try:
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        return error
    made.setblocking(False)
    try:
        made.connect(address)
    except BlockingIOError:
        pass
    except OSError as error:
        made.close()
        return error
    begun.register(made, selectors.EVENT_WRITE)
    return None


def _ended(begun: selectors.BaseSelector, seconds: float) -> Iterator[socket.socket]:
    """Wait until connecting has ended somewhere, well or not; what ended is watched no longer."""
    if begun.get_map():
        for key, _ in begun.select(max(seconds, 0)):
            begun.unregister(key.fileobj)
            yield cast("socket.socket", key.fileobj)
