"""Compiled packages: wheels that other jobs made are taken as they are; one that is made here stays here."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from tests.archives import digest
from tests.projects import sample
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Project

NEEDED = 2  # Pythons
SETUP = """\
from setuptools import Extension, setup

setup(ext_modules=[Extension("demo._speed", ["src/demo/_speed.c"])])
"""
SOURCE = """\
#include <Python.h>

static PyObject *twice(PyObject *self, PyObject *number) { return PyNumber_Add(number, number); }

static PyMethodDef methods[] = {{"twice", twice, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_speed", NULL, -1, methods};

PyMODINIT_FUNC PyInit__speed(void) { return PyModule_Create(&module); }
"""
FILES = {
    "setup.py": SETUP,
    "src/demo/_speed.c": SOURCE,
    "src/demo/__init__.py": "from ._speed import twice\n\n__version__ = '1.0'\n\n\ndef main():\n    print(twice(21))\n",
}
SETTINGS = '\n[tool.seatrial]\npythons = {pythons}\nsmoke = ["demo"]\n'
PLATFORM = "manylinux_2_17_x86_64"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="a C compiler, and wheels for Linux"
)


@functools.cache
def pythons() -> dict[str, str]:
    """Return two Pythons of this machine that are not the one that runs us, by version: on PATH, or of pyenv."""
    places = [*Path.home().glob(".pyenv/versions/3.1*/bin"), *map(Path, ("/usr/bin", "/usr/local/bin"))]
    found: dict[str, str] = {}
    for version in ("3.12", "3.13", "3.14", "3.11", "3.10"):
        where = [place / f"python{version}" for place in places if (place / f"python{version}").exists()]
        if where and len(found) < NEEDED:
            found[version] = str(where[0])
    if len(found) < NEEDED:
        pytest.skip("two Pythons with their headers are needed")
    return found


def built(tree: Path, house: Path, python: str, *args: str) -> Path:
    """Build one file of `tree` with `python` as a job of cibuildwheel does, into `house`, and return it."""
    before = set(house.iterdir())
    argv = [find_uv_bin(), "build", "--quiet", "--python", python, "--out-dir", str(house), *args, str(tree)]
    subprocess.run(argv, check=True)
    return next(iter(set(house.iterdir()) - before - {house / ".gitignore"}))


def retagged(wheel: Path, platform: str) -> Path:
    """Give `wheel` the tag of another `platform`, in its name and inside, and return it."""
    head, _, own = wheel.name.removesuffix(".whl").rpartition("-")
    renamed = wheel.with_name(f"{head}-{platform}.whl")
    with zipfile.ZipFile(wheel) as old:
        members = {name: old.read(name) for name in old.namelist()}
    if platform.startswith("win"):
        extension = next(name for name in members if name.endswith(".so"))
        members[f"demo/_speed.{wheel.name.split('-')[2]}-{platform}.pyd"] = b"MZ" + members.pop(extension)
    info = next(name for name in members if name.endswith(".dist-info/WHEEL"))
    record = info.replace("/WHEEL", "/RECORD")
    members[info] = members[info].replace(own.encode(), platform.encode())
    rows = [f"{name},sha256={digest(raw)},{len(raw)}" for name, raw in members.items() if name != record]
    members[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    with zipfile.ZipFile(renamed, "w", zipfile.ZIP_DEFLATED) as new:
        for name, raw in members.items():
            new.writestr(name, raw)
    return renamed


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheelhouse: the sdist, a wheel of it for each of two Pythons on Linux, and one that is for Windows."""
    folder = tmp_path_factory.mktemp("jobs")
    tree, place = sample(folder / "tree", backend="setuptools", files=FILES), folder / "wheelhouse"
    place.mkdir()
    sdist = built(tree, place, next(iter(pythons().values())), "--sdist")
    for python in pythons().values():
        wheel = built(sdist, place, python, "--wheel")
        retagged(wheel, PLATFORM)
        wheel.unlink()
    retagged(next(place.glob("*.whl")), "win_amd64")
    (place / ".gitignore").unlink(missing_ok=True)
    return place


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    found = pythons()
    made = make_project(SETTINGS.format(pythons=[*found, "3.99"]), backend="setuptools", files=FILES)
    path = ":".join(str(Path(python).parent) for python in found.values())
    made.env["PATH"] = f"{path}:{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"
    return made


def test_what_other_jobs_made_is_taken_in_with_a_verdict_on_each_file(project: Project, house: Path) -> None:
    done = project.step("dryrun", "--from", str(house))
    assert done.code == 0, done.output
    for version in pythons():
        name = f"demo-1.0-cp{version.replace('.', '')}-cp{version.replace('.', '')}-{PLATFORM}.whl"
        assert done.shows(f"{name}: verified on Python {version} on linux x86_64")
    windows = next(house.glob("*win_amd64.whl")).name
    reason = "not verified here, no platform that fits: it is for win_amd64"
    assert done.shows("not verified here:", f"{windows}: {reason}")
    assert done.shows("dry run of demo 1.0 passed: 4 files, the same bytes on both stand-ins")
    assert not done.shows("differ from those in the sdist")


def test_a_wheelhouse_that_is_no_release_is_refused(project: Project, house: Path, tmp_path: Path) -> None:
    mixed = shutil.copytree(house, tmp_path / "mixed")
    next(mixed.glob("*.tar.gz")).unlink()
    assert is_clear(project.step("build", "--from", str(mixed)), "it contains no sdist. Found: 3 files", "cibuildwheel")
    assert not project.dist.exists()


def test_a_wheel_that_is_compiled_here_stays_here(project: Project) -> None:
    done = project.step("dryrun")
    assert done.shows(
        "demo-1.0.tar.gz contains code to compile. It is compiled this often: 1 for the wheel; 1 to compare it"
    )
    assert done.shows(
        f"2 in `verify`, of the sdist on Python {', '.join(pythons())}. `sdist-pythons` and `archives` in"
    )
    assert is_clear(
        done, "The sdist was rehearsed to the end; the wheel cannot go up", "linux_x86_64.whl", "--from FOLDER"
    )
    assert done.shows("dry run of demo 1.0 passed: 1 file, the same bytes on both stand-ins")
    assert not done.shows("moved what was in dist/")
    assert not done.shows("release-no-wheel:")
