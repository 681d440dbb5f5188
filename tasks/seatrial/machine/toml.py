"""Read TOML in nox's own interpreter, where Python 3.10 has it only through nox's dependency tomli."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def parse(text: str) -> dict[str, Any]:
    """Return the document in `text`. Raises ValueError, which names line and column."""
    document: dict[str, Any] = tomllib.loads(text)
    return document
