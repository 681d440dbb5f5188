"""The copy as it is loaded: which sessions it registers, under which names, and for which Pythons."""

from __future__ import annotations

import ast
import ctypes
import os
import runpy
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nox
import nox.registry
import nox.virtualenv
import pytest

from seatrial.cli import main, options
from seatrial.project.pythons import supported_pythons
from seatrial.project.settings import load as load_settings
from tests.projects import write_tree
from tests.samples.copies import RELEASE, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RUNNING = "{}.{}".format(*sys.version_info)
SAFE_PATH = "PYTHONSAFEPATH"
TOO_OLD = "seatrial: the release sessions are not registered: they need "
OLD_PYTHONS = ("3.6", "3.7", "3.8", "3.9")


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give nox an empty registry, and an empty project to be in."""
    monkeypatch.setattr(nox.registry, "_REGISTRY", type(nox.registry._REGISTRY)())
    monkeypatch.delenv(SAFE_PATH, raising=False)
    (tmp_path / "ein Übungsstück").mkdir()
    monkeypatch.chdir(tmp_path / "ein Übungsstück")
    yield
    os.environ.pop(SAFE_PATH, None)


def load(root: Path, files: dict[str, str] | None = None) -> dict[str, Any]:
    """Load the copy as a noxfile in `root` does; return the sessions there are then, by name."""
    write_tree(root, files or {})
    os.chdir(root)
    runpy.run_path(str(RELEASE))
    return dict(nox.registry.get())


# What is registered.


def test_all_sessions_are_there_and_none_runs_unasked(tmp_path: Path) -> None:
    sessions = load(tmp_path)
    assert tuple(sessions) == STEPS
    assert not any(session.default for session in sessions.values())
    assert {session.download_python for session in sessions.values()} == {"never"}
    assert {name: session._requires for name, session in sessions.items() if session._requires} == {
        "check": ["build"],
        "testpypi": ["check"],
        "verify": ["testpypi"],
    }
    assert all(session.__doc__ for session in sessions.values())
    assert not [name for name, session in sessions.items() if "nox -s" in str(session.__doc__)]  # it may have a prefix


def test_they_are_the_steps_of_the_program_and_speak_its_interface(tmp_path: Path) -> None:
    assert {*STEPS, "adopt"} == set(main.STEPS)
    os.chdir(tmp_path)
    assert runpy.run_path(str(RELEASE))["INTERFACE"] == options.INTERFACE


def test_verify_has_a_cell_for_each_python_and_kind_and_a_fresh_environment(tmp_path: Path) -> None:
    sessions = load(tmp_path, {"pyproject.toml": '[tool.seatrial]\npythons = ["3.10", "3.14"]\n'})
    verify = sessions["verify"]
    assert verify.python == ["3.10", "3.14"]
    assert [str(call) for call in verify.parametrize] == ["wheel", "sdist"]
    assert (verify.reuse_venv, verify.venv_backend) == (False, "uv|virtualenv")
    assert [name for name, session in sessions.items() if session.python] == ["verify"]
    assert {session.venv_backend for name, session in sessions.items() if name != "verify"} == {"none"}


@pytest.mark.parametrize(("uv", "params"), [(True, []), (False, ["--symlink-app-data"])])
def test_the_environments_of_verify_have_no_setuptools_and_a_pip_that_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, uv: bool, params: list[str]
) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", uv, raising=False)
    assert load(tmp_path)["verify"].venv_params == ["--no-setuptools", *params]


def test_cells_alone_may_run_side_by_side(tmp_path: Path) -> None:
    sessions = load(tmp_path)
    parallel = {name for name, session in sessions.items() if getattr(session, "allow_parallel", False)}
    assert parallel == ({"verify"} if hasattr(sessions["verify"], "allow_parallel") else set())


@pytest.mark.parametrize(
    ("settings", "taken", "expected"),
    [
        ("", "lint", "check"),
        ("", "check", "release-check"),
        ('session-prefix = "s-"', "check", "s-check"),
        ('session-prefix = "s-"', "lint", "s-check"),
    ],
)
def test_a_name_that_is_taken_gives_a_prefix(tmp_path: Path, settings: str, taken: str, expected: str) -> None:
    @nox.session(name=taken)
    def own(session: nox.Session) -> None:
        """Do the project's own thing."""

    sessions = load(tmp_path, {"pyproject.toml": f"[tool.seatrial]\n{settings}\n"})
    assert expected in sessions
    assert sessions[taken].__doc__ == "Do the project's own thing."
    assert len(sessions) == len(STEPS) + 1
    prefix = expected.removesuffix("check")
    assert sessions[f"{prefix}verify"]._requires == [f"{prefix}testpypi"]


