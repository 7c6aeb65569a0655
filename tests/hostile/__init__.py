"""Nightjar on the internet: what anybody can send, and what must never leave."""

import os

_ASKED = os.environ.get("NIGHTJAR_SOAK", "")

# Seconds that the fuzzers go on for in `make soak`; a number above 1 in the variable says how many. 0 in a run of CI.
SOAK_SECONDS = 0 if _ASKED in {"", "0"} else int(_ASKED) if _ASKED.isdigit() and _ASKED != "1" else 600
