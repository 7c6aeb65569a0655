"""The http cases of cases.json that POST /v1.0/logs has to hold: h01, h03, h05, h07, h09, h11."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nightjar.core.instants import DAY, HOUR, MILLISECOND, MINUTE, SECOND, iso
from nightjar.core.logs import new_log_id
from nightjar.http.limits import BODY_BYTES

from tests.contract.world import Api, api_on, simulated, tables
from tests.ingesting import NOW, Ingest, ingesting

CASES = {case["id"][:3]: case for case in json.loads(Path(__file__).with_name("cases.json").read_text())["cases"]}
BATCH = json.dumps([{"event": "job.run", "value": number, "log_id": new_log_id(NOW, number)} for number in range(4)]).encode()


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with ingesting() as running:
        yield running


@pytest.fixture
def api() -> Iterator[Api]:
    with simulated() as db, tables(db) as store:
        yield api_on(store)


def holds(answer: Any, expected: dict[str, Any]) -> None:
    """Check what a case says of one response."""
    assert answer.status == expected["status"]
    if "accepted" in expected:
        assert answer.body["accepted"] == expected["accepted"]
    if "rejected_indexes" in expected:
        assert [entry["index"] for entry in answer.body["rejected"]] == expected["rejected_indexes"]
    if "code" in expected:
        assert answer.body["error"]["code"] == expected["code"]
    assert expected.get("message_contains", "") in json.dumps(answer.body)


def play(api: Api, case: str) -> None:
    """Send each request of a case, as its `raw` text or its `body`, and check its response."""
    for request, expected in zip(CASES[case]["given"]["requests"], CASES[case]["expect"]["responses"], strict=True):
        holds(api("POST", request["POST"], request.get("body"), raw=request.get("raw")), expected)


def test_h01_a_bare_nan_or_infinity_rejects_its_log_and_not_the_body(api: Api) -> None:
    play(api, "h01")


def test_h03_an_empty_batch_is_fine_and_what_is_no_batch_is_not(api: Api) -> None:
    play(api, "h03")


def h05_body(request: dict[str, Any]) -> bytes:
    """Make the body that case h05 describes in words."""
    made: dict[str, Callable[[], bytes]] = {
        "valid batch": lambda: gzip.compress(BATCH),
        "valid batch padded with spaces to 4 MB (4,000,000 bytes)": lambda: gzip.compress(BATCH.ljust(4_000_000)),
        "valid batch padded to 4 MiB + 1 byte": lambda: gzip.compress(BATCH.ljust(BODY_BYTES + 1)),
        "800 MB of spaces": bomb,
        "two members, one half of the batch each": lambda: gzip.compress(BATCH[:50]) + gzip.compress(BATCH[50:]),
    }
    if "body" in request:
        assert request["body"] == "valid batch, plain"
        return BATCH
    found = made[request["gzip_of"]]()
    return found[:-10] if request.get("cut") == "last 10 bytes missing" else found


def bomb() -> bytes:
    """800 MB of spaces, packed: one flushed block of a megabyte, repeated."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * 799


def test_h05_whether_a_body_is_gzip_is_seen_from_its_bytes_and_a_bomb_costs_no_memory(ingest: Ingest) -> None:
    case = CASES["h05"]
    limit = case["expect"]["bomb"]["memory_growth_mb_max"] * 1_000_000
    for request, status in zip(case["given"]["requests"], case["expect"]["statuses"], strict=True):
        before = len(ingest.logs())
        body = h05_body(request)
        headers = {"content_encoding": request["header"]} if request["header"] else {}
        tracemalloc.start()
        answer = ingest.post(raw=body, **headers)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert answer.status == status, request
        assert peak < limit
        assert len(ingest.logs()) == (4 if status == 200 else before)


