"""What was hard to understand when real projects were rehearsed for the first time, and the words it has now."""

from __future__ import annotations

import importlib.metadata
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from seatrial.cli.listed import NAMES
from seatrial.cli.sessions import Setup, _as_typed
from seatrial.project.options import BadOption, parse
from seatrial.project.settings import Config
from seatrial.release.archives import Archive, BadArchive
from seatrial.release.stages import KINDS, Cell
from seatrial.report import text
from seatrial.trial.probe import modules
from seatrial.trial.probe.subject import subject_of
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: {version}\n{more}\n"


def sdist(folder: Path, names: tuple[str, ...]) -> Path:
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        for name in names:
            content = METADATA.format(version="1.0", more="").encode()
            member = tarfile.TarInfo(f"demo-1.0/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def test_a_project_that_holds_a_pkg_info_is_told_to_delete_it(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="more than one PKG-INFO") as caught:
        Archive.open(sdist(tmp_path, ("PKG-INFO", "PKG-INFO")))
    assert "git rm PKG-INFO" in str(caught.value)
    assert "cut short" not in str(caught.value)


def test_a_pkg_info_deeper_down_is_no_second_one(tmp_path: Path) -> None:
    assert Archive.open(sdist(tmp_path, ("PKG-INFO", "src/demo.egg-info/PKG-INFO"))).name == "demo"


def test_pythons_are_shown_in_the_order_of_their_versions() -> None:
    pythons = ("3.14", "3.9", "3.10", "pypy3.11", "3.14t")
    lines = text.cells((), [Cell(python, kind) for python in pythons for kind in KINDS]).splitlines()
    assert [line.split()[1] for line in lines[::2]] == ["3.9", "3.10", "pypy3.11", "3.14", "3.14t"]
    assert [line.split()[2] for line in lines[:2]] == ["sdist", "wheel"]


def setup(root: Path, *, door: bool = False, prefix: str = "") -> Setup:
    return Setup(root, door, Config(pythons=("3.12",)), None, {name: prefix + name for name in NAMES})


@pytest.mark.parametrize(
    ("door", "prefix", "typed"),
    [
        (False, "", "run `nox -s build -- --rebuild` or `nox -s own`"),
        (False, "release-", "run `nox -s release-build -- --rebuild` or `nox -s own`"),
        (True, "", "run `seatrial build --rebuild` or `seatrial own`"),
    ],
)
def test_a_message_has_commands_as_they_are_typed_here(tmp_path: Path, *, door: bool, prefix: str, typed: str) -> None:
    message = "run `nox -s build -- --rebuild` or `nox -s own`."
    assert _as_typed(setup(tmp_path, door=door, prefix=prefix), message) == typed


def test_options_are_explained_under_the_command_that_was_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse("build", ["--help"], tmp_path, prog="seatrial build")
    assert capsys.readouterr().out.startswith("usage: seatrial build [-h]")
    with pytest.raises(BadOption, match=r"seatrial build: unrecognized arguments: a\.whl"):
        parse("build", ["a.whl"], tmp_path, prog="seatrial build")


def test_a_name_that_has_its_prefix_already_gets_no_other(tmp_path: Path) -> None:
    assert (
        _as_typed(setup(tmp_path, prefix="release-"), "`nox -s release-build` first.") == "`nox -s release-build` first"
    )


@pytest.mark.parametrize(
    ("extras", "said"),
    [
        ("", "`import-names` in [tool.seatrial] narrows what is imported."),
        (
            "Provides-Extra: d\nProvides-Extra: uvloop\n",
            "`import-names` in [tool.seatrial] narrows what is imported; `extras` names those to install: d, uvloop.",
        ),
    ],
)
def test_a_failed_import_may_want_an_extra_where_there_are_any(tmp_path: Path, extras: str, said: str) -> None:
    info = write_tree(tmp_path / "demo-1.0.dist-info", {"METADATA": METADATA.format(version="1.0", more=extras)})
    assert modules._ways_out(subject_of(importlib.metadata.PathDistribution(info))) == said
