"""The two stand-in indexes as a release sees them: indexes like others, in the place of the real ones."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from seatrial.index.indexes import Index, Indexes
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.standin.server import StandinIndex

# What their tokens name: a real token is of another index here, and theirs is of another index anywhere else.
LOCATIONS = {"testpypi": "testpypi.localhost", "pypi": "pypi.localhost"}


class Standins(Value):
    """The two indexes while they are served: their URLs, the tokens they take, and the folder with their files.

    `folder` holds ``testpypi/`` and ``pypi/``. `tokens` are variables with the names under which credentials are looked
    up.
    """

    folder: Path
    testpypi: str
    pypi: str
    tokens: Mapping[str, str] = field(repr=False)
    apps: Mapping[str, StandinIndex] = field(repr=False, compare=False)

    def replacing(self, indexes: Indexes) -> Indexes:
        """Return `indexes` with both places of uploads replaced; dependencies come from where they always do."""
        return replace(indexes, testpypi=self.rehearsal(indexes.testpypi), pypi=self.release(indexes.pypi))

    def rehearsal(self, index: Index) -> Index:
        """Return the first of the two in the place of `index`, whose variables and name it has."""
        return _standing_in(index, self.testpypi, LOCATIONS["testpypi"])

    def release(self, index: Index) -> Index:
        """Return the second of the two in the place of `index`, whose variables and name it has."""
        return _standing_in(index, self.pypi, LOCATIONS["pypi"])


def _standing_in(index: Index, url: str, location: str) -> Index:
    return Index(
        f"{index.name} (stand-in)",
        simple=f"{url}/simple/",
        upload=f"{url}/legacy/",
        token_variable=index.token_variable,
        token_location=location if index.is_public else "",
    )
