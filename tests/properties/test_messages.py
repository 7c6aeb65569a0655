"""Random histories of mutes: who is told what, when, and what is skipped, by the handlers on moto and by the plain reference."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from nightjar.core.instants import MINUTE, SECOND, floor, iso

from tests.cases.play import ENDINGS, KINDS, Play
from tests.cases.script import Action, Script, Store, Tick
from tests.properties.histories import START, History
from tests.properties.test_engine import told
from tests.reference.alerts import Conflict
from tests.reference.engine import Engine
from tests.reference.messages import OPENINGS, Messenger
from tests.reference.replay import in_instants, play
from tests.world import world

LONG = os.environ.get("NIGHTJAR_SOAK")
EXAMPLES = int(LONG or 5)

POLICIES: tuple[dict[str, Any], ...] = (
    {"id": "a", "agent": "worker.billing", "event": "job.run", "aggregate": "count", "condition": "gt", "threshold": 2},
    {"id": "b", "agent": "worker.billing", "event": "job.run", "aggregate": "max", "condition": "gt", "threshold": 5, "auto_resolve": False},
    {
        "id": "c",
        "agent": "worker.billing",
        "event": "job.run",
        "aggregate": "count",
        "condition": "gte",
        "threshold": 2,
        "auto_resolve": False,
        "renotify_minutes": 5,
    },
)
DESTINATIONS = ({"id": "d1", "scope": "all"}, {"id": "d2", "scope": "all"})


@dataclass
class Muted(History):
    """A history in which people mute and unmute, and open and close destinations."""

    mutes: int = 0
    deleted: int = 0
    destinations: int = 0

    def later(self) -> str:
        """An instant ahead, or over already; now and then none."""
        away = self.draw(st.sampled_from([-MINUTE, 30 * SECOND, MINUTE, 3 * MINUTE, 8 * MINUTE, 12 * MINUTE]))
        return iso(self.now + away)

    def quiet(self) -> dict[str, Any]:
        """Some quiet settings of a policy or a destination."""
        minute = (self.now - START) // MINUTE
        span = {"days": ["tue"], "from": _clock(minute + self.draw(st.integers(-3, 6))), "to": _clock(minute + self.draw(st.integers(7, 12)))}
        return self.draw(st.sampled_from([{"mute_until": self.later()}, {"active_hours": span}, {"mute_until": self.later()}]))

    def mute_policy(self) -> None:
        """Somebody changes a policy's own quiet settings."""
        self.steps.append(Action(self.now, "put", "policy", self.draw(st.sampled_from(sorted(self.bodies))), self.quiet()))

    def mute_destination(self) -> None:
        """Somebody changes a destination's."""
        self.steps.append(Action(self.now, "put", "destination", "d2", self.quiet()))

    def delete_policy(self) -> None:
        """Somebody deletes a policy; one always stays."""
        if len(self.bodies) > 1:
            name = self.draw(st.sampled_from(sorted(self.bodies)))
            del self.bodies[name]
            self.steps.append(Action(self.now, "delete", "policy", name))

    def change_destination(self) -> None:
        """Somebody switches a destination off or on, or changes what it wants."""
        some = [name for name in ("b", "c") if name in self.bodies]
        scopes = ({"scope": "all"}, {"scope": "policies", "policy_ids": sorted(self.bodies)[:1]}, {"scope": "policies", "policy_ids": some})
        change = self.draw(st.sampled_from([{"enabled": False}, {"enabled": True}, {"min_severity": "info"}, {"min_severity": "error"}, *scopes]))
        self.steps.append(Action(self.now, "put", "destination", "d2", change))

    def change_severity(self) -> None:
        """Somebody finds a policy more or less severe."""
        severity = self.draw(st.sampled_from(["info", "error"]))
        self.steps.append(Action(self.now, "put", "policy", self.draw(st.sampled_from(sorted(self.bodies))), {"severity": severity}))

    def mute(self) -> None:
        """Somebody mutes across policies, or deletes the oldest mute."""
        if self.deleted < self.mutes and self.draw(st.booleans()):
            self.steps.append(Action(self.now, "delete", "mute", f"m{self.deleted}"))
            self.deleted += 1
            return
        some = {"policy_ids": sorted(self.bodies)[:1]}
        pattern: dict[str, Any] = self.draw(st.sampled_from([{"agent": "worker.*"}, {"event": "job.run"}, {"agent": "api*"}, some, {}]))
        self.steps.append(Action(self.now, "post", "mute", f"m{self.mutes}", {"id": f"m{self.mutes}", **pattern, "until": self.later()}))
        self.mutes += 1

    def add_destination(self) -> None:
        """Somebody makes a destination."""
        self.destinations += 1
        name = f"n{self.destinations}"
        self.steps.append(Action(self.now, "post", "destination", name, {"id": name, "scope": "all"}))

    def ticks(self) -> None:
        """Some minutes pass, each with its tick."""
        for _ in range(self.draw(st.integers(1, 4))):
            self.now = floor(self.now, MINUTE) + MINUTE
            self.steps.append(Tick(self.now, self.now))

    def burst(self) -> None:
        """Enough logs for an alert, rolled up at once."""
        logs = tuple(self._one(self.now, self.draw(st.sampled_from([1, 7]))) for _ in range(self.draw(st.integers(1, 4))))
        self.steps.append(Store(self.now, logs))
        self._roll_up(logs)


