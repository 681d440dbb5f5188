"""The record of a release on disk: ``release-record/``, one JSON file a stage, beside ``dist/``.

It is evidence and never permission: whoever reads it re-hashes the files, and still asks the index what it holds.
Files are written whole or not at all.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import types
from dataclasses import MISSING, asdict, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from seatrial.machine.disk import locked_file, move, write_whole
from seatrial.machine.errors import ReleaseError, printable
from seatrial.machine.values import Value, fields_of, is_value
from seatrial.release.plausible import stop_unless_plausible
from seatrial.release.stages import Built, Dist, Rebuilt, Stage, Verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA = 1
FOLDER = "release-record"
REBUILT = "rebuilt.json"
DIGEST_VARIABLE = "SEATRIAL_RECORD"

Marks = tuple[int, int, int, int]
S = TypeVar("S", bound=Stage)
V = TypeVar("V", bound=Value)


class StageMissing(ReleaseError):
    stage: str
    step: str

    what = "Nothing is recorded as {e.stage} for this release."
    cause = "the step `{e.step}` has not been run, did not succeed, or its record was not brought to this machine."
    cure = "run `{e.step:command}` first."


class RecordDamaged(ReleaseError):
    path: Path
    reason: str

    what = "The record {e.path} cannot be used: {e.reason}"
    cause = "it was cut short by a copy, edited by hand, or written by another version of seatrial."
    cure = (
        "bring it again from where it was made; failing that, delete this one file and run its step again"
        " (nothing is uploaded twice: the index is asked first)."
    )


class RecordForeign(ReleaseError):
    path: Path
    theirs: str
    ours: str
    files: tuple[str, ...]

    what = "{e.path} is the record of files ({e.theirs}) other than those of built.json ({e.ours}).{e.files:listed}"
    cause = "records of two releases, or of two builds of one release, lie in one folder; or one was edited."
    cure = "remove the file that does not belong here, and run its step again if it was of this release."


class RecordSwapped(ReleaseError):
    path: Path
    expected: str
    found: str

    what = (
        "{e.path} is not the file that the build job wrote: SEATRIAL_RECORD says sha256 {e.expected}, found {e.found}."
    )
    cause = "the artifact was replaced between two CI jobs, or SEATRIAL_RECORD is from another run."
    cure = "stop and find out who changed it. Start the release again from the build job."


class FilesChanged(ReleaseError):
    folder: Path
    changes: tuple[str, ...]
    extra: tuple[str, ...] = ()  # where the recorded files are all there, what lies beside them

    what = "{e.folder} does not contain the files that were built:{e.changes:listed}"
    cause = "another tool wrote to this folder after `build`, or a file was damaged or replaced on its way here."
    cure = (
        "{e.simple}put the recorded files back (CI: download the artifact again), or start over with"
        " `{run[build --rebuild]}`, which moves the old files aside."
    )

    @property
    def simple(self) -> str:
        if not self.extra:
            return ""
        what = "what else is there" if len(self.extra) > 1 else self.extra[0]
        return f"the recorded files are unchanged, so move {printable(what)} to another folder. Otherwise "


class DistNotFolder(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} is {e.reason}, but has to be a folder for the distributions."
    cause = "another tool's output of that name, or a link to a disk that is not mounted."
    cure = "remove or rename it, or mount what it leads to, and run this step again."


class RunningAlready(ReleaseError):
    folder: Path

    what = "Another run of the release sessions is using {e.folder}."
    cause = "a second terminal, or a CI job that shares this folder."
    cure = "wait until it has ended, and run this step again."


def now() -> str:
    """The time in UTC, in ISO 8601 to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Record(Value):
    """The distributions in `dist` and what was proved of them, in `folder`.

    `expected` is the sha256 that ``built.json`` must have, where that was told outside the record (DIGEST_VARIABLE).
    `hashed` are the files that were hashed by way of this value, each with the marks it had on the disk then.
    """

    dist: Path
    folder: Path
    expected: str | None = None
    hashed: dict[str, tuple[Marks, Dist]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, place: Path, expected: str | None = None) -> Record:
        """The record of the project (or dry run) in the folder `place`."""
        return cls(place / "dist", place / FOLDER, expected)

    def path(self, stage: type[Stage] | Stage) -> Path:
        """Where `stage` is kept; cells of the verify matrix have a file each, so that CI jobs' records merge."""
        if isinstance(stage, Verified):
            cell = f"{stage.python}-{stage.sys_platform}-{stage.machine}-{stage.kind}"
            return self.folder / f"verified-{cell}.json"
        return self.folder / f"{stage.name}.json"

    def write(self, stage: Stage) -> None:
        """Keep `stage`: whole or not at all. The files must still be what the stage says they are."""
        self.rehash(stage.dists)
        document = {"schema": SCHEMA, "stage": stage.name} | asdict(stage)
        self.prepare()
        write_whole(self.path(stage), json.dumps(document, indent=2) + "\n")

    def prepare(self) -> None:
        """Make the folder, and keep it out of git."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:  # a full disk leaves it empty
            ignore.write_text("*\n", encoding="utf-8")

    def read(self, kind: type[S]) -> S:
        """Return the stage `kind`, whose files were hashed again and are unchanged.

        Raises StageMissing, RecordDamaged, RecordForeign, RecordSwapped and FilesChanged.
        """
        if not self.path(kind).exists() and (built := self.find(Built)):
            self.rehash(built.dists)  # what was changed is told before what is missing
        found = self.recorded(kind)
        self.rehash(found.dists)
        return found

    def recorded(self, kind: type[S]) -> S:
        """Do as `read` without looking at the files: for callers that read a later stage of them too."""
        if found := self.find(kind):
            return found
        raise StageMissing(kind.name, kind.step)

    def find(self, kind: type[S]) -> S | None:
        """Return the stage `kind` as recorded, None where there is none. The files are not looked at."""
        if not self.path(kind).exists():
            return None
        if self.expected is not None:
            found = self.digest() if self.path(Built).exists() else "(no file)"
            if self.expected != found:
                raise RecordSwapped(self.path(Built), self.expected or "(empty)", found)
        return self._of_release(self.path(kind), kind)

    def verified(self) -> tuple[Verified, ...]:
        """Return the cells that were verified, of this release and on its rehearsal."""
        return tuple(self._cell(path) for path in sorted(self.folder.glob("verified-*.json")))

    def rebuilt(self, built: Built) -> Rebuilt | None:
        """Return what came of building the release again that is on record, None where that was not done."""
        found = read_if_whole(self.folder / REBUILT, Rebuilt)
        return found if found and (found.project, found.version) == (built.project, built.version) else None

    def rehash(self, dists: tuple[Dist, ...]) -> None:
        """Raise FilesChanged unless the folder of distributions holds exactly `dists`, byte for byte.

        Raises DistNotFolder where that is something else.
        """
        self.stop_unless_folder()
        there = dict[str, str]()
        for path in self.dist.iterdir() if self.dist.is_dir() else ():
            there[path.name] = "what is no file"
            if path.is_file():
                marks = _marks(path)
                self.hashed[path.name] = (marks, dist := Dist.from_file(path))
                there |= _recorded((dist,))
        recorded = _recorded(dists)
        if changed := _differences(recorded, there):
            extra = tuple(sorted(there.keys() - recorded)) if recorded.items() <= there.items() else ()
            raise FilesChanged(self.dist, changed, extra)

    def stop_unless_folder(self) -> None:
        """Raise DistNotFolder where something else is in the place of the folder of distributions."""
        if self.dist.is_symlink() and not self.dist.exists():
            raise DistNotFolder(self.dist, f"a link to {self.dist.readlink()}, which does not exist")
        if self.dist.exists() and not self.dist.is_dir():
            raise DistNotFolder(self.dist, "a file")

    def shows(self, dist: Dist) -> bool:
        """Whether the file in the folder of distributions is `dist`, for what is shown and proves nothing.

        One that was hashed by way of this value, and has the same marks on the disk since, is not read again.
        """
        path = self.dist / dist.filename
        marks, known = self.hashed.get(dist.filename, (None, None))
        return (known if marks == _marks(path) else Dist.from_file(path)) == dist

    def digest(self) -> str:
        """The sha256 of ``built.json``, which travels between CI jobs outside the artifact."""
        return hashlib.sha256(self.path(Built).read_bytes()).hexdigest()

    def move_aside(self, names: tuple[str, ...]) -> Path | None:
        """Move the record, then the files `names` of dist, to a new folder, as we delete none; return it, or None."""
        kept = sorted([*self.folder.glob("*.json"), *self.folder.glob("report.*")])
        if not kept and not names:
            return None
        self.prepare()
        first = self.folder / "aside" / now().replace(":", "").replace("-", "")
        numbered = (first.with_name(f"{first.name}-{number}") for number in itertools.count(2))
        aside = next(folder for folder in itertools.chain([first], numbered) if not folder.exists())
        (aside / FOLDER).mkdir(parents=True)
        for path in kept:
            move(path, aside / FOLDER / path.name)
        for name in names:
            move(self.dist / name, aside / name)
        return aside

    @contextlib.contextmanager
    def locked(self, subject: str) -> Iterator[None]:
        """Hold the record for `subject` (``release``, or a cell); raise RunningAlready where another run does."""
        self.prepare()
        with locked_file(self.folder / f".{subject}.lock") as free:
            if not free:
                raise RunningAlready(self.folder)
            yield

    def _cell(self, path: Path) -> Verified:
        """Return the cell at `path`, whose name must be the cell's: by the name, CI takes it from one job or none."""
        cell = self._of_release(path, Verified)
        if path != self.path(cell):
            raise RecordDamaged(path, f"it is of the cell that belongs in {self.path(cell).name}")
        return cell

    def _of_release(self, path: Path, kind: type[S]) -> S:
        """Return the stage at `path`. Raises RecordForeign where it is of other files than ``built.json``."""
        stage = load(path, kind)
        if not isinstance(stage, Built) and self.path(Built).exists():
            built = load(self.path(Built), Built)
            if (stage.project, stage.version, stage.dists) != (built.project, built.version, built.dists):
                files = _differences(_recorded(built.dists), _recorded(stage.dists))
                raise RecordForeign(path, f"{stage.project} {stage.version}", f"{built.project} {built.version}", files)
        return stage


