"""What ends an alert besides judgement."""

from dataclasses import replace

from nightjar.core.actions import act_on_open, remind, revise

from tests.builders import at, bucket, hour, policy, state
from tests.core.test_evaluation import Engine


def test_an_edit_that_a_deletion_overtook_brings_nothing_back() -> None:
    edited = replace(policy(), revision=5)
    gone = revise(state(policy()), None, clock=at("14:00"), now=at("14:00")).state
    assert gone is not None
    assert not gone.live
    assert revise(gone, edited, clock=at("14:01"), now=at("14:01")).reason == "unchanged"


def test_reminders_go_on_until_somebody_acknowledges() -> None:
    watched = policy(renotify_minutes=30)
    engine = Engine(watched)
    engine.judge(hour("14:00"), {("h", at("14:00")): bucket([1] * 30)}, "15:01")
    assert [remind(engine.state, watched, clock=at(clock)).reason for clock in ("15:30", "15:31", "16:10")] == ["unchanged", "reminded", "reminded"]
    acknowledged = act_on_open(engine.state, "acknowledge", clock=at("15:02"), now=at("15:02")).state
    assert acknowledged is not None
    assert [remind(acknowledged, watched, clock=at(clock)).reason for clock in ("15:31", "16:10")] == ["unchanged", "unchanged"]
