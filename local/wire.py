"""A small HTTP/1.1 server, on 127.0.0.1 unless it is told otherwise: bytes in, bytes out, a thread a connection."""

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent: the path and the query as they came, headers in order."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the last value of a header; empty if there is none."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Response:
    """What a client is answered."""

    status: int
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)
    body: bytes = b""


Respond = Callable[[Request], Response]


class Server:
    """Serves from its own threads until it is closed."""

    def __init__(self, respond: Respond, port: int = 0, host: str = HOST) -> None:
        """Bind at once, so that the port is known; serve after `start`.

        Args:
            respond: Answers one request.
            port: 0 for a free one.
            host: The address to bind.
        """
        self._host = host
        self._http = _Http((host, port), _handler(respond))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self._host}:{self._http.server_address[1]}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening; what is being answered is not waited for."""
        if self._thread.is_alive():
            self._http.shutdown()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong here; a client that hangs up is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(respond: Respond) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one packet

        def _answer(self) -> None:
            url = urlsplit(self.path)
            request = Request(self.command, url.path, url.query, tuple(self.headers.items()), self._read())
            response = respond(request)
            self.send_response_only(response.status)
            for name, values in response.headers.items():
                for value in [values] if isinstance(values, str) else values:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
            self.wfile.flush()

        def _read(self) -> bytes:
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                return b"".join(iter(self._chunk, b""))
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _chunk(self) -> bytes:
            size = int(self.rfile.readline().split(b";")[0], 16)
            data = self.rfile.read(size)
            self.rfile.readline()
            return data

        def __getattr__(self, name: str) -> Any:
            """Serve whatever method there may be: which ones there are is not this server's business."""
            return self._answer if name.startswith("do_") else object.__getattribute__(self, name)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
