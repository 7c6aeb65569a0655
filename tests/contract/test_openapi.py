"""The OpenAPI document, its page, and the tables of this folder: what one says the others show."""

import json
import re
from typing import Any

import pytest
from nightjar.api.docs import SERVED
from nightjar.api.models.base import Body
from nightjar.api.models.destinations import DestinationBody
from nightjar.api.models.events import EventBody
from nightjar.api.models.logs import LogBody
from nightjar.api.models.mutes import MuteBody
from nightjar.api.models.policies import PolicyBody
from nightjar.api.models.previews import PreviewBody
from nightjar.api.openapi import document, text
from nightjar.api.routes import ROUTES
from nightjar.http.errors import exact

from tests.contract import test_1_authentication as keys
from tests.contract import test_2_logs as logs
from tests.contract import test_3_events as events
from tests.contract import test_4_event_logs as event_logs
from tests.contract import test_5_policies as policies
from tests.contract import test_5_policy_edits as policy_edits
from tests.contract import test_6_previews as previews
from tests.contract import test_7_alerts as alerts
from tests.contract import test_8_destinations as destinations
from tests.contract import test_8_given_up as given_up
from tests.contract import test_9_mutes as mutes
from tests.contract.table import Table, asks, every, holds, table, untabled
from tests.contract.world import Api

DESCRIPTION = (
    table("GET /v1.0/openapi.json", asks("needs no key", "", 200, {"openapi": "3.1.0"}, headers={"Authorization": ""})),
    table("GET /docs", asks("needs no key", "", 200, "<!doctype html>", headers={"Authorization": ""})),
    table("GET /healthz", asks("needs no key", "", 200, {"status": "ok"}, headers={"Authorization": ""})),
)
FILES = (keys, logs, events, event_logs, policies, policy_edits, previews, alerts, destinations, given_up, mutes)
BODIES: dict[str, type[Body]] = {
    "POST /v1.0/logs": LogBody, "POST /v1.0/events": EventBody, "PUT /v1.0/events/<event_id>": EventBody, "POST /v1.0/policies": PolicyBody,
    "POST /v1.0/policies/preview": PreviewBody, "POST /v1.0/destinations": DestinationBody, "POST /v1.0/mutes": MuteBody,
}  # fmt: skip


def tables() -> list[Table]:
    """Every table of this folder."""
    found = [one for file in FILES for value in vars(file).values() for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Table)]
    return [*found, *DESCRIPTION]


@every(*DESCRIPTION)
def test_the_description(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


def test_every_status_that_the_document_names_is_shown_by_a_row_and_no_other() -> None:
    assert list(untabled(tables())) == []


@pytest.mark.parametrize("name", BODIES)
def test_every_field_of_a_body_is_sent_by_a_row_that_is_taken(name: str) -> None:
    sent = {field for one in tables() if one.name == name for case in one.cases if case.status < 300 for field in names(one.body(case))}
    fields = {field.alias or plain for plain, field in BODIES[name].model_fields.items()}
    assert fields - sent == set()


def names(body: Any) -> set[str]:
    """The fields that a body names."""
    return set(body) if isinstance(body, dict) else set()


def test_the_page_of_the_documentation_names_every_route_and_loads_nothing_from_elsewhere(api: Api) -> None:
    page = api("GET", "/docs", headers={})
    assert page.headers["Content-Type"].startswith("text/html")
    assert all(f"{route.method} {route.path}".replace("<", "{").replace(">", "}") in page.body for route in ROUTES)
    assert not re.search(r"(src|href)=.?(https?:)?//", page.body)


def test_the_openapi_document_is_the_committed_one(request: pytest.FixtureRequest) -> None:
    committed = (request.config.rootpath / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert committed == text(), "run: python -m nightjar.api.openapi docs/openapi.json"
    assert json.loads(SERVED.read_text(encoding="utf-8")) == document()


def test_the_document_is_served_as_it_was_made(api: Api) -> None:
    assert json.loads(exact(api("GET", "/v1.0/openapi.json", headers={}).body)) == document()


def test_every_reference_of_the_document_leads_somewhere() -> None:
    found: dict[str, Any] = document()
    references = set(re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(found)))
    assert references
    assert all(name in found["components"][kind] for kind, name in references)
    assert {(method.upper(), path) for path, methods in found["paths"].items() for method in methods} == {
        (route.method, route.path.replace("<", "{").replace(">", "}")) for route in ROUTES
    }


def operations() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every operation of the document, with its path."""
    return {operation["operationId"]: (path, operation) for path, methods in document()["paths"].items() for operation in methods.values()}


def test_every_route_of_an_id_is_led_to_by_a_link_that_holds_it() -> None:
    reached, found, schemas = set(), operations(), document()["components"]["schemas"]
    for _, operation in found.values():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                ((name, pointer),) = link["parameters"].items()
                schema = answer["content"]["application/json"]["schema"]
                row = schema["items"] if "/0/" in pointer else schema
                assert pointer.endswith(f"/{name}")
                assert name in schemas[row["$ref"].rpartition("/")[2]]["properties"]
                assert f"{{{name}}}" in found[link["operationId"]][0]
                reached.add(link["operationId"])
    assert reached == {name for name, (path, _) in found.items() if "{" in path}
