"""A request's body: unpacked within a hard limit, then read as JSON with the digits that the client wrote."""

import json
import zlib
from base64 import b64decode
from decimal import Decimal, InvalidOperation
from typing import Any

from nightjar.core.decimals import ZERO
from nightjar.http.errors import ApiError, BadRequest, TooLarge, UnsupportedMedia
from nightjar.http.limits import BODY_BYTES
from nightjar.http.requests import Request, header
from nightjar.observability import count, logger

_GZIP = b"\x1f\x8b"
_ENCODINGS = frozenset({"", "gzip", "x-gzip", "identity"})
_MEMBERS = 1_000
# Small pieces: what follows a member is copied once for each member in a piece.
_PIECE = 16 * 1024
# Longer integers would make int() refuse (4,300 digits) or take its time.
_INT_DIGITS = 1_000


def read(request: Request) -> Any:
    """Return the JSON of a request's body.

    Raises:
        BadRequest: It is no JSON, no UTF-8, cut off, or nested too deeply; or our own code fails at it, since the client would
            otherwise send it for ever.
        TooLarge: It is larger than 4 MiB once inflated.
        UnsupportedMedia: Its Content-Encoding is neither gzip nor identity.
    """
    try:
        return parse(text(request))
    except ApiError:
        raise
    except Exception as error:
        logger().error("a body was refused because our code failed at it", exc_info=error)
        count("InternalRejections")
        raise BadRequest("body: could not be read") from error


def text(request: Request) -> str:
    """Return a request's body as text.

    Whether it is gzip is seen from its bytes: the gateway may have inflated it and left the header, or the other way round.

    Raises: as `read`.
    """
    encodings = header(request.get("headers"), "content-encoding").lower().split(",")
    for encoding in encodings:
        if encoding.strip() not in _ENCODINGS:
            raise UnsupportedMedia("Content-Encoding: must be gzip or identity")
    raw = _bytes(request)
    if raw.startswith(_GZIP):
        raw = inflate(raw)
    if len(raw) > BODY_BYTES:
        raise TooLarge("body: must be at most 4 MiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest("body: must be UTF-8") from None


def _bytes(request: Request) -> bytes:
    body = request.get("body") or ""
    try:
        if request.get("isBase64Encoded"):
            return b64decode(body, validate=True)
        return bytes(body, "utf-8")
    except ValueError:  # binascii.Error and UnicodeEncodeError among them
        raise BadRequest("body: must be UTF-8 or gzip") from None


def inflate(raw: bytes) -> bytes:
    """Unpack a gzip file of one or more members, counting while inflating: a bomb costs no more memory than the limit.

    Raises:
        BadRequest: It is damaged or cut off.
        TooLarge: It holds more than 4 MiB.
    """
    try:
        return _inflate(memoryview(raw))
    except zlib.error:
        raise BadRequest("body: is damaged gzip") from None


def _inflate(raw: memoryview) -> bytes:
    found = bytearray()
    member = zlib.decompressobj(wbits=31)
    members = 1
    for start in range(0, len(raw), _PIECE):
        piece = bytes(raw[start : start + _PIECE])
        while piece:
            if member.eof:
                members += 1
                if members > _MEMBERS:
                    raise BadRequest("body: has too many gzip members")
                member = zlib.decompressobj(wbits=31)
            found += member.decompress(piece, BODY_BYTES + 1 - len(found))
            if len(found) > BODY_BYTES:
                raise TooLarge("body: must be at most 4 MiB once inflated")
            piece = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise BadRequest("body: is cut off")
    return bytes(found)


def parse(body: str) -> Any:
    """Read JSON: integers as int, other numbers as Decimal with their digits, a bare NaN or Infinity as a Decimal that is not finite.

    The last of duplicate keys counts.

    Raises:
        BadRequest: It is no JSON, or nested too deeply.

    Example:
        >>> parse('{"value": 30.40, "n": NaN}')
        {'value': Decimal('30.40'), 'n': Decimal('NaN')}
    """
    try:
        return _loads(body)
    except json.JSONDecodeError as error:
        raise BadRequest(f"body: is not JSON: {error}") from None
    except RecursionError:
        raise BadRequest("body: is nested too deeply") from None


def _loads(body: str) -> Any:
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)
    except json.JSONDecodeError:
        raise
    except (ValueError, InvalidOperation):  # an integer of thousands of digits, an exponent of twenty
        return json.loads(body, parse_float=_decimal, parse_int=_integer, parse_constant=Decimal)


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _INT_DIGITS else Decimal(digits)


def _decimal(digits: str) -> Decimal:
    """Read a number whose exponent may be beyond all decimals: it is as good as zero or as infinite."""
    try:
        return Decimal(digits)
    except InvalidOperation:
        mantissa, _, exponent = digits.lower().partition("e")
        if exponent.startswith("-") or not mantissa.strip("-0."):
            return ZERO
        return Decimal("-Infinity" if mantissa.startswith("-") else "Infinity")
