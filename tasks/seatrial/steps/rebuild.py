"""`rebuild`: a released tag built again, as of then, and whether that gives the files which the index serves."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from seatrial.building import distributions, git, requirements, tags
from seatrial.building.checkout import check_out
from seatrial.building.frontend import BuildFailed, Job, build_one
from seatrial.index.holdings import read_release
from seatrial.index.http import FILE_BYTES, download
from seatrial.machine import temporary
from seatrial.machine.disk import write_whole
from seatrial.machine.errors import ReleaseError, listing, printable
from seatrial.project.settings import load
from seatrial.release import record
from seatrial.release.archives import Archive
from seatrial.release.comparison import Comparison, compare, generator
from seatrial.release.stages import Built, Dist
from seatrial.workspace import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seatrial.building.frontend import Output
    from seatrial.building.git import Source
    from seatrial.building.requirements import Choice
    from seatrial.index.simple import Served
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings

PATIENCE = 60.0  # seconds in which further ways to build are begun
ORDER = ("identical", "equivalent", "different")  # of verdicts, best first


@dataclass(eq=False)
class TagMissing(ReleaseError):
    version: str
    tried: tuple[str, ...]

    what = "There is no tag of version {e.version} in this repository. Tried: {e.tried:joined}"
    cause = "the tags were not fetched, or are spelt differently here."
    cure = "git fetch --tags; `tag` in [tool.seatrial] says how tags are spelt."


@dataclass(eq=False)
class TagOfAnother(ReleaseError):
    tag: str
    version: str
    built: str

    what = "The tag {e.tag} builds version {e.built}, not {e.version}."
    cause = "a tag on the wrong commit, or a version in a file that was raised after the tag."
    cure = "name the version that the tag builds, or set `tag` in [tool.seatrial] to the right spelling."


@dataclass(eq=False)
class NothingServed(ReleaseError):
    index: str
    project: str
    version: str

    what = "{e.index} serves no file of {e.project} {e.version}, so there is nothing to compare with."
    cause = "this version was never released there, or it was deleted."
    cure = "name a version that is on {e.index}."


@dataclass(eq=False)
class NotRebuilt(ReleaseError):
    """`files` are those that differ; without any, nothing of what is served could be built here."""

    index: str
    project: str
    version: str
    files: tuple[str, ...]

    what = "{e.shown}"
    cause = (
        "versions of Python, the build backend or a compiler other than at the release, a backend that is not"
        " reproducible, or files that were not built from this tag."
    )
    cure = "look at the members named above: code that differs needs an explanation."

    @property
    def shown(self) -> str:
        what = f"{self.project} {self.version}, built again from its tag"
        if self.files:
            return f"{what}, differs from what {self.index} serves:{listing(self.files)}"
        return f"{what}, produces none of the files that {self.index} serves."


@dataclass(frozen=True)
class Way:
    """One way to build: `words` say what is not as usual."""

    words: str
    epoch: int | None
    normalise: bool
    from_sdist: bool = True


@dataclass
class Judged:
    """What is known of a file: the best comparison so far, and the words of the way that gave it."""

    dist: Dist
    comparison: Comparison
    way: str = ""


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
    judged: dict[str, Judged] = field(default_factory=dict)
    made_by: str = ""
    count: int = 0

    def attempt(self, way: Way) -> None:
        """Build in the given `way`, and keep what is judged better than before. Raises what a build raises."""
        self.count += 1
        place = self.scratch / f"attempt-{self.count}"
        (place / "out").mkdir(parents=True)
        done = {judged.dist.kind for judged in self.judged.values() if judged.comparison.verdict == "identical"}
        archives = tuple(kind for kind in self.settings.archives if kind not in done)
        settings = replace(self.settings, archives=archives, normalise=way.normalise)
        context, limits = self.context, self.choice.variables
        job = Job(settings, way.epoch, place / "out", place, context.screen, context.uv, limits=limits)
        tree = check_out(self.source, place / "checkout", in_place=False)
        sdist = build_one(job, "sdist", tree)
        self._stop_if_other_version(sdist)
        if way.from_sdist or "wheel" not in archives:
            distributions.make_rest(job, tree, sdist, compare=False)
        else:
            build_one(job, "wheel", check_out(self.source, place / "again", in_place=False), shared=sdist.shared)
        for path in sorted(job.out.iterdir()):
            self._judge(path, way)

    def _stop_if_other_version(self, sdist: Output) -> None:
        version = Archive.open(sdist.path).version
        if str(version) != self.version:
            raise TagOfAnother(self.source.tags[0], self.version, str(version))

    def _judge(self, ours: Path, way: Way) -> None:
        file = next((file for file in self.served if file.filename == ours.name), None)
        if ours.name.endswith(".whl"):
            self.made_by = generator(ours) or self.made_by
        if file is None:
            return
        dist = Dist.from_file(ours)
        if dist.sha256 == file.sha256:
            comparison = Comparison(ours.name, "identical")
        else:
            comparison = compare(ours, self._downloaded(file))
        before = self.judged.get(ours.name)
        if before is None or ORDER.index(comparison.verdict) < ORDER.index(before.comparison.verdict):
            self.judged[ours.name] = Judged(dist, comparison, way.words)

    def _downloaded(self, file: Served) -> Path:
        path = self.scratch / "served" / file.filename
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            download(self.context.settings.pypi, file.url, path, limit=min(file.size or FILE_BYTES, FILE_BYTES))
        return path

    @property
    def verdict(self) -> str:
        """The worst verdict on any file; `not judged` where there is none."""
        verdicts = [judged.comparison.verdict for judged in self.judged.values()]
        return max(verdicts, key=ORDER.index) if verdicts else "not judged"


def run(context: Context) -> None:
    """Run the step: say in its line what came of it, also where that is no success."""
    with context.screen.step("rebuild"):
        rebuild(context)


def rebuild(context: Context) -> None:
    """Build the tag of a version again, and compare each file with the index's, member by member.

    The result is left as ``rebuilt.json``, and where ``--json`` says. Raises TagMissing, TagOfAnother, NothingServed,
    InvalidDate, what building raises, and NotRebuilt where a file is different.
    """
    source = _tagged(context)
    index = context.settings.pypi
    with temporary.folder("rebuild") as scratch:
        tree = check_out(source, scratch / "settings", in_place=False)
        settings = _settings_of(tree, context.settings)
        project, version = packages.name_of(tree), context.options.version or ""
        served = read_release(index, project, version)
        if not served:
            raise NothingServed(index.name, project, version)
        normalised = str(Version(version))
        work = Rebuild(context, source, settings, normalised, served, requirements.today(), scratch)
        work.choice = _choice(work)
        _build(work)
        _leave(work, project)
    _show(work)
    different = [name for name, judged in work.judged.items() if judged.comparison.verdict == "different"]
    if different or not work.judged:
        raise NotRebuilt(index.name, project, version, tuple(different))


def _tagged(context: Context) -> Source:
    """Return the tree of the tag that the version was released under. Raises TagMissing."""
    source, version = git.look(context.root), context.options.version or ""
    patterns, project = context.settings.tag, packages.name_of(context.root)
    tag = tags.tag_of(source, patterns, project, version)
    if tag is None:
        tried = dict.fromkeys(tags.spelt(pattern, project, version) for pattern in (*patterns, *tags.USUAL))
        raise TagMissing(version, tuple(tried))
    return tags.at_tag(source, tag)


def _settings_of(tree: Path, today: Settings) -> Settings:
    """Return today's settings with those that decide about the bytes as the tag has them."""
    try:
        then = load(tree)
    except ReleaseError:
        return today  # settings that this version does not know, or the table was broken
    return replace(today, archives=then.archives, normalise=then.normalise, build_env=then.build_env)