def test_h07_epoch_numbers_are_rejected_with_what_is_expected_and_so_is_what_lies_too_far_away(ingest: Ingest) -> None:
    given, expect = CASES["h07"]["given"], CASES["h07"]["expect"]
    seconds = NOW // SECOND
    times: dict[str, Any] = {
        "epoch seconds, number": seconds, "epoch ms, number": seconds * 1_000, "epoch ns, number": seconds * 10**9, "epoch ms, string": str(seconds * 1_000),
        "now + 25 h": iso(NOW + 25 * HOUR), "now + 23 h": iso(NOW + 23 * HOUR), "now - 31 d": iso(NOW - 31 * DAY), "now - 29 d": iso(NOW - 29 * DAY),
        "absent": None,
    }  # fmt: skip
    ids = {"n": new_log_id(NOW + 3 * DAY, 1), "o": new_log_id(NOW - 5 * MINUTE, 2), "p": new_log_id(NOW + 3 * DAY, 3)}
    assert list(given["log_id"]) == list(ids)
    logs = {name: {"event": name, "value": 1, "occurred_at": times.get(text, text)} for name, text in given["occurred_at"].items()}
    logs |= {name: {"event": name, "value": 1, "log_id": log_id} for name, log_id in ids.items()}
    logs["p"]["occurred_at"] = iso(NOW)
    assert logs["l"]["occurred_at"] == "now"  # the word itself

    answer = ingest.post(list(logs.values()))
    names = list(logs)
    assert [names[index] for index in answer.codes] == expect["rejected"]
    assert [name for name in names if name not in expect["rejected"]] == expect["accepted"]
    for entry in answer.body["rejected"]:
        assert entry["message"].startswith(f"logs[{entry['index']}].{'log_id' if names[entry['index']] == 'n' else 'occurred_at'}: ")
        assert any(word in entry["message"] for word in ("30 days ago", "1 day ahead", "2026-03-03T14:00:00Z"))
    stored = sorted(int(item["SK"]["S"][:16]) for item in ingest.logs())
    assert stored == [NOW - 29 * DAY, NOW - 5 * MINUTE, NOW, NOW, NOW + 23 * HOUR]


def h09_fault(times: float) -> Any:
    """BatchWriteItem that leaves the last 7 of each 25 unprocessed, so many times for the same rest."""
    seen: dict[str, int] = {}

    def batch_write_item(real: Any, *, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803
        ((table, requests),) = RequestItems.items()
        last = requests[-1]["PutRequest"]["Item"]["SK"]["S"]
        seen[last] = seen.get(last, 0) + 1
        if seen[last] > times:
            return real(RequestItems=RequestItems)
        if len(requests) > 7:
            real(RequestItems={table: requests[:-7]})
        return {"UnprocessedItems": {table: requests[-7:]}}

    return batch_write_item


def h09_logs(start: int, count: int) -> list[dict[str, Any]]:
    """Logs with the client's own UUIDv7, each with another value."""
    return [{"event": "job.run", "value": number / 10, "log_id": new_log_id(NOW - number * MILLISECOND, number)} for number in range(start, start + count)]


def test_h09_what_is_left_unprocessed_is_sent_again_before_the_200(ingest: Ingest) -> None:
    with ingest.faults(batch_write_item=h09_fault(2)):
        holds(ingest.post(h09_logs(0, 1000)), CASES["h09"]["expect"]["a"])
    assert len(ingest.logs()) == 1000


def test_h09_unprocessed_for_ever_is_429_and_a_rebatched_retry_counts_once(ingest: Ingest) -> None:
    expect = CASES["h09"]["expect"]
    began = ingest.clock.seconds
    with ingest.faults(batch_write_item=h09_fault(float("inf"))):
        answer = ingest.post(h09_logs(0, 1000))
    assert answer.status == expect["b"]["status"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert ingest.clock.seconds - began <= expect["b"]["seconds_max"]
    retried = [h09_logs(0, 500) + h09_logs(1000, 5), h09_logs(500, 500) + h09_logs(1005, 5)]
    assert [ingest.post(batch).status for batch in retried] == expect["after_b"]["statuses"]
    assert len(ingest.logs()) == expect["after_b"]["count"]
    assert sum(ingest.values()) == sum(Decimal(number) / 10 for number in range(1010))


def test_h11_a_uuid_in_upper_case_is_the_same_and_other_spellings_are_rejected(ingest: Ingest) -> None:
    given, expect = CASES["h11"]["given"]["log_ids"], CASES["h11"]["expect"]
    a = new_log_id(NOW, 0x789AB)
    spelt = {
        "a in upper case": a.upper(), "{a}": "{" + a + "}", "a without hyphens": a.replace("-", ""), "urn:uuid:a": f"urn:uuid:{a}", '""': "",
    }  # fmt: skip
    ids = {name: a if name == "a" else spelt.get(text, text) for name, text in given.items()}
    answer = ingest.post([{"event": "job.run", "value": 1, "log_id": log_id} for log_id in ids.values()])
    names = list(ids)
    assert [names[index] for index in answer.codes] == expect["rejected"]
    assert answer.body["accepted"] == len(expect["accepted"])
    assert len([item for item in ingest.logs() if item["SK"]["S"].endswith(a)]) == 1
    assert len(ingest.logs()) == len(expect["accepted"]) - 1
