"""Read TOML, which Python 3.10 has only through the library tomli."""

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
