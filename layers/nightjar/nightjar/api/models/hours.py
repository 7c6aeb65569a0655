"""Active hours as clients write and read them: when messages may be sent."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema

from nightjar.api.models.base import Answer, Body
from nightjar.api.models.fields import Timezone, refuse
from nightjar.core.policies import ActiveHours

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)


def _time(value: Any) -> str:
    """Check a time of day."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise refuse('must be a time like "09:30"')
    return value


def _end(value: Any) -> str:
    """Check a time of day at which a span ends: the end of the day may be called 24:00."""
    return value if value == "24:00" else _time(value)


_DAYTIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_FROM = WithJsonSchema({"type": "string", "pattern": f"^{_DAYTIME}$"})
_TO = WithJsonSchema({"type": "string", "pattern": f"^({_DAYTIME}|24:00)$"})


class HoursBody(Body):
    """Spans of time: days name the day a span begins; `from` is inside, `to` is not; `from` after `to` runs over midnight."""

    days: list[Day] = Field(min_length=1, max_length=7)
    start: Annotated[str, BeforeValidator(_time), _FROM] = Field(alias="from")
    end: Annotated[str, BeforeValidator(_end), _TO] = Field(alias="to")
    timezone: Timezone | None = None

    def value(self) -> ActiveHours:
        """Return the hours as the core knows them."""
        return ActiveHours(days=tuple(dict.fromkeys(self.days)), start=self.start, end=self.end, timezone=self.timezone or "UTC")


class HoursAnswer(Answer):
    """Active hours as stored."""

    days: list[str]
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    timezone: str

    @classmethod
    def of(cls, hours: ActiveHours | None) -> Self | None:
        """Show active hours."""
        if hours is None:
            return None
        return cls.model_validate({"days": list(hours.days), "from": hours.start, "to": hours.end, "timezone": hours.timezone})