def _choice(work: Rebuild) -> Choice:
    """Return which build requirements are taken. Raises InvalidDate, and RecordDamaged for the file of ``--record``."""
    options, outer = work.context.options, work.context.variables
    built = record.load(options.record, Built) if options.record else work.context.record.find(Built)
    if built and (options.record or (not options.as_of and built.commit == work.source.commit)):
        choice = requirements.recorded(built.environments, work.scratch, outer)
        if choice:
            return choice
    if options.as_of == requirements.TODAY:
        return requirements.today()
    uploaded = min((file.uploaded for file in work.served if file.uploaded), default="")
    moment = options.as_of or uploaded
    if not moment:
        work.context.say(f"{work.context.settings.pypi.name} gives no upload time: with today's build requirements")
        return requirements.today()
    choice = requirements.as_of(moment, outer)
    return choice if requirements.installer_knows_dates(work.context.uv) else _by_generator(work) or choice


def _by_generator(work: Rebuild) -> Choice | None:
    """Return the choice of the backend that a wheel which is served names."""
    wheel = next((file for file in work.served if file.filename.endswith(".whl")), None)
    if wheel is None:
        return None
    return requirements.generated_by(generator(work._downloaded(wheel)), work.scratch, work.context.variables)  # noqa: SLF001


def _build(work: Rebuild) -> None:
    """Build in one way after the other, until each file is identical or the time is over."""
    first, *others = _ways(work)
    work.context.detail(f"building {work.source.tags[0]} again, with {work.choice.words}")
    try:
        work.attempt(first)
    except BuildFailed:
        choice = _by_generator(work) if work.choice.variables else None
        if choice is None or choice == work.choice:
            raise
        work.context.say(f"the build fails with {work.choice.words}; trying {choice.words}")
        work.choice = choice
        work.attempt(first)
    begun = time.monotonic()
    for way in others:
        if work.verdict == "identical" or not work.judged or time.monotonic() - begun > PATIENCE:
            return
        work.context.say(f"not identical yet; trying {way.words}")
        try:
            work.attempt(way)
        except ReleaseError as error:
            work.context.detail(f"{way.words}: {error}")


