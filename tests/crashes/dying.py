"""Kills a handler at its n-th call to AWS: from then on nothing that it does reaches anything."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.world import World

When = Literal["before", "after"]


class Died(BaseException):
    """The process is gone: no handler of exceptions in the product may catch this."""


@dataclass
class Deadly:
    """Lets some calls through, then none: the last one is lost before it is carried out, or its answer is."""

    left: int
    dead: bool = False

    def __call__(self, *_: object) -> None:
        self.left -= 1
        if self.left <= 0:
            self.dead = True
            raise Died


def dies(world: World, work: Callable[[], object], at: int, when: When) -> bool:
    """Do some work and die at its n-th call.

    Returns:
        False if the work made fewer calls, so that it was done.
    """
    deadly = Deadly(at)
    if when == "before":
        world.cloud.before = deadly
    else:
        # The fatal call is carried out, its answer lost; what threads of the dead process would still send is not.
        world.cloud.after = deadly
        world.cloud.before = lambda *_: _refuse(deadly)
    try:
        work()
    except BaseException:  # noqa: BLE001  # whatever the handler makes of it: the process is gone
        assert deadly.dead
    finally:
        world.cloud.before = world.cloud.after = lambda *_: None
        world.read_streams()
    return deadly.dead


def _refuse(deadly: Deadly) -> None:
    if deadly.dead:
        raise Died
