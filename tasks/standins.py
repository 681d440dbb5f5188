"""How the sessions learn that a dry run's stand-in indexes take the place of the real ones.

One variable, set by `dryrun` alone, names two servers on this machine and the folder of the dry run. Anything that is
not loopback is refused: URLs of indexes never come from the environment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import NotLoopback
from .indexes import LOOPBACK, PYPI, TESTPYPI, Index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .config import Config

VARIABLE = "SEATRIAL_STANDIN"


@dataclass(frozen=True)
class Standin:
    """Two servers, and the folder that takes the dry run's own ``dist/`` and record."""

    place: Path
    testpypi: str
    pypi: str

    def to_environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps({"place": str(self.place), "testpypi": self.testpypi, "pypi": self.pypi})}

    def replacing(self, config: Config) -> Config:
        """Return `config` with the two public indexes replaced; dependencies come from where they always do."""
        return replace(config, testpypi=_at(TESTPYPI, self.testpypi), pypi=_at(PYPI, self.pypi))


def from_environment(outer: Mapping[str, str]) -> Standin | None:
    """Return the stand-in that `outer` names, None for none. Raises NotLoopback."""
    text = outer.get(VARIABLE)
    if text is None:
        return None
    try:
        found = json.loads(text)
        standin = Standin(Path(found["place"]), found["testpypi"], found["pypi"])
        hosts = {url: urlsplit(url).hostname for url in (standin.testpypi, standin.pypi)}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotLoopback(VARIABLE, "(not readable)") from None
    for url, host in hosts.items():
        if host not in LOOPBACK:
            raise NotLoopback(VARIABLE, url)
    return standin


def _at(index: Index, url: str) -> Index:
    base = url.rstrip("/")
    return replace(index, name=f"{index.name} (stand-in)", simple=f"{base}/simple/", upload=f"{base}/legacy/", pages="")
