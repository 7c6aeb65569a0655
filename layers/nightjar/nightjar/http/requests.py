"""What is read from a request as API Gateway's REST proxy integration hands it over."""

from collections.abc import Mapping
from typing import Any

Request = Mapping[str, Any]
Headers = Mapping[str, str] | None


def header(headers: Headers, name: str) -> str:
    """Return a header's value, whatever the case of its name; "" if there is none."""
    wanted = name.lower()
    for key, value in (headers or {}).items():
        if key.lower() == wanted:
            return value or ""
    return ""
