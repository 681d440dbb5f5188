"""JSON documents of the record read back into the frozen values that they were written from."""

from __future__ import annotations

import functools
import types
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from seatrial.machine.values import fields_of, is_value

if TYPE_CHECKING:
    from collections.abc import Mapping


def decode(hint: Any, value: Any, where: str = "") -> Any:
    """Return the JSON `value` as the type `hint`; raise TypeError saying where it does not fit."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_value(hint):
        return _decoded(hint, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(decode(inner[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin in {Union, types.UnionType}:
        return None if value is None else decode(inner[0], value, where)
    if origin is Literal and value in inner:
        return value
    if origin is None and isinstance(value, hint) and isinstance(value, bool) == (hint is bool):
        return value
    raise TypeError(f"{where or 'it'} is not {getattr(hint, '__name__', hint)}")


def _decoded(hint: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"{where or 'it'} has missing or unknown fields: not an object")
    declared = fields_of(hint)
    names = {field.name for field in declared}
    optional = {field.name for field in declared if field.default is not MISSING}  # not known to earlier versions
    if odd := (set(value) - names) | (names - optional - set(value)):
        raise TypeError(f"{where or 'it'} has missing or unknown fields: {', '.join(sorted(odd))}")
    hints = _hints(hint)
    return hint(**{name: decode(hints[name], item, f"{where}.{name}".lstrip(".")) for name, item in value.items()})


@functools.cache  # a step reads several stages, and each names its types in strings
def _hints(hint: Any) -> Mapping[str, Any]:
    return get_type_hints(hint)
