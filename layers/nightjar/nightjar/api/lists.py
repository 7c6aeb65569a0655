"""Lists: bare arrays, newest first, paged by limit and offset or by the opaque cursor of a Link header."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from nightjar.api.requests import Call, Reply
from nightjar.http.errors import BadRequest, compact, exact
from nightjar.http.limits import ANSWER_BYTES

MOST = 1_000
_FARTHEST = 100_000
_MARK = 8

Found = TypeVar("Found")
# Fetch so many rows after a cursor (None: from the newest); returns them and the cursor to go on from.
Fetch = Callable[[int, str | None], tuple[list[Found], str | None]]


def listed(call: Call, fetch: Fetch[Found], show: Callable[[Found], Any], *, default: int = MOST) -> Reply:
    """Answer a list whose rows are shown one by one; see `listed_together`."""
    return listed_together(call, fetch, lambda rows: [show(row) for row in rows], default=default)


def listed_together(call: Call, fetch: Fetch[Found], show: Callable[[list[Found]], list[Any]], *, default: int = MOST) -> Reply:
    """Answer a list. A page that would be larger than a function may answer is cut; its Link leads on.

    Args:
        call: The request, with limit, offset and cursor in its query.
        fetch: Reads rows, newest first.
        show: Turns rows into what is answered.
        default: How many rows when the request does not say.

    Raises:
        BadRequest: limit, offset or cursor cannot be used.
    """
    limit = call.whole("limit", default, 1, MOST)
    offset = call.whole("offset", 0, 0, _FARTHEST)
    cursor = _opened(call, call.query("cursor"))
    while offset:
        passed, cursor = fetch(min(offset, MOST), cursor)
        offset = offset - len(passed) if cursor else 0
        if cursor is None:
            return Reply([])
    rows, following = fetch(limit, cursor)
    shown = show(rows)
    while len(rows) > 1 and (size := _quoted(shown)) > ANSWER_BYTES:
        rows, following = fetch(max(1, len(rows) * ANSWER_BYTES * 9 // (size * 10)), cursor)
        shown = show(rows)
    headers = (("Link", _link(call, limit, following)),) if following is not None else ()
    return Reply(shown, headers=headers)


def _quoted(shown: list[Any]) -> int:
    """Return how many bytes a body takes inside a function's answer."""
    return len(compact(exact(shown)))


def sliced(rows: list[Found], key: Callable[[Found], str]) -> Fetch[Found]:
    """Make a fetch of rows that are all there, sorted newest first by a key that names each."""

    def fetch(limit: int, cursor: str | None) -> tuple[list[Found], str | None]:
        rest = rows if cursor is None else [row for row in rows if key(row) < cursor]
        return rest[:limit], key(rest[limit - 1]) if len(rest) > limit else None

    return fetch


def _link(call: Call, limit: int, cursor: str) -> str:
    """Write the header that leads to the next page; the other parameters stay."""
    kept = {name: value for name, value in (call.event.get("queryStringParameters") or {}).items() if name not in {"limit", "offset", "cursor"}}
    query = urlencode({**kept, "limit": limit, "cursor": _closed(call, cursor)})
    return f'<{call.url}?{query}>; rel="next"'


def _closed(call: Call, cursor: str) -> str:
    """Make a cursor opaque, and useless on another route."""
    return urlsafe_b64encode((_mark(call, cursor) + cursor).encode()).decode().rstrip("=")


def _opened(call: Call, text: str | None) -> str | None:
    """Read what `_closed` wrote.

    Raises:
        BadRequest: It was not written for this route.
    """
    if text is None:
        return None
    try:
        found = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        found = ""
    mark, cursor = found[:_MARK], found[_MARK:]
    if not cursor or mark != _mark(call, cursor):
        raise BadRequest("cursor: must come from the Link header of this list")
    return cursor


def _mark(call: Call, cursor: str) -> str:
    """Return a checksum of a cursor and its route: fuzz must not reach storage."""
    path = str(call.event.get("path") or "").rstrip("/")
    return hashlib.sha256(f"{path}#{cursor}".encode()).hexdigest()[:_MARK]
