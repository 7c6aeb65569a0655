"""POST /_local/drain: waits until nothing can run now, and tells what waits for a time."""

import json
from collections.abc import Callable

from local.board import Board
from local.wire import Response

_JSON = {"Content-Type": "application/json"}


def drain(board: Board, trays: Callable[[], int], timeout: float | None = None) -> Response:
    """Wait until every stream and queue is empty or waits for a time, and every function is idle.

    Args:
        board: Who works and who rests.
        trays: Counts the deliveries that still lie in trays: each waits for its bell, or for the tick that rings again.
        timeout: Seconds after which to give up (408); None for never.

    Returns:
        {"waiting": n} and what it is made of: records of failed batches and messages that are invisible, by source, and
        deliveries in trays. A tray and the bell that waits for it are one thing, so the larger of the two counts.
    """
    held = board.drained(timeout)
    if held is None:
        return Response(408, _JSON, json.dumps({"message": f"still at work after {timeout} seconds"}).encode())
    bells = sum(count for name, count in held.items() if name.endswith("-0"))
    lying = trays()
    waiting = sum(held.values()) - bells + max(bells, lying)
    return Response(200, _JSON, json.dumps({"waiting": waiting, "sources": held, "trays": lying}).encode())
