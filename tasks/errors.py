"""Every way a release can stop, in words.

An error takes facts and writes its own sentences: what happened, the usual cause, what to do now. Pure code raises
it; one decorator in `sessions` shows it and ends the session with exit 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: bool) -> Callable[[type], type]:
        """Tell type checkers that classes are made like dataclasses, as `typing` does from Python 3.11 on."""
        return lambda kind: kind


@dataclass_transform(eq_default=False)
class ReleaseError(Exception):
    """Something a user can cause or meet. Subclasses declare their facts as fields and fill the three templates.

    In a template ``{e.name}`` is the fact (or property) `name` of the error. There are a hundred kinds and a run meets
    one at most, so facts are sorted out when one is made: `dataclass` would write methods for all of them at import.
    """

    what: ClassVar[str] = ""
    cause: ClassVar[str] = ""
    cure: ClassVar[str] = ""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args)
        facts = dict(zip(self.facts(), args, strict=False)) | named
        missing = [name for name in self.facts() if name not in facts and not hasattr(type(self), name)]
        if missing or len(facts) != len(args) + len(named) or not facts.keys() <= self.facts().keys():
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.facts())}")
        vars(self).update(facts)

    @classmethod
    def facts(cls) -> dict[str, str]:
        """Return the facts that this kind of error takes, each with the name of its type."""
        kinds = [kind for kind in reversed(cls.__mro__) if issubclass(kind, ReleaseError)]
        hints = {name: hint for kind in kinds for name, hint in kind.__annotations__.items()}
        return {name: hint for name, hint in hints.items() if not hint.startswith("ClassVar")}

    def __str__(self) -> str:
        parts = (("", self.what), ("Usual cause: ", self.cause), ("What to do: ", self.cure))
        return "\n".join(label + text.format(e=self) for label, text in parts if text)


def listing(items: Iterable[object]) -> str:
    """Return `items` one a line, indented, for the inside of a message."""
    return "".join(f"\n  {item}" for item in items)


SHOWN = 10  # items of a long list


def shortened(items: Sequence[object]) -> str:
    """Return the first of `items` as `listing` does, and how many more there are."""
    more = [f"... and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return listing([*items[:SHOWN], *more])


def indented(text: str, *, last: int = 40) -> str:
    """Return the last lines of a program's output, set apart from our own sentences."""
    lines = text.strip().splitlines()
    left_out = [f"({len(lines) - last} lines left out)"] if len(lines) > last else []
    return listing(f"| {line}" for line in left_out + lines[-last:])


# What nox, the options and the configuration say.


class BadOption(ReleaseError):
    prog: str
    complaint: str

    what = "{e.prog}: {e.complaint}"
    cause = "a misspelt option, or one of nox's own behind those of the session."
    cure = "`{e.prog} --help` lists them."


class SecretInArguments(ReleaseError):
    what = "An API token was given on the command line. It is not used, and not repeated here."
    cause = "a command line is seen by every process of this machine, kept by the shell and printed by nox."
    cure = (
        "revoke that token now (https://pypi.org/manage/account/token/ or https://test.pypi.org/manage/account/token/),"
        " make a new one, and hand it over in PYPI_TOKEN or TESTPYPI_TOKEN."
    )


class FakeSuccess(ReleaseError):
    flag: str

    what = "This session was started with {e.flag}, which would report success for something that did not happen."
    cause = "the flag stands in the command, or in `nox.options` of the noxfile."
    cure = "run the session without it."


class ReusedEnvironment(ReleaseError):
    folder: Path

    what = "verify was given an environment that was used before: {e.folder}"
    cause = "nox was run with -R or --reuse-venv=always; `verify` installs as a stranger does, into a fresh one."
    cure = "run nox without that flag, or with --reuse-venv=no."


class ShadowedTools(ReleaseError):
    root: Path
    names: tuple[str, ...]

    what = "The project's own {e.shown} in {e.root} hide modules that nox needs to make virtual environments."
    cause = "Python 3.10 puts the current folder first on its path when nox starts `python -m virtualenv`."
    cure = "run nox on Python 3.11 or later, or install uv (pip install uv), which makes the environments instead."

    @property
    def shown(self) -> str:
        return ", ".join(f"`{name}`" for name in self.names)


class NoProject(ReleaseError):
    folder: Path

    what = "There is no Python project in {e.folder}: no pyproject.toml, setup.py or setup.cfg."
    cause = "the command was run in another folder than the project's."
    cure = "change to the folder that holds the project's pyproject.toml, and run it again."


