"""What uv and pip leave of a wheel: both write RECORD anew, and the probe must find in it what the wheel said."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.cli.release import find_uv
from seatrial.machine import variables
from seatrial.project.settings import Settings
from seatrial.trial import trial
from seatrial.trial.installer import Installer, Venv
from tests import archives
from tests.archives import WHEEL, metadata, wheel_members, written, zip_info, zipped

if TYPE_CHECKING:
    from pathlib import Path

UV = pytest.param(find_uv(), id="uv", marks=pytest.mark.skipif(not find_uv(), reason="uv is not here"))
NOWHERE = "http://127.0.0.1:9/simple/"
SOUND = {
    "demo/data.json": "{}\n",
    "demo/cli.py": "def main():\n    pass\n",
    "demo-1.0.data/scripts/demo-tool": "#!python\nprint(1)\n",
    "demo-1.0.data/purelib/demo_more.py": "x = 1\n",
    "demo-1.0.dist-info/entry_points.txt": "[console_scripts]\ndemo = demo.cli:main\n",
}


@pytest.fixture(params=[UV, pytest.param(None, id="pip")])
def installer(request: pytest.FixtureRequest, tmp_path: Path) -> Installer:
    env = variables.for_install(os.environ) | {"UV_CACHE_DIR": str(tmp_path / "cache")}
    (tmp_path / "scratch").mkdir()
    return Installer(request.param, env, tmp_path / "scratch", NOWHERE)


def wheel(folder: Path, **damaged: bytes) -> Path:
    """Write a wheel of all kinds of files; `damaged` are contents of data files that RECORD does not know of."""
    members = wheel_members(WHEEL, metadata(), SOUND)
    members |= {f"demo/{name}.json": raw for name, raw in damaged.items()}
    program = zip_info("demo-1.0.data/scripts/demo-tool")
    program.external_attr = 0o100755 << 16  # pip makes a program of it only then
    renamed = {program.filename: program}
    return written(folder, WHEEL, zipped((renamed.get(name, name), raw) for name, raw in members.items()))


def installed(installer: Installer, path: Path, root: Path) -> Venv:
    venv = installer.create(root / "venv", None)
    installer.from_file(venv, path, "demo")
    return venv


def problems(installer: Installer, venv: Venv) -> list[Any]:
    subject = trial.Subject("demo", "demo", "1.0", ())
    found = trial.probe(installer, venv, subject, Settings(), installer.scratch)
    return [(problem["kind"], problem["name"]) for problem in found["problems"]]


def test_a_wheel_of_all_kinds_of_files_is_sound(installer: Installer, tmp_path: Path) -> None:
    venv = installed(installer, wheel(tmp_path), tmp_path)
    assert problems(installer, venv) == []


def test_a_file_that_was_changed_after_its_hash_was_taken_is_found(installer: Installer, tmp_path: Path) -> None:
    path = wheel(tmp_path, data=b'{"damaged": 1}\n')
    assert problems(installer, installed(installer, path, tmp_path)) == [("changed-file", "demo/data.json")]


def test_a_file_that_was_changed_once_installed_is_found(installer: Installer, tmp_path: Path) -> None:
    venv = installed(installer, wheel(tmp_path), tmp_path)
    (module,) = venv.root.rglob("demo/cli.py")
    module.unlink()  # uv may have linked it to its cache
    module.write_text("def main():\n    print()\n", encoding="utf-8")
    assert problems(installer, venv) == [("changed-file", "demo/cli.py")]


def test_a_file_that_was_removed_once_installed_is_found(installer: Installer, tmp_path: Path) -> None:
    venv = installed(installer, wheel(tmp_path), tmp_path)
    (data,) = venv.root.rglob("demo/data.json")
    data.unlink()
    assert problems(installer, venv) == [("missing-file", "demo/data.json")]


def test_what_brings_its_own_pip_leaves_that_of_other_environments(installer: Installer, tmp_path: Path) -> None:
    path = archives.wheel(tmp_path, {"Name": "pip", "Version": "99"}, filename="pip-99-py3-none-any.whl")
    venv, other = installer.create(tmp_path / "venv", None), installer.create(tmp_path / "other", None)
    installer.from_file(venv, path, "pip")
    assert [folder.name for folder in venv.root.rglob("pip-*.dist-info")] == ["pip-99.dist-info"]
    installer.check(other)
