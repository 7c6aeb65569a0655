"""The real handlers on moto against the plain reference: the same history, the same transitions and the same alerts."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from nightjar.core import alerts as handlers
from nightjar.core.ids import alert_id
from nightjar.core.instants import iso

from tests.cases.play import Play
from tests.cases.script import Action, Apply, Script, Step, Tick
from tests.properties.estimates import leaves_open, near, noted
from tests.properties.histories import histories
from tests.properties.paces import PACES
from tests.properties.quick import QuickPlay
from tests.reference.alerts import Alert, Conflict
from tests.reference.engine import Engine
from tests.reference.logs import QUANTILES
from tests.reference.messages import Messenger
from tests.reference.replay import in_instants, play
from tests.world import Record, World, world

LONG = os.environ.get("NIGHTJAR_SOAK")
EXAMPLES = int(LONG or (4 if os.environ.get("NIGHTJAR_DYNAMODB") else 10))  # AWS's engine is slower
QUICK = 20 * EXAMPLES // (1 if LONG else 4)


class TolerantPlay(Play):
    """A play in which people also try what is impossible, and streams bring again what they have brought."""

    def __init__(self, on: World, script: Script) -> None:
        super().__init__(on, script)
        self.records: dict[str, Record] = {}

    def _play(self, step: Step) -> None:
        self.records.update({record["dynamodb"]["Keys"]["SK"]["S"].partition("#")[2]: record for record in self.world.logs})
        if isinstance(step, Apply):
            wanted = {str(log.log_id) for log in step.logs}
            assert self.world.roll_up([record for log_id, record in self.records.items() if log_id in wanted]) == {"batchItemFailures": []}
        else:
            super()._play(step)

    def _act(self, step: Action) -> None:
        if step.noun == "policy" and step.verb == "delete":
            self.world.made("DELETE", f"/v1.0/policies/{self.policies[step.target]}", None)
            return
        if step.noun != "alert":
            super()._act(step)
            return
        mine = [each for each in self.alerts() if each.policy_id == self.policies[step.target]]
        if mine:
            assert self.world("POST", f"/v1.0/alerts/{mine[-1].alert_id}/{step.verb}").status in {200, 409}


def _reference(script: Script) -> Engine:
    messenger = Messenger(Engine())
    for event in script.events:
        messenger.engine.put_event(script.start, (event["agent"], event["event"]), event["timezone"])
    for policy in script.policies:
        messenger.engine.put_policy(script.start, policy["id"], in_instants(policy))
    for step in script.steps:
        if isinstance(step, Action) and step.noun == "alert" and not any(alert.policy_id == step.target for alert in messenger.engine.alerts):
            continue
        with suppress(Conflict):
            play(messenger, step)
    return messenger.engine


def _of_reference(engine: Engine, found: Play | QuickPlay) -> Iterator[tuple[Any, ...]]:
    for each in engine.transitions:
        yield each.at, each.policy_id, each.kind, each.resolved_by, _id_of(each.alert, found)


def _id_of(alert: Alert, found: Play | QuickPlay) -> str:
    name, revision, first = alert.key
    return alert_id(found.policies[name], revision, first)


def _of_handlers(found: Play | QuickPlay) -> Iterator[tuple[Any, ...]]:
    for at, each in found.transitions:
        yield at, found.name_of(each.alert.policy_id), each.type, each.alert.resolved_by, each.alert.alert_id


def told(script: Script) -> str:
    """Tell a history in words."""
    shown = lambda body: {name: value for name, value in body.items() if name not in {"agent", "id"}}
    lines = [str(shown(each)) for each in (*script.events, *script.policies)]
    for step in script.steps:
        logs = [(log.event, iso(log.time), str(log.value)) for log in getattr(step, "logs", ())]
        what = logs or (iso(step.scheduled) if isinstance(step, Tick) else (step.verb, step.target, shown(step.body)))  # type: ignore[union-attr]
        lines.append(f"{iso(step.at)} {type(step).__name__} {what}")
    return "\n".join(lines)


# Shrinking on moto takes minutes, so it is asked for: NIGHTJAR_SHRINK=1.
_PHASES = (Phase.explicit, Phase.generate, *([Phase.shrink] if os.environ.get("NIGHTJAR_SHRINK") else []))


@pytest.mark.parametrize("pace", PACES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=LONG is None, print_blob=True, phases=_PHASES)
@given(data=st.data())
def test_handlers_and_reference_make_the_same_transitions_and_alerts(pace: str, data: st.DataObject) -> None:
    script = data.draw(histories(PACES[pace]))
    note(told(script))
    compare(script)


@pytest.mark.parametrize("pace", PACES)
@settings(max_examples=QUICK, deadline=None, suppress_health_check=list(HealthCheck), derandomize=LONG is None, print_blob=True)
@given(data=st.data())
def test_the_pipeline_over_a_ledger_and_reference_make_the_same_transitions_and_alerts(pace: str, data: st.DataObject) -> None:
    script = data.draw(histories(PACES[pace]))
    note(told(script))
    compare(script, over_a_ledger)


@contextmanager
def through_handlers(script: Script) -> Iterator[Play]:
    """Play a history to the handlers on moto."""
    with world(script.start) as on_moto:
        found = TolerantPlay(on_moto, script)
        found.run()
        yield found


@contextmanager
def over_a_ledger(script: Script) -> Iterator[QuickPlay]:
    """Play a history to the pipeline alone."""
    found = QuickPlay(script)
    found.run()
    yield found


def compare(script: Script, player: Callable[[Script], AbstractContextManager[Play | QuickPlay]] = through_handlers) -> Engine:
    """Play a history to both engines, and hold what they made against each other. Return the reference."""
    with noted() as readings:
        engine = _reference(script)
    if any(leaves_open(policy, reading) for policy, reading in readings):
        return engine  # it hangs on the sketch's one per cent
    with player(script) as found:
        key = lambda each: tuple(map(str, each))
        by_handlers, by_reference = sorted(_of_handlers(found), key=key), sorted(_of_reference(engine, found), key=key)
        assert by_handlers == by_reference
        ours = {alert.alert_id: alert for alert in found.alerts()}
        theirs = {_id_of(alert, found): alert for alert in engine.alerts}
        assert set(ours) == set(theirs)
        for name, alert in ours.items():
            _assert_alike(alert, theirs[name], engine, script)
    return engine


def _assert_alike(alert: handlers.Alert, other: Alert, engine: Engine, script: Script) -> None:
    """Values are written once a minute, so one that a person or an edit ended, or ticks left, in between may be a minute behind."""
    assert (alert.status, alert.resolved_by, alert.triggered_at) == (other.status, other.resolved_by, other.triggered_at)
    assert alert.period_start == other.period_start
    left = alert.early and other.latest is not None and not engine.is_within_reach(other.policy, other.latest.period)
    if alert.in_alarm and alert.last_start not in alert.in_alarm:  # healed by late data, and the one before was noted no more: values as last seen
        assert (alert.periods, alert.is_open) == (other.periods, False)
    elif alert.resolved_by in {None, "recovered", "no_data"} and not left:
        assert (alert.count, alert.periods) == (other.count, other.periods)
        assert near(alert.aggregate, alert.value, other.latest.reading if other.latest else None), (alert.value, other.value)
        # Of two estimates as bad as each other either may be the worst.
        if (alert.aggregate not in QUANTILES or alert.periods == 1) and not _worst_was_left(other, script):
            assert near(alert.aggregate, alert.worst_value, other.worst), (alert.worst_value, other.worst_value)


def _worst_was_left(alert: Alert, script: Script) -> bool:
    """Say whether the period of the worst value may have run at one tick, and at the next one have been too old to be judged."""
    newest = alert.worst.bucket.newest if alert.worst else None
    ticks = sorted({step.scheduled for step in script.steps if isinstance(step, Tick)})
    reach = alert.policy.horizon
    return newest is not None and any(before - reach - alert.policy.delay <= newest <= after - reach for before, after in pairwise(ticks))
