"""The schedule at work: the engine's clock moves each minute to the minute that was meant; the heartbeat."""

import time
from itertools import pairwise
from typing import Any

from nightjar.core.instants import MINUTE, iso

from scripts.verify.account import NotShown, Visit, hold

_TICKS = 3
_PATIENCE = 150  # s for a tick


def clock(visit: Visit) -> str:
    """Watch some ticks: each on a whole minute, the next of the last, and finished before the next is due."""
    seen = [_hand(visit, "tick")]
    for _ in range(_TICKS):
        seen.append(visit.until(lambda: _moved(visit, seen[-1]), _PATIENCE, f"the clock stayed at {iso(seen[-1])}"))
        visit.until(lambda: _hand(visit, "reach") >= seen[-1], _PATIENCE, f"the tick of {iso(seen[-1])} was not finished")
    uneven = [iso(each) for each in seen if each % MINUTE]
    hold(not uneven, f"ticks at {', '.join(uneven)}: the scheduled time is no whole minute")
    steps = {(later - before) // MINUTE for before, later in pairwise(seen[1:])}
    hold(steps == {1}, f"ticks came {sorted(steps)} minutes after each other")
    ahead = (seen[-1] - time.time_ns() // 1_000) / 1e6
    hold(visit.account.local or ahead < 1, f"a tick is {ahead:.0f} s ahead of this machine's clock")
    return f"{_TICKS} ticks, a minute apart, up to {iso(seen[-1])}, each finished"


def _hand(visit: Visit, hand: str) -> int:
    key = {"PK": {"S": "clock"}, "SK": {"S": "clock"}}
    item = visit.account.client("dynamodb").get_item(TableName=visit.account.name("AlertsTable"), Key=key, ConsistentRead=True).get("Item", {})
    return int(item.get(hand, {"N": "0"})["N"])


def _moved(visit: Visit, since: int) -> int | None:
    tick = _hand(visit, "tick")
    return tick if tick != since else None


def heartbeat(visit: Visit) -> str:
    """The heartbeat is set, and the evaluator does not complain of it. Whether it arrives, only its receiver can tell."""
    client = visit.account.client("lambda")
    found = client.get_function_configuration(FunctionName=visit.account.name("EvaluatorFunction"))
    if found["Environment"]["Variables"].get("HEARTBEAT_URL", "").strip().lower() in {"", "none"}:
        raise NotShown("the stack was deployed without HeartbeatUrl")
    failed = _lines(visit, "EvaluatorLogs", '"the heartbeat did not get through"')
    hold(not failed, f"{len(failed)} in a quarter of an hour did not get through")
    return "set, and none failed in a quarter of an hour; look at its check whether they arrive"


def permissions(visit: Visit) -> str:
    """No function was refused anything while all this went on."""
    logs = ("IngestLogs", "RollupLogs", "EvaluatorLogs", "NotifierLogs", "ApiLogs")
    words = ("AccessDenied", "AccessDeniedException")
    refused = {name: lines for name in logs if (lines := [line for word in words for line in _lines(visit, name, word)])}
    hold(not refused, "; ".join(f"{name}: {lines[0][:300]}" for name, lines in refused.items()))
    return "no AccessDenied in the five functions' logs of a quarter of an hour"


def _lines(visit: Visit, group: str, pattern: str) -> list[str]:
    since = int((time.time() - 900) * 1_000)
    client = visit.account.client("logs")
    given: dict[str, Any] = {"logGroupName": visit.account.name(group), "filterPattern": pattern, "startTime": since, "limit": 20}
    return [each["message"] for each in client.filter_log_events(**given)["events"]]
