"""What was given up for a destination: ENGINE.md, Notifying ("listed on the destination and can be sent again"). Nightjar's own."""

from typing import Any

import pytest

from tests.contract.table import Table, asks, every, holds, table
from tests.contract.world import Api

UNKNOWN, NO_UUID = "destination_id: there is no such destination", "destination_id: must be a UUID"
GONE = {"destination_id": "{refused}", "status": "failed", "response_status": 404, "error_message": "404 no_team", "kind": "alert"}
FIELDS = "attempt_id, alert_id, destination_id, channel, target, status, response_status, error_message, created_at, kind"

TABLES = (
    table("GET /v1.0/destinations/<destination_id>/given-up", asks("what a webhook that is gone refused", "{refused}", 200, [GONE]),
          asks("nothing", "{destination}", 200, []), asks("a limit of none", "{refused}?limit=0", 400, "limit: must be a whole number"),
          asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "whk_1", 400, NO_UUID), fields=FIELDS),
    table("POST /v1.0/destinations/<destination_id>/resend",
          asks("what was refused", "{refused}", 200, {"destination_id": "{refused}", "resent": 1, "more": False},
               then=("/v1.0/destinations/{refused}/given-up", [])),
          asks("nothing", "{destination}", 200, {"resent": 0, "more": False}),
          asks("one that is disabled", "{disabled}", 409, "enabled: the destination is disabled"),
          asks("unknown", "{nobody}", 404, UNKNOWN), asks("no UUID", "whk_1", 400, NO_UUID), fields="destination_id, resent, more"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that takes every bell."""
    monkeypatch.setattr("nightjar.pipeline.resend.bells", lambda: None)
    monkeypatch.setattr("nightjar.pipeline.resend.ring", lambda *_: None)


@every(*TABLES)
def test_given_up(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)
