"""What all tests share: how hypothesis draws, and that what handlers call is noted."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import calls

calls.watch()

# No timing in tests: machines are shared. Seeded, so that a run of CI can be had again; `make soak` draws anew each time.
settings.register_profile("short", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("long" if os.environ.get("NIGHTJAR_SOAK") else "short")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what the functions needed in a process of pytest-xdist."""
    calls.merge({name: {(action, resource) for action, resource in needs} for name, needs in getattr(node, "workeroutput", {}).get("needs", {}).items()})


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """After the whole suite (or with NIGHTJAR_ROLES=1): what no role allows was never called, and what a role allows was."""
    if hasattr(session.config, "workeroutput"):  # one process of several: the first of them tells for all
        session.config.workeroutput["needs"] = {name: [list(need) for need in needs] for name, needs in calls.used().items()}
        return
    whole = session.config.args_source is pytest.Config.ArgsSource.TESTPATHS and not session.config.option.keyword
    if exitstatus or not (whole or os.environ.get("NIGHTJAR_ROLES")):
        return
    wrong = calls.forbidden(calls.used()) + calls.idle(calls.used())
    print("\nroles in template.yaml:", *(wrong or ["each function has what it used in this run, and nothing else"]), sep="\n  ")
    if wrong:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
