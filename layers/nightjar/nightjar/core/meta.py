"""The free JSON that a log may carry along: kept as compact text, with the digits that the client wrote."""

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

MAX_BYTES = 1024
MAX_KEYS = 10

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode_meta(raw: Any) -> str:
    """Write meta as compact JSON.

    Args:
        raw: JSON as `http.body.parse` reads it: numbers with a fraction or an exponent are Decimals.

    Returns:
        UTF-8 text of at most 1,024 bytes.

    Raises:
        ValueError: It breaks a rule; the message says which.

    Rule: API.md, Logs, `meta`.
    """
    if isinstance(raw, dict) and len(raw) > MAX_KEYS:
        raise ValueError(f"must have at most {MAX_KEYS} top-level keys")
    try:
        text = _text_of(raw)
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("must not hold lone surrogates") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if size > MAX_BYTES:
        raise ValueError("must be at most 1 KB as compact JSON")
    return text


def _text_of(raw: Any) -> str:
    try:
        return _ENCODE(raw)
    except TypeError:  # it holds decimals, which `json` cannot write with their own digits
        parts: list[str] = []
        _write(raw, parts)
        return "".join(parts)


def _write(raw: Any, parts: list[str]) -> None:
    """Append the JSON of one value; the rest of what is too long anyway is left out."""
    if len(parts) > MAX_BYTES:
        return
    if isinstance(raw, str):
        parts.append(encode_basestring(raw))
    elif isinstance(raw, dict):
        for number, (key, value) in enumerate(raw.items()):
            parts.append(("," if number else "{") + encode_basestring(key) + ":")
            _write(value, parts)
        parts.append("}" if raw else "{}")
    elif isinstance(raw, list):
        for number, value in enumerate(raw):
            parts.append("," if number else "[")
            _write(value, parts)
        parts.append("]" if raw else "[]")
    elif isinstance(raw, Decimal):
        if not raw.is_finite():
            raise ValueError("must be JSON: NaN and Infinity are not")
        parts.append(str(raw))
    else:
        parts.append(_ENCODE(raw))
