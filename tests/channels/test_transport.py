"""The transport: against a real server on this machine, with the local runner's kind of rules, and against none at all."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from nightjar.channels import slack, transport
from nightjar.channels.transport import PublicOnly, Refused, Request, Unreachable, is_public, post


class Loopback(PublicOnly):
    """What the local runner puts in place of the deployed rules."""

    def exempt(self, scheme: str, host: str) -> bool:
        return scheme == "http" and host in {"127.0.0.1", "localhost"}

    def allows(self, host: str, address: Any) -> bool:
        return bool(address.is_loopback) if host in {"127.0.0.1", "localhost"} else is_public(address)


class Handler(BaseHTTPRequestHandler):
    """Answers as its path says, and keeps what it was sent."""

    seen: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, dict(self.headers), body))
        if self.path == "/reset":
            self.connection.close()
            return
        if self.path == "/slow":
            self._drip()
            return
        if self.path.startswith("/chunk/"):
            size = self.path.removeprefix("/chunk/").encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n" + b"x" * 200_000)
            return
        self.send_response({"/redirect": 302, "/busy": 429}.get(self.path, 200))
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(b"ok" if self.path != "/big" else b"x" * 200_000)

    def do_GET(self) -> None:
        raise AssertionError("a redirect was followed")

    def _drip(self) -> None:
        """Send a byte now and then, until the other side has had enough."""
        self.wfile.write(b"HTTP/1.1 2")
        while not self.server.stop.wait(0.05):  # type: ignore[attr-defined]
            try:
                self.wfile.write(b"a")
                self.wfile.flush()
            except OSError:
                return

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setattr(transport, "rules", Loopback())
    monkeypatch.setattr(Handler, "seen", [], raising=False)
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.stop = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.stop.set()  # type: ignore[attr-defined]
    made.shutdown()
    made.server_close()
    thread.join()


def send(server: ThreadingHTTPServer, path: str, host: str = "127.0.0.1") -> transport.Answer:
    return post(Request(f"http://{host}:{server.server_address[1]}{path}", b'{"a":1}', {"Content-Type": "application/json"}))


def test_a_post_arrives_with_body_and_headers(server: ThreadingHTTPServer) -> None:
    answer = send(server, "/hook?x=1", "localhost")
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (200, b"ok", "7")
    ((path, headers, body),) = Handler.seen
    assert (path, body, headers["Content-Type"]) == ("/hook?x=1", b'{"a":1}', "application/json")
    assert headers["Host"].startswith("localhost:")


def test_a_redirect_is_answered_not_followed(server: ThreadingHTTPServer) -> None:
    assert send(server, "/redirect").status == 302


def test_proxies_of_the_environment_are_not_used(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send(server, "/hook").status == 200


def test_a_closed_connection_is_no_answer(server: ThreadingHTTPServer) -> None:
    with pytest.raises(Unreachable):
        send(server, "/reset")


def test_a_large_answer_is_cut(server: ThreadingHTTPServer) -> None:
    assert len(send(server, "/big").body) == 65_536


@pytest.mark.parametrize("size", ["-1", "-5", "0x", "zz", "", "ffffffffffffffffffffff"])
def test_a_chunk_of_a_senseless_size_does_not_change_what_the_status_says(server: ThreadingHTTPServer, size: str) -> None:
    answer = send(server, f"/chunk/{size}")
    assert answer.status == 200
    assert len(answer.body) <= 65_536


def test_an_answer_that_drips_is_cut_off(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.3)
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.1)
    with pytest.raises(Unreachable):
        send(server, "/slow")


def test_a_receiver_that_is_not_there_is_no_answer(server: ThreadingHTTPServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable):
            post(Request(f"http://127.0.0.1:{taken.getsockname()[1]}/", b"", {}))


@pytest.mark.parametrize("name", ["localhost", "internal.example"])
def test_deployed_nothing_on_this_machine_is_reached_whatever_the_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))])
    with pytest.raises(Refused, match="no public address"):
        post(Request(f"https://{name}/x", b"", {}))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https:///x",
        "https://u:p@example.org/",
        "http://127.0.0.1/",
        "https://[::1",
        "https://example.org:99999/",
        "x",
        "https://example.org/\r\nX: y",
    ],
)
def test_deployed_any_url_but_public_https_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(Refused):
        post(Request(url, b"", {}))


def test_the_connection_goes_to_the_very_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("10.0.0.1", "192.0.2.1")]

    class Public(PublicOnly):
        def allows(self, host: str, address: Any) -> bool:  # noqa: ARG002
            return bool(address != ip_address("10.0.0.1"))

    reached: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        reached.append(address)
        raise TimeoutError

    monkeypatch.setattr(transport, "rules", Public())
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Unreachable, match="no answer in time"):
        post(Request("https://rebind.example/x", b"", {}))
    assert (asked, reached) == (["rebind.example"], [("192.0.2.1", 443)])


def test_a_name_that_does_not_resolve_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Unreachable, match="cannot be resolved"):
        post(Request("https://nowhere.example/secret", b"", {}))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.170.2", "0.0.0.0",  # noqa: S104
        "100.64.0.1", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:db8::1", "2001:0:0:0:0:0:5601:5601",
    ],
)  # fmt: skip
def test_no_address_inside_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_outside_are_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_slack_takes_a_local_webhook_only_under_the_local_runners_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="url"):
        slack.validate("http://127.0.0.1:3000/_slack/ops", {})
    monkeypatch.setattr(transport, "rules", Loopback())
    slack.validate("http://127.0.0.1:3000/_slack/ops", {})
    slack.validate("http://localhost:1/any?status=429", {})
    with pytest.raises(ValueError, match="url"):
        slack.validate("http://192.168.0.1/_slack/ops", {})
