"""The upload sessions are killed at any point and run again: the final state is always the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import chain
from seatrial.machine import process
from seatrial.release.record import Record
from seatrial.release.stages import Checked, Rehearsed, Released
from tests import sender
from tests.integration.conftest import PROGRAM
from tests.releases import Place, context_of, standing_in, write_rehearsal, write_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Indexes, Project

REPOSITORY = Path(__file__).parents[2]
FILES = 4
SESSIONS: dict[str, type[Rehearsed | Released]] = {"testpypi": Rehearsed, "pypi": Released}

# Ends of the process that it makes itself, see tests/sender.py.
OWN_POINTS = [
    *("start", "locked"),
    *(f"{point}:{number}" for number in range(1, FILES + 1) for point in ("half-sent", "sent")),
    *("fsync", "replace", "replaced", "end"),
]
# Ends that the index makes: the request, and how much of it is read before (None: it is answered).
INDEX_POINTS: list[tuple[str, int, float | None]] = [
    *(("GET", number, part) for number in range(2) for part in (0.0, None)),
    *(("POST", number, part) for number in range(FILES) for part in (0.0, 0.5, 1.0, None)),
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A release of three wheels and an sdist that is ready for either session, and the indexes."""
    with standing_in(tmp_path) as made:
        built = write_release(made.root)
        write_rehearsal(made.root, built, made.simple("testpypi"))
        yield made


@pytest.fixture(params=list(SESSIONS))
def session(request: pytest.FixtureRequest, place: Place) -> str:
    name: str = request.param
    if name == "pypi":
        place.hold("testpypi")
    else:
        for path in [*(place.root / "release-record").glob("verified-*.json"), Record.of(place.root).path(Rehearsed)]:
            path.unlink()
    return name


def start(place: Place, session: str, *, die: str = "", twine: bool = False) -> subprocess.Popen[str]:
    """Start `session` in a process of its own."""
    order = {"step": session, "root": str(place.root), "urls": place.urls, "die": die, "twine": twine}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.releases", json.dumps(order)],
        cwd=REPOSITORY,
        env=os.environ | place.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> int:
    """Wait for `process`, show what it said, and return its exit code."""
    print(process.communicate()[0])
    return process.returncode


