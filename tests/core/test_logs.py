"""Logs: each rule of API.md's table, and that nothing that a client can send breaks the reading."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.core.decimals import plain, rounded
from nightjar.core.ids import event_id, is_uuid, uuid7_instant
from nightjar.core.instants import DAY, HOUR, SECOND, iso, parse_instant
from nightjar.core.logs import Log, Rejection, new_log_id, parse_log
from nightjar.http.body import parse

NOW = parse_instant("2026-03-03T14:00:00Z")


def read(**fields: Any) -> Log:
    """Read a log that must be valid; event and value are there unless given."""
    found = parse_log({"event": "job.run", "value": 1, **fields}, index=3, now=NOW)
    assert isinstance(found, Log), found
    return found


def refusal(**fields: Any) -> str:
    """Read a log that must be rejected, and return the message."""
    found = parse_log({"event": "job.run", "value": 1, **fields}, index=3, now=NOW)
    assert isinstance(found, Rejection), found
    assert (found.index, found.code) == (3, "BAD_REQUEST")
    return found.message


def test_the_least_log_is_an_event_and_a_value() -> None:
    assert read() == Log(event_id("", "job.run"), "", "job.run", Decimal(1), None, None, None)


def test_null_counts_as_absent_for_optional_fields_and_unknown_fields_are_ignored() -> None:
    assert read(agent=None, log_id=None, occurred_at=None, meta=None, colour="red") == read()


@pytest.mark.parametrize("raw", [None, 1, "job.run", [], [[]], True, Decimal("NaN")])
def test_what_is_no_object_is_no_log(raw: Any) -> None:
    found = parse_log(raw, index=7, now=NOW)
    assert found == Rejection(7, "BAD_REQUEST", "logs[7]: must be an object")


def test_names_are_trimmed_and_blank_agents_are_none() -> None:
    found = read(event=" job.run\n", agent="\t worker ")
    assert (found.event, found.agent) == ("job.run", "worker")
    assert found.event_id == event_id("worker", "job.run")
    assert read(agent="  ").agent == ""


@pytest.mark.parametrize("raw", [None, "", "   ", 5, True, [], {}, Decimal("NaN"), "x" * 129, "a\x00b", "a\x7fb", "a\x9fb", "a\nb", "\ud800", "a\udfff"])
def test_an_event_that_breaks_a_rule_is_named(raw: Any) -> None:
    assert refusal(event=raw).startswith("logs[3].event: must")


@pytest.mark.parametrize("raw", [5, False, [], "x" * 129, "a\x00b", "a\x85b", "x\ud800"])
def test_an_agent_that_breaks_a_rule_is_named(raw: Any) -> None:
    assert refusal(agent=raw).startswith("logs[3].agent: must")


@pytest.mark.parametrize("name", ["x" * 128, "😀" * 128, "работа", "a\u2028b", "a\u00adb", "نص", "e\u0301", "a#b/c", "\ufeffa"])
def test_names_of_any_script_are_kept_as_they_are(name: str) -> None:
    assert read(event=name, agent=name).event == name


@pytest.mark.parametrize("raw", [None, True, False, "1", [], {}, Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_a_value_that_is_no_finite_number_is_rejected(raw: Any) -> None:
    assert refusal(value=raw) == "logs[3].value: must be a finite number"


@pytest.mark.parametrize("raw", [10**30, -(10**30), Decimal("1e30"), Decimal("1e999999999"), 10**400, Decimal("9" * 30 + "." + "9" * 31)])
def test_a_value_of_thirty_one_digits_is_rejected(raw: Any) -> None:
    assert refusal(value=raw) == "logs[3].value: must be below 1e30 in magnitude"


def test_a_value_keeps_its_own_digits() -> None:
    assert read(value=Decimal("0.1")).value == Decimal("0.1")
    assert read(value=10**30 - 1).value == 10**30 - 1
    assert read(value=Decimal("1e-31")).value == 0


def test_a_log_id_is_lower_case_and_any_uuid_will_do() -> None:
    assert read(log_id="6F2B1B1E-9D7F-4B53-8A57-0F0E4B8CF001").log_id == "6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001"
    assert read(log_id="00000000-0000-0000-0000-000000000000").log_id == "00000000-0000-0000-0000-000000000000"
    assert read(log_id=" ").log_id is None


@pytest.mark.parametrize(
    "raw",
    [5, [], "x", "{6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001}", "6f2b1b1e9d7f4b538a570f0e4b8cf001", " 6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001",
     "urn:uuid:6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001", "6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001\n", "\uff16f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001"],
)  # fmt: skip
def test_other_spellings_of_a_uuid_are_rejected(raw: Any) -> None:
    assert refusal(log_id=raw).startswith("logs[3].log_id: must be a UUID")


def test_the_time_is_occurred_at_else_that_of_a_uuid_7_else_open() -> None:
    seven = new_log_id(NOW - 300 * SECOND, 1)
    assert read(occurred_at="2026-03-03T13:00:00+01:00", log_id=seven).at == NOW - 2 * HOUR
    assert read(log_id=seven).at == NOW - 300 * SECOND
    assert read(log_id="6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001", occurred_at="").at is None


@pytest.mark.parametrize("distance", [-30 * DAY, DAY, 0])
def test_thirty_days_ago_and_one_day_ahead_are_still_inside(distance: int) -> None:
    assert read(occurred_at=iso(NOW + distance)).at == NOW + distance
    assert read(log_id=new_log_id(NOW + distance, 0)).at == NOW + distance


@pytest.mark.parametrize(("distance", "limit"), [(-30 * DAY - 1, "at most 30 days ago"), (DAY + 1, "at most 1 day ahead")])
def test_what_lies_outside_is_rejected_with_the_limit(distance: int, limit: str) -> None:
    assert refusal(occurred_at=iso(NOW + distance)) == f"logs[3].occurred_at: must be {limit}"
    assert refusal(log_id=new_log_id(NOW + distance * 2, 0)) == f"logs[3].log_id: its time must be {limit}"


@pytest.mark.parametrize("raw", [1772542800, Decimal("1772542800.5"), True, [], "2026-03-03", "1772542800000", Decimal("NaN")])
def test_a_time_of_another_form_is_rejected_with_the_form_expected(raw: Any) -> None:
    message = refusal(occurred_at=raw)
    assert message.startswith("logs[3].occurred_at: must be ")
    assert "2026-03-03T14:00:00Z" in message


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ('{"a": 1.10, "b": [true, null, 1e5], "c": "ü"}', '{"a":1.10,"b":[true,null,1E+5],"c":"ü"}'),
        ('"text"', '"text"'),
        ("0", "0"),
        ("false", "false"),
        ("[]", "[]"),
        ('{"a": {}, "b": [], "c": 1.0}', '{"a":{},"b":[],"c":1.0}'),
        ('{"a": 1, "a": 2}', '{"a":2}'),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('{"\\u0000\\"": 0.5}', '{"\\u0000\\"":0.5}'),
        ("[" * 512 + "]" * 512, "[" * 512 + "]" * 512),
    ],
)
def test_meta_is_any_json_and_keeps_the_digits_of_its_numbers(raw: str, kept: str) -> None:
    assert read(meta=parse(raw)).meta == kept


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({str(number): number for number in range(11)}, "must have at most 10 top-level keys"),
        ("x" * 1023, "must be at most 1 KB as compact JSON"),
        ("ü" * 512, "must be at most 1 KB as compact JSON"),
        ([Decimal("0.5")] * 300, "must be at most 1 KB as compact JSON"),
        ([Decimal("0.5"), ["x"] * 100_000], "must be at most 1 KB as compact JSON"),
        ({"a": Decimal("NaN")}, "must be JSON: NaN and Infinity are not"),
        ("\ud800", "must not hold lone surrogates"),
        ({"\udc00": Decimal("0.5")}, "must not hold lone surrogates"),
    ],
)
def test_meta_that_breaks_a_rule_rejects_its_log(raw: Any, reason: str) -> None:
    assert refusal(meta=raw) == f"logs[3].meta: {reason}"


def test_meta_of_exactly_a_kilobyte_is_taken_whatever_its_spaces() -> None:
    assert read(meta="ü" * 511).meta == '"' + "ü" * 511 + '"'
    assert read(meta=parse("[" + " " * 5_000 + "1]")).meta == "[1]"


def test_meta_nested_too_deeply_for_python_is_rejected_rather_than_crashing() -> None:
    deep: Any = Decimal("0.5")
    for _ in range(100_000):
        deep = [deep]
    assert refusal(meta=deep).startswith("logs[3].meta: ")
    while isinstance(deep, list):  # or the garbage collector recurses
        deep = deep.pop()


def test_a_made_log_id_is_a_uuid_7_of_its_instant() -> None:
    made = new_log_id(NOW + 123_456, (1 << 74) - 1)
    assert is_uuid(made)
    assert uuid7_instant(made) == NOW + 123_000
    assert made != new_log_id(NOW + 123_456, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters()), inner, max_size=12),
    max_leaves=20,
)
FIELDS = st.sampled_from(["event", "agent", "value", "log_id", "occurred_at", "meta", "other"])


@given(st.dictionaries(FIELDS, JSON) | JSON, st.booleans())
def test_whatever_json_comes_reading_never_raises_and_what_is_taken_can_be_stored(raw: Any, whole: bool) -> None:
    found = parse_log({"event": "job.run", "value": 1, **raw} if whole and isinstance(raw, dict) else raw, index=0, now=NOW)
    if isinstance(found, Rejection):
        assert found.message.startswith("logs[0]")
        found.message.encode()
        return
    assert found.value.is_finite()
    assert abs(found.value) < 10**30
    assert rounded(found.value) == found.value
    for text in (found.agent, found.event, found.meta or ""):
        text.encode()
    assert len((found.meta or "").encode()) <= 1024
    if found.meta is not None:
        json.loads(found.meta)


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.floats(allow_nan=False, allow_infinity=False).map(repr).map(Decimal))
def test_a_value_is_taken_exactly_where_its_rounding_fits_and_its_stored_text_is_that_number(value: Any) -> None:
    found = parse_log({"event": "e", "value": value}, index=0, now=NOW)
    if isinstance(found, Rejection):
        assert abs(Fraction(value)) >= 10**30 - 1
    else:
        assert abs(Fraction(plain(found.value)) - Fraction(value)) <= Fraction(1, 2 * 10**30)
