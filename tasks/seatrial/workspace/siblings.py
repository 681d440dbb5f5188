"""Packages that are released together: what one needs of the others' records and files.

A sibling's files come from its own ``dist/`` in `check`, and from the index under test in `verify`; each time they are
those of its own record, by hash. Everything else that is installed comes from the index of the dependencies.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index.holdings import holdings, stop_if_different, stop_if_yanked
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.project.options import ALL
from seatrial.release.stages import Built, Dist, Installed, Rehearsed, Verified
from seatrial.trial.installer import Beside, Installer, InstallFailed, Venv
from seatrial.trial.tags import chosen, fits_everywhere, fitting, taken_by
from seatrial.workspace import packages
from seatrial.workspace.packages import PackageCycle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.project.context import Context
    from seatrial.release.record import Record


class SiblingNotReady(ReleaseError):
    sibling: str
    stage: str
    command: str

    what = "{e.sibling} is released together with this package, but is not {e.stage} yet."
    cause = "its own steps were not run first, or its record was not brought to this machine."
    cure = "{e.command}; if it is on the index already as it is, take it out of `release-with` in [tool.seatrial]."


class SiblingElsewhere(ReleaseError):
    sibling: str
    found: str
    expected: str
    command: str

    what = "{e.sibling} was rehearsed on {e.found}, but this package is rehearsed on {e.expected}."
    cause = "packages that are released together have to be rehearsed on one index, or nobody could install them."
    cure = "{e.command}"


class SiblingNotReleased(ReleaseError):
    index: str
    sibling: str
    files: tuple[str, ...]
    command: str

    what = (
        "{e.sibling} is released together with this package, and {e.index} does not serve these files of it:"
        "{e.files:listed}"
    )
    cause = "it has to be there first: whoever installs this package needs it at once."
    cure = "{e.command}. Nothing of this package was uploaded."


class SiblingChanged(ReleaseError):
    sibling: str
    files: tuple[str, ...]
    command: str

    what = "This package was verified with files of {e.sibling} other than those recorded for it now:{e.files:listed}"
    cause = "{e.sibling} was built again after this package was verified."
    cure = "verify this package again, with the files to be released: {e.command}"


class SiblingNotNamed(InstallFailed):
    names: tuple[str, ...]

    cure = (
        "{e.names:joined} in this repository is a dependency: where this release needs it as it is there, name its"
        ' folder in [tool.seatrial], like `release-with = ["../core"]`, or release all packages, with `--all`. Else'
        " correct the requirements of the project; if the index did not answer, run the step again."
    )


class Sibling(Value):
    """A package that is released together with another: its folder, its record, and what that says was built."""

    root: Path
    record: Record
    built: Built

    @property
    def label(self) -> str:
        return f"{self.built.project} {self.built.version}"

    def taken(self, venv: Venv, installer: Installer) -> Dist:
        """Return the file that an installer takes in `venv`: the wheel that fits best, else the sdist.

        Raises NoFittingWheel where there is neither.
        """
        wheels = tuple(dist for dist in self.built.dists if dist.kind == "wheel")
        sdist = next((dist for dist in self.built.dists if dist.kind == "sdist"), None)
        if len(wheels) == 1 and fits_everywhere(wheels):
            return wheels[0]
        if not wheels and sdist:
            return sdist
        tags = taken_by(venv, installer.env, installer.scratch)
        if sdist and fitting((dist.filename for dist in wheels), tags) is None:
            return sdist
        return chosen(wheels, tags, "of this environment")


def of(context: Context, built: Built) -> tuple[Sibling, ...]:
    """Return what is released together with `built`, the files of each unchanged; those that others need first.

    Raises SiblingNotReady, PackageCycle, TwoPackages, and what reading a record raises.
    """
    found: dict[Path, Sibling] = {}
    _collect(context, context.root.resolve(), built, (), found)
    names = {sibling.root: canonicalize_name(sibling.built.project) for sibling in found.values()}
    packages.stop_if_two({context.root: canonicalize_name(built.project), **names})
    return tuple(found.values())


def _collect(context: Context, root: Path, built: Built, way: tuple[Path, ...], found: dict[Path, Sibling]) -> None:
    """Put the siblings of `built`, which is in `root`, into `found`; `way` leads from the package of `run` to it."""
    for word in built.release_with:
        folder = (root / word).resolve()
        if folder in (line := (*way, root)):
            raise PackageCycle(tuple(map(packages.name_of, (*line[line.index(folder) :], folder))))
        if folder in found:
            continue
        record = context.record_of(folder)
        theirs = record.find(Built)
        if theirs is None:
            named = f"{packages.name_of(folder)} ({packages.relative(folder, context.root)})"
            raise SiblingNotReady(named, "built", _command_in(context, folder, "build"))
        record.rehash(theirs.dists)
        _collect(context, folder, theirs, (*way, root), found)
        found[folder] = Sibling(folder, record, theirs)


@contextlib.contextmanager
def hinted(context: Context) -> Iterator[None]:
    """Have an InstallFailed name the packages of this repository that may be what is missing, as SiblingNotNamed."""
    try:
        yield
    except InstallFailed as failed:
        with contextlib.suppress(ReleaseError):  # what is wrong with the other packages is not what was asked for
            if names := _unnamed(context):
                failed = SiblingNotNamed(failed.subject, failed.code, failed.output, names)
        raise failed from None


def _unnamed(context: Context) -> tuple[str, ...]:
    """Return the packages of this repository that this one depends on, and is not released together with."""
    root = context.root.resolve()
    named = {(root / word).resolve() for word in context.settings.release_with}
    for folder in (root, *root.parents):
        for package in packages.find(folder).packages:
            if package.root == root:
                return tuple(packages.name_of(needed) for needed in package.needs if needed not in named)
    return ()


def _command_in(context: Context, folder: Path, step: str, *options: str) -> str:
    """Return what a person does to run `step` for the package in `folder`, which is released with this one."""
    commands = context.commands
    if commands.option in {(), ALL}:
        where = "" if commands.option else f" in {packages.relative(folder, context.root)}"
        return f"`{commands.command(step, *options)}`{where}"
    return f"`{commands.for_package(packages.name_of(folder)).command(step, *options)}`"


def commit_note(sibling: Sibling, built: Built) -> str:
    """Return from which commit `sibling` was built, empty where that is the one of `built`, or not known."""
    theirs, ours = sibling.built.commit, built.commit
    return f" (built from {theirs[:12]}, this package from {ours[:12]})" if theirs and ours and theirs != ours else ""


def local(context: Context, built: Built, venv: Venv, installer: Installer) -> tuple[Beside, ...]:
    """Return the file of each sibling that `venv` takes, from the sibling's own ``dist/``.

    Its hash is compared here, each time: of a file that is a constraint pip compares it as well, and uv does not.
    """
    found = []
    for sibling in of(context, built):
        dist = sibling.taken(venv, installer)
        path = taken = sibling.record.dist / dist.filename
        if dist.kind == "sdist":  # a copy, since uv keeps the wheel that it builds of one by its path, for any Python
            folder = installer.scratch / "beside"
            folder.mkdir(exist_ok=True)
            taken = Path(shutil.copy2(path, folder))
        found.append(Beside(sibling.built.project, sibling.built.version, taken, dist.sha256, path.as_uri()))
    return tuple(found)


def rehearsed(context: Context, built: Built) -> Iterator[tuple[Sibling, Rehearsed]]:
    """Yield each sibling with its rehearsal on the index under test.

    Raises SiblingNotReady where there is none, SiblingElsewhere where it was another index.
    """
    for sibling in of(context, built):
        found = sibling.record.find(Rehearsed)
        again = _command_in(context, sibling.root, "testpypi", *context.options.once)
        if found is None:
            raise SiblingNotReady(sibling.label, "rehearsed", again)
        if not context.counts(found.index):
            expected = "a stand-in on this machine" if context.rehearsed_here else context.settings.testpypi.simple
            raise SiblingElsewhere(sibling.label, found.index, expected, again)
        yield sibling, found


def stop_unless_released(context: Context, built: Built, verified: tuple[Verified, ...]) -> None:
    """Raise what keeps `built` from being released: a sibling that the index does not serve, or that has changed.

    Raises SiblingNotReleased, SiblingChanged, OtherBytes, and what reading an index raises.
    """
    for sibling in of(context, built):
        met = tuple(
            f"{one.name} {one.version} (sha256 {one.sha256}, Python {cell.python}, {cell.kind})"
            for cell in verified
            for one in others_than(sibling, cell)
        )
        again = context.commands.command("verify", "--keep-sealed", *context.options.once)
        if met:
            raise SiblingChanged(sibling.label, met, again)
        index, theirs = context.settings.pypi, sibling.built
        found = holdings(index, theirs.project, theirs.version, theirs.dists)
        stop_if_different(index, found, theirs.project, theirs.version)
        stop_if_yanked(index, found, theirs.project, theirs.version)
        if found.absent:
            names = tuple(dist.filename for dist in found.absent)
            first = _command_in(context, sibling.root, "pypi", *context.options.once)
            raise SiblingNotReleased(index.name, sibling.label, names, first)


def others_than(sibling: Sibling, verified: Verified) -> tuple[Installed, ...]:
    """Return what `verified` had installed as `sibling` that is not in its record."""
    recorded = {dist.sha256 for dist in sibling.built.dists}
    name = canonicalize_name(sibling.built.project)
    return tuple(one for one in verified.installed if one.name == name and one.sha256 not in recorded)