def test_what_python_imports_from_where_stays_as_it_was(tmp_path: Path) -> None:
    before = list(sys.path)
    load(tmp_path)
    assert sys.path == before


# The Pythons of `verify`.


TOML = [
    "",
    '[project]\nname = "demo"\n',
    '[project]\nrequires-python = "<3.9"\n',
    '[project]\nrequires-python = ">=3.9"\n',
    '[project]\nrequires-python = ">=3.9.1,<3.12"\n',
    '[project]\nrequires-python = ">=3.99"\n',
    '[project]\nrequires-python = "?"\nclassifiers = ["Programming Language :: Python :: 3.9"]\n',
    "[project]\nrequires-python = 3.10\n",
    "[project]\nclassifiers = [1]\n",
    "project = 1\n",
    "[[project]]\n",
    '[project]\nclassifiers = "Programming Language :: Python :: 3.9"\n',
    '[tool.seatrial]\npythons = ["3.10", "3.14t", "pypy3.11"]\nsession-prefix = "r-"\n',
    '[tool.seatrial]\nsession-prefix = "r-"\n[project]\nrequires-python = "?"\n',
]
CLASSIFIERS = [(), ("3",), ("3.9", "3.10", "3.13"), ("3.13", "3.10"), ("2.7", "3.5"), ("3.5", "3.16"), ("3.12",)]
REQUIRES = ["", ">=3.10", "<3.12,>3.8", "==3.12.*", "~=3.11", "!=3.13.*", "<3"]
TABLES = [
    "[project]\n"
    + "classifiers = {}\n".format([f"Programming Language :: Python :: {version}" for version in versions])
    + (f'requires-python = "{requires}"\n' if requires else "")
    for versions in CLASSIFIERS
    for requires in REQUIRES
]


@pytest.mark.parametrize("here", [(), ("3.10",), ("3.9", "3.14", "3.16")])
def test_copy_and_program_choose_the_same_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: tuple[str, ...]
) -> None:
    for python in here:
        program = write_tree(tmp_path / "bin", {f"python{python}{'.exe' if os.name == 'nt' else ''}": ""})
        for path in program.iterdir():
            path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for number, text in enumerate([*TOML, *TABLES]):
        root = write_tree(tmp_path / str(number), {"pyproject.toml": text})
        monkeypatch.chdir(root)
        nox.registry._REGISTRY.clear()
        copy, settings = runpy.run_path(str(RELEASE)), load_settings(root)
        assert (tuple(copy["PYTHONS"]), copy["PREFIX"]) == (settings.pythons, settings.session_prefix), text


def test_settings_of_a_project_without_pyproject_stand_in_their_own_file(tmp_path: Path) -> None:
    own = 'pythons = ["3.11"]\nsession-prefix = "s-"\n'
    assert load(tmp_path, {"setup.py": "", "seatrial.toml": own})["s-verify"].python == ["3.11"]


@pytest.mark.parametrize(
    "text",
    [
        "[tool.seatrial",
        "\xff",
        "tool = 1",
        "[tool]\nseatrial = 1",
        "[tool.seatrial]\npythons = 3",
        "[tool.seatrial]\npythons = [3]",
        '[tool.seatrial]\npythons = "3.12"',
        '[tool.seatrial]\npythons = ["python3.12"]',
        "[project]\nclassifiers = 1",
    ],
)
def test_what_is_wrong_counts_as_not_set_and_is_left_to_the_session(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))
    assert load(tmp_path)["verify"].python == list(supported_pythons({})) == [RUNNING]


# Modules of the project that hide those of nox.


@pytest.fixture
def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", False, raising=False)


@pytest.mark.usefixtures("without_uv")
@pytest.mark.parametrize("name", ["packaging/__init__.py", "email/__init__.py", "random.py", "virtualenv.py"])
def test_a_module_that_hides_one_of_nox_is_worked_around(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, {name: ""})["verify"].venv_backend == (
        "uv|virtualenv" if sys.version_info >= (3, 11) else "none"
    )
    assert os.environ[SAFE_PATH] == "1"


