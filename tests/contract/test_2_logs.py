"""API.md, Logs: POST /v1.0/logs."""

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
from nightjar.core import ids
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND, iso
from nightjar.core.logs import new_log_id

from tests.contract.table import Absent, Table, every, holds, sends, table
from tests.contract.world import NOW, Api

FOUR_MB = 4 * 2**20
RAW = "/v1.0/events/{known}/logs?period=raw"
FOUR = "6f2b1b1e-9d7f-4b53-8a57-0f0e4b8cf001"
SEVEN = new_log_id(NOW - HOUR, 1)
NUMBER = "logs[0].value: must be a finite number"
BELOW = "logs[0].value: must be below 1e30 in magnitude"
TIME = "logs[0].occurred_at: must be "
UUID = "logs[0].log_id: must be a UUID of 8-4-4-4-12 hexadecimal digits"
CONTROLS = "must not hold control characters"


def kept(**fields: Any) -> dict[str, Any]:
    """What is found of the log afterwards, among the raw logs."""
    return {"then": (RAW, [{"agent": "worker.billing", "event": "job.run", **fields}])}


def at(instant: str) -> dict[str, Any]:
    return kept(occurred_at=instant)


def text(value: str) -> str:
    """A log whose value is written like this."""
    return f'[{{"agent": "worker.billing", "event": "job.run", "value": {value}}}]'