def _recorded(dists: tuple[Dist, ...]) -> dict[str, str]:
    return {dist.filename: f"sha256 {dist.sha256} ({dist.size} bytes)" for dist in dists}


def _marks(path: Path) -> Marks:
    """Return what a file that is written to, or replaced, does not keep all of."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _differences(expected: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """Return a line for each name under which something else is found than is expected."""
    names = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    none = "no such file"
    return tuple(f"{name}: expected {expected.get(name, none)}, found {found.get(name, none)}" for name in names)


def load(path: Path, kind: type[S]) -> S:
    """Return the stage in the JSON file at `path`. Raises RecordDamaged, naming what is wrong with it."""
    try:
        stage: S = _stage(path.read_text(encoding="utf-8"), cast("Any", kind))
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordDamaged(path, str(error)) from None
    return stage


def read_if_whole(path: Path, kind: type[V]) -> V | None:
    """Return the value in the JSON file at `path`, which decides nothing; None where it cannot be read."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        document = json.loads(path.read_text(encoding="utf-8"))
        return cast("V", decode(kind, {n: v for n, v in document.items() if n not in {"schema", "stage"}}))
    return None


@functools.cache  # a step asks for each stage a dozen times
def _stage(text: str, kind: Any) -> Any:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise TypeError("it is not a JSON object")
    found = (document.pop("schema", None), document.pop("stage", None))
    if found != (SCHEMA, kind.name):
        raise ValueError(f"it says schema {found[0]!r}, stage {found[1]!r}; expected {SCHEMA!r}, {kind.name!r}")
    stage = decode(kind, document)
    stop_unless_plausible(stage)
    return stage


