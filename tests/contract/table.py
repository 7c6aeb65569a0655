"""Tables of cases: a route of API.md, and for each case what is sent and what is answered.

In paths and bodies `{policy}` stands for the id of a policy that is made for the case, `{nobody}` for an id that nothing has: see givens.py.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from nightjar.api.openapi import document
from nightjar.api.routes import ROUTES, Route

from tests.contract.givens import Givens
from tests.contract.world import Answer, Api

CODES = {
    400: "BAD_REQUEST", 403: "FORBIDDEN", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 409: "CONFLICT", 413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE", 422: "UNPROCESSABLE", 429: "TOO_MANY_REQUESTS",
}  # fmt: skip
# What every route knows and one table for all of them shows (test_1_authentication.py).
FOR_ALL = {401, 403, 405, 413, 415, 429}
_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
_NAMED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Case:
    """One row of a table.

    Attributes:
        shows: What it shows, in a few words.
        status: The status of the answer.
        answer: Of a refusal, words that its message holds; else fields (or rows) that the answer has.
        sent: The body, before the table's base is put below an object; a text or bytes are sent as they are.
        of: What stands for the id in the path, with a query; None for what the route is about.
        then: A path that is asked afterwards, and what is answered there.
        headers: Further headers of the request.
        given: Names of givens.py that are made before, besides those in path and body.
    """

    shows: str
    status: int
    answer: Any
    sent: Any = None
    of: str | None = None
    then: tuple[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()


def sends(shows: str, sent: Any, status: int, answer: Any, **more: Any) -> Case:
    """Write a row of a route that takes a body."""
    return Case(shows, status, answer, sent, **more)


def asks(shows: str, of: str, status: int, answer: Any, **more: Any) -> Case:
    """Write a row of a route without one: what stands for the id, and the query."""
    return Case(shows, status, answer, of=of, **more)


class Absent:
    """Takes a field of the table's base away, where None sends null."""


@dataclass(frozen=True)
class Table:
    """The cases of one route.

    Attributes:
        name: Method and path as in `api.routes`.
        cases: The rows.
        base: A body that is taken; rows say what differs.
        fields: What every answer of success has, by API.md.
    """

    name: str
    cases: tuple[Case, ...]
    base: Mapping[str, Any] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()

    @property
    def route(self) -> Route:
        """The route that it is about."""
        return next(route for route in ROUTES if f"{route.method} {route.path}" == self.name)

    @property
    def statuses(self) -> set[int]:
        """The statuses of its rows."""
        return {case.status for case in self.cases}

    def body(self, case: Case) -> Any:
        """Return a row's body: what it sends, over the base."""
        if not isinstance(case.sent, dict):
            return case.sent
        return {name: value for name, value in {**self.base, **case.sent}.items() if value is not Absent}

    def path(self, case: Case) -> str:
        """Return a row's path."""
        of, _, query = (case.of or "").partition("?")
        filled = re.sub(r"<(\w+)_id>", lambda found: of or f"{{{found[1]}}}", self.route.path)
        return f"{filled}?{query}" if query else filled


def table(name: str, *cases: Case, base: Mapping[str, Any] | None = None, fields: str = "") -> Table:
    """Write a table; the fields of its answers are named as API.md lists them."""
    return Table(name, cases, base or {}, frozenset(fields.replace(",", " ").split()))


def every(*tables: Table) -> Callable[[Any], Any]:
    """Make a test of every row of some tables."""
    rows = [pytest.param(one, case, id=f"{one.name}: {case.shows}") for one in tables for case in one.cases]
    return pytest.mark.parametrize(("one", "case"), rows)


def holds(api: Api, one: Table, case: Case) -> None:
    """Send what a row says and check what it says of the answer; a refused request writes nothing."""
    givens = Givens(api)
    for name in case.given:
        assert givens[name]
    path, sent, headers = named(one.path(case), givens), named(one.body(case), givens), named(dict(case.headers), givens)
    with writes(api) as written:
        answer = _asked(api, one.route.method, path, sent, {**api.headers, **headers})
    assert answer.status == case.status, answer.body
    if case.status < 400:
        matches(answer.body, named(case.answer, givens))
        for row in answer.body if isinstance(answer.body, list) else [answer.body]:
            assert not one.fields or set(row) >= one.fields
    else:
        assert set(answer.body["error"]) >= {"code", "message"}
        assert answer.code == CODES.get(case.status, answer.code)
        assert named(case.answer, givens) in f"{answer.code}: {answer.message}"
    if case.status != 200:
        assert bool(written) == (case.status == 201), written
    if case.then:
        matches(api.get(named(case.then[0], givens)).body, named(case.then[1], givens))


@contextmanager
def writes(api: Api) -> Iterator[list[str]]:
    """Note the calls that change a table."""
    found: list[str] = []

    def note(model: Any, http_response: Any, **_: Any) -> None:
        if http_response.status_code == 200 and model.name in _WRITES:
            found.append(model.name)

    api.store.db.meta.events.register("after-call.dynamodb", note)
    yield found
    api.store.db.meta.events.unregister("after-call.dynamodb", note)


def matches(found: Any, expected: Any) -> None:
    """Check that something has the fields that are expected of it, and a list so many rows in this order."""
    if isinstance(expected, Mapping):
        for name, value in expected.items():
            assert name in found
            matches(found[name], value)
    elif isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected), found
        for one, other in zip(found, expected, strict=True):
            matches(one, other)
    elif isinstance(found, str) and isinstance(expected, str) and expected.startswith("<"):
        assert found.startswith(expected)  # a page
    else:
        assert found == expected
        assert isinstance(found, bool) == isinstance(expected, bool)


def named(what: Any, givens: Givens) -> Any:
    """Put ids in the place of names in braces."""
    if isinstance(what, Mapping):
        return {name: named(value, givens) for name, value in what.items()}
    if isinstance(what, list):
        return [named(value, givens) for value in what]
    return _NAMED.sub(lambda found: givens[found[1]] if found[1] in givens else found[0], what) if isinstance(what, str) else what


def untabled(tables: Iterable[Table]) -> Iterator[str]:
    """Yield what the document says and no row shows, or a row shows and the document does not say."""
    found, paths = list(tables), document()["paths"]
    for route in ROUTES:
        name = f"{route.method} {route.path}"
        operation = paths[route.path.replace("<", "{").replace(">", "}")][route.method.lower()]
        said = {int(status) for status in operation["responses"]}
        shown = {status for one in found if one.name == name for status in one.statuses}
        yield from (f"{name}: {status} is in no row" for status in sorted(said - shown - FOR_ALL))
        yield from (f"{name}: {status} is not in the document" for status in sorted(shown - said - FOR_ALL))


def _asked(api: Api, method: str, path: str, sent: Any, headers: dict[str, str]) -> Answer:
    if isinstance(sent, str | bytes):
        return api(method, path, raw=sent, headers=headers)
    return api(method, path, sent, headers=headers)
