"""Real noxes in projects with the copy; a small program stands in for seatrial and says how it was called."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.projects import write_tree
from tests.samples import copies
from tests.samples.copies import PROGRAM, RUNNING, make, nox, nox_from

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_UV = {"UV": "no-uv-here"}  # nox then takes virtualenv, and the copy pip
HAS_UV = bool(shutil.which("uv") or importlib.util.find_spec("uv"))
CELLS = [f"verify-{RUNNING}(wheel)", f"verify-{RUNNING}(sdist)"]
SECRETS = ("PYPI_TOKEN", "TESTPYPI_TOKEN", "PYPI_ID_TOKEN", "TWINE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose program is a checkout, as in seatrial's own repository."""
    return make(tmp_path / "ein Übungsstück")


def places(project: Path) -> set[str]:
    """Return the names in .nox, without those that nox keeps for itself."""
    return {path.name for path in (project / ".nox").iterdir()} - {".cache", ".gitignore", "CACHEDIR.TAG"}


# The chain.


def test_verify_runs_the_chain_and_each_cell(project: Path) -> None:
    done = nox(project, "-s", "verify", "--", "--keep-sealed")
    assert done.code == 0, done.output
    assert done.steps == ["build", "check", "testpypi", "verify", "verify"]
    assert all(call["words"][-1] == "--keep-sealed" for call in done.calls)
    assert all(call["context"]["asked"] == ["verify"] for call in done.calls)
    for call, kind in zip(done.calls[3:], ("wheel", "sdist"), strict=True):
        place = project / ".nox" / f"verify-{RUNNING.replace('.', '-')}-{kind}"
        assert call["words"][:6] == ["--python", RUNNING, "--kind", kind, "--environment", str(place)]
        assert (place / "pyvenv.cfg").is_file()
        assert not list(place.rglob("setuptools"))
        # The program is elsewhere: nothing but the release is ever installed in the cell.
        assert Path(call["prefix"]) == project / ".nox" / "build"
    assert [Path(call["prefix"]).name for call in done.calls[:3]] == ["build", "check", "testpypi"]


def test_what_nox_alone_knows_is_handed_over(project: Path, tmp_path: Path) -> None:
    done = nox_from(tmp_path, project, "-s", "status", "--", "--remote")
    (call,) = done.calls
    assert call["words"] == ["--remote"]
    uv = call["context"].pop("uv")
    assert uv is None or Path(uv).is_absolute()
    assert call["context"] == {
        "interface": 1,
        "prefix": "",
        "interactive": False,
        "asked": ["status"],
        "withheld": [],
        "root": str(project),
        "start": str(tmp_path),
    }


def test_without_dependencies_a_cell_makes_an_environment_for_the_program(project: Path) -> None:
    done = nox(project, "--no-dependencies", "-s", CELLS[0])
    assert (done.code, done.steps) == (0, ["verify"]), done.output
    assert done.calls[0]["context"]["asked"] == []  # no session before it says what there is to say
    assert places(project) == {"verify", f"verify-{RUNNING.replace('.', '-')}-wheel"}


@pytest.mark.parametrize("variables", [{}, NO_UV], ids=["uv", "virtualenv"])
def test_half_an_environment_is_replaced(project: Path, variables: dict[str, str]) -> None:
    """As a full disk leaves one: without pyvenv.cfg, and with files where the new one has its own."""
    half = project / ".nox" / f"verify-{RUNNING.replace('.', '-')}-wheel"
    write_tree(half, {"bin/python": "", "lib/python3.99/site-packages/left.py": "", "lib64": ""})
    done = nox(project, "--no-dependencies", "-s", CELLS[0], **variables)
    assert (done.code, done.steps) == (0, ["verify"]), done.output
    assert (half / "pyvenv.cfg").is_file()
    assert not list(half.rglob("left.py"))


def test_a_python_can_be_chosen_and_one_that_is_missing_is_skipped(project: Path) -> None:
    write_tree(project, {"pyproject.toml": f'[tool.seatrial]\npythons = ["3.8", "{RUNNING}"]\n'})
    chosen = nox(project, "--no-dependencies", "-s", "verify", "-p", RUNNING)
    assert [call["words"][1] for call in chosen.calls] == [RUNNING, RUNNING]
    both = nox(project, "--no-dependencies", "-s", "verify", PATH=os.path.dirname(sys.executable))  # noqa: PTH120
    assert both.code == 0, both.output
    assert "Python interpreter 3.8 not found" in both.output
    assert [call["words"][1] for call in both.calls] == [RUNNING, RUNNING]


