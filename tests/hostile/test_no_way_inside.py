"""Destinations cannot make the service call what is not public: each spelling of an address inside, with nothing between it and the system's resolver."""

import socket
from typing import Any

import pytest
from nightjar.channels import base, transport
from nightjar.channels.transport import Refused, Request, Unreachable, post

INSIDE = [
    "https://127.0.0.1/", "https://127.1/", "https://0/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/",
    "https://127.0.0.1.:443/", "https://localhost/", "https://LOCALHOST/", "https://169.254.169.254/latest/meta-data/", "https://2852039166/",
    "https://0251.0376.0251.0376/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/",
    "https://[0:0:0:0:0:ffff:169.254.169.254]/", "https://[fd00:ec2::254]/", "https://[fe80::1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
    "https://10.0.0.1/", "https://172.31.255.255/", "https://192.168.0.1/", "https://100.64.0.1/", "https://127.0.0.1:8443/x",
]  # fmt: skip
TRICKS = [
    "https://hooks.slack.com@127.0.0.1/", "https://hooks.slack.com:443@127.0.0.1/services/x", "https://127.0.0.1@hooks.slack.com/", "https://a@b@127.0.0.1/",
    "https://hooks.slack.com%2f@127.0.0.1/", "https://127.0.0.1\\@hooks.slack.com/", "https://hooks.slack.com\\.127.0.0.1/", "https://127.0.0.1#.hooks.slack.com/",
    "https://127.0.0.1?.hooks.slack.com/", "https://127.0.0.1%00.example.org/", "https://127.0.0.1%23.example.org/", "http://169.254.169.254/", "file:///etc/passwd",
    "gopher://127.0.0.1/", "//127.0.0.1/", "https:127.0.0.1/", "https:///127.0.0.1/", "https://\u2460\u2461\u2466.0.0.1/", "https://127\u30020\u30020\u30021/",
    "https://example.org:0x1bb/", "https://[::1%25lo]/", "https://",
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_: socket.socket, address: Any) -> None:
        raise AssertionError(address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.mark.parametrize("url", INSIDE + TRICKS)
def test_no_spelling_of_an_address_inside_is_connected_to(url: str) -> None:
    with pytest.raises((Refused, Unreachable)):
        post(Request(url, b"{}", {}))


@pytest.mark.parametrize("url", TRICKS)
@pytest.mark.parametrize("channel", ["slack", "discord"])
def test_channels_of_one_host_take_no_url_that_only_looks_like_it(channel: Any, url: str) -> None:
    assert base.problem(channel, url, {})


def test_an_answer_of_dns_that_changes_is_asked_for_once_and_the_checked_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["8.8.8.8", "127.0.0.1", "127.0.0.1"])
    reached: list[Any] = []

    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))]

    def connect(_: socket.socket, address: Any) -> None:
        reached.append(address)
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Unreachable):
        post(Request("https://rebind.example/", b"{}", {}))
    assert reached == [("8.8.8.8", 443)]
    with pytest.raises(Refused):
        post(Request("https://rebind.example/", b"{}", {}))
    assert len(reached) == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "NO_PROXY"])
def test_no_proxy_variable_leads_past_the_check(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:3128")
    with pytest.raises(Refused, match="no public address"):
        post(Request("https://localhost/", b"{}", {}))


def test_no_variable_of_the_environment_loosens_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NIGHTJAR_LOCAL", "AWS_SAM_LOCAL", "LOCAL", "DEBUG", "ENV"):
        monkeypatch.setenv(name, "true")
    assert type(transport.rules) is transport.PublicOnly
    with pytest.raises(Refused):
        post(Request("http://localhost/", b"{}", {}))