class BrokenToml(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} is not valid TOML: {e.reason}"
    cause = "a quote or bracket that is not closed, or a key that stands twice, at or above that line."
    cure = "mend that line; nothing was built."


class BadConfig(ReleaseError):
    key: str
    expected: str
    found: object
    folder: str = ""  # of one of several packages

    what = "The setting `{e.key}` of [tool.seatrial]{e.place} is {e.shown}, and should be {e.expected}."
    cause = "a misspelt name, or a value of another type."
    cure = "correct it in pyproject.toml (or seatrial.toml); docs/reference/configuration.md has them all."

    @property
    def shown(self) -> str:
        return "not known" if self.found is None else repr(self.found)

    @property
    def place(self) -> str:
        return f" in {self.folder}" if self.folder else ""


class TwoConfigs(ReleaseError):
    root: Path

    what = "{e.root} holds both a seatrial.toml and a pyproject.toml."
    cause = "seatrial.toml is for projects that have no pyproject.toml."
    cure = "move its keys to [tool.seatrial] in pyproject.toml, and delete seatrial.toml."


# What the machine says.


class ToolMissing(ReleaseError):
    tool: str

    what = "The program {e.tool} was not found."
    cause = "it is not installed, or the session's virtual environment was made with --no-install or cut short."
    cure = "install it; for a tool of the session's own, delete the .nox folder and run the session again."


class ToolStuck(ReleaseError):
    command: str
    limit: float
    output: str

    what = "This command did not end within {e.limit:.0f} seconds, and was ended:\n  {e.command}{e.shown}"
    cause = "it waits for something: a prompt, a network that does not answer, a lock of another process."
    cure = (
        "run the command by hand to see what it waits for. If it only needs longer,"
        " raise `build-timeout` in [tool.seatrial] (seconds)."
    )

    @property
    def shown(self) -> str:
        return indented(self.output)


class ToolFailed(ReleaseError):
    subject: str
    code: int
    output: str
    cause_here: str
    cure_here: str

    what = "{e.subject} failed (exit code {e.code}). Its own words:{e.shown}"
    cause = "{e.cause_here}"
    cure = "{e.cure_here}"

    @property
    def shown(self) -> str:
        return indented(self.output)


class DiskTrouble(ReleaseError):
    reason: str

    what = "The operating system refused to read or write: {e.reason}"
    cause = "a full disk, missing rights on a folder, or a file that another program holds open."
    cure = "free space or correct the rights, and run the session again: what is recorded is complete."


# What the source tree says.


class GitMissing(ReleaseError):
    root: Path

    what = "{e.root} is a git repository, and the program git was not found."
    cause = "git is not installed, or not on PATH."
    cure = "install git; the files must come from a commit, and only git can tell which."


class NoCommit(ReleaseError):
    root: Path

    what = "The git repository in {e.root} has no commit yet, so there is nothing to release."
    cause = "`git init` was run, and no `git commit` after it."
    cure = "commit the project, and run the session again."


class ShallowClone(ReleaseError):
    root: Path

    what = "The git repository in {e.root} is a shallow clone: its history and tags are cut off."
    cause = "CI checkouts fetch one commit only unless told otherwise; versions read from git come out wrong then."
    cure = "git fetch --unshallow --tags (GitHub: `fetch-depth: 0` for actions/checkout; GitLab: GIT_DEPTH: 0)."


class CheckoutFailed(ReleaseError):
    root: Path
    reason: str

    what = "A clean checkout of {e.root} could not be made: {e.reason}"
    cause = "the repository belongs to another user, lacks objects, or was not fetched whole."
    cure = "do what git says above; `in-place = true` in [tool.seatrial] builds from the working tree instead."


class ForeignOwner(ReleaseError):
    root: Path

    what = "git does not read the repository of {e.root}, because it belongs to another user."
    cause = "a container or CI job that runs as another user than the one that checked it out."
    cure = "git config --global --add safe.directory {e.root} (if you trust it), or change the owner of the folder."


class SubmodulesMissing(ReleaseError):
    paths: tuple[str, ...]

    what = "These git submodules, in the commit that HEAD names, are not in the local repository:{e.shown}"
    cause = "they were not fetched. A build without them would lack their files, and say nothing."
    cure = (
        "git submodule update --init --recursive (GitHub: `submodules: recursive` for actions/checkout; GitLab:"
        " GIT_SUBMODULE_STRATEGY: recursive). One that no build needs: `update = none` in .gitmodules."
    )

    @property
    def shown(self) -> str:
        return listing(self.paths)


