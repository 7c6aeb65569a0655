"""One request: what a route may ask of it, and the answers that it gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nightjar.core.ids import is_uuid
from nightjar.http.errors import BadRequest
from nightjar.http.requests import header
from nightjar.storage.client import Store


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the control plane.

    Attributes:
        store: The tables.
        now: Wall time, µs.
        event: The event of API Gateway's REST proxy integration.
    """

    store: Store
    now: int
    event: Mapping[str, Any]

    def query(self, name: str) -> str | None:
        """Return a query parameter; None if it is absent or blank."""
        found = (self.event.get("queryStringParameters") or {}).get(name)
        return str(found).strip() or None if found is not None else None

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """Return a query parameter that is one of some words.

        Raises:
            BadRequest: It is another word, or is absent and has no default.
        """
        found = self.query(name) or default
        if found not in choices:
            raise BadRequest(f"{name}: must be one of {', '.join(choices)}")
        return found

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a query parameter that is a whole number.

        Raises:
            BadRequest: It is something else, or out of bounds.
        """
        found = self.query(name)
        if found is None:
            return default
        if not (found.isascii() and found.isdigit() and len(found) < 10 and low <= int(found) <= high):  # noqa: PLR2004
            raise BadRequest(f"{name}: must be a whole number from {low} to {high}")
        return int(found)

    @property
    def url(self) -> str:
        """The address that was asked for, with the stage in its path and without the query."""
        headers = self.event.get("headers")
        path = str((self.event.get("requestContext") or {}).get("path") or self.event.get("path") or "/")
        host = header(headers, "host")
        return f"{header(headers, 'x-forwarded-proto') or 'https'}://{host}{path}" if host else path


@dataclass(frozen=True, slots=True)
class Reply:
    """What a route answers: a body of plain dicts and lists (or a text), and headers."""

    body: Any
    headers: tuple[tuple[str, str], ...] = ()


def valid_id(name: str, text: str) -> str:
    """Check an id in a path and return its one spelling.

    Raises:
        BadRequest: It is no UUID.
    """
    if not is_uuid(text.strip()):
        raise BadRequest(f"{name}: must be a UUID")
    return text.strip().lower()
