"""A certificate that is not valid goes away by itself: somebody renews it. So it backs off, and says what is wrong with it."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from nightjar.channels import transport, webhook
from nightjar.channels.base import send
from nightjar.channels.transport import Request
from nightjar.core.delivery import Outcome

from tests.channels.tls import AnyAddress, certificate, https


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make the transport trust one certificate besides the world's."""
    monkeypatch.setattr(transport, "rules", AnyAddress())
    return lambda pem: monkeypatch.setattr(transport, "_tls", lambda: ssl.create_default_context(cafile=pem))


def told(port: int) -> Outcome:
    return send(webhook, Request(f"https://localhost:{port}/hook/secret", b"{}", {}), (), 0)


def test_a_post_arrives_over_https_at_a_receiver_whose_certificate_is_valid(trust: Callable[[Path], None], tmp_path: Path) -> None:
    trust(pem := certificate(tmp_path))
    with https(pem) as port:
        assert told(port) == Outcome("sent", 200)


def test_an_expired_certificate_backs_off_and_says_so(trust: Callable[[Path], None], tmp_path: Path) -> None:
    trust(pem := certificate(tmp_path, until=2021))
    with https(pem) as port:
        assert told(port) == Outcome("down", None, "the certificate is not valid: certificate has expired")


def test_a_certificate_that_nobody_vouches_for_backs_off_and_says_so(trust: Callable[[Path], None], tmp_path: Path) -> None:
    trust(certificate(tmp_path, host="other"))
    with https(certificate(tmp_path)) as port:
        found = told(port)
    assert (found.status, found.code) == ("down", None)
    assert found.error.startswith("the certificate is not valid: self")


def test_a_certificate_of_another_name_backs_off_and_says_so(trust: Callable[[Path], None], tmp_path: Path) -> None:
    trust(pem := certificate(tmp_path, host="other"))
    with https(pem) as port:
        found = told(port)
    assert found.status == "down"
    assert found.error.startswith("the certificate is not valid: Hostname mismatch")