def test_a_step_that_fails_ends_the_chain_with_1(project: Path) -> None:
    done = nox(project, "-s", "check", "--", "--fail")
    assert (done.code, done.steps) == (1, ["build"])


def test_a_taken_name_gives_a_prefix(project: Path) -> None:
    own = 'import nox\n\n@nox.session(venv_backend="none")\ndef check(session):\n    print("our own")\n\n'
    write_tree(project, {"noxfile.py": own + copies.NOXFILE})
    done = nox(project, "-s", "release-check")
    assert done.steps == ["build", "check"]
    assert [(call["context"]["prefix"], call["context"]["asked"]) for call in done.calls] == [
        ("release-", ["check"]),
        ("release-", ["check"]),
    ]
    assert places(project) == {"release-build", "release-check"}
    assert "our own" in nox(project, "-s", "check").output


# Environments.


@pytest.mark.parametrize("variables", [{}, NO_UV], ids=["uv", "pip"])
def test_the_lock_is_installed_once_and_anew_when_it_changes(tmp_path: Path, variables: dict[str, str]) -> None:
    project = make(tmp_path / "demo", wheel=True)
    first = nox(project, "-s", "build", **variables)
    assert first.code == 0, first.output
    assert "Installing" in first.output
    leftover = next((project / ".nox" / "build").rglob("site-packages")) / "leftover.py"
    leftover.touch()
    second = nox(project, "-s", "build", **variables)
    assert "Installing" not in second.output
    copies.lock(project, PROGRAM.replace("step=step", 'step="other " + step'))
    third = nox(project, "-s", "build", **variables)
    assert third.steps == ["other build"], third.output
    assert not leftover.exists()
    assert places(project) == {"build"}


def test_a_lock_whose_hash_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    project = make(tmp_path / "demo", wheel=True)
    path = project / "tasks" / "release.txt"
    path.write_text(re.sub("sha256:.", "sha256:", path.read_text(encoding="utf-8")) + "0\n", encoding="utf-8")
    for variables in ({}, NO_UV):
        done = nox(project, "-s", "build", **variables)
        assert (done.code, done.calls) == (1, ())
        assert re.search("(?i)hash", done.output)
        assert not list((project / ".nox").rglob("release-lock-*"))