@pytest.mark.usefixtures("without_uv")
def test_where_there_is_no_way_around_verify_has_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 10, 0))
        sessions = load(tmp_path, {"email/__init__.py": ""})
    assert sessions["verify"].venv_backend == "none"


@pytest.mark.usefixtures("without_uv")
@pytest.mark.parametrize("name", ["packaging/readme.txt", "emails/__init__.py", "src/email/__init__.py", "demo.py"])
def test_other_modules_change_nothing(tmp_path: Path, name: str) -> None:
    load(tmp_path, {name: ""})
    assert SAFE_PATH not in os.environ


def test_with_uv_nothing_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", True, raising=False)
    load(tmp_path, {"email/__init__.py": ""})
    assert SAFE_PATH not in os.environ


# Secrets.


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_nox_was_started_with_can_be_read_by_no_other_process_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prctl, dumpable = ctypes.CDLL(None).prctl, list[int]()

    class Session:
        interactive, posargs, invoked_from = False, (), str(tmp_path)

        @property
        def env_dir(self) -> Path:
            dumpable.append(prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
            raise OSError("the end")

        def error(self, message: str) -> None:
            raise RuntimeError(message)

    monkeypatch.setenv("PYPI_TOKEN", "a secret")
    session = load(tmp_path)["pypi"]
    try:
        with pytest.raises(RuntimeError, match="refused to read or write: the end"):
            session.func(Session())
        dumpable.append(prctl(3, 0, 0, 0, 0))
    finally:
        prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE
    assert dumpable == [0, 0]
    assert "PYPI_TOKEN" not in os.environ


# Too old.


@pytest.fixture
def nox_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what makes nox say that it has this version."""
    folder = write_tree(tmp_path / "site", {"nox-0.dist-info/METADATA": ""})
    monkeypatch.syspath_prepend(folder)

    def install(version: str) -> None:
        metadata = f"Metadata-Version: 2.1\nName: nox\n{version and f'Version: {version}'}\n"
        (folder / "nox-0.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")

    return install


@pytest.mark.parametrize(
    "version", ["2025.10.16", "2025.10.17", "2025.11.12", "2026.1.1", "2025.10.16.post1", "2026.0.0rc1", "unknown", ""]
)
def test_a_nox_is_new_enough(nox_version: Callable[[str], None], tmp_path: Path, version: str) -> None:
    nox_version(version)
    assert tuple(load(tmp_path)) == STEPS


@pytest.mark.parametrize("version", ["2025.10.15", "2025.5.1", "2025.9.30", "2025.10", "2024.10.9", "2019.5.30"])
def test_an_old_nox_gets_no_sessions_and_one_message(
    nox_version: Callable[[str], None], tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    nox_version(version)
    assert load(tmp_path) == {}
    message = f"nox 2025.10.16 or later (this is {version}): pip install --upgrade nox"
    assert capsys.readouterr() == ("", f"{TOO_OLD}{message}\n")


@pytest.mark.parametrize("python", [(3, 6, 15), (3, 9, 18)])
def test_an_old_python_gets_no_sessions_and_one_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], python: tuple[int, ...]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", python)
        assert load(tmp_path) == {}
    version = ".".join(map(str, python))
    assert capsys.readouterr() == ("", f"{TOO_OLD}Python 3.10 or later (this is {version})\n")


def test_an_old_python_can_read_it() -> None:
    ast.parse(RELEASE.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_an_old_python_and_an_old_nox_go_on_after_it(tmp_path: Path) -> None:
    nox_2019 = {"nox/__init__.py": "def session(*_): ...\n", "nox/registry.py": "", "nox/virtualenv.py": ""}
    noxfile = f"import runpy\nrunpy.run_path({str(RELEASE)!r})\nprint('my own sessions')\n"
    write_tree(tmp_path, {"noxfile.py": noxfile, **nox_2019})
    pythons = [path for version in OLD_PYTHONS if (path := shutil.which(f"python{version}")) and runs(path)]
    if not pythons:
        pytest.skip("there is no old Python here")
    for python in pythons:
        done = subprocess.run([python, "noxfile.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "my own sessions\n"), done.stderr
        assert done.stderr.startswith(f"{TOO_OLD}Python 3.10 or later (this is 3.")
        assert done.stderr.count("\n") == 1


def runs(python: str) -> bool:
    """Whether `python` is more than the name of a version that is not installed."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def test_it_is_short_enough_to_be_read() -> None:
    assert len(RELEASE.read_text(encoding="utf-8").splitlines()) <= 200
