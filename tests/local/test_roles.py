"""Under their roles: what the functions do rarely is done here; what no test ever sees them do is no part of a role (tests/calls.py, at the end of a run)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from local.runner import Runner, now
from local.store import ensure_key
from tests import calls
from tests.local.test_dev import policy, this_minute

UNTIL = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251


class Account:
    """A running system that speaks to itself over HTTP."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._headers = {"Authorization": f"Bearer {ensure_key(runner.store, now())}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, self.runner.url + path, json=body, headers=self._headers, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def drain(self) -> None:
        assert self("POST", "/_local/drain?timeout=25")["waiting"] == 0

    def breach(self, event: str) -> None:
        """Open an alert on a new event."""
        self("POST", "/v1.0/policies", policy(event=event, threshold=2))
        log = {"agent": "worker", "event": event, "value": 1, "occurred_at": this_minute().strftime("%Y-%m-%dT%H:%M:%SZ")}
        self("POST", "/v1.0/logs", [log] * 3)
        self("POST", "/_local/drain?timeout=25")


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    mail = {"EmailFrom": "nightjar@example.com", "EmailTo": "ops@example.com"}
    with Runner(parameters=mail) as runner:
        made = Account(runner)
        made("POST", "/2015-03-31/functions/EvaluatorFunction/invocations", {"time": this_minute().strftime("%Y-%m-%dT%H:%M:%SZ")})
        yield made
        calls.merge(runner.endpoint.used)


def test_mails_go_out_under_the_roles_of_who_sends_them(account: Account) -> None:
    made = account("POST", "/v1.0/destinations", {"channel": "email", "scope": "all"})
    assert account("POST", f"/v1.0/destinations/{made['destination_id']}/test")["status"] == "sent"
    account.breach("mailed")
    sent = account("GET", "/_slack/mail")
    assert len(sent) == 2


def test_a_deleted_mute_releases_what_it_held_under_the_role_of_the_api(account: Account) -> None:
    account("POST", "/v1.0/destinations", {"channel": "slack", "url": f"{account.runner.url}/_slack/ops", "scope": "all"})
    mute = account("POST", "/v1.0/mutes", {"event": "mut*", "until": UNTIL})
    account.breach("muted")
    assert account("GET", "/_slack/ops") == []
    account("DELETE", f"/v1.0/mutes/{mute['mute_id']}")
    account.drain()
    assert len(account("GET", "/_slack/ops")) == 1


def test_the_end_of_an_alert_that_was_told_before_the_mute_is_released_too(account: Account) -> None:
    account.breach("ended")
    mute = account("POST", "/v1.0/mutes", {"event": "ended", "until": UNTIL})
    (alert,) = [each for each in account("GET", "/v1.0/alerts") if each["event"] == "ended"]
    account("POST", f"/v1.0/alerts/{alert['alert_id']}/resolve")
    account("POST", "/_local/drain?timeout=25")
    before = len(account("GET", "/_slack/ops"))
    account("DELETE", f"/v1.0/mutes/{mute['mute_id']}")
    account.drain()
    assert len(account("GET", "/_slack/ops")) == before + 1


def test_a_large_batch_without_times_that_comes_again_is_known(account: Account) -> None:
    logs = [{"agent": "worker", "event": "again", "value": 1, "log_id": f"01a212fe-15c0-4a3b-8c4d-{number:012x}"} for number in range(150)]
    for _ in range(2):
        assert account("POST", "/v1.0/logs", logs)["accepted"] == 150
    account.drain()
    (event,) = [each for each in account("GET", "/v1.0/events") if each["event"] == "again"]
    assert sum(point["count"] for point in account("GET", f"/v1.0/events/{event['event_id']}/logs?period=hour")) == 150
