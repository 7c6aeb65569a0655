"""Two handlers on the same data at the same time: whatever the order of their writes, what comes of it is what one after the other would bring.

Each scene is played with either handler stopped before each of its writes in turn while the other runs to its end, and with both
stopped: a part of the first, a part of the second, the rest of the first, the rest of the second. `make test` takes some of those pairs,
seeded, and plays some scenes on AWS's engine (Java); with NIGHTJAR_SOAK more of them, all scenes on moto too with all pairs, and
handlers are stopped before reads as well.
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.concurrency.play import Meeting, stands
from tests.concurrency.scenes import SCENES
from tests.concurrency.together import Leg, together
from tests.local.test_dynamodb_local import endpoint
from tests.local.test_dynamodb_local import pytestmark as needs_java

__all__ = ["endpoint"]

LONG = bool(os.environ.get("NIGHTJAR_SOAK"))
PAIRS = 2  # of a scene, in `make test`

_WITH_JAVA = ("rollup of half a batch and of all of it", "two rollups of one batch", "resolution and rollup")
_WITH_JAVA_IN_SOAK = ("edit and rollup", "disabling and tick", "sender and router")
_IN_SOAK = ("disabling and rollup",)
ON_MOTO = [name for name in SCENES if LONG or name not in (*_WITH_JAVA, *_IN_SOAK)]
ON_AWS_ENGINE = [*_WITH_JAVA, *(_WITH_JAVA_IN_SOAK if LONG else ())]

Outcome = dict[str, Any]
Works = Sequence[Callable[[Meeting], Any]]


def played(met: Meeting, works: Works, schedule: Sequence[Leg], *, everywhere: bool = False, again: bool = False) -> tuple[Outcome, list[int], bool]:
    """Play a scene; returns what came of it, how many stops each handler came to, and whether the schedule was kept to its end."""
    running, reached = together(met.on.world.cloud, [lambda work=work: work(met) for work in works], schedule, everywhere=everywhere)  # type: ignore[misc]
    met.settle(running, again=again)
    return met.outcome(), [each.stops for each in running], reached


def schedules(stops: Sequence[int], *, everywhere: bool, pairs: int | None) -> Iterator[list[Leg]]:
    """One handler inside the other, at each stop of that; then both in two parts, in some pairs of stops or (None) in all."""
    for who in (0, 1):
        for stop in range(1, stops[who] + 1):
            yield [(who, stop), (1 - who, None)]
    if not everywhere:
        both = [[(who, mine), (1 - who, others)] for who in (0, 1) for mine in range(1, stops[who] + 1) for others in range(1, stops[1 - who] + 1)]
        crossing: list[list[Leg]] = [[*pair, (pair[0][0], None)] for pair in both]
        yield from crossing if pairs is None else random.Random(11).sample(crossing, min(pairs, len(crossing)))


def visit(name: str, *, everywhere: bool = False, pairs: int | None = PAIRS) -> int:
    """Play every schedule of a scene, and hold its outcome against those of one handler after the other."""
    scene, visited = SCENES[name], 0
    with stands(scene) as again:
        one_way, stops, _ = played(again(), scene.works, [(0, None), (1, None)], everywhere=everywhere)
        other_way, others, _ = played(again(), scene.works, [(1, None), (0, None)], everywhere=everywhere)
        most = [max(found) for found in zip(stops, others, strict=True)]
        for number, schedule in enumerate(schedules(most, everywhere=everywhere, pairs=pairs)):
            # Streams may bring again what succeeded, which heals, and mostly do not.
            outcome, _, reached = played(again(), scene.works, schedule, everywhere=everywhere, again=number % 3 == 2)
            visited += reached
            for what, found in outcome.items():
                assert found in (one_way[what], other_way[what]), (schedule, what, found, one_way[what], other_way[what])
    return visited


@pytest.mark.timeout(7200 if LONG else 300)
@pytest.mark.parametrize("name", ON_MOTO)
def test_two_handlers_at_the_same_time_bring_what_one_after_the_other_brings(name: str) -> None:
    visited = visit(name, pairs=None) + visit(name, everywhere=True) if LONG else visit(name)
    print(f"{name}: {visited} interleavings visited")
    assert visited > 3


@needs_java
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ON_AWS_ENGINE)
def test_on_the_engine_of_aws_as_well(name: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_DYNAMODB", endpoint)
    visited = visit(name)
    print(f"{name}, on DynamoDB Local: {visited} interleavings visited")
    assert visited > 3
