"""The surroundings of packagers: real programs, asking a git that says no and a proxy that refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.building.isolation import Reach, Seclusion, seclusion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

posix = pytest.mark.skipif(os.name == "nt", reason="a script does not hide git.exe")

FETCH = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])"


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Seclusion]:
    with seclusion(tmp_path / "it's apart") as found:
        yield found


def surrounded(apart: Seclusion, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program in such surroundings."""
    env = {**os.environ, **apart.settings, "PATH": os.pathsep.join([str(apart.folder), os.environ["PATH"]])}
    program = shutil.which(argv[0], path=env["PATH"]) or argv[0]
    return subprocess.run([program, *argv[1:]], env=env, capture_output=True, text=True, check=False)


def test_what_asks_for_nothing_reached_nothing(apart: Seclusion) -> None:
    assert surrounded(apart, sys.executable, "-c", "").returncode == 0
    assert not apart.reach
    assert (str(apart.reach), apart.reach.words) == ("", ())


@posix
def test_git_says_no_and_its_calls_are_noted(apart: Seclusion) -> None:
    for words in (("describe", "--tags", "a\nb"), ("rev-parse", "HEAD"), ("rev-parse", "HEAD"), ()):
        done = surrounded(apart, "git", *words)
        assert (done.returncode, done.stdout) == (127, "")
        assert done.stderr == "git: not found (an sdist is built without it)\n"
    assert apart.reach.git == ("describe --tags a", "rev-parse HEAD", "")


@pytest.mark.parametrize("url", ["http://files.example.org/a.tar.gz", "https://files.example.org:8443/a.tar.gz"])
def test_the_network_is_refused_and_its_hosts_are_noted(apart: Seclusion, url: str) -> None:
    done = surrounded(apart, sys.executable, "-c", FETCH, url)
    assert done.returncode == 1
    assert "403" in done.stderr
    assert apart.reach == Reach((), ("files.example.org",))


def test_programs_of_this_machine_may_talk_to_each_other(apart: Seclusion) -> None:
    done = surrounded(apart, sys.executable, "-c", FETCH, "http://localhost:1/")
    assert "403" not in done.stderr
    assert not apart.reach


def test_a_program_finds_the_proxy_in_small_letters_and_in_capitals(apart: Seclusion) -> None:
    assert apart.settings["HTTPS_PROXY"] == apart.proxy
    assert apart.settings.get("https_proxy") == (None if os.name == "nt" else apart.proxy)


def test_what_was_asked_for_is_said_in_one_line() -> None:
    reach = Reach(("--version", "describe"), ("crates.io", "pypi.org"))
    assert str(reach) == "git (`git describe`) and the network (crates.io, pypi.org)"
    assert str(Reach((), ("pypi.org",))) == "the network (pypi.org)"
    assert reach.words == ("git --version", "git describe", "crates.io", "pypi.org")
