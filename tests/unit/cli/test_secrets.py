"""No process that is started below the program can read a secret that the program was started with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import secrets
from seatrial.machine import variables

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a process cannot be replaced there")

# A program that starts itself again as ours does, then shows what it and its child can know.
PROGRAM = """\
import json, os, subprocess, sys
from seatrial import __main__ as program
from seatrial.cli import main

def run(words, outer):
    look = "import json, os; print(json.dumps({{**os.environ}}))"
    child = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    environ = open("/proc/self/environ").read() if os.path.exists("/proc/self/environ") else ""
    parent = subprocess.run(["cat", f"/proc/{{os.getpid()}}/environ"], capture_output=True, text=True).stdout
    token = outer.get("PYPI_TOKEN")
    print(json.dumps([token, json.loads(child), environ + parent, list(words), sys.argv]))
    return 7

main.run = run
program.hiding.MODULE = ("-c", open({path!r}).read())
sys.exit(program.main())
"""


def started(folder: Path, *words: str, **outer: str) -> tuple[int, str]:
    path = folder / "program.py"
    path.write_text(PROGRAM.format(path=str(path)), encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}} | outer
    argv = [sys.executable, "-I", "-c", path.read_text(encoding="utf-8"), *words]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_secret_reaches_the_step_and_nothing_below_it(tmp_path: Path) -> None:
    outer = {"PYPI_TOKEN": "s3cret-token", "AWS_SECRET_ACCESS_KEY": "s3cret-key", "CC": "clang"}
    code, output = started(tmp_path, "pypi", "--yes", "1.0", **outer)
    token, child, environ, words, argv = json.loads(output)
    assert (code, token, words) == (7, "s3cret-token", ["pypi", "--yes", "1.0"])
    assert child["CC"] == "clang"
    assert "s3cret" not in json.dumps([child, environ, argv])


def test_without_secrets_the_program_is_not_started_again(tmp_path: Path) -> None:
    code, output = started(tmp_path, "status")
    token, _, _, words, argv = json.loads(output)
    assert (code, token, words) == (7, None, ["status"])
    assert not [word for word in argv if word.startswith(secrets.OPTION)]


def test_a_look_at_the_credential_before_the_build_is_one_process(tmp_path: Path) -> None:
    """It starts nothing foreign, and ends at once."""
    code, output = started(tmp_path, "testpypi", "--preflight", PYPI_TOKEN="s3cret-token")
    token, _, _, words, argv = json.loads(output)
    assert (code, token, words) == (7, "s3cret-token", ["testpypi", "--preflight"])
    assert not [word for word in argv if word.startswith(secrets.OPTION)]


def test_the_longest_secrets_give_way_where_a_pipe_has_no_room_and_none_stays(tmp_path: Path) -> None:
    many = {f"LONG_TOKEN_{n}": "s3cret" * 5000 for n in range(4)}
    token, child, environ, _, _ = json.loads(started(tmp_path, "pypi", PYPI_TOKEN="s3cret-token", **many)[1])
    assert token == "s3cret-token"
    assert "s3cret" not in json.dumps([child, environ])


def test_a_value_that_is_no_unicode_arrives_as_it_was(tmp_path: Path) -> None:
    odd = os.fsdecode(b"s3cret-\xff")
    assert json.loads(started(tmp_path, "pypi", PYPI_TOKEN=odd)[1])[0] == odd


def test_what_is_handed_over_is_taken_out_of_the_words() -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"PYPI_TOKEN": "s3cret"}')
    os.close(writing)
    received = secrets.received([f"{secrets.OPTION}{reading}", "pypi", "--yes", "1.0"])
    assert received == ({"PYPI_TOKEN": "s3cret"}, ["pypi", "--yes", "1.0"])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)
    assert secrets.received(["pypi"]) == ({}, ["pypi"])
    assert secrets.received([]) == ({}, [])


# As a plain user, for root may read everything.
PLAIN = """\
import ctypes, os, subprocess, sys
from seatrial.machine import variables
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user made it unreadable already
if sys.argv[1] == "locked":
    variables.lock_memory()
print(subprocess.run(["cat", f"/proc/{os.getpid()}/environ"], capture_output=True).returncode)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
@pytest.mark.parametrize(("mode", "code"), [("open", 0), ("locked", 1)])
def test_other_processes_of_a_plain_user_cannot_look_into_this_one(mode: str, code: int) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    argv = [sys.executable, "-I", "-c", PLAIN, mode]
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # it may write no file
    done = subprocess.run(argv, cwd="/", env=env, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (str(code), "")


# In this process.


class Started:
    """What the program was started again with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[list[str], dict[str, str]]] = []
        monkeypatch.setattr(os, "execve", lambda _, argv, env: self.calls.append((argv, dict(env))))


def test_it_starts_the_same_command_again_with_the_secrets_on_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    started_again = Started(monkeypatch)
    for name in variables.kept_back(os.environ):
        monkeypatch.delenv(name)
    secrets.shed(["status"])
    assert started_again.calls == []
    monkeypatch.setenv("PYPI_TOKEN", "s3cret")
    secrets.shed(["pypi", "--yes", "1.0"])
    ((argv, env),) = started_again.calls
    assert argv[:4] == [sys.executable, "-I", "-m", "seatrial"]
    assert "PYPI_TOKEN" not in env
    assert secrets.received(argv[4:]) == ({"PYPI_TOKEN": "s3cret"}, ["pypi", "--yes", "1.0"])


def test_of_secrets_that_no_pipe_has_room_for_the_longest_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    started_again = Started(monkeypatch)
    for name in variables.kept_back(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYPI_TOKEN", "s3cret")
    monkeypatch.setenv("HUGE_TOKEN", "x" * secrets.PIPE)
    secrets.shed(["status"])
    ((argv, env),) = started_again.calls
    assert "HUGE_TOKEN" not in env
    assert secrets.received(argv[4:])[0] == {"PYPI_TOKEN": "s3cret"}
