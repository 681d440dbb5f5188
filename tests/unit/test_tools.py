from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from seatrial.project.context import REQUIREMENTS, STAMP, Run
from seatrial.trial.installer import Venv
from tests.projects import write_tree


class Session:
    """What `Run.tools` asks of nox: where the environment is, and to install into it."""

    def __init__(self, venv: Venv, venv_backend: str = "virtualenv") -> None:
        self.bin = str(venv.scripts)
        self.venv_backend = venv_backend
        self.installed: list[tuple[str, ...]] = []
        self.env: dict[str, Any] = {}

    def install(self, *args: str, env: dict[str, Any]) -> None:
        self.installed.append(args)
        self.env = env


def venv(folder: Path) -> Venv:
    """Make what is looked at of an environment in `folder`."""
    made = Venv(folder)
    write_tree(made.scripts, {made.python.name: ""})
    return made


def tools(session: Session, lock: str = "twine") -> Path:
    run = SimpleNamespace(session=session, venv=Venv(Path(session.bin).parent))
    return Run.tools(cast("Run", run), lock)


@pytest.fixture
def check(tmp_path: Path) -> Venv:
    """The environment of a session that has installed its tools."""
    made = venv(tmp_path / "check")
    tools(Session(made))
    return made


def test_tools_are_installed_with_their_hashes_once(tmp_path: Path) -> None:
    session = Session(venv(tmp_path / "check"))
    assert tools(session) == tools(session) == Venv(tmp_path / "check").python
    assert session.installed == [("--require-hashes", "--no-compile", "-r", str(REQUIREMENTS / "twine.txt"))]


def test_uv_is_told_where_as_another_environment_may_be_active(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    monkeypatch.setenv("UV_PYTHON", str(tmp_path / "active"))
    session = Session(venv(tmp_path / "check"), "uv")
    python = tools(session)
    assert session.installed[0][:2] == ("--python", str(python))


def test_no_secret_is_there_when_they_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "pypi-of-somebody")
    session = Session(venv(tmp_path / "check"))
    tools(session)
    assert session.env["PYPI_TOKEN"] is None  # nox takes it out


def test_another_session_with_this_lock_uses_them_where_they_are(check: Venv, tmp_path: Path) -> None:
    other = Session(venv(tmp_path / "pypi"))
    assert tools(other) == check.python
    assert other.installed == []


def test_another_lock_is_installed_beside_them(check: Venv, tmp_path: Path) -> None:
    other = Session(venv(tmp_path / "build"))
    assert tools(other, "build") != check.python
    assert len(other.installed) == 1


@pytest.mark.parametrize("fault", ["half installed", "another lock", "interpreter gone"])
def test_tools_that_are_not_whole_are_used_by_nobody(check: Venv, tmp_path: Path, fault: str) -> None:
    if fault == "half installed":
        (check.root / STAMP).unlink()
    elif fault == "another lock":
        (check.root / STAMP).write_text(hashlib.sha256(b"another").hexdigest(), encoding="utf-8")
    else:
        check.python.unlink()
    other = Session(venv(tmp_path / "pypi"))
    assert tools(other) == Venv(tmp_path / "pypi").python
    assert len(other.installed) == 1


def test_an_environment_made_anew_has_to_have_them_again(tmp_path: Path) -> None:
    session = Session(venv(tmp_path / "check"))
    tools(session)
    (tmp_path / "check" / STAMP).unlink()
    tools(session)
    assert len(session.installed) == 2


def test_tools_that_failed_to_install_are_tried_again(tmp_path: Path) -> None:
    made = venv(tmp_path / "check")
    failing = Session(made)
    failing.install = lambda *_args, env: 1 / len({}) if env else None  # type: ignore[assignment,method-assign]
    with pytest.raises(ZeroDivisionError):
        tools(failing)
    session = Session(made)
    tools(session)
    assert len(session.installed) == 1
