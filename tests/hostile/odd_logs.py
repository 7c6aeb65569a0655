"""JSON that nobody in his right mind would send as logs, as the text that comes over the wire."""

import json
from typing import Any

from hypothesis import strategies as st

# Numbers as text: what no serialiser of ours would write is sent too.
_NUMBERS = st.sampled_from([
    "0", "-0", "0.0", "-0.0", "1e29", "-1e29", "9.99e29", "999999999999999999999999999999", "999999999999999999999999999999.9999999999999999999999999999999",
    "1e30", "1e-30", "-1e-30", "1e-31", "5e-31", "4.9e-31", "1e-9999999", "1e99999999999", "0e99999999999999999999", "1.7976931348623157e308", "5e-324",
    "0." + "3" * 400, "1" * 30, "1" * 31, "12345678901234567890.12345678901234567890123456789012345", "NaN", "Infinity", "-Infinity", "1E5", "1.50e+1",
])  # fmt: skip
_TEXT = st.text(max_size=12) | st.sampled_from([
    "", " ", "\x00", "\x7f\x85", "\u2028", "\ud800", "\udfff\ud800", "é", "e\u0301", "😀" * 64, "x" * 128, "y" * 129, "#", "g", "a#b",
])  # fmt: skip
_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT
_ANY = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=6)
_IDS = st.sampled_from(["", " ", "6F2B1B1E-9D7F-4B53-8A57-0F0E4B8CF001", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
                        "019cb4e0-0000-7000-8000-000000000000", "019cb4e0-ffff-7fff-bfff-ffffffffffff", "not-a-uuid"])  # fmt: skip
_TIMES = st.sampled_from([
    "2026-03-03T14:00:00Z", "2026-03-03 13:59:59,999999999z", "2026-02-01T14:00:00Z", "2026-02-01T13:59:59.999999Z", "2026-03-04T14:00:00Z",
    "2026-03-04T14:00:00.000001Z", "2026-03-03T23:59:59+1400", "2026-03-03t10:00:00-12:00", "2026-03-03T24:00:00Z", "2026-03-03T14:00:60Z", "now", "",
])  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value)


_VALUES = _NUMBERS | st.integers().map(str) | st.floats(allow_nan=False).map(_json) | st.decimals(allow_nan=False, allow_infinity=False).map(str)
_PAIRS = st.lists(
    st.tuples(st.just("event"), _TEXT.map(_json) | st.just('"e"'))
    | st.tuples(st.just("agent"), _TEXT.map(_json))
    | st.tuples(st.just("value"), _VALUES)
    | st.tuples(st.just("log_id"), _IDS.map(_json) | st.uuids().map(lambda found: _json(str(found))))
    | st.tuples(st.just("occurred_at"), _TIMES.map(_json))
    | st.tuples(st.just("meta"), _ANY.map(_json))
    | st.tuples(_TEXT.filter(bool), _ANY.map(_json)),
    max_size=5,
)


def _object(pairs: list[tuple[str, str]]) -> str:
    """Write an object; keys may come twice."""
    return "{" + ",".join(f"{_json(name)}:{value}" for name, value in [("event", '"e"'), ("value", "1"), *pairs]) + "}"


LOGS = st.lists(_PAIRS.map(_object) | _ANY.map(_json), max_size=6).map(lambda found: "[" + ",".join(found) + "]")
