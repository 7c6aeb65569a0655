"""What `nightjar dev` serves: the API behind a gateway, Lambda's Invoke API, a fake Slack, and drain."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl
from uuid import uuid4

from local import rules
from local.board import Board
from local.drain import drain
from local.lambda_ import Pool
from local.slack import PREFIX, Slack
from local.sources import apigateway
from local.stack import Api
from local.wire import Request, Response

_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_JSON = {"Content-Type": "application/json"}


class Front:
    """Sends each request where it belongs."""

    def __init__(self, api: Api, pools: Mapping[str, Pool], slack: Slack, board: Board, trays: Callable[[], int]) -> None:
        """Remember what there is.

        Args:
            api: The REST API.
            pools: Functions by logical id.
            slack: The fake Slack.
            board: Told of every invocation.
            trays: Counts the deliveries that lie in trays.
        """
        self._api = api
        self._pools = pools
        self._slack = slack
        self._board = board
        self._trays = trays

    def respond(self, request: Request) -> Response:
        """Answer one request."""
        if request.path.startswith(PREFIX):
            return self._slack.respond(request)
        if request.path == "/_local/drain":
            return self._drain(request)
        if invoked := _INVOKE.fullmatch(request.path):
            return self._invoke(invoked[1], request)
        with self._board.running():
            return self._gateway(request)

    def _drain(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(405, _JSON, b'{"message":"POST it"}')
        seconds = dict(parse_qsl(request.query)).get("timeout")
        return drain(self._board, self._trays, float(seconds) if seconds else None)

    def _gateway(self, request: Request) -> Response:
        if len(request.body) > rules.GATEWAY_BYTES.value:
            return apigateway.own(self._api, "REQUEST_TOO_LARGE")
        match = apigateway.find(self._api.routes, request.method, request.path)
        if match is None:
            return apigateway.own(self._api, "MISSING_AUTHENTICATION_TOKEN")
        event = apigateway.to_event(self._api, match, request, request_id=str(uuid4()), now=time.time())
        answer = self._pools[match.route.function].invoke(json.dumps(event).encode())
        if answer.refused:
            return apigateway.own(self._api, "REQUEST_TOO_LARGE")
        return apigateway.own(self._api, "DEFAULT_5XX") if answer.error else apigateway.from_answer(self._api, answer.payload)

    def _invoke(self, name: str, request: Request) -> Response:
        """Answer Lambda's own Invoke API.

        Rule: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        pool = next((pool for pool in self._pools.values() if name in {pool.function.logical_id, pool.function.name, pool.function.arn}), None)
        if pool is None:
            return _failure(404, "ResourceNotFoundException", f"Function not found: {name}")
        event = request.body or b"{}"
        try:
            json.loads(event)
        except ValueError:
            return _failure(400, "InvalidRequestContentException", "Could not parse request body into json")
        match request.header("x-amz-invocation-type"):
            case "DryRun":
                return Response(204)
            case "Event":
                threading.Thread(target=self._run, args=(pool, event), daemon=True).start()
                return Response(202)
            case _:
                return self._run(pool, event)

    def _run(self, pool: Pool, event: bytes) -> Response:
        with self._board.running():
            answer = pool.invoke(event)
        if answer.refused:
            return Response(413, {**_JSON, "x-amzn-ErrorType": "RequestTooLargeException"}, answer.payload)
        headers = {**_JSON, "X-Amz-Executed-Version": "$LATEST"}
        return Response(200, headers | ({"X-Amz-Function-Error": answer.error} if answer.error else {}), answer.payload)


def _failure(status: int, kind: str, message: str) -> Response:
    return Response(status, {**_JSON, "x-amzn-ErrorType": kind}, json.dumps({"Type": "User", "Message": message}).encode())
