"""Bodies: what may come in, and that none of it costs more than the limit."""

import gzip
import json
import tracemalloc
import zlib
from base64 import b64encode
from contextlib import suppress
from decimal import Decimal
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.http import body
from nightjar.http.errors import BadRequest, TooLarge, UnsupportedMedia
from nightjar.http.limits import BODY_BYTES

BATCH = b'[{"event":"job.run","value":1.50}]'
LOGS = [{"event": "job.run", "value": Decimal("1.50")}]


def request(raw: bytes, encoding: str | None = None) -> dict[str, Any]:
    """A proxy event as the deployed API hands it over: every body in base64."""
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": encoding} if encoding is not None else {})
    return {"headers": headers, "body": b64encode(raw).decode(), "isBase64Encoded": True}


@pytest.mark.parametrize("encoding", [None, "", "gzip", "GZIP", "x-gzip", "identity", "gzip, identity"])
@pytest.mark.parametrize("raw", [BATCH, gzip.compress(BATCH, mtime=0), b"\xef\xbb\xbf" + BATCH])
def test_gzip_is_seen_from_the_bytes_whatever_the_header_says(raw: bytes, encoding: str | None) -> None:
    assert body.read(request(raw, encoding)) == LOGS


def test_a_body_that_is_not_in_base64_is_read_too() -> None:
    assert body.read({"headers": None, "body": '{"event": "ü"}', "isBase64Encoded": False}) == {"event": "ü"}


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, br", "utf-8"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedMedia, match="gzip or identity"):
        body.read(request(BATCH, encoding))


@pytest.mark.parametrize(
    "given",
    [
        {"body": None},
        {"body": ""},
        {"body": "not base64!", "isBase64Encoded": True},
        {"body": "[1,"},
        {"body": "\ud800"},
        {"body": '{"a": 1} x'},
        {"body": "[NaN, nan]"},
        {"body": "[01]"},
        {"body": "[1.]"},
        {"body": "['a']"},
        {"body": '"\n"'},
        request(b'["\xff"]'),
        request(b'["\xed\xa0\x80"]'),
        request('["a"]'.encode("utf-16")),
        request(gzip.compress(BATCH)[:-10]),
        request(gzip.compress(BATCH)[:5]),
        request(gzip.compress(BATCH) + b"tail"),
        request(b"\x1f\x8b" + b"x" * 50),
        request(gzip.compress(BATCH)[:-8] + bytes(8)),
        request(gzip.compress(BATCH) + gzip.compress(b"x")[:12]),
        request(gzip.compress(b"") * 2_000),
    ],
)
def test_what_is_no_json_is_a_bad_request(given: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="body: "):
        body.read(given)


@pytest.mark.parametrize(
    "raw",
    ["[" * 1_000_000, "[" * 1_000_000 + "]" * 1_000_000, '{"a":' * 500_000, '[{"event":"e","meta":' + "[" * 5_000 + "]" * 5_000 + "}]"],
)
def test_a_million_brackets_are_a_bad_request(raw: str) -> None:
    with pytest.raises(BadRequest):
        body.read({"body": raw})


def test_numbers_keep_their_digits_and_bare_nan_is_a_number_that_is_not_finite() -> None:
    found = body.parse("[1, 1.10, 1e5, NaN, -Infinity, 0.1]")
    assert [str(number) for number in found] == ["1", "1.10", "1E+5", "NaN", "-Infinity", "0.1"]
    assert type(found[0]) is int


def test_numbers_beyond_all_measure_are_numbers_too() -> None:
    found = body.parse("[" + "9" * 100_000 + ", 1e99999999999999999999, -1E99999999999999999999, 1e-99999999999999999999, 0e99999999999999999999, 5]")
    assert found[0].adjusted() == 99_999
    assert [str(number) for number in found[1:]] == ["Infinity", "-Infinity", "0", "0", "5"]


def test_the_last_of_duplicate_keys_counts() -> None:
    assert body.parse('{"agent": "mine", "agent": "yours"}') == {"agent": "yours"}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_four_mebibytes_are_taken_and_one_byte_more_is_not(pack: Any) -> None:
    assert body.read(request(pack(BATCH.ljust(BODY_BYTES)))) == LOGS
    with pytest.raises(TooLarge):
        body.read(request(pack(BATCH.ljust(BODY_BYTES + 1))))


def test_members_are_read_as_one() -> None:
    assert body.read(request(gzip.compress(BATCH[:10]) + gzip.compress(b"") + gzip.compress(BATCH[10:]))) == LOGS
    with pytest.raises(TooLarge):
        body.read(request(gzip.compress(b" " * BODY_BYTES) + gzip.compress(BATCH)))


def bomb(megabytes: int) -> bytes:
    """A gzip stream of so many megabytes of spaces, made without compressing them all: one flushed block, repeated."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (megabytes - 1)


def test_a_bomb_of_800_megabytes_costs_no_more_memory_than_the_limit() -> None:
    sent = request(bomb(800), "gzip")
    began = monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            body.read(sent)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20
    assert monotonic() - began < 2


@given(st.binary(max_size=200), st.booleans(), st.sampled_from([None, "gzip"]))
def test_no_bytes_do_more_than_be_refused(raw: bytes, packed: bool, encoding: str | None) -> None:
    with suppress(BadRequest, TooLarge):
        body.read(request(gzip.compress(raw) if packed else raw, encoding))


@given(st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_damage_anywhere_in_a_gzip_file_is_no_crash(place: int, damage: bytes) -> None:
    packed = bytearray(gzip.compress(BATCH))
    packed[place : place + len(damage)] = damage
    with suppress(BadRequest, TooLarge):
        body.read(request(bytes(packed)))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_any_json_comes_out_as_it_went_in(found: Any) -> None:
    assert body.parse(json.dumps(found)) == found


def test_a_fault_of_our_own_code_refuses_the_body_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "parse", lambda _text: 1 / 0)
    with pytest.raises(BadRequest, match="could not be read"):
        body.read(request(BATCH))
