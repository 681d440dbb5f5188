"""How a person types a session here, and what a nox of its own is told that runs one for a package of a repository."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "SEATRIAL_PACKAGE"  # set by `together` alone, beside the variable that names the package's folder
ALL = ("--all",)


@dataclass(frozen=True)
class Typed:
    """`names` maps our session names to those of the project; `option` chooses packages: none, ``--package``, ALL."""

    names: Mapping[str, str]
    door: bool = False
    option: tuple[str, ...] = ()

    def command(self, session: str, *args: str) -> str:
        """Return what a person types to run `session`."""
        words = (*(f'"{word}"' if " " in word else word for word in self.option), *args)
        if self.door:
            return " ".join(["seatrial", session, *words])
        return " ".join(["nox -s", self.names.get(session, session), *(["--", *words] if words else [])])

    def for_package(self, name: str) -> Typed:
        return replace(self, option=("--package", name))


@dataclass(frozen=True)
class Errand:
    """`release_with` takes the place of that setting, None where that holds."""

    typed: Typed
    release_with: tuple[str, ...] | None = None

    def to_environment(self) -> dict[str, str]:
        said = {"names": dict(self.typed.names), "door": self.typed.door, "option": self.typed.option}
        return {VARIABLE: json.dumps(said | {"release_with": self.release_with})}


def from_environment(outer: Mapping[str, str]) -> Errand | None:
    """Return what `outer` says, None where a person started this nox."""
    if VARIABLE not in outer:
        return None
    said = json.loads(outer[VARIABLE])
    beside = said["release_with"]
    typed = Typed(said["names"], said["door"], tuple(said["option"]))
    return Errand(typed, None if beside is None else tuple(beside))
