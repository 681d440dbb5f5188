"""Records of releases on disk, ways to spoil them, and how often their files are hashed."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seatrial.index.indexes import TESTPYPI
from seatrial.release.record import Record
from seatrial.release.stages import Built, Dist, Rehearsed
from tests.projects import write_tree
from tests.samples.stages import BUILT, REHEARSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pytest

WHEEL, LINUX, SDIST = "py3-none-any.whl", "cp313-cp313-manylinux_2_17_x86_64.whl", ".tar.gz"


def built_in(
    folder: Path, *release_with: str, name: str = "", version: str = "1.0", files: Iterable[str] = (WHEEL, SDIST)
) -> Built:
    """Write files and record of a package that was built in `folder`, which is released with the other folders."""
    name = name or folder.name
    stem = f"{name.replace('-', '_')}-{version}"
    wanted = {stem + (end if end == SDIST else f"-{end}"): f"{name} {version} {end}" for end in files}
    write_tree(folder / "dist", wanted)
    dists = tuple(sorted(map(Dist.from_file, (folder / "dist").iterdir())))
    built = replace(BUILT, project=name, version=version, dists=dists, release_with=release_with)
    Record.of(folder).write(built)
    write_tree(folder, {"pyproject.toml": f"[project]\nname = '{name}'\n"})
    return built


def rehearsed_in(folder: Path, index: str = TESTPYPI.simple) -> Rehearsed:
    built = Record.of(folder).find(Built)
    assert built is not None
    facts: dict[str, Any] = {"project": built.project, "version": built.version, "dists": built.dists}
    stage = replace(REHEARSED, index=index, **facts)
    Record.of(folder).write(stage)
    return stage


def mutations(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every way in which one field of the JSON `value` is missing, unknown or of another type, and a label."""
    if isinstance(value, dict):
        yield f"{where}: one more field", value | {"surprise": ""}
        for name in value:
            yield f"{where}.{name}: missing", {key: rest for key, rest in value.items() if key != name}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        for label, other in mutations(item, f"{where}.{name}"):
            whole = copy.copy(value)
            whole[name] = other
            yield label, whole
    if where:
        yield f"{where}: of another type", "1" if isinstance(value, int) else 7


def hashings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the names of the files that are hashed from now on, one each time."""
    read: list[str] = []
    whole = Dist.from_file

    def noted(path: Path) -> Dist:
        read.append(path.name)
        return whole(path)

    monkeypatch.setattr(Dist, "from_file", noted)
    return read
