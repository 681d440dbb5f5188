from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import packaging
import pytest
from packaging.tags import sys_tags

from seatrial.machine.process import ToolFailed
from seatrial.project.pythons import is_here
from seatrial.release.stages import Dist
from seatrial.trial.installer import Venv
from seatrial.trial.tags import NoFittingWheel, chosen, fits_everywhere, fitting, taken_by
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

CP312 = ["cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "cp312-abi3-manylinux_2_17_x86_64"]
CP312 += ["cp39-abi3-manylinux_2_17_x86_64", "py3-none-any"]
CP314T = ["cp314-cp314t-manylinux_2_28_x86_64", "cp314-none-any", "py3-none-any"]
MUSL = ["cp312-cp312-musllinux_1_2_x86_64", "cp39-abi3-musllinux_1_2_x86_64"]
MAC = ["cp312-cp312-macosx_14_0_arm64", "cp312-cp312-macosx_11_0_universal2", "cp312-cp312-macosx_10_9_universal2"]
PYODIDE = ["cp312-cp312-pyodide_2024_0_wasm32", "py3-none-any"]


def names(*tags: str) -> list[str]:
    return [f"demo-1.0-{tag}.whl" for tag in tags]


@pytest.mark.parametrize(
    ("taken", "there", "best"),
    [
        (CP312, ["cp312-cp312-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_17_x86_64"], 0),
        (CP312, ["cp313-cp313-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_17_x86_64"], 1),
        (CP312, ["cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_28_x86_64"], 1),
        (CP312, ["cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64", "py3-none-any"], 0),
        (CP312, ["cp312-cp312-musllinux_1_2_x86_64", "py3-none-any"], 1),
        (CP314T, ["cp314-cp314-manylinux_2_28_x86_64", "cp314-cp314t-manylinux_2_28_x86_64"], 1),
        (CP314T, ["cp39-abi3-manylinux_2_28_x86_64"], None),
        (MUSL, ["cp312-cp312-manylinux_2_17_x86_64", "cp39-abi3-musllinux_1_2_x86_64"], 1),
        (MAC, ["cp312-cp312-macosx_11_0_universal2", "cp312-cp312-macosx_11_0_x86_64"], 0),
        (PYODIDE, ["cp312-cp312-pyodide_2024_0_wasm32", "py3-none-any"], 0),
        (CP312, ["cp312-cp312-win_amd64", "cp312-cp312-linux_x86_64"], None),
        (CP312, [], None),
    ],
)
def test_the_wheel_that_an_interpreter_prefers(taken: list[str], there: list[str], best: int | None) -> None:
    wheels = names(*there)
    assert fitting(wheels, taken) == (None if best is None else wheels[best])


@pytest.mark.parametrize(("low", "high"), [("", "-1"), ("-1", "-2"), ("-9", "-10"), ("-1a", "-1b")])
def test_of_two_builds_the_later_one(low: str, high: str) -> None:
    older, newer = (f"demo-1.0{build}-py3-none-any.whl" for build in (low, high))
    assert fitting([older, newer], CP312) == fitting([newer, older], CP312) == newer


def dists(names: Sequence[str]) -> tuple[Dist, ...]:
    return tuple(Dist(name, "0" * 64, 1) for name in names)


def test_where_no_wheel_fits_the_python_is_named() -> None:
    some = dists(names("cp312-cp312-win_amd64"))
    with pytest.raises(NoFittingWheel) as error:
        chosen(some, CP312, "3.12")
    assert "No wheel of this release fits Python 3.12 here, which accepts cp312-cp312-manylinux_2_28_x86_64" in str(
        error.value
    )
    assert "demo-1.0-cp312-cp312-win_amd64.whl" in str(error.value)
    assert chosen(dists(names("py3-none-any")), CP312, "3.12").filename == "demo-1.0-py3-none-any.whl"


def test_a_wheel_for_every_python_needs_no_question() -> None:
    assert fits_everywhere(dists([*names("py2.py3-none-any"), "demo-1.0.tar.gz"]))
    assert not fits_everywhere(dists([*names("cp312-cp312-win_amd64"), "demo-1.0.tar.gz"]))


def venv_of(python: str, folder: Path) -> Venv:
    """Return what passes for the virtual environment of `python`."""
    place = Venv(folder)
    place.scripts.mkdir(parents=True)
    place.python.symlink_to(python)
    return place


needs_links = pytest.mark.skipif(os.name == "nt", reason="symbolic links")


@needs_links
def test_an_interpreter_is_asked_for_its_tags(tmp_path: Path) -> None:
    running = str(Path(sys.executable).resolve())
    found = taken_by(venv_of(running, tmp_path / "venv"), dict(os.environ), tmp_path)
    assert found == tuple(map(str, sys_tags()))


@needs_links
def test_an_interpreter_that_cannot_read_ours_is_asked_with_the_copy_inside_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is too new for an old Python."""
    write_tree(tmp_path, {"packaging/__init__.py": "", "packaging/tags.py": "match platform:\n    this is no Python"})
    monkeypatch.setattr(packaging, "__file__", str(tmp_path / "packaging" / "__init__.py"))
    running = str(Path(sys.executable).resolve())
    found = taken_by(venv_of(running, tmp_path / "venv"), dict(os.environ), tmp_path)
    assert found[:3] == tuple(map(str, sys_tags()))[:3]
    assert "py3-none-any" in found
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolFailed, match="invalid syntax"):
        taken_by(venv_of(running, tmp_path / "another"), dict(os.environ), tmp_path)


@needs_links
@pytest.mark.skipif(not is_here("3.9"), reason="there is no python3.9 on PATH")
def test_an_old_interpreter_is_asked_as_well(tmp_path: Path) -> None:
    old = shutil.which("python3.9")
    found = taken_by(venv_of(str(Path(str(old)).resolve()), tmp_path / "venv"), dict(os.environ), tmp_path)
    assert found[0].startswith("cp39-cp39-")


@needs_links
def test_an_interpreter_that_cannot_answer_is_said_to_be_damaged(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho cannot\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    with pytest.raises(ToolFailed, match=r"which wheels it takes failed \(exit code 3\)"):
        taken_by(venv_of(str(broken), tmp_path / "venv"), dict(os.environ), tmp_path)
