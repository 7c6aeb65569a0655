"""A policy with the defaults of API.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.reference.logs import EventKey
from tests.reference.periods import DAY, HOUR, MINUTE, SECOND, Period

Fields = Mapping[str, Any]

DEFAULTS: dict[str, Any] = {
    "agent": "",
    "title": "",
    "severity": "warning",
    "enabled": True,
    "window": "calendar",
    "window_minutes": None,
    "evaluation_periods": 1,
    "datapoints_to_alarm": 1,
    "compare": None,
    "recovery_periods": 1,
    "recovery_threshold": None,
    "min_count": None,
    "early": True,
    "delay_seconds": 60,
    "active_hours": None,
    "mute_until": None,
    "renotify_minutes": None,
    "auto_resolve": True,
}
HORIZONS = {"minute": 60 * MINUTE, "hour": 24 * HOUR, "day": 2 * DAY}
NO_DATA_AFTER = {"minute": DAY, "hour": DAY, "day": 3 * DAY}


@dataclass(frozen=True)
class Policy:
    """A policy as it stands: its fields in API.md's spelling, defaults filled in, and when it begins to count."""

    policy_id: str
    fields: Fields
    active_from: int

    @staticmethod
    def complete(fields: Fields) -> dict[str, Any]:
        """Return the fields of a new policy with the defaults of what is absent or null; a later edit of another field changes none of them."""
        missing = "zero" if fields["aggregate"] in ("sum", "count") else "ignore"
        return DEFAULTS | {"missing": missing} | {name: value for name, value in fields.items() if value is not None and name != "active_from"}

    def field(self, name: str) -> Any:
        """Return one field."""
        return self.fields[name]

    @property
    def event_key(self) -> EventKey:
        """The event that is watched."""
        return (str(self.fields["agent"]), str(self.fields["event"]))

    @property
    def kind(self) -> str:
        """The period: minute, hour or day."""
        return str(self.fields["period"])

    @property
    def condition(self) -> str:
        """The condition: gt, gte, lt, lte, eq or ne."""
        return str(self.fields["condition"])

    @property
    def enabled(self) -> bool:
        """Whether it is judged at all."""
        return bool(self.fields["enabled"])

    @property
    def rolling(self) -> bool:
        """Whether it watches a rolling window."""
        return bool(self.fields["window"] == "rolling")

    @property
    def window_minutes(self) -> int:
        """The length of the rolling window."""
        return int(self.fields["window_minutes"] or {"hour": 60, "day": 1440}[self.kind])

    @property
    def stride(self) -> int:
        """How far apart its rolling windows lie."""
        return HOUR if self.window_minutes > 120 else MINUTE

    @property
    def missing(self) -> str:
        """What a period without logs means."""
        return str(self.fields["missing"])

    @property
    def previous(self) -> str | None:
        """The window that is compared with, if any."""
        compare = self.fields["compare"]
        return str(compare["previous"]) if compare else None

    @property
    def min_count(self) -> int:
        """The least number of logs, 0 when not set."""
        return int(self.fields["min_count"] or 0)

    @property
    def threshold(self) -> Decimal:
        """The threshold."""
        return Decimal(self.fields["threshold"])

    @property
    def recovery_threshold(self) -> Decimal:
        """The threshold of health, the threshold itself when not set."""
        given = self.fields["recovery_threshold"]
        return self.threshold if given is None else Decimal(given)

    @property
    def delay(self) -> int:
        """How long after its end a period is judged."""
        return int(self.fields["delay_seconds"]) * SECOND

    @property
    def horizon(self) -> int:
        """How far back missed ticks and late data are made up for."""
        return HORIZONS[self.kind]

    @property
    def rests_on_several(self) -> bool:
        """Whether an alert or its recovery takes more than one period."""
        return bool(self.fields["evaluation_periods"] > 1 or self.fields["recovery_periods"] > 1)

    @property
    def rises(self) -> bool:
        """Whether its alerts rest on the data that is there: gt or gte, not compared."""
        return self.condition in ("gt", "gte") and self.previous is None

    def counts(self, period: Period, *, empty: bool) -> bool:
        """Say whether a period lies after active_from.

        Rule: ENGINE.md, Evaluating, `active_from`: gt and gte by the end of the period, what rests on little or no data by its beginning.
        """
        return period.end > self.active_from if self.rises and not empty else period.start >= self.active_from

    def measures(self) -> tuple[Any, ...]:
        """Return what it measures: another value of this is another revision."""
        names = ("period", "aggregate", "condition", "window", "evaluation_periods", "datapoints_to_alarm", "recovery_periods")
        length = self.window_minutes if self.rolling else None
        special = (self.event_key, self.threshold, length, self.previous, self.missing, self.min_count, self.recovery_threshold)
        return (*(self.fields[name] for name in names), *special)


def changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a person names; null clears an optional field and is as good as absent where there is a default."""
    return {name: value for name, value in fields.items() if name != "active_from" and (value is not None or DEFAULTS.get(name, "") is None)}


def starts_revision(old: Policy, new: Policy) -> bool:
    return old.enabled != new.enabled or old.measures() != new.measures()