@pytest.mark.parametrize("name", ["release.txt", "seatrial-0-py3-none-any.whl"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    project = make(tmp_path / "demo", wheel=True)
    (project / "tasks" / name).unlink()
    done = nox(project, "-s", "build")
    assert done.code == 1
    assert name in done.output
    assert "Traceback" not in done.output


def test_an_environment_without_its_interpreter_is_made_anew(project: Path) -> None:
    nox(project, "-s", "build")
    python = project / ".nox" / "build" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    python.unlink()
    done = nox(project, "-s", "build")
    assert (done.code, done.steps) == (0, ["build"]), done.output


def test_what_another_noxfile_left_is_not_trusted(project: Path) -> None:
    """A session of the same name made an environment there once, and never wrote our stamp."""
    write_tree(project / ".nox" / "build", {"pyvenv.cfg": "", "old.txt": ""})
    done = nox(project, "-s", "build")
    assert (done.code, done.steps) == (0, ["build"]), done.output
    assert not (project / ".nox" / "build" / "old.txt").exists()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_an_environment_that_was_half_made_is_not_trusted(project: Path) -> None:
    write_tree(project, {"tasks/seatrial/__main__.py": "import time\n\ntime.sleep(60)\n"})
    process = subprocess.Popen(
        copies.argv("-s", "build"),
        cwd=project,
        env=copies.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not list(project.rglob("checkout.pth")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not list(project.rglob("release-lock-*"))
    write_tree(project, {"tasks/seatrial/__main__.py": PROGRAM})
    done = nox(project, "-s", "build")
    assert (done.code, done.steps) == (0, ["build"]), done.output


def test_two_noxes_at_once_in_a_fresh_project_both_work(tmp_path: Path) -> None:
    project = make(tmp_path / "demo", wheel=True)
    starts = [
        subprocess.Popen(
            copies.argv("-s", "build"),
            cwd=project,
            env=copies.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    ends = [(process.communicate()[0], process.returncode) for process in starts]
    assert [code for _, code in ends] == [0, 0, 0], ends
    assert places(project) == {"build"}
    assert "Installing" not in nox(project, "-s", "build").output


@pytest.fixture
def read_only(project: Path) -> Iterator[Path]:
    """A .nox in which nothing can be written, not by root either: it is a file."""
    (project / ".nox").touch()
    yield project / ".nox"
    (project / ".nox").unlink()


def test_an_environment_that_cannot_be_made_is_a_message(project: Path, read_only: Path) -> None:
    done = nox(project, "-s", "build")
    assert done.code == 1
    assert "The operating system refused to read or write" in done.output
    assert read_only.name in done.output
    assert "Traceback" not in done.output


@pytest.mark.skipif(not HAS_UV, reason="uv is not here")
def test_no_file_of_an_environment_is_linked_to_a_cache(tmp_path: Path) -> None:
    """What code under test changes there would change the environments of other projects as well."""
    project = make(tmp_path / "demo", wheel=True)
    done = nox(project, "-s", "build", UV_CACHE_DIR=str(tmp_path / "cache"), UV_LINK_MODE="hardlink")
    assert done.code == 0, done.output
    files = [path for path in (project / ".nox" / "build").rglob("seatrial*/*") if path.is_file()]
    assert len(files) > 3
    assert {path.name: path.stat().st_nlink for path in files} == {path.name: 1 for path in files}


def test_an_upload_gets_an_environment_of_its_own(project: Path) -> None:
    nox(project, "--no-dependencies", "-s", "testpypi", "pypi")
    for name in ("testpypi", "pypi"):
        (project / ".nox" / name / "changed-meanwhile").touch()
    nox(project, "--no-dependencies", "-s", "testpypi", "pypi")
    assert not list(project.rglob("changed-meanwhile"))
    write_tree(project, {"release-record/rehearsed.json": ""})
    nox(project, "-s", "testpypi")
    assert "Installing" not in nox(project, "-s", "testpypi").output


# Flags of nox that skip what a session is for.


def test_install_only_is_a_failure(project: Path) -> None:
    done = nox(project, "--install-only", "-s", "build")
    assert (done.code, done.calls) == (1, ())
    assert "nox was started with --install-only" in done.output


def test_no_install_skips_no_installation_of_the_lock(project: Path) -> None:
    """Those that nox keeps get none; ours are not nox's, unless a backend is forced on them."""
    done = nox(project, "-R", "-s", "build", **NO_UV)
    assert (done.code, done.steps) == (0, ["build"]), done.output
    write_tree(project, {"tasks/release.txt": "# another\n"})
    forced = nox(project, "-R", "--force-venv-backend", "virtualenv", "-s", "build")
    assert (forced.code, forced.calls) == (1, ())
    assert "nox was started with --no-install or -R" in forced.output


def test_verify_without_an_environment_of_its_own_is_refused(project: Path) -> None:
    done = nox(project, "--no-venv", "--no-dependencies", "-s", "verify")
    assert (done.code, done.calls) == (1, ())
    assert "no --no-venv" in done.output


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_an_interrupted_program_has_time_to_find_out_what_was_taken(project: Path) -> None:
    slow = (
        "try:\n    open('started', 'w').close()\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    time.sleep(1.5)\n    open('settled', 'w').close()\n    raise SystemExit(1)\n"
    )
    write_tree(project, {"tasks/seatrial/__main__.py": f"import time\n{PROGRAM.partition('step, _')[0]}{slow}"})
    process = subprocess.Popen(
        copies.argv("-s", "pypi"),
        cwd=project,
        env=copies.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not (project / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) != 0
    assert (project / "settled").exists()


# Secrets.


def test_secrets_reach_the_uploads_alone_and_own_sessions_before_them(project: Path) -> None:
    own = (
        "import os\n\nimport nox\n\n@nox.session(venv_backend='none')\n@nox.parametrize('at', ['first', 'last'])\n"
        "def deploy(session, at):\n"
        "    print(at, [os.environ.get(name) for name in ('PYPI_TOKEN', 'TWINE_PASSWORD')])\n\n"
    )
    write_tree(project, {"noxfile.py": own + copies.NOXFILE})
    steps = ("build", "check", "testpypi", CELLS[0], "pypi", "dryrun", "inspect", "status", "rebuild")
    secrets = {name: f"secret of {name}" for name in SECRETS}
    order = ("deploy(at='first')", *steps, "deploy(at='last')")
    done = nox(project, "--no-dependencies", "-s", *order, **secrets, DEPENDENCIES_TOKEN="reads")
    assert done.code == 0, done.output
    for call in done.calls:
        expected = secrets if call["step"] in {"testpypi", "pypi"} else {}
        assert {name: call["env"][name] for name in SECRETS if name in call["env"]} == expected, call["step"]
        assert call["env"]["DEPENDENCIES_TOKEN"] == "reads"
    assert "first ['secret of PYPI_TOKEN', 'secret of TWINE_PASSWORD']" in done.output
    assert "last [None, None]" in done.output  # what was built and tested before it could read them
    assert not [name for name in SECRETS if done.output.count(f"secret of {name}") > 1]


def test_a_credential_is_looked_at_before_the_build_by_a_process_of_its_own(project: Path) -> None:
    token = {"TESTPYPI_TOKEN": "a secret"}
    done = nox(project, "-s", "verify", "--", "--rebuild", **token)
    assert done.steps == ["build", "check", "testpypi", "verify", "verify"], done.output
    asked, looked = done.preflights
    assert asked["words"] == looked["words"] == ["--preflight", "--rebuild"]
    assert "TESTPYPI_TOKEN" not in asked["env"]  # it only says whether an upload lies ahead
    assert looked["env"]["TESTPYPI_TOKEN"] == "a secret"
    assert Path(looked["prefix"]) == project / ".nox" / "testpypi"
    assert "TESTPYPI_TOKEN" not in done.calls[0]["env"]
    assert done.calls[0]["context"]["withheld"] == ["TESTPYPI_TOKEN"]
    assert "upload" not in done.output.split()
    assert not nox(project, "-s", "check", **token).preflights  # nothing is uploaded
    failed = nox(project, "-s", "testpypi", "--", "--fail", **token)
    assert (failed.code, failed.steps, len(failed.preflights)) == (1, [], 1)


def test_where_nothing_is_uploaded_no_credential_is_handed_over(project: Path) -> None:
    write_tree(project, {"release-record/rehearsed.json": ""})
    done = nox(project, "-s", "testpypi", TESTPYPI_TOKEN="a secret")
    assert (done.steps, len(done.preflights)) == (["build", "check", "testpypi"], 1)
    assert not [call["step"] for call in (*done.calls, *done.preflights) if "TESTPYPI_TOKEN" in call["env"]]


def test_what_is_tested_cannot_choose_the_environment_of_the_upload(project: Path) -> None:
    nox(project, "-s", "testpypi")
    done = nox(project, "-s", "testpypi", "--", "--plant", TESTPYPI_TOKEN="a secret")
    assert done.calls[-1]["env"]["TESTPYPI_TOKEN"] == "a secret"
    assert (project / "release-record" / "rehearsed.json").exists()
    assert not list(project.rglob("planted"))


# Modules of the project, and its settings for uv.


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no switch for it")
@pytest.mark.parametrize("variables", [{}, NO_UV], ids=["uv", "pip"])
def test_modules_of_the_project_hide_none_of_nox(project: Path, variables: dict[str, str]) -> None:
    hiding = dict.fromkeys(("packaging", "email", "platformdirs", "json", "seatrial"), "raise ImportError(__file__)")
    write_tree(project, {f"{name}/__init__.py": text for name, text in hiding.items()} | {"virtualenv.py": "1 / 0"})
    done = nox(project, "--no-dependencies", "-s", "build", CELLS[0], **variables)
    assert (done.code, done.steps) == (0, ["build", "verify"]), done.output


@pytest.mark.skipif(not HAS_UV, reason="uv is not here")
def test_settings_of_the_project_for_uv_have_no_say(tmp_path: Path) -> None:
    settings = '[tool.uv]\noffline = true\nconstraint-dependencies = ["seatrial>=99"]\nexclude-newer = "2015-01-01"\n'
    project = make(tmp_path / "demo", {"pyproject.toml": copies.PYPROJECT + settings}, wheel=True)
    done = nox(project, "-s", "build", UV_EXCLUDE_NEWER="2015-01-01", PIP_CONSTRAINT="nowhere.txt")
    assert (done.code, done.steps) == (0, ["build"]), done.output


@pytest.mark.skipif(os.name == "nt", reason="hard links are counted on POSIX")
def test_no_file_of_an_environment_is_shared_with_a_cache(tmp_path: Path) -> None:
    project = make(tmp_path / "demo", wheel=True)
    nox(project, "-s", "build")
    modules = [path for path in (project / ".nox" / "build").rglob("seatrial/*.py") if path.is_file()]
    assert modules
    assert {path.stat().st_nlink for path in modules} == {1}
