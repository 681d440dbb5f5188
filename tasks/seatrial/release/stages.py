"""The stages of a release, as values: one tuple of distributions goes unchanged through all of them.

    source tree -build-> Built -check-> Checked -testpypi-> Rehearsed -verify-> Verified -pypi-> Released

Each value holds the same `dists` and only what its own session proved. "The very same files" is
``released.dists == built.dists``. Nothing here has an effect; `record` keeps these values on disk, and beside them what
came of building a release again (`Rebuilt`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar, Literal

from seatrial.machine.values import Value

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 1 << 20

Kind = Literal["wheel", "sdist"]
KINDS: tuple[Kind, ...] = ("wheel", "sdist")


def kind_of(filename: str) -> Kind:
    """Return the kind of the distribution `filename`."""
    return "wheel" if filename.endswith(".whl") else "sdist"


class Dist(Value, order=True):
    """A distribution is its file name and its bytes: sha256 in hexadecimal, size in bytes."""

    filename: str
    sha256: str
    size: int

    @property
    def kind(self) -> Kind:
        return kind_of(self.filename)

    @classmethod
    def from_file(cls, path: Path) -> Dist:
        """Read the file at `path` once and return what it is."""
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
        return cls(path.name, digest.hexdigest(), size)


class Cell(Value, order=True):
    """One field of the verify matrix: python as nox names it, and an archive kind."""

    python: str
    kind: Kind


class Tool(Value):
    """A program that took part, and its version."""

    name: str
    version: str


class Normalised(Value):
    """An sdist that was rewritten: `sha256` of the backend's own file, and one over all members of both."""

    filename: str
    sha256: str
    members: str


class Problem(Value):
    """What a rule found: its code, whether it stops the release, the file it is about, and the sentences.

    A warning can be silenced by its code in `ignore`; an error only where it is `silenceable`.
    `index` is the name of the index whose listing the rule looked at, empty for any other rule.
    """

    rule: str
    severity: Literal["error", "warning"]
    file: str
    message: str
    silenceable: bool = False
    index: str = ""


class Installed(Value):
    """A distribution found in a fresh environment; `origin` is where its file came from, when that is known."""

    name: str
    version: str
    origin: str | None = None
    sha256: str | None = None


class BuildEnvironment(Value):
    """What the archive `kind` was built in, so that it can be built there again.

    `python` is its version, `platform` that of ``sysconfig.get_platform()``. `distributions` are all that the build
    requirements brought, with the sha256 of the downloaded file where `installer` says it (pip does). `flags` are the
    variables that compilers read, as NAME=VALUE.
    """

    kind: Kind
    python: str
    platform: str
    installer: str
    distributions: tuple[Installed, ...]
    flags: tuple[str, ...] = ()


class Trial(Value):
    """One file, installed and imported in a throw-away environment.

    An sdist that would be compiled once more is tried `through` the wheel that `build` made of it for this Python.
    """

    filename: str
    python: str
    imported: tuple[str, ...]
    installed: tuple[Installed, ...]
    summary: str = ""  # how many of the public modules were imported, and what the others need
    through: str = ""


class Resized(Value):
    """A member that an earlier version had with another size: bytes before and after, None where it was not there."""

    name: str
    before: int | None
    after: int | None


class FileChanges(Value):
    """A file beside `earlier`, its counterpart of `before` bytes; `more` members differ as well and are left out."""

    filename: str
    earlier: str
    before: int
    members: tuple[Resized, ...]
    more: int


class FieldChanges(Value):
    """A field of the metadata, or a group of entry points: the values that are gone, and those that are new."""

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


class Changes(Value):
    """What differs from the version `since` on the index called `index`; None where none was compared, for `reason`."""

    since: str | None
    index: str
    reason: str
    files: tuple[FileChanges, ...] = ()
    fields: tuple[FieldChanges, ...] = ()


class Stage(Value, kw_only=True):
    """What all stages share. `at` is UTC in ISO 8601; `step` is the one that proves a stage."""

    name: ClassVar[str]
    step: ClassVar[str]

    project: str
    version: str
    dists: tuple[Dist, ...]
    at: str


