"""Who is calling: a bearer key, looked up by its hash, remembered for a minute at most."""

from collections import OrderedDict
from functools import lru_cache
from threading import Lock

from nightjar.core.instants import MINUTE
from nightjar.core.keys import Key, Scope, digest, is_well_formed
from nightjar.http.errors import Forbidden, InvalidToken, TooManyRequests, Unauthorized
from nightjar.http.rates import Rates
from nightjar.http.requests import Headers, header
from nightjar.observability import count
from nightjar.settings import settings
from nightjar.storage import keys
from nightjar.storage.client import Store

REMEMBERED = MINUTE
CAPACITY = 1_000


class KeyCache:
    """The latest answers about keys, unknown ones too, in bounded memory; safe to share between threads.

    Faults are not remembered: they come out as they are.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[int, Key | None]] = OrderedDict()
        self._lock = Lock()

    def find(self, store: Store, key_hash: str, now: int) -> Key | None:
        """Return a key by its hash; what was read less than a minute ago is not read again."""
        with self._lock:
            found = self._answers.get(key_hash)
            if found and 0 <= now - found[0] < REMEMBERED:
                self._answers.move_to_end(key_hash)
                return found[1]
        key = keys.find(store, key_hash)
        with self._lock:
            self._answers[key_hash] = (now, key)
            self._answers.move_to_end(key_hash)
            while len(self._answers) > CAPACITY:
                self._answers.popitem(last=False)
        return key


@lru_cache(maxsize=4)
def cache_of(store: Store) -> KeyCache:  # noqa: ARG001
    """Return this process's cache for a store."""
    return KeyCache()


@lru_cache(maxsize=4)
def rates_of(store: Store) -> Rates:  # noqa: ARG001
    """Return this process's count of a store's keys."""
    return Rates()


def authenticate(store: Store, headers: Headers, *, scope: Scope, now: int) -> Key:
    """Find the key of a request and check that it reaches far enough.

    Args:
        store: Where keys are.
        headers: The request's headers; one is `Authorization: Bearer chp_…`.
        scope: What the route needs.
        now: The instant in µs.

    Raises:
        Unauthorized: There is no key.
        InvalidToken: It is malformed, unknown or revoked.
        Forbidden: An ingest key on the control plane.
        TooManyRequests: The key asks more often than the setting allows.
        Exception: A fault of storage, which `http.errors` answers with 429.

    Rule: API.md, Authentication.
    """
    text = header(headers, "authorization").strip()
    if not text:
        raise Unauthorized("Authorization: must be Bearer and a key")
    kind, _, token = text.partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not is_well_formed(token):
        raise InvalidToken("Authorization: must be Bearer and a key that begins with chp_")
    key = cache_of(store).find(store, digest(token), now)
    if key is None or key.revoked_at is not None:
        raise InvalidToken("Authorization: the key is unknown or revoked")
    if not key.may(scope):
        raise Forbidden("Authorization: this key may only send logs")
    if wait := rates_of(store).take(key.key_hash, settings().key_requests_per_second, now):
        count("RateLimited")
        raise TooManyRequests("this key sends too many requests, try again later", retry_after=wait)
    return key
