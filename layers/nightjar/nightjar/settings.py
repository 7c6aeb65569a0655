"""What a function is told by its environment, typed, read once."""

import os
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the tables; one that a function does not use is empty."""

    logs: str
    rollups: str
    policies: str
    config: str
    alerts: str
    deliveries: str


@dataclass(frozen=True, slots=True)
class Settings:
    """One function's settings.

    Attributes:
        bells_url: URL of the FIFO queue of bells; empty where unused.
        log_ttl_days: Days that a raw log is kept after its time (never less than 32).
        heartbeat_url: GETed after each finished tick; empty for none.
        tick_lead_minutes: How far ahead of wall time a tick may lie; None (local runner only) for any.
        email_from: Who sends e-mails (verified in SES), empty when they are not set up; email_to: where to by default.
        api_url: Where the API is, without /v1.0: what messages link to; empty where it is not known.
        key_requests_per_second: How often one key may ask one process; 0 for no limit.
    """

    tables: Tables
    bells_url: str
    log_ttl_days: int
    heartbeat_url: str
    tick_lead_minutes: int | None
    email_from: str
    email_to: str
    api_url: str
    key_requests_per_second: float


@cache
def settings() -> Settings:
    """Read the environment of this function; the same object ever after."""
    env = os.environ
    lead = env.get("TICK_LEAD_MINUTES", "10")
    return Settings(
        tables=Tables(**{name: env.get(f"TABLE_{name.upper()}", "") for name in Tables.__slots__}),
        bells_url=env.get("QUEUE_BELLS", ""),
        log_ttl_days=max(32, int(env.get("LOG_TTL_DAYS", "32"))),
        heartbeat_url=_or_none(env.get("HEARTBEAT_URL", "")),
        tick_lead_minutes=int(lead) if lead else None,
        email_from=env.get("EMAIL_FROM", ""),
        email_to=env.get("EMAIL_TO", ""),
        api_url=env.get("API_URL", "").rstrip("/"),
        key_requests_per_second=float(env.get("KEY_REQUESTS_PER_SECOND", "0")),
    )


def _or_none(value: str) -> str:
    """Return a value, or nothing for the word none: SAM asks for a hidden parameter until something is typed."""
    return "" if value.strip().lower() == "none" else value.strip()
