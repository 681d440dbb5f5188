from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import explain
from seatrial.cli.door import SESSIONS
from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.project.settings import Config
from tests.projects import commit, git, sample

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Kind

CONFIG = Config(pythons=("3.11", "3.14"))
OWN = Config(
    pythons=("3.12",),
    archives=("sdist",),
    pypi=Index("ours", simple="https://index.example/simple/", upload="https://index.example/upload/"),
)


def test_an_import_away_from_the_checkout_runs_in_a_posix_shell(tmp_path: Path) -> None:
    sh = shutil.which("sh")
    if sh is None:
        pytest.skip("there is no shell here")
    folder, program = tmp_path / "ein Übungsstück", tmp_path / "verify" / "bin" / "python"
    folder.mkdir()
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s|" "$PWD" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    line = explain.session("verify", CONFIG).splitlines()[-1]
    done = subprocess.run([sh, "-c", f"{line}; pwd"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == f"/|-I|-c|import IMPORT_NAME|{folder}\n"


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        (
            "build",
            [
                "git clone --no-checkout",
                "SOURCE_DATE_EPOCH",
                "python -m build --sdist",
                "python -m build --wheel",
                "sha256sum dist/*",
            ],
        ),
        ("check", ["twine check dist/*", "pip install dist/*.whl", "pip install dist/*.tar.gz", "pip check"]),
        ("testpypi", ["python -m twine upload", "TWINE_PASSWORD=...", "value of TESTPYPI_TOKEN"]),
        ("verify", ["python3.11 -m venv", "pip install --no-cache-dir --no-deps", "pip check", "import IMPORT_NAME"]),
        ("pypi", ["python -m twine upload", "TWINE_PASSWORD=...", "value of PYPI_TOKEN"]),
        ("dryrun", ["pypi-server run"]),
        ("inspect", ["twine check FILE..."]),
        ("rebuild", ["checkout --detach vVERSION", "log -1 vVERSION", "python -m build --wheel", "curl"]),
        ("status", ["cat release-record/*.json"]),
    ],
)
def test_a_session_names_its_commands(name: str, commands: list[str]) -> None:
    text = explain.session(name, CONFIG)
    assert not [command for command in commands if command not in text]


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.parametrize("config", [CONFIG, OWN])
def test_every_line_is_one_for_a_shell(name: str, kind: Kind, config: Config) -> None:
    lines = explain.session(name, config, kind).splitlines()
    assert lines
    assert all(shlex.split(line, comments=True) for line in lines)


@pytest.mark.parametrize("name", SESSIONS)
def test_no_secret_is_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (
        "PYPI_TOKEN",
        "TESTPYPI_TOKEN",
        "TWINE_USERNAME",
        "TWINE_PASSWORD",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
    ):
        monkeypatch.setenv(variable, "a-secret")
    assert "a-secret" not in explain.session(name, CONFIG)


@pytest.mark.parametrize(("name", "index"), [("testpypi", TESTPYPI), ("pypi", PYPI), ("pypi", OWN.pypi)])
def test_an_upload_goes_to_an_explicit_url(name: str, index: Index) -> None:
    config = OWN if index is OWN.pypi else CONFIG
    text = explain.session(name, config)
    assert f"--repository-url {index.upload} --config-file /dev/null" in text
    assert f"{index.simple}PROJECT/" in text
    assert ("your token" in text) == (not index.token_variable)


def test_the_package_itself_comes_from_the_rehearsal_index_without_dependencies() -> None:
    lines = explain.session("verify", CONFIG).splitlines()
    own, rest = (next(line for line in lines if word in line) for word in ("--no-deps", "DEPENDENCIES"))
    assert f"--index-url {TESTPYPI.simple} --only-binary :all: --require-hashes" in own
    assert f"--index-url {PYPI.simple}" in rest
    assert TESTPYPI.simple not in rest


def test_an_sdist_is_never_built_with_the_rehearsal_index() -> None:
    text = explain.session("verify", CONFIG, "sdist")
    assert f"--no-deps --index-url {PYPI.simple} ./FILE.tar.gz" in text
    assert TESTPYPI.simple not in text


def test_only_the_archives_of_the_project_are_named() -> None:
    assert "--wheel" in explain.session("build", CONFIG)
    assert "--wheel" not in explain.session("build", OWN)
    assert "dist/*.whl" not in explain.session("check", OWN)
    assert "dist/*.whl" in explain.session("check", CONFIG)


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell here")
def test_the_build_runs_as_it_stands(tmp_path: Path) -> None:
    folder = sample(tmp_path / "demo")
    commit(folder)
    shell = shutil.which("sh") or ""
    lines = explain.session("build", CONFIG).splitlines()[:3]
    script = "\n".join(["set -e", *lines, 'echo "$SOURCE_DATE_EPOCH"'])
    done = subprocess.run([shell, "-c", script], cwd=folder, env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == git(folder, "log", "-1", "--format=%ct")
    assert (tmp_path / "seatrial-checkout" / "pyproject.toml").exists()