class LfsMissing(ReleaseError):
    paths: tuple[str, ...]

    what = "These files are only Git LFS pointers in a clean checkout:{e.shown}"
    cause = "the program git-lfs is not installed, or their contents were not fetched."
    cure = "install git-lfs and run `git lfs pull` (GitHub: `lfs: true` for actions/checkout), then this session again."

    @property
    def shown(self) -> str:
        return shortened(self.paths)


# What the build says.


class BuildOdd(ReleaseError):
    reason: str
    files: tuple[str, ...]

    what = "The build ended well, but {e.reason}{e.shown}"
    cause = "the build backend's configuration, or a version that is computed anew for each file."
    cure = "run `python -m build` by hand and look at what it writes. The old files in dist/ were not touched."

    @property
    def shown(self) -> str:
        return listing(self.files)


class SdistNeedsGit(ReleaseError):
    sdist: str
    call: str
    output: str
    command: str

    what = "The wheel cannot be built from {e.sdist}: its build calls `git {e.call}`. Its own words:{e.shown}"
    cause = (
        "a version or a list of files that is read from git. An unpacked sdist is no repository, and those who build"
        " it (pip, Linux distributions, conda-forge) often have no git. If the words above are of something else, that"
        " is the cause."
    )
    cure = (
        "let the sdist carry what git said: setuptools-scm, hatch-vcs, pbr and uv-dynamic-versioning take the version"
        " from the PKG-INFO in it, versioneer needs its `cmdclass` in setup.py, and code of your own can write a file"
        " when the sdist is made. Then run `{e.command}` again; dist/ and the record are as they were."
    )

    @property
    def shown(self) -> str:
        return indented(self.output)


class NothingToTake(ReleaseError):
    folder: Path
    reason: str

    what = "--from {e.folder}: {e.reason}"
    cause = "another folder was meant, or the wheels were not put there yet."
    cure = "name a folder other than dist/ that holds the wheels and the sdist of one release, and nothing else."


class NothingToTakeOf(ReleaseError):
    folder: Path
    wanted: str
    count: int

    what = "--from {e.folder}: there is no {e.wanted} among its {e.count} files."
    cause = "{e.cause_here}"
    cure = "{e.advice}"

    @property
    def cause_here(self) -> str:
        if self.wanted == "sdist":
            return "cibuildwheel makes wheels alone; the sdist is made by another job, which was not brought here."
        return "the wheels were not brought here, or another folder was meant."

    @property
    def advice(self) -> str:
        if self.wanted == "sdist":
            return (
                "put the sdist that the wheels were built from there (`python -m build --sdist`, of the same commit)."
                ' `archives = ["wheel"]` in [tool.seatrial] releases without one.'
            )
        return "put the wheels there; `--sdist-only` releases without them."


class MixedFiles(ReleaseError):
    folder: Path
    complaint: str
    files: tuple[str, ...]

    what = "--from {e.folder} holds {e.complaint}:{e.shown}"
    cause = "files of an earlier run that were not removed, or jobs of two commits brought together."
    cure = "empty the folder, and bring the files of one run there; dist/ and the record are as they were."

    @property
    def shown(self) -> str:
        return listing(self.files)


# What the record says.


class StageMissing(ReleaseError):
    stage: str
    session: str

    what = "Nothing is recorded as {e.stage} for this release."
    cause = (
        "the session `{e.session}` has not been run, did not succeed, or its record was not brought to this machine."
    )
    cure = "run `nox -s {e.session}` first."


class RecordDamaged(ReleaseError):
    path: Path
    reason: str

    what = "The record {e.path} cannot be used: {e.reason}"
    cause = "it was cut short by a copy, edited by hand, or written by another version of seatrial."
    cure = (
        "bring it again from where it was made; failing that, delete this one file and run its session again"
        " (nothing is uploaded twice: the index is asked first)."
    )


class RecordForeign(ReleaseError):
    path: Path
    theirs: str
    ours: str
    files: tuple[str, ...]

    what = "{e.path} is the record of other files ({e.theirs}) than built.json ({e.ours}).{e.shown}"
    cause = "records of two releases, or of two builds of one release, lie in one folder; or one was edited."
    cure = "remove the file that does not belong here, and run its session again if it was of this release."

    @property
    def shown(self) -> str:
        return listing(self.files)


class RecordSwapped(ReleaseError):
    path: Path
    expected: str
    found: str

    what = (
        "{e.path} is not the file that the build job wrote: SEATRIAL_RECORD says sha256 {e.expected}, found {e.found}."
    )
    cause = "the artifact was replaced between two CI jobs, or SEATRIAL_RECORD is of another run."
    cure = "stop and find out who changed it. Start the release again from the build job."