def run_again(place: Place, session: str) -> None:
    """Run `session` to its end in this process: that takes no start."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in place.env.items():
            patch.setenv(name, value)
        patch.setattr(process, "run", sender.run)
        chain.act(session, context_of(session, place.root, place.urls, heard=print))


def sdist_is_last(place: Place, session: str) -> bool:
    """Whether the sdist is there only where all wheels are."""
    held = place.held(session)
    return "demo-1.0.tar.gz" not in held or len(held) == FILES


def is_whole(place: Place, session: str) -> bool:
    """Whether this index holds each file once with its bytes, the other what it held, and the record says all of it."""
    record = Record.of(place.root)
    stage = record.read(SESSIONS[session])
    checked = record.read(Checked)
    ledger = json.loads((place.folder / f"{session}.json").read_text(encoding="utf-8"))
    return (
        place.held(session) == place.files()
        and ledger == {dist.filename: dist.sha256 for dist in checked.dists}
        and place.held("pypi" if session == "testpypi" else "testpypi")
        == ({} if session == "testpypi" else place.files())
        and stage.dists == checked.dists
        and [url.rpartition("/")[2] for url in stage.urls] == [dist.filename for dist in checked.dists]
        and list(record.folder.glob(".*.json.*")) == []
    )


@pytest.mark.parametrize("point", OWN_POINTS)
def test_a_session_that_dies_anywhere_is_run_again(place: Place, session: str, point: str) -> None:
    assert ended(start(place, session, die=point)) != 0
    assert sdist_is_last(place, session)
    run_again(place, session)
    assert is_whole(place, session)


@pytest.mark.parametrize(("method", "number", "part"), INDEX_POINTS)
def test_a_session_that_dies_while_the_index_is_at_work_is_run_again(
    place: Place, session: str, method: str, number: int, part: float | None
) -> None:
    assert ended(killed(place, session, method, number, part)) != 0
    assert sdist_is_last(place, session)
    run_again(place, session)
    assert is_whole(place, session)


def killed(
    place: Place, session: str, method: str, number: int, part: float | None, *, twine: bool = False
) -> subprocess.Popen[str]:
    """Start `session`, and end it at that request."""
    started = threading.Event()
    victims: list[subprocess.Popen[str]] = []

    def kill() -> None:
        started.wait(30)
        victims[0].kill()
        victims[0].wait(30)

    place.faults[session].order("meanwhile", method=method, detail=(part, kill), skip=number)
    victims.append(start(place, session, twine=twine))
    started.set()
    return victims[0]


@pytest.mark.parametrize(("number", "part"), [(0, 0.0), (1, 0.5), (2, None)])
def test_what_twine_still_sends_after_its_session_was_killed_does_no_harm(
    place: Place, session: str, number: int, part: float | None
) -> None:
    """The session alone is killed: twine goes on, and the next run meets it at work."""
    assert ended(killed(place, session, "POST", number, part, twine=True)) != 0
    assert ended(start(place, session, twine=True)) == 0
    assert is_whole(place, session)


def test_two_runs_at_the_same_time_do_no_harm(place: Place, session: str) -> None:
    """The second says so and goes; once the first has ended it finds all done."""
    second: list[subprocess.Popen[str]] = []
    said: list[str] = []

    def run_meanwhile() -> None:
        second.append(start(place, session))
        said.append(second[0].communicate()[0])

    place.faults[session].order("meanwhile", method="POST", detail=(0.5, run_meanwhile), skip=1)
    assert ended(start(place, session)) == 0
    assert second[0].returncode != 0
    assert "Another run of the release sessions is using" in said[0]
    assert is_whole(place, session)
    run_again(place, session)


def test_two_machines_at_the_same_time_do_no_harm(place: Place, session: str, tmp_path: Path) -> None:
    """Each has a record of its own, so no lock stands between them: the index is asked, and takes each file once."""
    twin = Place(tmp_path / "twin", place.folder, place.urls, place.tokens, place.faults)
    shutil.copytree(place.root, twin.root)
    place.faults[session].order("meanwhile", method="POST", detail=(0.5, lambda: ended(start(twin, session))), skip=1)
    assert ended(start(place, session)) == 0
    assert is_whole(place, session)
    assert is_whole(twin, session)


# The same with the whole program, and real twine.


def family(pid: int) -> list[int]:
    """Return `pid` and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in family(int(child)))]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("all_of_it", [True, False], ids=["everything", "the program alone"])
@pytest.mark.parametrize("name", list(SESSIONS))
def test_the_program_is_killed_in_the_middle_of_a_file(
    bring: Callable[[str], Project], indexes: Indexes, tmp_path: Path, name: str, *, all_of_it: bool
) -> None:
    """The next run goes on, and sweeps what the killed one left among the temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    project = bring("check" if name == "testpypi" else "verify")
    project.env |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    options = () if name == "testpypi" else ("--yes", "1.0")
    started = threading.Event()
    victims: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        started.wait(30)
        for pid in family(victims[0].pid) if all_of_it else [victims[0].pid]:
            os.kill(pid, signal.SIGKILL)
        victims[0].wait(30)

    faults = indexes.testpypi if name == "testpypi" else indexes.pypi
    faults.order("meanwhile", method="POST", detail=(0.5, kill), skip=1)
    argv = [sys.executable, "-I", str(PROGRAM), "--alone", name, "--", *options]
    victims.append(subprocess.Popen(argv, cwd=project.root, env=os.environ | project.env))
    started.set()
    assert victims[0].wait(60) == -signal.SIGKILL
    assert [path.name for path in temporary.glob(f"seatrial-{name}-*/*")] != []
    done = project.step(name, *options, alone=True)
    assert done.code == 0, done.output
    assert indexes.held(name) == project.files()
    assert project.stage("rehearsed.json" if name == "testpypi" else "released.json")["version"] == "1.0"
    assert list(temporary.glob(f"seatrial-{name}-*")) == []