class Built(Stage, kw_only=True):
    """The files exist. `commit` is None where there is no git; `epoch` is SOURCE_DATE_EPOCH in seconds.

    `lacking` are the files that a wheel of the checkout has and the wheel, which is built from the sdist, has not.
    `reached` is what the build of that wheel needed beside its requirements: calls of git, hosts of the network.
    `release_with` are the folders of the packages that it is released together with, seen from its own.
    `environments` are those that the archives were built in. `supposed_tag` is the tag that the checkout was given in a
    dry run, as if the commit were a release.
    """

    name, step = "built", "build"

    commit: str | None
    tag: str | None
    dirty: bool
    epoch: int
    fingerprint: str
    normalised: tuple[Normalised, ...]
    lacking: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    release_with: tuple[str, ...] = ()
    tools: tuple[Tool, ...]
    matrix: tuple[Cell, ...]
    environments: tuple[BuildEnvironment, ...] = ()
    supposed_tag: str | None = None

    @property
    def is_made_here(self) -> bool:
        """Whether the files were built out of the source tree here, rather than brought (`--from`)."""
        return all(tool.name != "--from" for tool in self.tools)


class Checked(Stage, kw_only=True):
    """The rules passed, and the files were installed and imported on this machine.

    `rendered` is the description as PyPI renders it, sanitised HTML; empty where there is none, or it is too long.
    `offline` says that the indexes were not asked, which a later check makes up for.
    """

    name, step = "checked", "check"

    rules: tuple[str, ...]
    problems: tuple[Problem, ...]
    trials: tuple[Trial, ...]
    changes: Changes = Changes(None, "", "not looked for")
    rendered: str = ""
    offline: bool = False


class Rehearsed(Stage, kw_only=True):
    """The rehearsal index serves exactly these bytes. `index` is its simple repository URL.

    `reason` says why that is a stand-in on this machine; None for the rehearsal index of the project.
    """

    name, step = "rehearsed", "testpypi"

    index: str
    urls: tuple[str, ...]
    reason: str | None = None


class Verified(Stage, kw_only=True):
    """One cell of the matrix: installed from the rehearsal index into a fresh environment, and it works.

    `lowest` is what was installed when it was tried once more, with the lowest direct dependencies that its metadata
    allows; empty where it was not.
    """

    name, step = "verified", "verify"

    index: str
    python: str
    python_version: str
    sys_platform: str
    machine: str
    kind: Kind
    filename: str
    installed: tuple[Installed, ...]
    imported: tuple[str, ...]
    ran: tuple[str, ...]
    lowest: tuple[Installed, ...] = ()

    @property
    def cell(self) -> Cell:
        return Cell(self.python, self.kind)


class Released(Stage, kw_only=True):
    """PyPI serves exactly these bytes. `attested` names the files whose attestation it serves, and which hold.

    `without_rehearsal_index` is the reason why the rehearsal index was not asked once more; None where it was.
    """

    name, step = "released", "pypi"

    index: str
    urls: tuple[str, ...]
    attested: tuple[str, ...] = ()
    without_rehearsal_index: str | None = None


CHAIN: tuple[type[Stage], ...] = (Built, Checked, Rehearsed, Verified, Released)


class Difference(Value):
    """A member that differs. `matters` makes the archives different; `lines` show how, `-` here and `+` there.

    `kind` is metadata, text, binary, missing here or missing there; kind where one of the two is a link, ambiguous
    where readers see different members.
    """

    member: str
    kind: str
    matters: bool
    lines: tuple[str, ...] = ()


class Again(Value):
    """What came of building a file again: the verdict, the `way` that came nearest (empty for the usual one).

    `packing` is what differs in how it is packed; `clocked` says that its times are those of a clock.
    """

    filename: str
    verdict: str
    way: str
    packing: tuple[str, ...]
    clocked: bool
    differences: tuple[Difference, ...]


class Rebuilt(Value, kw_only=True):
    """What `rebuild` found out on a release: with which build requirements, and all ways that were `tried`.

    It is no stage of a release. `made_by` is the build backend, `not_judged` are files that are not built here.
    """

    project: str
    version: str
    at: str
    index: str
    tag: str
    commit: str | None
    requirements: str
    made_by: str
    python: str
    installer: str
    seconds: int
    tried: tuple[str, ...]
    verdict: str
    files: tuple[Again, ...]
    not_judged: tuple[str, ...]