def decode(hint: Any, value: Any, where: str = "") -> Any:
    """Return the JSON `value` as the type `hint`, a frozen value too; raise TypeError saying where it does not fit."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_value(hint):
        if not isinstance(value, dict):
            raise TypeError(f"{where or 'it'} has missing or unknown fields: not an object")
        names = {field.name for field in fields_of(hint)}
        optional = {field.name for field in fields_of(hint) if field.default is not MISSING}  # new in a later version
        if odd := (set(value) - names) | (names - optional - set(value)):
            raise TypeError(f"{where or 'it'} has missing or unknown fields: {', '.join(sorted(odd))}")
        hints = _hints(hint)
        return hint(**{name: decode(hints[name], item, f"{where}.{name}".lstrip(".")) for name, item in value.items()})
    if origin is tuple and isinstance(value, list):
        return tuple(decode(inner[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin in {Union, types.UnionType}:
        return None if value is None else decode(inner[0], value, where)
    if origin is Literal and value in inner:
        return value
    if origin is None and isinstance(value, hint) and isinstance(value, bool) == (hint is bool):
        return value
    raise TypeError(f"{where or 'it'} is not {getattr(hint, '__name__', hint)}")


_hints: Any = functools.cache(get_type_hints)  # a step reads several stages, and each names its types in strings
