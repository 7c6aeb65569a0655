"""A coverage-guided fuzzer over body and log parser: `python -m tests.hostile.fuzz_logs CORPUS -runs=100000`.

Any bytes are either refused in so many words, or logs that can be stored; nothing else comes out, and nothing takes long.
"""

import json
import sys
from decimal import Decimal
from typing import Any

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

with atheris.instrument_imports(include=["nightjar.core", "nightjar.http"]):
    from nightjar.core import logs
    from nightjar.http import body
    from nightjar.http.errors import ApiError

# What of a log the parser reads; the fuzzer fills it in, since to guess so much JSON by flipping bits would take it years.
FIELDS = ["event", "agent", "value", "log_id", "occurred_at", "meta"]
NOW = 1_772_546_400_000_000  # 2026-03-03T14:00:00Z


def one(raw: bytes) -> None:
    """Read some bytes as ingest does: as a body, or as the fields of a log."""
    if raw[:1] == b"\xfe":
        raw = _log(atheris.FuzzedDataProvider(raw[1:]))
    try:
        found = body.parse(body.inflate(raw).decode("utf-8-sig")) if raw.startswith(b"\x1f\x8b") else body.parse(raw.decode("utf-8-sig"))
    except (ApiError, UnicodeDecodeError):
        return
    for index, each in enumerate(found if isinstance(found, list) else [found]):
        log = logs.parse_log(each, index=index, now=NOW)
        if isinstance(log, logs.Log):
            assert log.value.is_finite()
            assert abs(log.value) < Decimal("1e30")
            assert log.value.as_tuple().exponent >= -30  # type: ignore[operator]
            f"{log.agent}{log.event}{log.meta}".encode()


def _log(data: Any) -> bytes:
    """Write a log whose fields are texts, numbers or raw JSON, as the bytes say."""
    parts = ['"event":"e"', '"value":1']
    while data.remaining_bytes() and len(parts) < 10:
        name = json.dumps(data.PickValueInList(FIELDS))
        kind, text = data.ConsumeIntInRange(0, 2), data.ConsumeUnicode(data.ConsumeIntInRange(0, 60))
        parts.append(f"{name}:{text if kind == 0 else json.dumps(text) if kind == 1 else data.ConsumeInt(16)}")
    return ("{" + ",".join(parts) + "}").encode(errors="replace")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
