"""A release built again, in one way after the other, and each file compared with the one that is served."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from seatrial.building import distributions, git
from seatrial.building.again import requirements
from seatrial.building.again.ways import UMASK, Search, Way, likeliest
from seatrial.building.checkout import check_out
from seatrial.building.distributions import SdistNeedsGit
from seatrial.building.frontend import BuildFailed, BuildOdd, Job, build_one
from seatrial.building.isolation import LeadsOut
from seatrial.index.http import FILE_BYTES, download
from seatrial.machine.errors import ReleaseError
from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.release.archives import Archive
from seatrial.release.comparison import VERDICTS, Comparison, compare, generator
from seatrial.release.filenames import buildable
from seatrial.release.stages import KINDS, Difference, Dist, kind_of
from seatrial.trial.interpreters import RUNNING, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seatrial.building.again.requirements import Choice
    from seatrial.building.backend import Shared
    from seatrial.building.git import Source
    from seatrial.index.simple import Served
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings

PATIENCE = 60.0  # seconds for further ways to build, once one is known
FAULT = re.compile(r"\b\w*(?:Error|error|Exception)\b: .+|.*(?:No such file|not found|Could not find).*")


class TagOfAnother(ReleaseError):
    tag: str
    version: str
    built: str

    what = "The tag {e.tag} builds version {e.built}, not {e.version}."
    cause = "a tag on the wrong commit, or a version in a file that was raised after the tag."
    cure = "name the version that the tag builds, or set `tag` in [tool.seatrial] to the right spelling."


class NoWayLeft(ReleaseError):
    """`tried` are the ways to build, each with what became of it."""

    tag: str
    requirements: str
    tried: tuple[str, ...]
    output: str

    what = (
        "{e.tag} cannot be built here, with {e.requirements}. Tried:{e.tried:listed}\n"
        "The output of the first build:{e.output:quoted}"
    )
    cause = (
        "a build backend of that time that runs on none of these Pythons; a compiler, a library or a host of the"
        " network that the build asks for and does not get."
    )
    cure = (
        "install what is missing, such as the Python of that time, and run this again. `--today` takes the build"
        " requirements of today, `--as-of DATE` those of another day."
    )


@dataclass
class Judged:
    """What is known of a file: the best comparison so far, and the words of the way that gave it."""

    dist: Dist
    comparison: Comparison
    way: str = ""
    made_by: str = ""

    @property
    def is_final(self) -> bool:
        """Whether no other way to build can come nearer."""
        return self.comparison.verdict == "identical" or self.comparison.clocked


@dataclass
class Rebuild:
    """A rebuild at work: what is built, what it is compared with, and what came of it so far."""

    context: Context
    source: Source
    settings: Settings
    version: str
    served: Sequence[Served]
    choice: Choice
    scratch: Path
    epoch: int
    judged: dict[str, Judged] = field(default_factory=dict)
    made_by: str = ""
    count: int = 0
    seconds: float = 0.0
    local: Path | None = None  # where the files are, if no index serves them
    environments: dict[tuple[str, str], Shared | None] = field(default_factory=dict)
    search: Search = field(init=False)

    def __post_init__(self) -> None:
        asked = self.context.options.as_of  # whoever names a day wants to see what that day gives
        wheels = [file for file in self.served if kind_of(file.filename) == "wheel" and buildable(file.filename)]
        # When the tag was made; that of its commit where it is not annotated.
        asked_of_git = ("for-each-ref", "--format=%(creatordate:unix)", f"refs/tags/{self.source.tags[0]}")
        self.search = Search(
            Way(self.epoch, self.settings.normalise),
            left=lambda: [judged.comparison for judged in self.judged.values() if not judged.is_final],
            tagged=int(git.run(self.context.root, *asked_of_git).strip()),
            generator=lambda: generator(self.downloaded(wheels[0])) if wheels and not asked else "",
            made_by=lambda: self.made_by,
            pythons=self._pythons(),
        )

    def run(self) -> None:
        """Build in one way after the other, until each file is identical or the time is over.

        Raises TagOfAnother, NoWayLeft, and what a checkout and a download raise.
        """
        begun = time.monotonic()
        self._first()
        further = time.monotonic()
        for way in self.search.ways():
            left = PATIENCE - (time.monotonic() - further)
            if left <= 0:
                self.context.say(f"no further way is tried after {PATIENCE:.0f} seconds")
                break
            self.context.say(f"not identical yet; trying {self.search.tried[way]}")
            try:
                nearer = self.attempt(way, left)
            except ReleaseError as error:
                self.context.detail(f"{self.search.tried[way]}: {error}")
            else:
                self.search.best = way if nearer else self.search.best
        self.seconds = time.monotonic() - begun

    def _first(self) -> None:
        """Build in the usual way; where that fails, in the first of the others that does not."""
        tried, output, begun = list[str](), "", time.monotonic()
        for way in (self.search.usual, *self._resorts()):
            words = way.words(self.search.usual)
            if tried:
                if time.monotonic() - begun > PATIENCE:
                    break
                self.context.say(f"it cannot be built so; trying {words}")
            try:
                self.attempt(way)
            except (BuildFailed, BuildOdd, SdistNeedsGit, LeadsOut) as error:
                output = output or getattr(error, "output", str(error))
                lines = [line.strip() for line in getattr(error, "output", "").splitlines() if line.strip()]
                lines = lines or str(error).splitlines()[:1]
                fault = [*lines[-1:], *filter(FAULT.search, lines)][-1]  # the last line that names one
                tried.append(f"{words or f'Python {self.choice.python or RUNNING}'}: {fault}")
            else:
                self.search.best = way
                return
        if not self.judged:
            raise NoWayLeft(self.source.tags[0], self.choice.words, tuple(tried), output)

    def _resorts(self) -> Iterator[Way]:
        """Yield what may work where the usual way does not: the checkout, other Pythons, the backend of the wheel."""
        usual = self.search.usual
        yield replace(usual, from_sdist=False)
        for python in self._pythons():
            yield replace(usual, python=python)
        if words := self.search.generator():
            yield replace(usual, generator=words)

    def _pythons(self) -> Iterator[str]:
        """Yield the other Pythons that are here, the likeliest first."""
        uploaded = min((file.uploaded for file in self.served if file.uploaded), default="")
        uv, taken = self.context.uv, self.choice.python or RUNNING
        for python in likeliest(KNOWN_PYTHONS, uploaded):
            if python != taken and requirements.knows_dates(uv, python) and find(python, uv):
                yield python

    def attempt(self, way: Way, limit: float = 0.0) -> bool:
        """Build in `way`, in `limit` seconds unless 0; return whether a file came nearer. Raises as a build does."""
        self.count += 1
        place = self.scratch / f"attempt-{self.count}"
        (place / "out").mkdir(parents=True)
        self.search.tried[way] = way.words(self.search.usual)
        job, key = self._job(way, place, limit), (way.python, way.generator)
        tree = self._tree(way, place / "checkout")
        sdist = build_one(job, "sdist", tree, shared=self.environments.get(key))
        self.environments[key] = sdist.shared
        version = Archive.open(sdist.path).version
        if str(version) != self.version:
            raise TagOfAnother(self.source.tags[0], self.version, str(version))
        try:
            if way.from_sdist or "wheel" not in job.settings.archives:
                distributions.make(job, tree, sdist, compare=False)
            else:
                build_one(job, "wheel", self._tree(way, place / "again"), shared=sdist.shared)
        except ReleaseError:
            self._judge(sdist.path, way)  # it is there, whatever becomes of the wheel
            raise
        nearer = [self._judge(path, way) for path in sorted(job.out.iterdir())]
        return any(nearer)

    def _job(self, way: Way, place: Path, limit: float) -> Job:
        settings, context, choice = self.settings, self.context, self.choice
        if way.generator:
            dated = choice if requirements.knows_dates(context.uv) and self.judged else None
            choice = requirements.generated_by(way.generator, self.scratch, context.variables, dated) or choice
        # The kinds that are served and can be built here, and are not identical yet.
        final = {judged.dist.kind for judged in self.judged.values() if judged.is_final}
        able = {kind_of(file.filename) for file in self.served if buildable(file.filename)}
        wanted = [kind for kind in KINDS if kind in settings.archives and kind not in final]
        settings = replace(
            settings,
            archives=tuple(kind for kind in wanted if kind in able) or tuple(wanted),
            normalise=way.normalise,
            build_timeout=min(settings.build_timeout, max(round(limit), 1)) if limit else settings.build_timeout,
        )
        job = Job(settings, way.epoch, place / "out", place, context.screen, context.uv)
        return replace(job, limits=choice.variables, python=way.python or choice.python, umask=way.umask)

    def _tree(self, way: Way, target: Path) -> Path:
        tree = check_out(self.source, target, in_place=False)
        if way.dist:
            (tree / "dist").mkdir(exist_ok=True)
        for name in git.run(tree, "ls-files", "-z").split("\0") if way.umask != UMASK or way.crlf else ():
            path = tree / name
            is_file = path.is_file() and not path.is_symlink()
            if is_file and way.umask != UMASK:
                path.chmod((0o777 if path.stat().st_mode & 0o100 else 0o666) & ~way.umask)
            if is_file and way.has_crlf(name):
                path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        return tree

    def _judge(self, ours: Path, way: Way) -> bool:
        """Compare `ours` with the file of its name that is served, and return whether it is nearer than before."""
        made_by = generator(ours) if ours.name.endswith(".whl") else ""
        self.made_by = made_by or self.made_by
        file = next((file for file in self.served if file.filename == ours.name), None)
        if file is None:
            return False
        dist, before = Dist.from_file(ours), self.judged.get(ours.name)
        if dist.sha256 == file.sha256:
            comparison = Comparison(ours.name, "identical")
        elif (theirs := self.downloaded(file)).is_file():
            comparison = compare(ours, theirs)
        else:
            lines = (f"-sha256 {dist.sha256}", f"+sha256 {file.sha256}, and it is not beside the record")
            difference = Difference(ours.name, "binary", matters=True, lines=lines)
            comparison = Comparison(ours.name, "different", (difference,))
        if before is not None and before.comparison.score <= comparison.score:
            return False
        self.judged[ours.name] = Judged(dist, comparison, way.words(self.search.usual), made_by)
        return True

    def downloaded(self, file: Served) -> Path:
        """Return where the `file` is that is served, which is fetched once; with `local` it may not be there."""
        if self.local:
            return self.local / file.filename
        path = self.scratch / "served" / file.filename
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            download(self.context.settings.pypi, file.url, path, limit=min(file.size or FILE_BYTES, FILE_BYTES))
        return path

    @property
    def verdict(self) -> str:
        """The worst verdict on any file; `not judged` where there is none."""
        verdicts = [judged.comparison.verdict for judged in self.judged.values()]
        return max(verdicts, key=VERDICTS.index) if verdicts else "not judged"
