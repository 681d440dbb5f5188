"""Where a module comes from, and what it lies in."""

from __future__ import annotations

import importlib.metadata
import os
from typing import TYPE_CHECKING

from .subject import metadata_of, own_files, real_path

if TYPE_CHECKING:
    from collections.abc import Iterable


def lies_in(name: str, modules: Iterable[str]) -> bool:
    """Whether `name` is one of `modules`, or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def whose(origin: str | None) -> str:
    """Say whose file a module came from."""
    if origin is None:
        return "no file at all"
    if not os.path.isabs(origin) or real_path(origin).startswith(standard_library()):
        return f"Python's standard library ({origin})"
    for dist in importlib.metadata.distributions():
        if real_path(origin) in own_files(dist):
            return f"{origin}, which belongs to {metadata_of(dist).get('Name')}"
    return f"{origin}, which belongs to no distribution"


def standard_library() -> str:
    return os.path.join(real_path(os.path.dirname(os.__file__)), "")
