"""The options of all steps as one value: each step takes what concerns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.machine.values import Value
from seatrial.project.commands import ALL

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Kind


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
