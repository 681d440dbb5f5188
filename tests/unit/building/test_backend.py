"""The frontend that sets the backend apart, with real backends that lie in the tree and need nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.building import backend
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = """\
import os
import zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        archive.writestr("seen.txt", "|".join([os.environ["PATH"], os.environ.get("SETTING", "none")]))
    return name
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "tree", {"pyproject.toml": PYPROJECT, "backend.py": BACKEND})


def argv(tree: Path, *more: str) -> list[str]:
    out = tree.parent / "out"
    return ["--wheel", "--report", str(tree.parent / "report.json"), "--outdir", str(out), *more, str(tree)]


def seen(wheel: Path) -> list[str]:
    code = f"import zipfile; print(zipfile.ZipFile({str(wheel)!r}).read('seen.txt').decode())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip().split("|")


def test_the_hooks_see_what_is_set_for_them_and_the_wheel_is_reported(tree: Path) -> None:
    assert backend.main(argv(tree, "--first", "/first", "--set", "SETTING=a=b")) == 0
    wheel = tree.parent / "out" / "demo-1.0-py3-none-any.whl"
    path, setting = seen(wheel)
    assert (path.split(os.pathsep)[0], setting) == ("/first", "a=b")
    assert path.endswith(os.environ["PATH"])
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    report = json.loads((tree.parent / "report.json").read_text(encoding="utf-8"))
    assert report == {"artifacts": [{"name": wheel.name, "hashes": {"sha256": digest}}]}


def test_without_them_the_backend_is_as_always(tree: Path) -> None:
    assert backend.main(argv(tree)) == 0
    path, setting = seen(tree.parent / "out" / "demo-1.0-py3-none-any.whl")
    assert setting == "none"
    assert path.endswith(os.environ["PATH"])


BROKEN: list[tuple[Mapping[str, str], str]] = [
    (
        {"backend.py": "def build_wheel(*args, **settings):\n    raise RuntimeError('no wheel')\n"},
        "trying to invoke build_wheel",
    ),
    ({"pyproject.toml": "[build-system\n"}, "Failed to parse"),
]


@pytest.mark.parametrize(("files", "said"), BROKEN)
def test_what_fails_is_said_without_a_traceback_of_ours(
    tree: Path, capfd: pytest.CaptureFixture[str], files: Mapping[str, str], said: str
) -> None:
    assert backend.main(argv(write_tree(tree, files))) == 1
    out, _ = capfd.readouterr()
    assert said in out
    assert Path(backend.__file__).name not in out
    assert not (tree.parent / "report.json").exists()