class FilesChanged(ReleaseError):
    folder: Path
    changes: tuple[str, ...]

    what = "{e.folder} does not hold the files that were built:{e.shown}"
    cause = "another tool wrote to this folder after `build`, or a file was damaged or replaced on its way here."
    cure = (
        "put the recorded files back (CI: download the artifact again), or start anew with"
        " `nox -s build -- --rebuild`, which moves the old files aside."
    )

    @property
    def shown(self) -> str:
        return listing(self.changes)


class RunningAlready(ReleaseError):
    folder: Path

    what = "Another run of the release sessions is at work on {e.folder}."
    cause = "a second terminal, or a CI job that shares this folder."
    cure = "wait until it has ended, and run this session again."


# What the rules and the trial say.


class NotReady(ReleaseError):
    count: int
    trial: bool = False
    index: str = "PyPI"

    what = "{e.shown}"
    cause = "see each finding above."
    cure = "mend them, commit, and run the session again. No version was spent: nothing has been uploaded to {e.index}."

    @property
    def shown(self) -> str:
        errors = f"{self.count} error{'s' if self.count != 1 else ''}"
        if self.trial:
            return f"The files do not work once installed: {errors}."
        return f"{self.index} would refuse these files, or they would fail their users: {errors}."


class NotVerifiable(ReleaseError):
    count: int
    index: str

    what = "The files that {e.index} serves do not work once installed: {e.shown}."
    cause = "this Python or platform, which `check` did not try; or a dependency that has changed since."
    cure = (
        "if the project is at fault, mend it and take the next version: this one is spent on {e.index}, and no other"
        " index has it. If it is this machine's or a dependency's fault, run `verify` again: nothing is uploaded twice."
    )

    @property
    def shown(self) -> str:
        return f"{self.count} error{'s' if self.count != 1 else ''}, see above"


class FindingsInFiles(ReleaseError):
    count: int

    what = "{e.count} of these files cannot be uploaded to PyPI, or would fail their users."
    cure = (
        "see each finding above; docs/reference/rules.md explains the code in its brackets, with PyPI's answer and how"
        " to mend it with the usual build backends."
    )


class InstallFailed(ReleaseError):
    subject: str
    code: int
    output: str

    what = "{e.subject} could not be installed (exit code {e.code}). The installer's own words:{e.shown}"
    cause = "a dependency or build requirement that does not exist or does not fit, or an index that does not answer."
    cure = "correct the requirements of the project; if the index did not answer, run the session again."

    @property
    def shown(self) -> str:
        return indented(self.output)


class NoFittingWheel(ReleaseError):
    python: str
    tag: str
    files: tuple[str, ...]

    what = "No wheel of this release fits Python {e.python} here, which takes {e.tag} and less exact ones:{e.shown}"
    cause = "the wheel for this Python or platform was not built, or was not among the files that were taken."
    cure = (
        "build it (cibuildwheel: CIBW_BUILD) and take all files anew with `nox -s build -- --rebuild --from FOLDER`; or"
        " take {e.python} out of `pythons` in [tool.seatrial], where its users build the sdist."
    )

    @property
    def shown(self) -> str:
        return shortened(self.files)


class LowestFailed(ReleaseError):
    pins: tuple[str, ...]
    reason: str

    what = "With the lowest direct dependencies that the metadata allows, this release does not work:{e.shown}"
    cause = "a lower bound that was never tried; or lowest versions that exclude each other, or are older than Python."
    cure = (
        "raise the bound to what does work (`dryrun` tries it before a version is spent), and take the next version."
        ' `resolution = "highest"` in [tool.seatrial] leaves this run out.'
    )

    @property
    def shown(self) -> str:
        return f"{listing(self.pins or ('(none has a lower bound)',))}{indented(self.reason)}"


# What the indexes say.


class IndexUnreachable(ReleaseError):
    index: str
    url: str
    reason: str
    pause: float = 0.0

    what = "{e.index} cannot be read at {e.url}: {e.reason}{e.asked}"
    cause = "no network, a proxy or certificate that is not set up, or an outage{e.status}."
    cure = "run the session again when it answers: it goes on where it stopped, and nothing is uploaded twice."

    @property
    def status(self) -> str:
        is_public = (urlsplit(self.url).hostname or "").endswith("pypi.org")
        return " (https://status.python.org)" if is_public else " of that index"

    @property
    def asked(self) -> str:
        return f" (it asks to be left alone for {self.pause:.0f} s)" if self.pause else ""


