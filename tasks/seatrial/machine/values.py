"""Classes of values, which become dataclasses when the first object is made.

To write the methods of all of them at each start would take longer than what many a step does.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, get_origin

__all__ = ["PENDING", "Value", "complete", "dataclass_transform", "fields_of", "is_value"]

if TYPE_CHECKING:
    from typing_extensions import Self, TypeIs, dataclass_transform
else:

    def dataclass_transform(**_: Any):  # noqa: ANN201 (typing has it from Python 3.11 on)
        return lambda kind: kind


PENDING: dict[type, dict[str, bool]] = {}  # classes that are none yet, with their options
_LOCK = threading.RLock()


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
class Value:
    """A frozen dataclass; `options` are those of `dataclasses.dataclass`, as in ``class Cell(Value, order=True)``."""

    def __init_subclass__(cls, **options: bool) -> None:
        PENDING[cls] = {"frozen": True, **options}

    def __new__(cls, *_: Any, **__: Any) -> Self:
        complete(cls)
        return super().__new__(cls)


def is_value(hint: Any) -> TypeIs[type[Value]]:
    """Return whether `hint` is a class of values."""
    return get_origin(hint) is None and isinstance(hint, type) and issubclass(hint, Value)


def fields_of(kind: type[Value]) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of `kind`, in their order."""
    complete(kind)
    return dataclasses.fields(kind)  # type: ignore[arg-type]


def complete(kind: type) -> None:
    """Make dataclasses of `kind` and of its bases, unless they are."""
    if kind not in PENDING:
        return
    with _LOCK:  # the first objects may be made in two threads at once
        for base in reversed(kind.__mro__):
            if options := PENDING.get(base):
                dataclasses.dataclass(**options)(base)
                del PENDING[base]
