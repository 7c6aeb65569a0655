"""What a function makes of its environment."""

import pytest
from nightjar.settings import Settings, settings


def told(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return settings.__wrapped__()


@pytest.mark.parametrize("value", ["", "none", "None", " none ", " "])
def test_no_heartbeat_may_be_called_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """`sam deploy --guided` asks for a NoEcho parameter, which has no default there, until something is typed."""
    assert not told(monkeypatch, HEARTBEAT_URL=value).heartbeat_url


def test_a_heartbeat_is_taken_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, HEARTBEAT_URL="https://hc-ping.com/None ").heartbeat_url == "https://hc-ping.com/None"


def test_where_the_api_is_has_no_slash_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, API_URL="https://api.example/prod/").api_url == "https://api.example/prod"
