"""An https receiver on this machine, with a certificate made for the test."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class AnyAddress:
    """Rules that let https go anywhere, this machine included."""

    def exempt(self, scheme: str, host: str) -> bool:  # noqa: ARG002
        return False

    def allows(self, host: str, address: Any) -> bool:  # noqa: ARG002
        return True


def certificate(folder: Path, *, host: str = "localhost", until: int = 2120) -> Path:
    """Make a self-signed certificate that ends with a year, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(until, 12, 31, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{host}.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.dripping_until:  # type: ignore[attr-defined]
            self._drip(self.server.dripping_until)  # type: ignore[attr-defined]
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def _drip(self, over: threading.Event) -> None:
        """Send a byte now and then, until the other side has had enough."""
        self.wfile.write(b"HTTP/1.1 2")
        while not over.wait(0.05):
            try:
                self.wfile.write(b"a")
            except OSError:
                return

    def log_message(self, *_: Any) -> None:
        return


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that does not like the certificate hangs up."""


@contextmanager
def https(pem: Path, *, dripping_until: threading.Event | None = None) -> Iterator[int]:
    """Serve with a certificate; yields the port. Answers 200, or drips an answer until an event is set."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.dripping_until = dripping_until  # type: ignore[attr-defined]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
