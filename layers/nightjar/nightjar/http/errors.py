"""Errors as clients see them: one class a status, one table from exceptions to statuses, one envelope."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from nightjar.observability import count, logger
from nightjar.storage.faults import Broken, code_of, is_fault

Response = dict[str, Any]


class ApiError(Exception):
    """A refusal that the client is told of.

    Args:
        message: Names the field and what is wrong with it; shown to the client.
        extra: More fields of the error object (`event_id` of a conflict).
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "BAD_REQUEST"

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        return {}

    def body(self) -> dict[str, Any]:
        """Return the envelope that every error comes in."""
        return {"error": {"code": self.code, "message": self.message, **self.extra}}


class BadRequest(ApiError):
    """The request cannot be understood, or a field breaks its rule."""


class InvalidToken(ApiError):
    """There is a key, but it is malformed, unknown or revoked."""

    status, code = 401, "INVALID_TOKEN"


class Unauthorized(ApiError):
    """There is no key."""

    status, code = 401, "UNAUTHORIZED"


class Forbidden(ApiError):
    """The key's scope does not reach so far."""

    status, code = 403, "FORBIDDEN"


class NotFound(ApiError):
    """There is no such thing, or no such route."""

    status, code = 404, "NOT_FOUND"


class MethodNotAllowed(ApiError):
    """The route exists, for other methods.

    Args:
        message: Names them.
        allow: Names them for RFC 9110's header.
    """

    status, code = 405, "METHOD_NOT_ALLOWED"

    def __init__(self, message: str, *, allow: str = "") -> None:
        super().__init__(message)
        self.allow = allow

    @property
    def headers(self) -> dict[str, str]:
        """Say which methods there are."""
        return {"Allow": self.allow}


class Conflict(ApiError):
    """What is stored forbids it; `extra` may carry what is there."""

    status, code = 409, "CONFLICT"


class TooLarge(ApiError):
    """The body is larger than 4 MiB once inflated."""

    status, code = 413, "PAYLOAD_TOO_LARGE"


class UnsupportedMedia(ApiError):
    """The body is encoded in a way that is not read here."""

    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"


class Unprocessable(ApiError):
    """Well formed, but it refers to something that is not there."""

    status, code = 422, "UNPROCESSABLE"


class TooManyRequests(ApiError):
    """Not now: the only refusal after which the SDKs keep their logs and come again.

    Args:
        message: What was busy.
        retry_after: Whole seconds, at least 1 (the Go SDK reads it with Atoi; a negative one kills the Python SDK's thread).
    """

    status, code = 429, "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after: int = 1, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.retry_after = max(1, int(retry_after))

    @property
    def headers(self) -> dict[str, str]:
        """Say when to come again."""
        return {"Retry-After": str(self.retry_after)}


def as_api_error(error: Exception) -> ApiError:
    """Turn any exception into what the client is told: THE table.

    | exception | answer |
    |---|---|
    | an ApiError | itself |
    | a fault of storage (throttled, timed out, down) | 429, Retry-After 1 |
    | something stored that an operator must mend | 409, which says how |
    | anything else: a fault of our code | 429, Retry-After 30 |

    Rule: API.md, Logs: the SDKs drop a batch for ever on 500, 503 and every 4xx but 429, so no fault of our own may answer
    with one of these. ENGINE.md, Traps, wants no endless 429 for a fault of the code: whatever depends on what the client
    sent (a body, a log) is therefore caught where it is read and refused for good; what arrives here does not depend on
    it, is counted in InternalErrors with an alarm, and is the operator's to mend while the client keeps its logs.
    """
    if isinstance(error, ApiError):
        return error
    if is_fault(error):
        logger().warning("storage fault", extra={"fault": code_of(error), "detail": str(error)[:500]})
        count("StorageFaults")
        return TooManyRequests("storage is busy, try again")
    if isinstance(error, Broken):
        logger().error("what is stored is broken", exc_info=error)
        count("InternalErrors")
        return Conflict(str(error))
    logger().error("internal error", exc_info=error)
    count("InternalErrors")
    return TooManyRequests("something failed here, try again", retry_after=30)


def compact(body: Any) -> str:
    """Write JSON without spaces; for answers that hold no decimals."""
    return json.dumps(body, separators=(",", ":"))


def exact(body: Any) -> str:
    """Write JSON in which a Decimal is a number with its own digits."""
    import simplejson

    return str(simplejson.dumps(body, use_decimal=True, separators=(",", ":")))


def respond(status: int, body: Any, headers: Mapping[str, str] | None = None, *, write: Callable[[Any], str] = compact) -> Response:
    """Make the answer of an API Gateway REST proxy integration.

    Args:
        status: HTTP status.
        body: What to write as JSON; a text is sent as it is.
        headers: Further headers; they win over the content type set here.
        write: `exact` where the body holds decimals.
    """
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": body if isinstance(body, str) else write(body),
        "isBase64Encoded": False,
    }


def refusal(error: ApiError) -> Response:
    """Make the answer that carries an error."""
    return respond(error.status, error.body(), error.headers)


def answered(handle: Callable[[], Response]) -> Response:
    """Call a handler and turn whatever it raises into an answer."""
    try:
        return handle()
    except Exception as error:  # noqa: BLE001
        return refusal(as_api_error(error))
