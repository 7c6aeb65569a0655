"""The official SDK sends logs while everything between it and the tables fails: after recovery each log is counted once.

The real client over HTTP, the real handlers, moto; between them the faults. See docs/reliability.md.
"""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import chirpier
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from chirpier import client as sdk
from nightjar.core.instants import SECOND
from nightjar.core.logs import new_log_id
from nightjar.http.auth import authenticate
from nightjar.pipeline import ingest as pipeline
from nightjar.storage.client import Store

from functions.ingest import app
from local.sources.apigateway import from_answer, own
from local.wire import Request, Response, Server
from tests.contract.world import proxy_event
from tests.hostile import SOAK_SECONDS
from tests.ingesting import FaultyClient
from tests.world import CONTEXT, KEY, World, stack, world

pytestmark = pytest.mark.timeout(300)

MANY = 20_000 if SOAK_SECONDS else 5_000
STORM = 30  # requests at which something fails
EVENT = {"agent": "sdk", "event": "sent"}


class Weather:
    """What goes wrong, by the number of a request or of a call to storage; each kind of fault for a while, then none."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.requests = count()
        self.calls = count()
        self.statuses: list[int] = []
        self.asked = 0
        self.ends = STORM
        self.store = Store(FaultyClient(made.store.db, batch_write_item=self._write), made.store.tables)  # type: ignore[arg-type]

    @property
    def storm(self) -> bool:
        """Whether anything goes wrong."""
        return self.asked < self.ends

    def respond(self, request: Request) -> Response:
        """Stand for the gateway and the function; every other kind of failure that a client can see."""
        self.asked = next(self.requests)
        match self.asked % 6 if self.storm else None:
            case 0:
                raise ConnectionResetError  # before the function
            case 1:
                return self._note(Response(502, {}, b"<html>bad gateway</html>"))
            case 2:
                return self._note(own(stack().api, "INTEGRATION_TIMEOUT"))
            case 3:
                self._run(request)
                return self._note(own(stack().api, "DEFAULT_5XX"))  # stored, and then the function died
            case 4:
                self._run(request)
                raise ConnectionResetError  # stored, and the answer lost
        return self._note(self._run(request))

    def _run(self, request: Request) -> Response:
        event = proxy_event(request.method, request.path, None, dict(request.headers))
        event |= {"body": b64encode(request.body).decode(), "isBase64Encoded": True}
        return from_answer(stack().api, json.dumps(app.handler(event, CONTEXT)).encode())

    def _note(self, response: Response) -> Response:
        self.statuses.append(response.status)
        return response

    def _write(self, real: Any, **request: Any) -> Any:
        """Storage that leaves items unprocessed, throttles, times out and is gone."""
        ((table, items),) = request["RequestItems"].items()
        match next(self.calls) % 11 if self.storm else None:
            case 2 | 3:
                raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "m"}}, "BatchWriteItem")
            case 5:
                raise EndpointConnectionError(endpoint_url="http://dynamodb")
            case 7:
                real(RequestItems={table: items[:10]})
                return {"UnprocessedItems": {table: items[10:]}}
            case 9:
                real(**request)
                raise ReadTimeoutError(endpoint_url="http://dynamodb")  # written, and not known to be
        return real(**request)


@contextmanager
def stormy() -> Iterator[tuple[Weather, str]]:
    """Serve ingest behind faults, at today's time, since the SDK makes its ids of it."""
    with world(time.time_ns() // 1_000) as made:
        weather = Weather(made)
        server = Server(weather.respond)
        server.start()
        with patch.object(app, "store", lambda: weather.store):
            yield weather, f"{server.url}/v1.0/logs"
        server.close()


def counted(made: World) -> tuple[int, Decimal]:
    """Count and sum of all that rollup knows of the event."""
    made.read_streams()
    made.roll_up()
    (event,) = made("GET", "/v1.0/events").body
    points = made("GET", f"/v1.0/events/{event['event_id']}/logs?period=hour").body
    return sum(point["count"] for point in points), sum((Decimal(point["value"]) for point in points), Decimal(0))


def test_the_sdk_drops_nothing_and_everything_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    with stormy() as (weather, url):
        monkeypatch.setattr(sdk, "time", SimpleNamespace(sleep=waits.append))
        client = chirpier.new_client(api_key=KEY, api_endpoint=url, servicer_endpoint=url)
        for number in range(MANY):
            client.log(chirpier.Log(value=number, **EVENT))
        client.close()
        assert counted(weather.world) == (MANY, Decimal(MANY * (MANY - 1) // 2))
        assert set(weather.statuses) == {200, 429, 502}, "nothing at which the SDK drops a batch"
        assert {1, 2} <= set(waits), "Retry-After of storage and of the gateway was honoured"


def test_an_outage_of_twenty_seconds_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own waits make the time pass: storage is down for twenty seconds of it."""
    with stormy() as (weather, url):
        weather.ends = 0
        down_until = weather.world.now + 20 * SECOND

        def down(real: Any, **request: Any) -> Any:
            if weather.world.now < down_until:
                raise EndpointConnectionError(endpoint_url="http://dynamodb")
            return real(**request)

        def sleep(seconds: float) -> None:
            weather.world.now += int(seconds * SECOND)

        weather.store = Store(FaultyClient(weather.world.store.db, batch_write_item=down, get_item=down, put_item=down), weather.world.store.tables)  # type: ignore[arg-type]
        monkeypatch.setattr(sdk, "time", SimpleNamespace(sleep=sleep))
        client = chirpier.new_client(api_key=KEY, api_endpoint=url, servicer_endpoint=url)
        for _ in range(1_000):
            client.log(chirpier.Log(value=1, **EVENT))
        client.close()
        assert weather.statuses.count(429) >= 15
        assert set(weather.statuses) == {200, 429}
        assert counted(weather.world) == (1_000, Decimal(1_000))


def test_a_whole_queue_in_one_array_gets_further_with_each_try() -> None:
    """As the JavaScript SDK after an outage: it hangs up after five seconds and sends all again."""
    with world() as made:
        room = [0]

        def limited(real: Any, **request: Any) -> Any:
            room[0] -= 1
            if room[0] < 0:
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "m"}}, "BatchWriteItem")
            return real(**request)

        store = Store(FaultyClient(made.store.db, batch_write_item=limited), made.store.tables)  # type: ignore[arg-type]
        logs = [{**EVENT, "value": 1, "log_id": new_log_id(made.now, number)} for number in range(MANY)]
        deadline = SimpleNamespace(check=lambda: None, pause=_give_up)
        tries, key = 0, authenticate(made.store, {"Authorization": f"Bearer {KEY}"}, scope="ingest", now=made.now)
        while tries < 20:
            tries += 1
            room[0] = MANY // 25 // 4
            try:
                outcome = pipeline.ingest(store, logs, key, now=made.now, ttl_days=32, patience=deadline)  # type: ignore[arg-type]
            except Exception as error:  # noqa: BLE001
                assert type(error).__name__ == "StorageBusy"  # noqa: PT017
            else:
                break
        assert (outcome.accepted, outcome.rejected) == (MANY, [])
        assert 3 <= tries <= 8
        assert counted(made) == (MANY, Decimal(MANY))


def _give_up(_attempt: int) -> None:
    from nightjar.storage.faults import StorageBusy

    raise StorageBusy("storage did not take everything in time")
