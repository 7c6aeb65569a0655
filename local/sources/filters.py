"""FilterCriteria of an event source mapping: the part of EventBridge's pattern language that the template uses."""

from collections.abc import Mapping, Sequence
from typing import Any


class UnknownPattern(ValueError):
    """A pattern uses a comparison that is not known here."""


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Tell whether an event has all that a pattern names.

    Rule: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html

    Raises:
        UnknownPattern: The pattern uses a comparison that is not known here.

    >>> matches({"eventName": ["INSERT"]}, {"eventName": "INSERT"})
    True
    """
    return all(_holds(wanted, event.get(name)) for name, wanted in pattern.items())


def _holds(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and matches(wanted, found)
    return any(_is(each, found) for each in wanted)


def _is(wanted: Any, found: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(wanted == found)
    match dict(wanted):
        case {"prefix": prefix}:
            return isinstance(found, str) and found.startswith(prefix)
        case {"anything-but": others} if isinstance(others, Sequence):
            return found is not None and found not in others
        case _:
            raise UnknownPattern(f"not known here: {wanted}")
