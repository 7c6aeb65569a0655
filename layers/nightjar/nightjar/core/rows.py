"""How the JSON of a stored row is read by another version of the code than wrote it.

Rule: docs/operations.md, Upgrading: an upgrade may be taken back, and the rows that it wrote meanwhile are read all the same.
"""

from dataclasses import fields
from functools import cache
from typing import Any


def members_of(kind: type, found: dict[str, Any]) -> dict[str, Any]:
    """Keep the members of a row's JSON that a dataclass has; what another version added is passed over."""
    names = _names(kind)
    return {name: value for name, value in found.items() if name in names}


@cache
def _names(kind: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))
