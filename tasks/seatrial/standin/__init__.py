"""Two throw-away package indexes on this machine that answer uploads as PyPI does."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.standin import server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Standins:
    folder: Path
    testpypi: str
    pypi: str
    tokens: Mapping[str, str]


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Standins]:
    """Serve two stand-ins, their files in `folder`."""
    with contextlib.ExitStack() as stack:
        urls, tokens = {}, {}
        for name, location in server.LOCATIONS.items():
            token = server.make_token(location)
            urls[name] = stack.enter_context(server.serving(server.make_index(folder / name, token)))
            tokens[f"{name.upper()}_TOKEN"] = token
        yield Standins(folder, urls["testpypi"], urls["pypi"], tokens)
