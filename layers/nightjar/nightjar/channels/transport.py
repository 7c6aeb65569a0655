"""One POST, and nothing but that: no redirects, no proxies, and never to an address that is not public.

The address is checked at the moment of connecting, and the connection goes to the very address that was checked, so that a
name which resolves to something else a moment later gains nothing (DNS rebinding). TLS and Host go by the name.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, InvalidURL
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from typing import Final, Protocol
from urllib.parse import urlsplit

from nightjar.channels.connecting import Unresolved, race, resolve

Address = IPv4Address | IPv6Address

CONNECT_SECONDS: Final = 3.0
TOTAL_SECONDS: Final = 8.0
_MOST_BYTES: Final = 65_536
_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Request:
    """One POST. The URL and the headers may hold secrets: neither is ever part of an error."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A receiver's answer; header names in lower case, the body's first 64 KB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Post = Callable[[Request], Answer]


class Unreachable(Exception):
    """No answer came: a time-out, a reset, an unknown name. It may go away by itself."""


class Refused(Exception):
    """The POST is not made: its URL is no public https URL. Trying again does not help."""


class Rules(Protocol):
    """Where POSTs may go."""

    def exempt(self, scheme: str, host: str) -> bool:
        """Whether a URL with this scheme and host (in lower case) is allowed although it is not https to a public host."""

    def allows(self, host: str, address: Address) -> bool:
        """Whether a connection for this host may go to this address."""


class PublicOnly:
    """https to public addresses: the only rules that a deployed function has."""

    def exempt(self, scheme: str, host: str) -> bool:  # noqa: ARG002
        """Nothing is exempt."""
        return False

    def allows(self, host: str, address: Address) -> bool:  # noqa: ARG002
        """Whatever its name, the address decides."""
        return is_public(address)


# The local runner, which is never deployed, puts other rules in place of these; no environment variable does.
rules: Rules = PublicOnly()


def is_public(address: Address) -> bool:
    """Tell whether an address is globally routable unicast, seen through the forms that hold an IPv4 address inside an IPv6 one.

    Example:
        >>> is_public(ip_address("169.254.169.254")), is_public(ip_address("::ffff:10.0.0.1")), is_public(ip_address("8.8.8.8"))
        (False, False, True)
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_exempt(url: str) -> bool:
    """Tell whether the rules in force allow a URL that is not public https (only ever in the local runner)."""
    parts = urlsplit(url)
    return rules.exempt(parts.scheme.lower(), (parts.hostname or "").lower())


def leads_inside(url: str) -> bool:
    """Tell whether a URL's host is written as an address that no POST may go to; names are looked up when they are connected to."""
    host = (urlsplit(url).hostname or "").lower()
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not rules.allows(host, address)


def post(request: Request) -> Answer:
    """POST once.

    Returns:
        Whatever the receiver answered, redirects included.

    Raises:
        Unreachable: There was no answer within `TOTAL_SECONDS`, looking the name up included.
        Refused: The URL, or every address of its host, is not allowed.
    """
    until = time.monotonic() + TOTAL_SECONDS
    try:
        connection, path = _connection(request.url, until)
    except (ValueError, InvalidURL):
        raise Refused("the URL is not valid") from None
    try:
        return _exchange(connection, path, request, until)
    except (OSError, HTTPException) as error:  # before ValueError, which the error for a certificate that is not valid is, too
        if isinstance(error, InvalidURL):
            raise Refused("the URL is not valid") from None
        raise Unreachable(_words(error, late=time.monotonic() >= until)) from None
    except ValueError:
        raise Refused("the URL or a header is not valid") from None
    finally:
        connection.close()


def _exchange(connection: HTTPConnection, path: str, request: Request, until: float) -> Answer:
    """Connect, ask and read the answer, all until an instant of the monotonic clock."""
    connection.connect()
    watch = Timer(until - time.monotonic(), _cut, (connection.sock,))
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", path, body=request.body, headers=dict(request.headers))
        return _read(connection.getresponse())
    finally:
        watch.cancel()


def _connection(url: str, until: float) -> tuple[HTTPConnection, str]:
    """Make the connection for a URL, not yet connected, and the path to ask for."""
    parts = urlsplit(url)
    host, scheme = (parts.hostname or "").lower(), parts.scheme.lower()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if host and rules.exempt(scheme, host) and scheme == "http":
        return _Plain(host, parts.port or 80, until), path
    if not host or scheme != "https" or parts.username is not None:
        raise Refused("the URL is not public https")
    return _Secure(host, parts.port or 443, until), path


class _Plain(HTTPConnection):
    """http to an exempt host."""

    def __init__(self, host: str, port: int, until: float) -> None:
        """Connect later, until an instant of the monotonic clock."""
        super().__init__(host, port)
        self._until = until

    def connect(self) -> None:
        """Connect to a checked address."""
        self.sock = _connect(self.host, self.port, self._until)


class _Secure(HTTPSConnection):
    """https by name, to a checked address."""

    def __init__(self, host: str, port: int, until: float) -> None:
        """Connect later, until an instant of the monotonic clock."""
        super().__init__(host, port, context=_tls())
        self._until = until

    def connect(self) -> None:
        """Connect to a checked address; certificate and server name are those of the host."""
        plain = _connect(self.host, self.port, self._until)
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)  # type: ignore[attr-defined]
        except BaseException:
            plain.close()
            raise


def _connect(host: str, port: int, until: float) -> socket.socket:
    """Resolve a host and connect to the first of its allowed addresses that answers.

    Returns:
        A connected socket, with what is left of the time as its time-out.

    Raises:
        Refused: None of them is allowed.
        OSError: None of the allowed ones answers.
    """
    found = resolve(host, port, until)
    allowed = [entry for entry in found if rules.allows(host, ip_address(entry[4][0]))]
    if not allowed:
        raise Refused("the host has no public address")
    made = race(allowed, min(time.monotonic() + CONNECT_SECONDS, until))
    made.settimeout(max(0.001, until - time.monotonic()))  # zero would mean: do not block
    return made


def _read(response: HTTPResponse) -> Answer:
    """Read an answer; once the status is known, a body that breaks off, or makes no sense, changes nothing."""
    body = bytearray(_MOST_BYTES)  # readinto: read() believes a chunk that says it has -1 bytes, and reads all that ever comes
    try:
        size = response.readinto(body)
    except (OSError, HTTPException, ValueError):
        size = 0
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, bytes(body[:size]))


def _cut(sock: socket.socket) -> None:
    """End a connection that has taken too long: a receiver that sends a byte now and then must not hold a handler."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # an SSL socket's own would let what still comes be read undeciphered
    except OSError:
        return


def _tls() -> ssl.SSLContext:
    """Make a context that verifies certificates and names."""
    return ssl.create_default_context()


def _words(error: Exception, *, late: bool) -> str:
    """Say in words why there was no answer, without the URL; one that came to its end too late ended for that reason."""
    if isinstance(error, Unresolved):
        return "the host name was not resolved in time"
    if isinstance(error, socket.gaierror):
        return "the host name cannot be resolved"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if late or isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "the TLS connection failed"
    return "the connection was closed" if isinstance(error, ConnectionError) else type(error).__name__
