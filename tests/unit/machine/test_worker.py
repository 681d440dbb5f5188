from __future__ import annotations

import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from seatrial.machine.process import KEPT, ToolStuck
from seatrial.machine.screen import SCREEN
from seatrial.machine.worker import Worker, Workers
from tests.unit.machine.test_process import ENV, has_ended, posix, python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A program that answers lines: with its id, what it is told and the end of an answer; or not, where it is told so.
ANSWERING = """
import os, pathlib, sys, time
pathlib.Path(f"started-{os.getpid()}").touch()
for line in sys.stdin:
    print(os.getpid(), line.strip(), flush=True)
    if "hang" in line:
        time.sleep(600)
    if "end" in line:
        sys.exit(3)
    print('{"event": "done"', end="", flush=True)
    time.sleep(0.05)
    print("}", flush=True)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(python(ANSWERING), env=ENV, cwd=tmp_path).kept() as made:
        yield made


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(lambda: Worker(python(ANSWERING), env=ENV, cwd=tmp_path))
    yield made
    made.end()


def ask(worker: Worker | Workers, line: str) -> tuple[int, str]:
    """Return the id of the program that answers, and its answer."""
    done = worker.ask(line.encode(), time_limit=60)
    assert done.code == 0
    first, end = done.output.splitlines()
    assert end == '{"event": "done"}'
    pid, _, said = first.partition(" ")
    return int(pid), said


def started(folder: Path) -> list[int]:
    """Wait until a program has started, and return the ids of all."""
    deadline = time.monotonic() + 60
    while not (found := list(folder.glob("started-*"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    return [int(path.name.removeprefix("started-")) for path in found]


def test_a_worker_is_started_before_it_is_asked_and_answers_again_and_again(tmp_path: Path, worker: Worker) -> None:
    worker.start()
    (pid,) = started(tmp_path)
    worker.start()
    assert [ask(worker, line) for line in ("one", "two", "three")] == [(pid, "one"), (pid, "two"), (pid, "three")]
    assert started(tmp_path) == [pid]


def test_a_worker_that_was_not_started_is_when_it_is_asked(tmp_path: Path, worker: Worker) -> None:
    assert not list(tmp_path.iterdir())
    assert ask(worker, "one")[1] == "one"


def test_how_a_worker_ended_is_told_and_the_next_question_is_for_another(worker: Worker) -> None:
    pid, _ = ask(worker, "one")
    ended = worker.ask(b"the end", time_limit=60)
    assert (ended.code, ended.output) == (3, f"{pid} the end\n")
    assert ask(worker, "two")[0] != pid


@posix
@pytest.mark.usefixtures("hurried")
def test_a_worker_that_does_not_answer_is_ended(worker: Worker) -> None:
    pid, _ = ask(worker, "one")
    with pytest.raises(ToolStuck) as stuck:
        worker.ask(b"hang", time_limit=0.3)
    assert f"{pid} hang" in stuck.value.output
    assert has_ended(pid)
    assert ask(worker, "two")[0] != pid


@posix
@pytest.mark.usefixtures("hurried")
def test_a_worker_is_ended_by_what_watches_it(worker: Worker) -> None:
    pid, _ = ask(worker, "one")

    def stop(_: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        worker.ask(b"hang", on_wait=stop)
    assert has_ended(pid)


@posix
def test_no_worker_outlives_its_context(tmp_path: Path) -> None:
    with Worker(python(ANSWERING), env=ENV, cwd=tmp_path).kept() as worker:
        worker.start()
        (pid,) = started(tmp_path)
    assert has_ended(pid)
    with Worker(python(ANSWERING), env=ENV, cwd=tmp_path).kept():
        pass  # nor is one started that nobody asked
    assert started(tmp_path) == [pid]


def test_what_a_worker_answers_is_timed(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    took: list[str] = []
    monkeypatch.setattr(SCREEN, "took", lambda name, _: took.append(name))
    worker.ask(b"one", time_limit=60, name="a question")
    assert took == ["a question"]


def test_a_long_answer_is_cut_to_its_own_end(tmp_path: Path) -> None:
    script = f"import sys\nfor line in sys.stdin:\n    print('x' * {KEPT}, flush=True)\n"
    script += """    print('{"event": "done"}', flush=True)\n"""
    with Worker(python(script), env=ENV, cwd=tmp_path).kept() as worker:
        first, second = (worker.ask(b"more", time_limit=60).output for _ in range(2))
    assert first == second
    assert first.startswith("(19 bytes left out)\n")
    assert first.endswith('x\n{"event": "done"}\n')


def test_what_is_told_of_an_answer_is_not_of_the_one_before(worker: Worker) -> None:
    told: list[str] = []
    for line in ("first", "second"):
        worker.ask(line.encode(), time_limit=60, on_output=told.append, every=0.01)
    assert any("second" in output for output in told)
    assert not [output for output in told if "first" in output and "second" in output]


def test_an_answer_ends_with_the_word_that_was_made_up_for_it(tmp_path: Path) -> None:
    script = (
        "import sys\nfor line in sys.stdin:\n"
        """    print('{"event": "done"}', flush=True)\n    print('half a line', end='', flush=True)\n"""
        "    print(line.strip(), flush=True)\n"
    )
    with Worker(python(script), env=ENV, cwd=tmp_path).kept() as made:
        answers = [made.ask(word, end=word, time_limit=60).output for word in (b"made-up", b"another")]
    assert answers == [f'{{"event": "done"}}\nhalf a line{word}\n' for word in ("made-up", "another")]


def test_threads_that_ask_at_once_get_their_own_answers(worker: Worker) -> None:
    lines = [f"line {n}" for n in range(6)]
    with ThreadPoolExecutor(len(lines)) as pool:
        answers = list(pool.map(functools.partial(ask, worker), lines))
    assert [said for _, said in answers] == lines
    assert len({pid for pid, _ in answers}) == 1


@posix
def test_the_worker_that_is_idle_is_asked_next_and_ends_when_nobody_keeps_it(workers: Workers) -> None:
    with workers.kept():
        with workers.kept():
            first, second = (ask(workers, line) for line in ("one", "two"))
        third = ask(workers, "three")
        assert not has_ended(first[0])
    assert [first, second, third] == [(first[0], line) for line in ("one", "two", "three")]
    assert has_ended(first[0])


@posix
def test_a_worker_that_nobody_keeps_ends_after_its_answer(workers: Workers) -> None:
    pid, _ = ask(workers, "one")
    assert has_ended(pid)
    assert ask(workers, "two")[0] != pid


def test_those_who_ask_at_once_ask_different_workers(tmp_path: Path, workers: Workers) -> None:
    with workers.kept(), ThreadPoolExecutor(2) as pool:
        workers.start()
        assert len(started(tmp_path)) == 1
        barrier = threading.Barrier(2)
        asked = [pool.submit(workers.ask, b"one", meanwhile=barrier.wait, time_limit=60) for _ in range(2)]
        assert len({one.result().output.partition(" ")[0] for one in asked}) == 2
        workers.start()  # two are idle
        assert len(started(tmp_path)) == 2


@posix
@pytest.mark.usefixtures("hurried")
def test_a_worker_that_was_ended_is_started_anew(workers: Workers) -> None:
    with workers.kept():
        pid, _ = ask(workers, "one")
        with pytest.raises(ToolStuck):
            workers.ask(b"hang", time_limit=0.3)
        assert has_ended(pid)
        assert ask(workers, "two")[0] != pid


@posix
def test_one_that_runs_before_anybody_keeps_it_can_be_ended(tmp_path: Path, workers: Workers) -> None:
    workers.start()
    (pid,) = started(tmp_path)
    workers.end()
    assert has_ended(pid)