class IndexRefused(ReleaseError):
    index: str
    url: str
    status: int
    reason: str

    what = "{e.index} refused to show {e.url}: {e.status} {e.reason}"
    cause = "a wrong URL in [tool.seatrial.indexes], an index that wants a login to be read, or a blocked address."
    cure = "open the URL in a browser; correct the setting, or wait where the index limits how often it is asked."


class LoginRefused(IndexRefused):
    """An index that shows itself to those alone who log in, and did not take what we had."""

    source: str
    variable: str

    what = "{e.index} did not show {e.url}: {e.status} {e.reason}. {e.tried}"
    cause = "an index that wants a login to be read; or a login that has expired, or may not read this index."
    cure = (
        "put a token or password that may read it into {e.variable}, and its user name into {e.user} (without:"
        " __token__). Only seatrial's own requests use it: no installer and no build sees it."
    )

    @property
    def tried(self) -> str:
        return f"It was asked with {self.source}." if self.source else "It was asked without a login: none is set."

    @property
    def user(self) -> str:
        return self.variable.removesuffix("_TOKEN") + "_USERNAME"


class IndexNotJson(ReleaseError):
    index: str
    url: str
    found: str = "something else"

    what = (
        "{e.index} did not answer {e.url} with a page of the simple repository API (PEP 691, PEP 503), but {e.found}."
    )
    cause = "a proxy's login page, or a wrong URL in [tool.seatrial.indexes]."
    cure = "open the URL in a browser and correct the setting. Without hashes from the index no bytes can be proved."


class NoHashes(ReleaseError):
    index: str
    url: str

    what = "The bytes that {e.index} serves cannot be proved: {e.url} lists files without their sha256."
    cause = "an index that has neither the JSON of the simple repository API nor #sha256= in its HTML, or only md5."
    cure = (
        "let the index tell them (pypiserver: --hash-algo sha256), or use another one. Where it is the rehearsal index,"
        ' `rehearse-on = "dryrun"` in [tool.seatrial] does without it.'
    )