def _clock(minute: int) -> str:
    return f"{14 + minute // 60:02d}:{minute % 60:02d}"


@st.composite
def histories(draw: st.DrawFn, most: int = 24) -> Script:
    """A history of three minute policies, ended by a quarter of an hour of ticks in which every mute is over."""
    history = Muted(draw, {str(each["id"]): each for each in POLICIES})
    history.steps.append(Tick(START, START))
    choices: list[Callable[[], None]] = [history.burst] * 4 + [history.ticks] * 5
    choices += [history.mute_policy, history.mute_destination, history.change_destination, history.change_severity]
    choices += [history.mute, history.mute, history.add_destination, history.acts, history.delete_policy]
    for _ in range(draw(st.integers(8, most))):
        history.now += draw(st.sampled_from([SECOND, 20 * SECOND]))
        draw(st.sampled_from(choices))()
    history.now = floor(history.now, MINUTE)
    for _ in range(16):
        history.now += MINUTE
        history.steps.append(Tick(history.now, history.now))
    named = tuple({"period": "minute", "active_from": iso(START - MINUTE), **each} for each in POLICIES)
    return Script("muted", "engine", START, (), DESTINATIONS, named, tuple(history.steps), {})


def _reference(script: Script) -> Messenger:
    messenger = Messenger(Engine())
    for destination in script.destinations:
        messenger.put_destination(destination["id"], in_instants(destination))
    for policy in script.policies:
        messenger.engine.put_policy(script.start, policy["id"], in_instants(policy))
    for step in script.steps:
        if not isinstance(step, Action) or step.noun != "alert" or _allowed(messenger, step):
            with suppress(Conflict):
                play(messenger, step)
    return messenger


def _allowed(messenger: Messenger, step: Action) -> bool:
    mine = [alert for alert in messenger.engine.alerts if alert.policy_id == step.target]
    return bool(mine) and mine[-1].is_open


class LinePlay(Play):
    """A play in which each line of a digest counts, and people also try what is impossible."""

    def told_in(self, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield each transition by itself, but an opening and the ending of its alert as one."""
        by_alert: dict[str, list[Any]] = {}
        for each in body["transitions"]:
            by_alert.setdefault(each["alert"]["alert_id"], []).append(each)
        for lines in by_alert.values():
            kinds = [KINDS.get(each["type"]) or ENDINGS.get(each["alert"]["resolved_by"], each["alert"]["resolved_by"]) for each in lines]
            opened = [kind for kind in kinds if kind in OPENINGS]
            if opened and kinds[-1] not in KINDS.values():
                kinds = [*(kind for kind in kinds[:-1] if kind != opened[-1]), "over"]
            yield from ((kind, lines[-1]["alert"]["policy_id"]) for kind in kinds)

    def _act(self, step: Action) -> None:
        if step.noun != "alert":
            super()._act(step)
            return
        mine = [each for each in self.alerts() if each.policy_id == self.policies[step.target]]
        if mine and mine[-1].is_open:
            assert self.world("POST", f"/v1.0/alerts/{mine[-1].alert_id}/{step.verb}").status in {200, 409}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=LONG is None, print_blob=True)
@given(histories())
def test_handlers_and_reference_tell_the_same_and_skip_the_same(script: Script) -> None:
    note(told(script))
    with world() as on_moto:
        found = LinePlay(on_moto, script)
        found.run()
        expected = _reference(script)
        ours = [f"{iso(at)} {name} {kind} {policy}" for at, name, kind, policy in found.messages]
        theirs = [f"{iso(one.at)} {one.destination_id} {one.kind} {one.policy_id}" for one in expected.messages]
        assert sorted(ours) == sorted(theirs)
        assert sorted(found.skipped()) == sorted((one.what, one.alert.policy_id) for one in expected.skipped)
