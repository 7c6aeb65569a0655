"""What all bodies and answers share: strict types, null as absent, and errors that name the field."""

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from nightjar.http.errors import BadRequest

_MOST_ERRORS = 10

# What pydantic says of a type, in the words of this API; the rest comes from the validators in `fields`.
_WORDS = {
    "missing": "is required",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
}


class Body(BaseModel):
    """A request: unknown fields are ignored, null counts as absent, the empty text takes a clearable field away.

    Attributes:
        required: Fields that creating cannot do without.
        either: Fields of which creating needs at least one.
        clearable: Optional settings that a PUT can take away by naming them with `""`.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    required: ClassVar[tuple[str, ...]] = ()
    either: ClassVar[tuple[str, ...]] = ()
    clearable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_absent(cls, data: Any) -> Any:
        """Drop what counts as absent."""
        if not isinstance(data, dict):
            raise PydanticCustomError("body", "must be a JSON object")
        return {name: value for name, value in data.items() if value is not None and not (value == "" and name in cls.clearable)}

    def named(self) -> dict[str, Any]:
        """Return the fields that the request named, with their values."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class Answer(BaseModel):
    """What the API answers; its decimals become JSON numbers with their own digits."""

    model_config = ConfigDict(frozen=True)

    def fields(self) -> dict[str, Any]:
        """Return the answer as plain dicts and lists."""
        return self.model_dump(by_alias=True)


AnyBody = TypeVar("AnyBody", bound=Body)


def read(model: type[AnyBody], raw: Any, *, creating: bool = False, within: str = "") -> AnyBody:
    """Check a parsed body.

    Args:
        model: What it should be.
        raw: The body as parsed from JSON, numbers as int or Decimal.
        creating: Whether the fields in `model.required` must be there.
        within: Where in the request it lies: "policy." before its fields' names.

    Raises:
        BadRequest: It breaks a rule; the message names each field and what is wrong with it.
    """
    problems = []
    try:
        body = model.model_validate(raw)
    except ValidationError as error:
        problems = [within + _sentence(found) for found in error.errors(include_url=False, include_context=True)]
    if creating and isinstance(raw, dict):
        problems += [f"{within}{name}: is required" for name in model.required if raw.get(name) is None]
    if problems:
        raise BadRequest("; ".join(problems[:_MOST_ERRORS]))
    return body


def cleared(model: type[Body], raw: Any) -> dict[str, None]:
    """Return the settings that a body takes away by naming them with the empty text."""
    return {name: None for name in sorted(model.clearable) if isinstance(raw, dict) and raw.get(name) == ""}


def _sentence(found: ErrorDetails) -> str:
    """Turn one of pydantic's errors into "field: what is wrong with it"."""
    context = {name: str(value).replace("'", "") for name, value in found.get("ctx", {}).items()}
    message = _WORDS[found["type"]].format(**context) if found["type"] in _WORDS else found["msg"]
    return f"{place(found['loc'])}: {message}"


def place(parts: tuple[int | str, ...]) -> str:
    """Write where in a body something lies: `active_hours.days[0]`; the body itself is `body`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "body"
