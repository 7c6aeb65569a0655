"""The real handlers on moto against the plain reference: the same history, the same transitions and the same alerts."""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from nightjar.core.ids import alert_id
from nightjar.core.instants import iso

from tests.cases.play import Play
from tests.cases.script import Action, Script, Tick
from tests.properties.histories import histories
from tests.reference.alerts import Alert, Conflict
from tests.reference.engine import Engine
from tests.reference.messages import Messenger
from tests.reference.replay import in_instants, play
from tests.world import world

LONG = os.environ.get("NIGHTJAR_SOAK")
EXAMPLES = int(LONG or 25)


class TolerantPlay(Play):
    """A play in which people also try what is impossible."""

    def _act(self, step: Action) -> None:
        if step.noun != "alert":
            super()._act(step)
            return
        mine = [each for each in self.alerts() if each.policy_id == self.policies[step.target]]
        if mine:
            assert self.world("POST", f"/v1.0/alerts/{mine[-1].alert_id}/{step.verb}").status in {200, 409}


def _reference(script: Script) -> Engine:
    messenger = Messenger(Engine())
    for policy in script.policies:
        messenger.engine.put_policy(script.start, policy["id"], in_instants(policy))
    for step in script.steps:
        if isinstance(step, Action) and step.noun == "alert" and not any(alert.policy_id == step.target for alert in messenger.engine.alerts):
            continue
        with suppress(Conflict):
            play(messenger, step)
    return messenger.engine


def _of_reference(engine: Engine, found: Play) -> Iterator[tuple[Any, ...]]:
    for each in engine.transitions:
        yield each.at, each.policy_id, each.kind, each.resolved_by, _id_of(each.alert, found)


def _id_of(alert: Alert, found: Play) -> str:
    name, revision, first = alert.key
    return alert_id(found.policies[name], revision, first)


def _of_handlers(found: Play) -> Iterator[tuple[Any, ...]]:
    for at, each in found.transitions:
        yield at, found.name_of(each.alert.policy_id), each.type, each.alert.resolved_by, each.alert.alert_id


def told(script: Script) -> str:
    """Tell a history in words."""
    lines = [str({name: value for name, value in policy.items() if name not in {"agent", "event"}}) for policy in script.policies]
    for step in script.steps:
        logs = [(iso(log.time)[11:], str(log.value)) for log in getattr(step, "logs", ())]
        what = logs or (iso(step.scheduled)[11:] if isinstance(step, Tick) else (step.verb, step.target, dict(step.body)))  # type: ignore[union-attr]
        lines.append(f"{iso(step.at)[11:]} {type(step).__name__} {what}")
    return "\n".join(lines)


def _ends_seen(alert: Any) -> bool:
    """Values are written once a minute: one that a person or an edit ended in between may be a minute behind."""
    return alert.resolved_by in {None, "recovered", "no_data"}


# Shrinking on moto takes minutes, so it is asked for: NIGHTJAR_SHRINK=1.
_PHASES = (Phase.explicit, Phase.generate, *([Phase.shrink] if os.environ.get("NIGHTJAR_SHRINK") else []))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=LONG is None, print_blob=True, phases=_PHASES)
@given(histories())
def test_handlers_and_reference_make_the_same_transitions_and_alerts(script: Script) -> None:
    note(told(script))
    with world() as on_moto:
        found = TolerantPlay(on_moto, script)
        found.run()
        engine = _reference(script)
        key = lambda each: tuple(map(str, each))
        assert sorted(_of_handlers(found), key=key) == sorted(_of_reference(engine, found), key=key)
        ours = {alert.alert_id: alert for alert in found.alerts()}
        theirs = {_id_of(alert, found): alert for alert in engine.alerts}
        assert set(ours) == set(theirs)
        for name, alert in ours.items():
            other = theirs[name]
            assert (alert.status, alert.resolved_by, alert.triggered_at) == (other.status, other.resolved_by, other.triggered_at)
            assert alert.period_start == other.period_start
            if _ends_seen(alert):
                assert (alert.count, alert.periods) == (other.count, other.periods)
                assert alert.value == other.value or (alert.aggregate == "p95_est" and abs(alert.value - other.value) <= abs(other.value) / 100)