def _ways(work: Rebuild) -> Iterator[Way]:
    """Yield the ways in which a release may have been built, cheapest and most usual first."""
    epoch, normalise = work.source.epoch, work.settings.normalise
    yield Way("", epoch, normalise)
    if normalise:
        yield Way("the sdist as its backend made it", epoch, normalise=False)
    yield Way("no SOURCE_DATE_EPOCH", None, normalise=False)
    tagged = git.tag_epoch(work.context.root, work.source.tags[0])
    if tagged != epoch:
        yield Way("SOURCE_DATE_EPOCH of the tag", tagged, normalise=False)
    yield Way("the wheel of the checkout", epoch, normalise=False, from_sdist=False)
    yield Way("the wheel of the checkout and no SOURCE_DATE_EPOCH", None, normalise=False, from_sdist=False)


def _show(work: Rebuild) -> None:
    """Say of each file what came of it: what differs, code first."""
    for name, judged in sorted(work.judged.items()):
        comparison = judged.comparison
        way = f" ({judged.way})" if judged.way else ""
        if comparison.verdict == "equivalent" and not comparison.differences:
            way += ": only times, order, modes or compression differ"
        work.context.say(f"{comparison.verdict:10}  {name}{way}", "error" if comparison.verdict == "different" else "")
        for difference in comparison.differences:
            word = f"{difference.kind}{'' if difference.matters else ', means the same'}"
            lines = "".join(f"\n      {line}" for line in difference.lines) if difference.matters else ""
            work.context.say(f"    {printable(difference.member)}: {word}{lines}")
    for file in work.served:
        if file.filename not in work.judged:
            work.context.say(f"not judged  {printable(file.filename)}: it cannot be built here")
        if file.yanked:
            work.context.say(f"{printable(file.filename)} is yanked")
    made_by = f"{work.made_by} and " if work.made_by else ""
    verdict = f"{work.verdict}, with {made_by}{work.choice.words}"
    work.context.screen.summarise(f"{work.source.tags[0]}: {verdict}")


def _leave(work: Rebuild, project: str) -> None:
    """Write what came of it, as evidence."""
    document = {
        "schema": record.SCHEMA,
        "stage": "rebuilt",
        "project": project,
        "version": work.version,
        "at": record.now(),
        "index": work.context.settings.pypi.simple,
        "tag": work.source.tags[0],
        "commit": work.source.commit,
        "requirements": work.choice.words,
        "made_by": work.made_by,
        "verdict": work.verdict,
        "files": [{"way": judged.way, **asdict(judged.comparison)} for _, judged in sorted(work.judged.items())],
        "not_judged": sorted(file.filename for file in work.served if file.filename not in work.judged),
    }
    text = json.dumps(document, indent=2) + "\n"
    work.context.record.prepare()
    write_whole(work.context.record.folder / "rebuilt.json", text)
    if work.context.options.json:
        work.context.options.json.write_text(text, encoding="utf-8")
