"""CloudFormation's intrinsic functions, as far as the template uses them; any other is an error, not a guess."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Names = Mapping[str, str]  # "LogsTable" → what !Ref gives; "LogsTable.Arn" → what !GetAtt gives

_VARIABLE = re.compile(r"\$\{([^}!]+)\}")


class Unresolvable(ValueError):
    """The template uses something that the local runner does not know."""


def resolve(value: Any, names: Names) -> Any:
    """Replace Ref, Fn::GetAtt and Fn::Sub in a piece of a template.

    Args:
        value: Any part of a template, as parsed from YAML.
        names: What each reference stands for.

    Returns:
        The same part with plain values only; a property whose value is AWS::NoValue is gone.

    Raises:
        Unresolvable: A reference to an unknown name, or another intrinsic function.
    """
    if isinstance(value, list):
        return [resolve(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name in _INTRINSICS:
            return _INTRINSICS[name](argument, names)
        if name.startswith("Fn::") or (name == "Condition" and isinstance(argument, str)):
            raise Unresolvable(f"{name} is not known here: {argument!r}")
    return {key: resolve(each, names) for key, each in value.items() if each != {"Ref": "AWS::NoValue"}}


def _look_up(name: str, names: Names) -> str:
    if name not in names:
        raise Unresolvable(f"nothing is known by the name {name}")
    return names[name]


def _ref(argument: Any, names: Names) -> str:
    return _look_up(argument, names)


def _get_att(argument: Any, names: Names) -> str:
    return _look_up(argument if isinstance(argument, str) else ".".join(argument), names)


def _sub(argument: Any, names: Names) -> str:
    text, own = (argument, {}) if isinstance(argument, str) else argument
    known = {**names, **resolve(own, names)}
    return _VARIABLE.sub(lambda found: str(_look_up(found[1], known)), text)


_INTRINSICS: dict[str, Callable[[Any, Names], str]] = {"Ref": _ref, "Fn::GetAtt": _get_att, "Fn::Sub": _sub}
