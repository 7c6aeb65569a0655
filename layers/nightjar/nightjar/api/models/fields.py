"""The kinds of fields that bodies are made of, each with its rule and the sentence that is said when it is broken."""

import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from nightjar.core.decimals import plain, rounded
from nightjar.core.ids import is_uuid
from nightjar.core.instants import DAY, parse_instant
from nightjar.core.periods import is_zone

# Sums of values below 1e30 may grow beyond 1e30; beyond this a threshold is a slip.
_WIDEST = Decimal(10) ** 60
_LATEST = 2_932_896 * DAY  # 9999-12-31T00:00:00Z

# Control characters, and halves of surrogate pairs, which no text in UTF-8 can hold.
_NO_TEXT = {"Cc", "Cs"}


def refuse(message: str) -> PydanticCustomError:
    """Make the error that says what is wrong with a field."""
    return PydanticCustomError("field", "{message}", {"message": message})


def text(longest: int, *, shortest: int = 0) -> Callable[[Any], str]:
    """Make the check of a text: trimmed, of so many characters, none of them a control character."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise refuse("must be a string")
        found = value.strip()
        if len(found) > longest:
            raise refuse(f"must be at most {longest} characters")
        if len(found) < shortest:
            raise refuse("must not be blank")
        if any(unicodedata.category(char) in _NO_TEXT for char in found):
            raise refuse("must not hold control characters")
        return found

    return check


def _number(value: Any) -> Decimal:
    """Check a finite number; it is rounded to 30 places like every number that clients write."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise refuse("must be a finite number")
    number = value if isinstance(value, Decimal) else Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise refuse("must be a finite number")
    if abs(number) >= _WIDEST:
        raise refuse("must be below 1e60 in magnitude")
    return rounded(number)


def _whole(value: Any) -> int:
    """Check a whole number; 5.0 is one, and what rounding would make one is not."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise refuse("must be a whole number")
    number = _number(value)
    if number != value or number != number.to_integral_value():
        raise refuse("must be a whole number")
    return int(number)


def _instant(value: Any) -> int:
    """Check an instant between 1970 and 9999."""
    if not isinstance(value, str):
        raise refuse("must be an instant like 2026-03-03T14:00:00Z")
    try:
        found = parse_instant(value.strip())
    except ValueError as error:
        raise refuse(str(error)) from None
    if not 0 <= found <= _LATEST:
        raise refuse("must lie between 1970 and 9999")
    return found


def _uuid(value: Any) -> str:
    """Check a UUID; upper case is another spelling of the same."""
    if not isinstance(value, str) or not is_uuid(value.strip()):
        raise refuse("must be a UUID like 0195f2a0-7c1e-7abc-8def-0123456789ab")
    return value.strip().lower()


def _timezone(value: Any) -> str:
    """Check the name of a timezone."""
    if not isinstance(value, str) or not is_zone(value.strip()):
        raise refuse("must be the name of an IANA timezone, exactly spelt, like Europe/Berlin")
    return value.strip()


def _link(value: Any) -> str:
    """Check a link that may stand in a message."""
    found = text(2_000)(value)
    try:
        parts = urlsplit(found)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if found and (not usable or any(char in found for char in ' "<>\\')):
        raise refuse("must be an http or https link")
    return found


# Clients may write more than RFC 3339: a space for the T, a comma, no colon in the offset, no offset.
_LOOSE = r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?\s*$"
_IN = {"type": "string", "anyOf": [{"format": "date-time"}, {"pattern": _LOOSE}]}
_OUT = {"type": "string", "format": "date-time"}

Agent = Annotated[str, BeforeValidator(text(128)), WithJsonSchema({"type": "string", "maxLength": 128})]
EventName = Annotated[str, BeforeValidator(text(128, shortest=1)), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128})]
Short = Annotated[str, BeforeValidator(text(200)), WithJsonSchema({"type": "string", "maxLength": 200})]
Long = Annotated[str, BeforeValidator(text(2_000)), WithJsonSchema({"type": "string", "maxLength": 2_000})]
Link = Annotated[str, BeforeValidator(_link), WithJsonSchema({"type": "string", "maxLength": 2_000})]
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Whole = Annotated[int, BeforeValidator(_whole)]
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema(_IN)]
Id = Annotated[str, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Timezone = Annotated[str, BeforeValidator(_timezone), WithJsonSchema({"type": "string"})]

# The same in answers, where nothing is to be checked: 20 is written as 20, not as 2E+1.
Digits = Annotated[Decimal, PlainSerializer(lambda value: Decimal(plain(value))), WithJsonSchema({"type": "number"})]
When = Annotated[str, WithJsonSchema(_OUT)]
Uuid = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
