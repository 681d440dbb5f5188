"""The options of all steps as one value, and what a person types to run a step with some of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.machine.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Kind

ALL = ("--all",)


class Commands(Value):
    """How steps are typed: with nox, whose sessions have names that begin with `prefix`, or with `seatrial`.

    `option` chooses packages of the repository: none, ``--package NAME``, or ALL. The words of a step and its options
    are a key (``commands["build --rebuild"]``), which is how messages ask for them.
    """

    nox: bool = False
    prefix: str = ""
    option: tuple[str, ...] = ()

    def __getitem__(self, words: str) -> str:
        return self.command(*words.split(" "))

    def command(self, step: str, *options: str) -> str:
        """Return what a person types to run `step` with `options`."""
        words = (*(f'"{word}"' if " " in word else word for word in self.option), *options)
        if not self.nox:
            return " ".join(["seatrial", step, *words])
        return " ".join(["nox -s", self.prefix + step, *(["--", *words] if words else [])])

    def for_package(self, name: str) -> Commands:
        """Return how steps are typed for the package `name` of this repository."""
        return replace(self, option=("--package", name))


class Options(Value):
    """What was asked for; paths are absolute. `rehearse_on` is the reason why this machine is the rehearsal index."""

    explain: bool = False
    rebuild: bool = False
    keep_sealed: bool = False
    sdist_only: bool = False
    offline: bool = False
    timing: bool = False
    verbose: bool = False
    taken_from: Path | None = None
    version: str | None = None  # rebuild: the word; dryrun: --as
    since: str | None = None
    rehearse_on: str | None = None
    remote: bool = False
    yes: str | None = None
    without_rehearsal_index: str | None = None
    narrow: bool = True
    package: str | None = None
    all: bool = False
    python: str | None = None
    kind: Kind | None = None
    environment: Path | None = None
    as_of: str | None = None
    record: Path | None = None
    keep: Path | None = None
    open: bool = False
    json: Path | None = None
    files: tuple[Path, ...] = ()
    preflight: bool = False  # testpypi: refuse what can be known before a build, and do no more

    @property
    def once(self) -> tuple[str, ...]:
        """The options that the next step needs again."""
        return ("--rehearse-on", "dryrun", f'"{self.rehearse_on}"') if self.rehearse_on else ()

    @property
    def packages(self) -> tuple[str, ...]:
        """The options that choose packages of the repository, as they are typed."""
        one = () if self.package is None else ("--package", self.package)
        return (*one, *(ALL if self.all else ()))