class OtherBytes(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[tuple[str, str, str], ...]
    page: str
    free: str = ""

    what = "{e.index} holds something else than was built as {e.project} {e.version}:{e.shown}"
    cause = (
        "this version was uploaded before from another build (an index never takes a file name twice); or a proxy on"
        " the way changes what is read."
    )
    cure = (
        "compare with {e.page}; nothing more is sent. If those files are not meant to be released, choose the next"
        " version number{e.suggested}, commit, and start with `nox -s build -- --rebuild`."
    )

    @property
    def suggested(self) -> str:
        return f" ({self.free} is free on both indexes)" if self.free else ""

    @property
    def shown(self) -> str:
        return listing(f"{name}\n    expected {ours}\n    found    {theirs}" for name, ours, theirs in self.files)


class NotVisible(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[str, ...]
    limit: float
    again: str = ""

    what = (
        "Uploaded, not visible yet: {e.index} took {e.project} {e.version}, and does not show it after {e.limit:.0f}"
        " seconds:{e.shown}"
    )
    cause = "the caches in front of the index lag; this can take many minutes. The release has not failed."
    cure = "run {e.command} again later: it looks first, and uploads nothing twice. `index-timeout` sets the limit."

    @property
    def command(self) -> str:
        return f"`{self.again}`" if self.again else "the same session"

    @property
    def shown(self) -> str:
        return listing(self.files)


class UploadRefused(ReleaseError):
    index: str
    words: str
    reason: str
    free: str = ""

    what = "{e.index} did not take the files. Its own words:{e.shown}"
    cause = "{e.reason}"
    cure = "mend that and run the session again: files that are already there stay, only the others are sent.{e.next}"

    @property
    def shown(self) -> str:
        return indented(self.words, last=15)

    @property
    def next(self) -> str:
        return f" The next version that is free on both indexes is {self.free}." if self.free else ""


class VersionSpent(ReleaseError):
    """A version that only the rehearsal index has, with other bytes: the oldest complaint about TestPyPI."""

    index: str
    real: str
    project: str
    version: str
    files: tuple[tuple[str, str, str], ...]
    ways: str

    what = (
        "{e.version} of {e.project} is spent on {e.index}: it holds something else than was built{e.shown}\n"
        "{e.real} does not have this version."
    )
    cause = "it was rehearsed before, and changed since; an index never takes a file name twice."
    cure = "one of these.{e.ways}"

    @property
    def shown(self) -> str:
        return ":" + listing(f"{name}\n    expected {ours}\n    found    {theirs}" for name, ours, theirs in self.files)


class NameTaken(ReleaseError):
    index: str
    project: str
    words: str
    ways: str

    what = "{e.index} does not take {e.project} from you. Its own words:{e.shown}"
    cause = (
        "the name, or one too like it, belongs to somebody else there, whoever owns it elsewhere; or the token is for"
        " another project."
    )
    cure = "if it is the token, make one for this project. If it is the name, one of these.{e.ways}"

    @property
    def shown(self) -> str:
        return indented(self.words, last=15)


class NotAsRecorded(ReleaseError):
    project: str
    version: str
    findings: tuple[str, ...]

    what = "{e.project} {e.version} is not what the record says:{e.shown}"
    cause = "files or tags that somebody changed after the release, or the record of another build in this folder."
    cure = (
        "find out who did that and why. If the released files are not yours to answer for, yank the version as shown"
        " above, revoke the tokens that can upload to it, and release the next one."
    )

    @property
    def shown(self) -> str:
        return listing(self.findings)


# What the credentials say.


class BadCredential(ReleaseError):
    index: str
    complaint: str
    variable: str
    pages: str

    what = "No upload to {e.index}: {e.complaint}"
    cause = (
        "an undefined CI secret (it gives an empty variable), or a token that was copied with quotes, has expired,"
        " or is for the other index or another project."
    )
    cure = "put one API token into {e.variable}, and unset the others.{e.links}"

    @property
    def links(self) -> str:
        return account_links(self.pages)


class NoCredential(ReleaseError):
    index: str
    aside: str
    variable: str
    pages: str

    what = "No upload to {e.index}: there is no credential for it.{e.set_aside}"
    cause = "{e.variable} is not set here; in CI a secret that this step was not given, or a job without an identity."
    cure = "put an API token into {e.variable}.{e.links}{e.otherwise}"

    @property
    def otherwise(self) -> str:
        if not self.pages:
            user = self.variable.removesuffix("_TOKEN") + "_USERNAME"
            return f" A password does as well; the user name that it is for goes into {user}."
        return (
            " In CI a trusted publisher needs none: GitHub wants `permissions: id-token: write`, GitLab `id_tokens:`"
            " (docs/how-to/ci.md)."
        )

    @property
    def set_aside(self) -> str:
        return f" {self.aside}; it was set aside." if self.aside else ""

    @property
    def links(self) -> str:
        return account_links(self.pages)


def account_links(pages: str) -> str:
    """Return where an account and a token are made, on the index whose site is `pages`."""
    if not pages:
        return ""
    return f" Account: {pages}/account/register/  Token: {pages}/manage/account/token/"


class NotAttested(ReleaseError):
    index: str
    files: tuple[str, ...]

    what = "{e.index} has the release, and serves no attestation that holds for:{e.shown}"
    cause = "an earlier try that uploaded these files without; attestations are taken together with the file alone."
    cure = "nothing can be repeated for this version. released.json lists the files that are attested."

    @property
    def shown(self) -> str:
        return listing(self.files)


class PublisherRefused(ReleaseError):
    index: str
    words: str
    project: str
    fields: tuple[tuple[str, str], ...]
    pages: str

    what = "{e.index} knows no trusted publisher for {e.project} that is this CI job. Its own words:{e.shown}"
    cause = "a field of the publisher's page that does not hold exactly what this job is:{e.shown_fields}"
    cure = (
        "correct it on {e.pages}/manage/project/{e.project}/settings/publishing/. A project that does not exist there"
        " yet needs a pending publisher for exactly the name {e.project}: {e.pages}/manage/account/publishing/"
    )

    @property
    def shown(self) -> str:
        return indented(self.words, last=15)

    @property
    def shown_fields(self) -> str:
        return listing(f"{name}: {value}" for name, value in self.fields)


# What `pypi` says.


class Dirty(ReleaseError):
    files: tuple[str, ...]

    what = "These files were built from a tree with changes that are not committed, and cannot be uploaded:{e.shown}"
    cause = "work in progress, or a file that is neither committed nor ignored."
    cure = "commit or stash them and run `nox -s build`. `nox -s dryrun` rehearses a dirty tree on this machine."

    @property
    def shown(self) -> str:
        return shortened(self.files)


class NotVerified(ReleaseError):
    index: str
    missing: tuple[str, ...]
    in_ci: bool

    what = "These files are not verified as the matrix demands, so nothing goes to {e.index}. Missing:{e.shown}"
    cause = (
        "an interpreter that is not on this machine is skipped by nox; a failed or unfinished verify leaves no record."
    )
    cure = "{e.advice}"

    @property
    def shown(self) -> str:
        return listing(self.missing)

    @property
    def advice(self) -> str:
        if self.in_ci:
            return "in CI every cell must be there: run the verify jobs and bring their records here."
        return (
            "run `nox -s verify`; at least one cell of each kind must be green. `pythons` in [tool.seatrial] sets them."
        )


class FilesNotVerified(ReleaseError):
    index: str
    required: str
    files: tuple[str, ...]

    what = "These files have to be verified by `require-verified = {e.required}`, and are not:{e.shown}"
    cause = "no verify job ran on a platform and a Python that install this file, or its record was not brought here."
    cure = (
        "run `verify` where they fit and bring the records together (docs/how-to/compiled-wheels.md), or ask for less"
        " in [tool.seatrial]. Nothing went to {e.index}."
    )

    @property
    def shown(self) -> str:
        return listing(self.files)


class RehearsedElsewhere(ReleaseError):
    found: str
    expected: str
    anew: str
    again: str
    here: bool = False

    what = "These files were rehearsed on {e.found}, and the rehearsal index of this release is {e.expected}."
    cause = "the record was made against another index (a stand-in of `dryrun` proves nothing about {e.expected})."
    cure = "`{e.anew}` rehearses there.{e.otherwise}"

    @property
    def otherwise(self) -> str:
        return f" To let the rehearsal on this machine count: `{self.again}`." if self.here else ""


class TagElsewhere(ReleaseError):
    tag: str
    commit: str
    built: str

    what = "The tag {e.tag} points to commit {e.commit}, and these files were built from {e.built}."
    cause = "the tag was set or moved after the build, or the files are of an older commit."
    cure = "move the tag, or build the tagged commit with `nox -s build -- --rebuild`."


class NotConfirmed(ReleaseError):
    project: str
    version: str
    typed: str | None
    command: str

    what = "Not uploaded: {e.project} {e.version} was not confirmed{e.shown}."
    cause = "an upload cannot be undone, so the version is typed, or given with --yes where nobody can type."
    cure = "{e.command}"

    @property
    def shown(self) -> str:
        return "" if self.typed is None else f" (the answer was {self.typed!r})"


# What a repository of several packages says.


class NoPackages(ReleaseError):
    root: Path

    what = "No packages are found in {e.root}."
    cause = "there is no workspace of uv or hatch here, and `packages` of [tool.seatrial] is not set."
    cure = (
        'name their folders in the pyproject.toml (or seatrial.toml) of this folder: `packages = ["packages/*"]` in'
        " [tool.seatrial]; or give one of them with `--package FOLDER`."
    )


class NoSuchPackage(ReleaseError):
    word: str
    root: Path
    known: tuple[str, ...]

    what = "There is no package `{e.word}` in {e.root}.{e.shown}"
    cause = "a misspelt name, or a package that is not part of the workspace."
    cure = "give the name of a package or its folder; `packages` in [tool.seatrial] says where packages are."

    @property
    def shown(self) -> str:
        return f" There are:{listing(self.known)}" if self.known else ""


class TwoPackages(ReleaseError):
    name: str
    folders: tuple[str, ...]

    what = "More than one package of this repository is called {e.name}:{e.shown}"
    cause = "a copy, an example or a test project that the patterns of the workspace match as well."
    cure = "rename one, or leave it out: `packages` in [tool.seatrial] of the repository names those to release."

    @property
    def shown(self) -> str:
        return listing(self.folders)


class PackageCycle(ReleaseError):
    names: tuple[str, ...]

    what = "These packages need each other, so none can be released before the other: {e.shown}"
    cause = "`release-with` (or a dependency) that leads back to where it began."
    cure = "take one of them out: a package that another one only mentions in an extra need not be released with it."

    @property
    def shown(self) -> str:
        return " -> ".join(self.names)


class SiblingNotReady(ReleaseError):
    sibling: str
    stage: str
    command: str

    what = "{e.sibling} is released together with this package, and is not {e.stage} yet."
    cause = "its own sessions come first, or its record was not brought to this machine."
    cure = "{e.command}; if it is on the index already as it is, take it out of `release-with` in [tool.seatrial]."


class SiblingElsewhere(ReleaseError):
    sibling: str
    found: str
    expected: str
    command: str

    what = "{e.sibling} was rehearsed on {e.found}, and this package is rehearsed on {e.expected}."
    cause = "packages that are released together have to be rehearsed on one index, or nobody could install them."
    cure = "{e.command}"


class SiblingExcluded(ReleaseError):
    project: str
    requirement: str
    sibling: str

    what = "{e.project} requires `{e.requirement}`, and is released together with {e.sibling}."
    cause = "the version of one was raised and the bound in the other was not; or its record is of an earlier release."
    cure = "make both fit, commit, and build again what you changed (`nox -s build` there)."


class SiblingNotReleased(ReleaseError):
    index: str
    sibling: str
    files: tuple[str, ...]
    command: str

    what = (
        "{e.sibling} is released together with this package, and {e.index} does not serve these files of it:{e.shown}"
    )
    cause = "it has to be there first: whoever installs this package needs it at once."
    cure = "{e.command}. Nothing of this package was uploaded."

    @property
    def shown(self) -> str:
        return listing(self.files)


class SiblingChanged(ReleaseError):
    sibling: str
    files: tuple[str, ...]
    command: str

    what = "This package was verified with other files of {e.sibling} than are recorded for it now:{e.shown}"
    cause = "{e.sibling} was built again after this package was verified."
    cure = "verify this package anew, with what is to be released: {e.command}"

    @property
    def shown(self) -> str:
        return listing(self.files)


class TogetherFailed(ReleaseError):
    session: str
    failed: tuple[str, ...]
    waiting: tuple[str, ...]

    what = "`{e.session}` failed for {e.shown}.{e.kept_back}"
    cause = "see what each said above."
    cure = "mend that and run the session again: what is done already is not done twice."

    @property
    def shown(self) -> str:
        return ", ".join(self.failed)

    @property
    def kept_back(self) -> str:
        return f" Not started, since they come after it: {', '.join(self.waiting)}." if self.waiting else ""


# What `rebuild` says.


class TagMissing(ReleaseError):
    version: str
    tried: tuple[str, ...]

    what = "There is no tag of version {e.version} in this repository. Tried: {e.shown}"
    cause = "the tags were not fetched, or tags are called otherwise here."
    cure = "git fetch --tags; how tags are called is the setting `tag` of [tool.seatrial]."

    @property
    def shown(self) -> str:
        return ", ".join(self.tried)


class NothingServed(ReleaseError):
    index: str
    project: str
    version: str

    what = "{e.index} serves no file of {e.project} {e.version}, so there is nothing to compare with."
    cause = "this version was never released there, or it was deleted."
    cure = "name a version that is on {e.index}."


class RebuiltOtherwise(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[str, ...]

    what = "{e.shown}"
    cause = (
        "other versions of the build backend or compiler than at the release, a backend that is not reproducible, or"
        " files that were not built from this tag."
    )
    cure = "look at the members named above: contents that differ want an explanation, times and order do not."

    @property
    def shown(self) -> str:
        what = f"{self.project} {self.version}, built again from its tag"
        if self.files:
            return f"{what}, is not what {self.index} serves:{listing(self.files)}"
        return f"{what}, gives none of the files that {self.index} serves."


# What `dryrun` says.


class StandinFailed(ReleaseError):
    reason: str

    what = "The stand-in indexes did not start: {e.reason}"
    cause = "a firewall or security program that forbids servers on 127.0.0.1, or an environment that was cut short."
    cure = "delete the .nox folder and run the session again."


class BadWorkspace(ReleaseError):
    folder: Path
    reason: str

    what = "--keep {e.folder}: {e.reason}"
    cause = "the folder of an earlier dry run, or of something else."
    cure = "name a folder that does not exist yet or is empty, outside the project's dist/ and release-record/."


class DryrunFailed(ReleaseError):
    session: str

    what = "The dry run stopped in `{e.session}`; the real indexes were not touched."
    cause = "see the message of that session above."
    cure = "mend that and run `nox -s dryrun` again."


class LocalWheel(ReleaseError):
    files: tuple[str, ...]
    index: str
    again: str

    what = (
        "The sdist was rehearsed to the end; the wheel cannot go up, because {e.index} takes no wheel that only this"
        " machine is sure to run:{e.shown}"
    )
    cause = "a wheel that is compiled here is for the libraries here, and says nothing of those of other Linuxes."
    cure = (
        "have cibuildwheel build manylinux wheels, put them and the sdist into one folder, and rehearse those with"
        ' `{e.again}`; or release the sdist alone, with `archives = ["sdist"]` in [tool.seatrial].'
    )

    @property
    def shown(self) -> str:
        return listing(self.files)


class NotLoopback(ReleaseError):
    variable: str
    found: str

    what = "{e.variable} names an address outside this machine: {e.found}"
    cause = "only `dryrun` sets this variable, and only to 127.0.0.1; URLs of indexes never come from the environment."
    cure = "unset it; indexes are set in [tool.seatrial.indexes]."
