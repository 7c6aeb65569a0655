"""A post ends within its time, whatever takes long: the lookup of the name, the connection, the handshake or the answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from nightjar.channels import transport, webhook
from nightjar.channels.base import send
from nightjar.channels.transport import Request
from nightjar.core.delivery import Outcome

from tests.channels.tls import AnyAddress, certificate, https

Resolver = Callable[..., list[Any]]


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test is over, so that what hangs comes to its end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "rules", AnyAddress())
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.3)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The certificate that the transport trusts."""
    pem = certificate(tmp_path)
    real = transport._tls

    def tls() -> Any:
        context = real()
        context.load_verify_locations(pem)
        return context

    monkeypatch.setattr(transport, "_tls", tls)
    return pem


def found_at(*ports: int) -> Resolver:
    """A resolver that finds each name at some ports of this machine."""
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]


def told() -> Outcome:
    return send(webhook, Request("https://localhost/hook/secret", b"{}", {}), (), 0)


@contextmanager
def silent() -> Iterator[int]:
    """A receiver that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@contextmanager
def full() -> Iterator[int]:
    """A receiver that takes no connection: the first one fills its queue, and who comes then is not answered."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as server, closing(socket.create_connection(server.getsockname())):
        yield server.getsockname()[1]


def test_a_lookup_that_hangs_is_left_alone_and_is_an_attempt(monkeypatch: pytest.MonkeyPatch, over: threading.Event) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        over.wait(20)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert told() == Outcome("down", None, "the host name was not resolved in time")


def test_connection_handshake_and_answer_have_what_the_lookup_left_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    late = 0.0
    real = transport.time.monotonic

    def resolve(*_: Any, **__: Any) -> list[Any]:
        nonlocal late
        late = 7.9
        return found_at(port)()

    monkeypatch.setattr(transport, "TOTAL_SECONDS", 8.0)
    monkeypatch.setattr(transport.time, "monotonic", lambda: real() + late)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    limits: list[float] = []
    settimeout = socket.socket.settimeout
    monkeypatch.setattr(socket.socket, "settimeout", lambda made, seconds: (limits.append(seconds), settimeout(made, seconds))[1])
    with silent() as port:
        assert told() == Outcome("down", None, "no answer in time")
    assert limits
    assert max(limits) <= 0.1


def test_a_receiver_that_never_shakes_hands_is_given_up() -> None:
    with pytest.MonkeyPatch.context() as patch, silent() as port:
        patch.setattr(socket, "getaddrinfo", found_at(port))
        assert told() == Outcome("down", None, "no answer in time")


def test_an_answer_that_drips_after_the_handshake_is_cut_off(monkeypatch: pytest.MonkeyPatch, trusted: Path, over: threading.Event) -> None:
    with https(trusted, dripping_until=over) as port:
        monkeypatch.setattr(transport, "TOTAL_SECONDS", 1.0)
        monkeypatch.setattr(socket, "getaddrinfo", found_at(port))
        assert told() == Outcome("down", None, "no answer in time")
        over.set()


def test_addresses_that_hang_keep_the_next_one_waiting_for_a_moment_only(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 8.0)
    with full() as one, full() as other, https(trusted) as port:
        monkeypatch.setattr(socket, "getaddrinfo", found_at(one, other, port))
        assert told() == Outcome("sent", 200)


def test_an_address_that_refuses_makes_way_for_the_next_at_once(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 8.0)
    with socket.socket() as taken, https(trusted) as port:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(socket, "getaddrinfo", found_at(taken.getsockname()[1], port))
        assert told() == Outcome("sent", 200)


def test_a_kind_of_address_that_this_machine_does_not_have_makes_way_for_the_next(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 8.0)
    with https(trusted) as port:
        unknown = (99, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [unknown, *found_at(port)()])
        assert told() == Outcome("sent", 200)


def test_where_no_address_answers_the_time_to_connect_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    with full() as one, full() as other:
        monkeypatch.setattr(socket, "getaddrinfo", found_at(one, other))
        assert told() == Outcome("down", None, "no answer in time")


def test_the_last_of_the_addresses_that_refuse_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 8.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(socket, "getaddrinfo", found_at(taken.getsockname()[1]))
        assert told() == Outcome("down", None, "the connection was closed")
