"""What all tests share: how hypothesis draws."""

import os

from hypothesis import HealthCheck, settings

# No timing in tests: machines are shared. Seeded, so that a run of CI can be had again; `make soak` draws anew each time.
settings.register_profile("short", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("long" if os.environ.get("NIGHTJAR_SOAK") else "short")