LOGS = table(
    "POST /v1.0/logs",
    sends("one log as an object", {}, 200, {"accepted": 1, "rejected": []}, **kept(value=1, occurred_at="2026-03-03T14:30:00Z", meta=None)),
    sends("an array", text("1"), 200, {"accepted": 1}, **kept(value=1)),
    sends("an empty array", [], 200, {"accepted": 0, "rejected": []}),
    sends("gzip", gzip.compress(text("1").encode()), 200, {"accepted": 1}, headers={"Content-Encoding": "gzip"}, **kept(value=1)),
    sends("gzip is seen from its bytes", gzip.compress(text("1").encode()), 200, {"accepted": 1}, **kept(value=1)),
    sends("not gzip, whatever the header says", text("1"), 200, {"accepted": 1}, headers={"Content-Encoding": "gzip"}, **kept(value=1)),
    sends("another encoding", text("1"), 415, "Content-Encoding: must be gzip or identity", headers={"Content-Encoding": "br"}),
    sends("gzip that is cut off", gzip.compress(text("1").encode())[:-9], 400, "body: is cut off"),
    sends("4 MiB after gunzip", gzip.compress(text("1").encode().ljust(FOUR_MB)), 200, {"accepted": 1}),
    sends("more than 4 MiB after gunzip", gzip.compress(text("1").encode().ljust(FOUR_MB + 1)), 413, "body: must be at most 4 MiB once inflated"),
    sends("more than 4 MiB", text("1").ljust(FOUR_MB + 1), 413, "body: must be at most 4 MiB"),
    sends("neither array nor object", "5", 400, "body: must be an array of logs, or one log"),
    sends("no JSON", "[{]", 400, "body: is not JSON"),
    sends("unknown fields are ignored", {"public": True, "title": []}, 200, {"accepted": 1}),
    sends("the last of duplicate keys counts", text('1, "value": 2'), 200, {"accepted": 1}, **kept(value=2)),
    sends("what is in the array is no object", [5], 400, "logs[0]: must be an object"),
    sends(
        "valid logs are stored, the others told by index", [{"event": "e", "value": 1}, {"event": "e"}, 5], 200,
        {"accepted": 1, "rejected": [{"index": 1, "code": "BAD_REQUEST", "message": "logs[1].value: must be a finite number"}, {"index": 2}]},
    ),
    sends("every log is invalid", [{"event": "e"}, {}], 400, NUMBER),
    base={"agent": "worker.billing", "event": "job.run", "value": 1},
)  # fmt: skip
EVENT = table(
    "POST /v1.0/logs",
    sends("event is required", {"event": Absent}, 400, "logs[0].event: must be a text of 1 to 128 characters"),
    sends("event null", {"event": None}, 400, "logs[0].event: must be a text of 1 to 128 characters"),
    sends("event blank", {"event": " \t"}, 400, "logs[0].event: must be a text of 1 to 128 characters"),
    sends("event is trimmed", {"event": " job.run\n"}, 200, {"accepted": 1}, **kept(event="job.run")),
    sends("event of 128 characters", {"event": "é" * 128}, 200, {"accepted": 1}),
    sends("event of 129", {"event": "x" * 129}, 400, "logs[0].event: must be at most 128 characters"),
    sends("event with a control character", {"event": "a\x07b"}, 400, f"logs[0].event: {CONTROLS}"),
    sends("event with half a surrogate pair", {"event": "a\ud800"}, 400, f"logs[0].event: {CONTROLS}"),
    sends("event is no string", {"event": 7}, 400, "logs[0].event: must be a text"),
    sends("agent absent", {"agent": Absent}, 200, {"accepted": 1}),
    sends("agent null", {"agent": None}, 200, {"accepted": 1}, then=("/v1.0/events", [{"agent": "", "event": "job.run"}])),
    sends("agent blank means none", {"agent": "  "}, 200, {"accepted": 1}, then=("/v1.0/events", [{"agent": "", "event": "job.run"}])),
    sends("agent is trimmed", {"agent": " worker.billing "}, 200, {"accepted": 1}, **kept()),
    sends("agent of 129 characters", {"agent": "x" * 129}, 400, "logs[0].agent: must be at most 128 characters"),
    sends("agent with a control character", {"agent": "a\nb"}, 400, f"logs[0].agent: {CONTROLS}"),
    sends("agent is no string", {"agent": []}, 400, "logs[0].agent: must be a text"),
    base={"agent": "worker.billing", "event": "job.run", "value": 1},
)
VALUE = table(
    "POST /v1.0/logs",
    sends("value is required", '{"event": "e"}', 400, NUMBER),
    sends("value null", text("null"), 400, NUMBER),
    sends("a boolean", text("true"), 400, NUMBER),
    sends("a string", text('"5"'), 400, NUMBER),
    sends("a bare NaN", text("NaN"), 400, NUMBER),
    sends("a bare Infinity rejects its log alone", f"{text('-Infinity')[:-1]},{text('5')[1:]}", 200, {"accepted": 1, "rejected": [{"index": 0}]}),
    sends("it keeps its own digits", text("12345678901234567890.10"), 200, {"accepted": 1}, **kept(value=Decimal("12345678901234567890.1"))),
    sends("negative", text("-0.5"), 200, {"accepted": 1}, **kept(value=Decimal("-0.5"))),
    sends("rounded half to even: down", text("0." + "0" * 29 + "25"), 200, {"accepted": 1}, **kept(value=Decimal("2e-30"))),
    sends("rounded half to even: up", text("0." + "0" * 29 + "35"), 200, {"accepted": 1}, **kept(value=Decimal("4e-30"))),
    sends("just below 1e30", text("9" * 30), 200, {"accepted": 1}, **kept(value=10**30 - 1)),
    sends("1e30", text("1e30"), 400, BELOW),
    sends("what rounds to 1e30", text("9" * 30 + "." + "9" * 31), 400, BELOW),
    sends("minus 1e30", text("-1e30"), 400, BELOW),
    sends("an exponent beyond all", text("1e99999999999999999999"), 400, NUMBER),
)
TIMES = table(
    "POST /v1.0/logs",
    sends("log_id absent: the server makes one", {}, 200, {"accepted": 1}, **kept()),
    sends("log_id blank", {"log_id": " "}, 200, {"accepted": 1}, **kept()),
    sends("log_id null", {"log_id": None}, 200, {"accepted": 1}, **kept()),
    sends("log_id in upper case", {"log_id": FOUR.upper()}, 200, {"accepted": 1}, **kept(log_id=FOUR, occurred_at="2026-03-03T14:30:00Z")),
    sends("log_id of version 7 tells the time", {"log_id": SEVEN}, 200, {"accepted": 1}, **kept(log_id=SEVEN, occurred_at="2026-03-03T13:30:00Z")),
    sends("log_id of a time too far ahead", {"log_id": new_log_id(NOW + 2 * DAY, 1)}, 400, "logs[0].log_id: its time must be at most 1 day ahead"),
    sends("log_id in braces", {"log_id": "{" + FOUR + "}"}, 400, UUID),
    sends("log_id without hyphens", {"log_id": FOUR.replace("-", "")}, 400, UUID),
    sends("log_id is no string", {"log_id": 7}, 400, UUID),
    sends("occurred_at", {"occurred_at": "2026-03-03T14:00:00Z"}, 200, {"accepted": 1}, **at("2026-03-03T14:00:00Z")),
    sends("a space, small z", {"occurred_at": "2026-03-03 14:00:00z"}, 200, {"accepted": 1}, **at("2026-03-03T14:00:00Z")),
    sends("small t, no offset: UTC", {"occurred_at": "2026-03-03t14:00:00"}, 200, {"accepted": 1}, **at("2026-03-03T14:00:00Z")),
    sends("an offset with a colon", {"occurred_at": "2026-03-03T19:30:00+05:30"}, 200, {"accepted": 1}, **at("2026-03-03T14:00:00Z")),
    sends("an offset without", {"occurred_at": "2026-03-03T09:00:00-0500"}, 200, {"accepted": 1}, **at("2026-03-03T14:00:00Z")),
    sends("a fraction is cut", {"occurred_at": "2026-03-03T13:59:59,9999999Z"}, 200, {"accepted": 1}, **at("2026-03-03T13:59:59.999999Z")),
    sends("it wins over the log_id's", {"occurred_at": "2026-03-03T14:00:00Z", "log_id": SEVEN}, 200, {"accepted": 1}, **at("2026-03-03T14:00:00Z")),
    sends("blank is absent", {"occurred_at": ""}, 200, {"accepted": 1}, **at("2026-03-03T14:30:00Z")),
    sends("null is absent", {"occurred_at": None}, 200, {"accepted": 1}, **at("2026-03-03T14:30:00Z")),
    sends("30 days ago", {"occurred_at": iso(NOW - 30 * DAY)}, 200, {"accepted": 1}),
    sends("longer ago", {"occurred_at": iso(NOW - 30 * DAY - SECOND)}, 400, f"{TIME}at most 30 days ago"),
    sends("1 day ahead", {"occurred_at": iso(NOW + DAY)}, 200, {"accepted": 1}),
    sends("farther ahead", {"occurred_at": iso(NOW + DAY + SECOND)}, 400, f"{TIME}at most 1 day ahead"),
    sends("a number", {"occurred_at": NOW // SECOND}, 400, f"{TIME}a text with an instant like 2026-03-03T14:00:00Z, not a number"),
    sends("digits", {"occurred_at": str(NOW)}, 400, f"{TIME}an instant like 2026-03-03T14:00:00Z"),
    sends("a bare date", {"occurred_at": "2026-03-03"}, 400, f"{TIME}an instant like 2026-03-03T14:00:00Z"),
    sends("24:00", {"occurred_at": "2026-03-02T24:00:00Z"}, 400, f"{TIME}an instant like 2026-03-03T14:00:00Z"),
    sends("second 60", {"occurred_at": "2026-03-03T13:59:60Z"}, 400, f"{TIME}an instant like 2026-03-03T14:00:00Z"),
    sends("no seconds", {"occurred_at": "2026-03-03T14:00Z"}, 400, f"{TIME}an instant like 2026-03-03T14:00:00Z"),
    base={"agent": "worker.billing", "event": "job.run", "value": 1},
)
META = table(
    "POST /v1.0/logs",
    sends("any JSON, with its digits", text('1, "meta": {"a": [1.10, null], "b": "ü"}'), 200, {"accepted": 1}, **kept(meta={"a": [Decimal("1.10"), None]})),
    sends("a text", {"meta": "x"}, 200, {"accepted": 1}, **kept(meta="x")),
    sends("null is absent", {"meta": None}, 200, {"accepted": 1}, **kept(meta=None)),
    sends("1 KB", {"meta": "x" * 1022}, 200, {"accepted": 1}, **kept(meta="x" * 1022)),
    sends("more", {"meta": "x" * 1023}, 400, "logs[0].meta: must be at most 1 KB as compact JSON"),
    sends("10 top-level keys", {"meta": {str(n): n for n in range(10)}}, 200, {"accepted": 1}),
    sends("11", {"meta": {str(n): n for n in range(11)}}, 400, "logs[0].meta: must have at most 10 top-level keys"),
    sends("nested deeply", text('1, "meta": ' + "[" * 800 + "]" * 800), 400, "logs[0].meta: must be at most 1 KB"),
    base={"agent": "worker.billing", "event": "job.run", "value": 1},
)


@every(LOGS, EVENT, VALUE, TIMES, META)
def test_logs(api: Api, one: Table, case: Any) -> None:
    holds(api, one, case)


@pytest.mark.parametrize("log_id", [FOUR, SEVEN])
def test_a_log_sent_twice_counts_once_in_whatever_batch(api: Api, log_id: str) -> None:
    log = {"event": "e", "value": 1, "log_id": log_id}
    for batch in ([log, log], [{"event": "e", "value": 2}, {**log, "log_id": log_id.upper()}]):
        assert api.post("/v1.0/logs", batch).body == {"accepted": 2, "rejected": []}
        api.now += MINUTE
    listed = api.get(f"/v1.0/events/{ids.event_id('', 'e')}/logs?period=raw").body
    assert sorted(found["value"] for found in listed) == [1, 2]


def test_when_all_are_rejected_each_reason_is_told(api: Api) -> None:
    answer = api.post("/v1.0/logs", [{"event": "e"}, {"value": 1}])
    assert [(found["index"], found["code"]) for found in answer.body["error"]["rejected"]] == [(0, "BAD_REQUEST"), (1, "BAD_REQUEST")]


def test_there_is_no_limit_on_the_number_of_logs(api: Api) -> None:
    body = json.dumps([{"event": "e", "value": 1}] * 2_000).encode()
    assert api("POST", "/v1.0/logs", raw=gzip.compress(body)).body["accepted"] == 2_000
