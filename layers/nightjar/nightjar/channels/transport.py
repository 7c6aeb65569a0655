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
        Unreachable: There was no answer within `TOTAL_SECONDS`.
        Refused: The URL, or every address of its host, is not allowed.
    """
    try:
        connection, path = _connection(request.url)
    except ValueError:
        raise Refused("the URL is not valid") from None
    watch = Timer(TOTAL_SECONDS, _cut, (connection,))
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", path, body=request.body, headers=dict(request.headers))
        return _read(connection.getresponse())
    # Before ValueError, which the error for a certificate that is not valid is, too.
    except (TimeoutError, socket.gaierror, ssl.SSLError, ConnectionError) as error:
        raise Unreachable(_words(error)) from None
    except (ValueError, InvalidURL):
        raise Refused("the URL or a header is not valid") from None
    except (OSError, HTTPException) as error:
        raise Unreachable(type(error).__name__) from None
    finally:
        watch.cancel()
        connection.close()


def _connection(url: str) -> tuple[HTTPConnection, str]:
    """Make the connection for a URL, not yet connected, and the path to ask for."""
    parts = urlsplit(url)
    host, scheme = (parts.hostname or "").lower(), parts.scheme.lower()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if host and rules.exempt(scheme, host) and scheme == "http":
        return _Plain(host, parts.port or 80, timeout=CONNECT_SECONDS), path
    if not host or scheme != "https" or parts.username is not None:
        raise Refused("the URL is not public https")
    return _Secure(host, parts.port or 443, timeout=CONNECT_SECONDS, context=_tls()), path


class _Plain(HTTPConnection):
    """http to an exempt host."""

    def connect(self) -> None:
        """Connect to a checked address."""
        self.sock = _connect(self.host, self.port)


class _Secure(HTTPSConnection):
    """https by name, to a checked address."""

    def connect(self) -> None:
        """Connect to a checked address; certificate and server name are those of the host."""
        plain = _connect(self.host, self.port)
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)  # type: ignore[attr-defined]
        except BaseException:
            plain.close()
            raise


def _connect(host: str, port: int) -> socket.socket:
    """Resolve a host and connect to the first of its allowed addresses that answers.

    Raises:
        Refused: None of them is allowed.
        OSError: None of the allowed ones answers.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [entry for entry in found if rules.allows(host, ip_address(entry[4][0]))]
    if not allowed:
        raise Refused("the host has no public address")
    last: OSError = ConnectionError("no address")
    until = time.monotonic() + CONNECT_SECONDS
    for family, kind, protocol, _, address in allowed:
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(max(0.1, until - time.monotonic()))
            made.connect(address)
        except OSError as error:
            made.close()
            last = error
        else:
            made.settimeout(TOTAL_SECONDS - CONNECT_SECONDS)
            return made
    raise last


def _read(response: HTTPResponse) -> Answer:
    """Read an answer; once the status is known, a body that breaks off changes nothing."""
    try:
        body = response.read(_MOST_BYTES)
    except (OSError, HTTPException):
        body = b""
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def _cut(connection: HTTPConnection) -> None:
    """End a connection that has taken too long: a receiver that sends a byte now and then must not hold a handler."""
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _tls() -> ssl.SSLContext:
    """Make a context that verifies certificates and names."""
    return ssl.create_default_context()


def _words(error: Exception) -> str:
    """Say in words why there was no answer, without the URL."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the host name cannot be resolved"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "the TLS connection failed"
    return "the connection was closed" if isinstance(error, ConnectionError) else "no answer"
