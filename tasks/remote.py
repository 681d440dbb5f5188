"""``status -- --remote``: the record, both indexes and the tag of a release, compared at any later time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import source
from .errors import NotAsRecorded, StageMissing
from .indexes import holdings
from .stages import Built, Rehearsed, Released
from .ways import next_version, versions_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .indexes import Holdings, Index
    from .run import Run

YANK = """\
if something is wrong with it after all, yank it, and release the next version:
  page    {page}
  reason  {project} {version} should not be used; please take {free} or later.
  next    {free} is free on both indexes
what cannot be undone: whoever has installed it keeps it, `{project}=={version}` still installs it, and its version and
file names are spent for ever. The yank itself can be taken back on that page."""


def compare(run: Run) -> None:
    """Say what both indexes and the tag hold of the recorded release, and how to yank it.

    The files of dist/ need not be there any more. Raises NotAsRecorded where something differs.
    """
    built = run.record.find(Built)
    if built is None:
        raise StageMissing(Built.name, run.names["build"])
    rehearsed = run.record.find(Rehearsed)
    whole = {
        run.config.testpypi: rehearsed is not None and rehearsed.index == run.config.testpypi.simple,
        run.config.pypi: run.record.find(Released) is not None,
    }
    held = {index: holdings(index, built.project, built.version, built.dists) for index in whole}
    run.say(f"{built.project} {built.version}, compared with the record:")
    for index, found in held.items():
        run.say(f"  {index.name}: {summary(found)}")
    run.say(f"  {_tag(run, built)}")
    if held[run.config.pypi].served or held[run.config.pypi].extra:
        run.say(_yank(run, built))
    wrong = [line for index, found in held.items() for line in differences(index, found, whole=whole[index])]
    wrong += _moved(run, built)
    if wrong:
        raise NotAsRecorded(built.project, built.version, tuple(wrong))


def summary(found: Holdings) -> str:
    """Say in a line how much of a release an index holds."""
    count = len(found.identical) + len(found.absent) + len(found.different)
    if not (found.served or found.extra):
        return "no file of this version"
    yanked = f", {len(found.yanked)} yanked" if found.yanked else ""
    return f"{len(found.identical)} of {count} files, identical{yanked}"


def differences(index: Index, found: Holdings, *, whole: bool) -> Iterator[str]:
    """Yield what `index` holds otherwise than was built; `whole` means that it held every file once."""
    for dist, file in found.different:
        theirs = file.sha256 or "(no hash)"
        yield f"{index.name}: {dist.filename}\n    expected {dist.sha256}\n    found    {theirs}"
    for file in found.extra:
        yield f"{index.name}: {file.filename} was not built with the others\n    found    {file.sha256}"
    for dist in found.absent if whole else ():
        yield f"{index.name}: {dist.filename} is gone"


def _tags(run: Run, built: Built) -> list[tuple[str, str]]:
    """Return the tags of this version that are there, and their commits."""
    if built.commit is None:
        return []
    names = [pattern.format(version=built.version, name=built.project) for pattern in run.config.tag]
    found = [(name, source.commit_of_tag(run.root, name)) for name in names]
    return [(name, commit) for name, commit in found if commit is not None]


def _tag(run: Run, built: Built) -> str:
    if built.commit is None:
        return "tag: none, it was built without git"
    tags = [f"{name} on {commit[:12]}" for name, commit in _tags(run, built)]
    return f"tag: {', '.join(tags) or 'not set in this repository'}; built from {built.commit[:12]}"


def _moved(run: Run, built: Built) -> list[str]:
    return [f"tag {name} is on {commit}" for name, commit in _tags(run, built) if commit != built.commit]


def _yank(run: Run, built: Built) -> str:
    index = run.config.pypi
    manage = f"{index.pages}/manage/project/{built.project}/release/{built.version}/"
    taken = versions_on(run.config.testpypi, built.project) | versions_on(index, built.project)
    return YANK.format(
        page=manage if index.pages else f"of this release on {index.name}",
        project=built.project,
        version=built.version,
        free=next_version(built.version, taken),
    )
