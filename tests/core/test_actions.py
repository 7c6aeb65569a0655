"""What ends an alert besides judgement."""

from dataclasses import replace

from nightjar.core.actions import revise

from tests.builders import at, policy, state


def test_an_edit_that_a_deletion_overtook_brings_nothing_back() -> None:
    edited = replace(policy(), revision=5)
    gone = revise(state(policy()), None, clock=at("14:00"), now=at("14:00")).state
    assert gone is not None
    assert not gone.live
    assert revise(gone, edited, clock=at("14:01"), now=at("14:01")).reason == "unchanged"
