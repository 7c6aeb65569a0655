"""Numbers and lengths of time as people read them."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from nightjar.core.decimals import tidy
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND

_DIGITS: Final = 6
_ALL: Final = 400
_SUFFIX: Final = re.compile(r"(?<![._-]per)[._-]([a-z]+)$")  # jobs_per_sec are no seconds
_UNITS: Final = {
    "ns": "ns", "us": "µs", "ms": "ms", "s": "s", "sec": "s", "secs": "s", "seconds": "s", "minutes": "min", "hours": "h",
    "bytes": "bytes", "kb": "KB", "mb": "MB", "gb": "GB", "kib": "KiB", "mib": "MiB", "gib": "GiB",
    "percent": "%", "pct": "%", "usd": "USD", "eur": "EUR", "gbp": "GBP",
}  # fmt: skip
_COUNTRIES: Final = (".us", "-us", ".gb", "-gb")  # orders.us are no microseconds; latency_us are
# Words of a unit that end in s and are not the plural of anything.
_NO_PLURALS: Final = frozenset({"bias", "flops", "gflops", "iops", "lens", "means", "mflops", "news", "series", "species", "tflops"})
# Plurals that only a list knows.
_SINGULARS: Final = {
    "aliases": "alias", "buses": "bus", "cookies": "cookie", "indices": "index", "movies": "movie", "statuses": "status", "viruses": "virus",
}  # fmt: skip
_PLURAL: Final = re.compile(r"(?=.*[aeiou])[a-z]{3,}(?<![siu])s")
_ES: Final = re.compile(r"(?:[nrt]ch|sh|ss|x)es$")
_BARS: Final = "▁▂▃▄▅▆▇█"
_NOTHING: Final = "·"


def shown(value: Decimal, against: Decimal | None = None) -> str:
    """Write a number with at most six significant digits, thousands separated, no exponent.

    Args:
        value: The number.
        against: A threshold: more digits are written where fewer would put the number on it, or on its other side.

    Rule: ENGINE.md, Notifying: "at most six significant digits, but never rounded to or across the threshold".

    Example:
        >>> shown(Decimal(45000)), shown(Decimal("66.93401176470588")), shown(Decimal("20.0000001"), Decimal(20))
        ('45,000', '66.934', '20.0000001')
    """
    for digits in range(_DIGITS, _ALL):
        near = Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(value)
        if against is None or near == value or near.compare(against) == value.compare(against):
            return exact(near)
    return exact(value)


def exact(value: Decimal) -> str:
    """Write a number in full, thousands separated: what a person typed as a threshold.

    Example:
        >>> exact(Decimal("1E+5")), exact(Decimal("-0")), exact(Decimal("30.40"))
        ('100,000', '0', '30.4')
    """
    return format(tidy(value), ",f")


def signed(value: Decimal) -> str:
    """Write a change in per cent in full: "+50 %", "-50 %", "0 %"."""
    return f"{'+' if value > 0 else ''}{exact(value)} %"


def unit_of(event: str) -> str:
    """Tell an event's unit from the end of its name; empty when it does not tell.

    Example:
        >>> unit_of("invoice.duration_ms"), unit_of("jobs.failed"), unit_of("jobs_per_sec"), unit_of("orders.us")
        ('ms', '', '', '')
    """
    found = None if event.endswith(_COUNTRIES) else _SUFFIX.search(event)
    return _UNITS.get(found[1], "") if found else ""


def with_unit(text: str, unit: str) -> str:
    """Write a number, as text, with its unit; of one thing a unit that is a word says only one.

    Example:
        >>> with_unit("2", "bytes"), with_unit("1", "bytes"), with_unit("-1", "failed jobs"), with_unit("1", "ms"), with_unit("1", "")
        ('2 bytes', '1 byte', '-1 failed job', '1 ms', '1')
    """
    if text.removeprefix("-") == "1":
        before, _, last = unit.rpartition(" ")
        unit = f"{before} {_one(last)}".lstrip()
    return f"{text} {unit}".rstrip()


def length(micros: int) -> str:
    """Write a length of time (µs) with its two largest units.

    Example:
        >>> length(65 * MINUTE), length(3 * MINUTE), length(51 * HOUR), length(400_000)
        ('1 h 5 min', '3 min', '2 days 3 h', '0 s')
    """
    days, rest = divmod(max(micros, 0), DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    parts = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"), (rest // SECOND, "s")]
    first = next((place for place, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {name}" for number, name in parts[first : first + 2] if number) or "0 s"


def sparkline(values: Sequence[Decimal | None]) -> str:
    """Draw values as a row of bars from zero (or the lowest, below zero) up; nothing measured is a dot.

    Example:
        >>> sparkline([Decimal(0), None, Decimal(5), Decimal(10)])
        '▁·▅█'
    """
    known = [value for value in values if value is not None]
    low, high = min([*known, Decimal(0)]), max([*known, Decimal(0)])
    return "".join(_NOTHING if value is None else _bar(value - low, high - low) for value in values)


def _one(word: str) -> str:
    """Return the singular of a plural; anything else, an abbreviation above all, as it is."""
    if word in _SINGULARS:
        return _SINGULARS[word]
    if not _PLURAL.fullmatch(word) or word in _NO_PLURALS:
        return word
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004  # retries, but ties
        return f"{word[:-3]}y"
    return word[:-2] if _ES.search(word) else word[:-1]


def _bar(height: Decimal, most: Decimal) -> str:
    """Return the bar for a height out of the most."""
    if not most:
        return _BARS[0]
    return _BARS[min(int((height / most * (len(_BARS) - 1)).to_integral_value()), len(_BARS) - 1)]
