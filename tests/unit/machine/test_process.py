from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seatrial.machine import process
from seatrial.machine.process import ToolMissing, ToolStuck
from seatrial.machine.screen import SCREEN, Screen

ENV = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
FOREVER = "import time\ntime.sleep(600)"
# A program that starts another one, tells its id, and waits for ever; so does the other.
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {FOREVER!r}], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
{FOREVER}
"""

posix = pytest.mark.skipif(os.name == "nt", reason="signals, process groups and umask are POSIX")


def python(script: str, *args: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script, *args)


def is_alive(pid: int) -> bool:
    """Whether the process `pid` runs; one that has ended and that nobody has asked for yet does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # no /proc here
        return True
    return state != "Z"


def has_ended(pid: int) -> bool:
    """Whether the process `pid` has ended, or does so at once: being killed takes the system a moment."""
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_alive(pid)


def test_a_program_gives_its_code_and_both_its_outputs_in_order(tmp_path: Path) -> None:
    script = "import sys\nprint('one', flush=True)\nprint('two', file=sys.stderr, flush=True)\nsys.exit(3)"
    assert process.run(python(script), env=ENV, cwd=tmp_path) == process.Outcome(3, "one\ntwo\n")


def test_output_that_is_not_utf_8_stays_readable(tmp_path: Path) -> None:
    script = "import sys\nsys.stdout.buffer.write(b'gr\\xc3\\xb6\\xdfe\\r\\n')"
    assert process.run(python(script), env=ENV, cwd=tmp_path).output == "grö\\xdfe\n"


def test_a_program_gets_exactly_the_environment_folder_and_words_it_is_given(tmp_path: Path) -> None:
    script = "import os, sys\nprint(os.environ.get('GIVEN'), os.environ.get('OUTER'), os.getcwd(), sys.argv[1:])"
    os.environ["OUTER"] = "1"
    try:
        outcome = process.run(python(script, "two words", "$HOME"), env={**ENV, "GIVEN": "yes"}, cwd=tmp_path)
    finally:
        del os.environ["OUTER"]
    assert outcome.output == f"yes None {tmp_path.resolve()} ['two words', '$HOME']\n"


def test_a_program_has_no_input(tmp_path: Path) -> None:
    assert process.run(python("print(repr(input()))"), env=ENV, cwd=tmp_path).code == 1
    assert "EOFError" in process.run(python("input()"), env=ENV, cwd=tmp_path).output


@posix
def test_a_program_makes_files_that_others_may_read(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        process.run(python("open('made', 'w')"), env=ENV, cwd=tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["no-such-program", "./no-such-program"])
def test_a_program_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ToolMissing, match=f"The program {name} was not found"):
        process.run([name, "--version"], env=ENV, cwd=tmp_path)


@pytest.mark.usefixtures("hurried")
def test_a_program_that_takes_too_long_is_ended_and_what_it_said_is_shown(tmp_path: Path) -> None:
    with pytest.raises(ToolStuck, match=r"did not end within 1 seconds") as error:
        process.run(python(f"print('said before', flush=True)\n{FOREVER}"), env=ENV, cwd=tmp_path, time_limit=1)
    assert "| said before" in str(error.value)
    assert sys.executable in str(error.value)


@posix
@pytest.mark.usefixtures("hurried")
def test_what_it_started_is_ended_too(tmp_path: Path) -> None:
    with pytest.raises(ToolStuck) as error:
        process.run(python(PARENT), env=ENV, cwd=tmp_path, time_limit=1)
    assert has_ended(int(error.value.output))


@posix
def test_what_it_started_ends_with_it_also_when_all_is_well(tmp_path: Path) -> None:
    background = PARENT.removesuffix(FOREVER + "\n").replace("stdout=", "stderr=subprocess.DEVNULL, stdout=")
    outcome = process.run(python(background), env=ENV, cwd=tmp_path, time_limit=30)
    assert outcome.code == 0
    assert has_ended(int(outcome.output))


@posix
@pytest.mark.usefixtures("hurried")
def test_a_program_that_refuses_to_end_is_ended_all_the_same(tmp_path: Path) -> None:
    script = (
        f"import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(os.getpid(), flush=True)\n{FOREVER}"
    )
    with pytest.raises(ToolStuck) as error:
        process.run(python(script), env=ENV, cwd=tmp_path, time_limit=1)
    assert has_ended(int(error.value.output))


@posix
def test_a_program_may_clean_up_when_it_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TICK", 0.1)
    script = f"""
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (open("cleaned-up", "w"), sys.exit()))
{FOREVER}
"""
    with pytest.raises(ToolStuck):
        process.run(python(script), env=ENV, cwd=tmp_path, time_limit=1)
    assert (tmp_path / "cleaned-up").exists()


@pytest.mark.usefixtures("hurried")
def test_whoever_waits_is_told_now_and_then(tmp_path: Path) -> None:
    heard: list[float] = []
    script = "import time\ntime.sleep(0.5)\nprint('done')"
    outcome = process.run(python(script), env=ENV, cwd=tmp_path, on_wait=heard.append)
    assert outcome.output == "done\n"
    assert heard[:2] == pytest.approx([0.1, 0.2])


def test_whoever_waits_can_be_told_more_often(tmp_path: Path) -> None:
    heard: list[float] = []
    process.run(python("import time\ntime.sleep(0.3)"), env=ENV, cwd=tmp_path, on_wait=heard.append, every=0.05)
    assert heard[:2] == pytest.approx([0.05, 0.1])


@pytest.mark.usefixtures("hurried")
def test_an_interruption_while_waiting_ends_the_program(tmp_path: Path) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run(python(FOREVER), env=ENV, cwd=tmp_path, on_wait=interrupt)


def run_in_a_thread(folder: Path, *scripts: str) -> None:
    """Run `scripts` one after the other in a thread, and wait for an interrupt in this one."""
    with process.interruptible(), ThreadPoolExecutor(1) as pool:
        for script in scripts:
            pool.submit(process.run, python(script), env=ENV, cwd=folder)
        time.sleep(600)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_what_other_threads_wait_for_and_starts_nothing_more(tmp_path: Path, number: int) -> None:
    told = tmp_path / "told"
    first = f"""
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("asked", file=open({str(told)!r}, "a")), sys.exit()))
os.kill({os.getpid()}, {number})
{FOREVER}
"""
    second = f"open({str(tmp_path / 'second')!r}, 'w')"
    with pytest.raises(KeyboardInterrupt):
        run_in_a_thread(tmp_path, first, second)
    assert told.read_text("utf-8") == "asked\n"  # once
    assert not (tmp_path / "second").exists()


@posix
def test_nothing_is_started_after_an_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *words, **_: started.append(words))
    with process.interruptible():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            process.run(python(""), env=ENV, cwd=tmp_path)
    assert started == []


@posix
@pytest.mark.usefixtures("hurried")
def test_an_interrupt_ends_also_what_does_not_listen(tmp_path: Path) -> None:
    deaf = f"""
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), file=open("pid", "w"), flush=True)
os.kill({os.getpid()}, signal.SIGINT)
{FOREVER}
"""
    with pytest.raises(KeyboardInterrupt):
        run_in_a_thread(tmp_path, deaf)
    assert has_ended(int((tmp_path / "pid").read_text("utf-8")))


@posix
def test_afterwards_programs_are_run_and_signals_mean_what_they_did(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), process.interruptible():
        signal.raise_signal(signal.SIGTERM)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert process.run(python(""), env=ENV, cwd=tmp_path).code == 0


def test_in_another_thread_signals_are_left_alone() -> None:
    def entered() -> object:
        with process.interruptible():
            return signal.getsignal(signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(entered).result() == signal.getsignal(signal.SIGINT)


def test_there_is_something_to_do_while_a_program_works(tmp_path: Path) -> None:
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)"
    done = process.run(python(wait), env=ENV, cwd=tmp_path, meanwhile=(tmp_path / "go").touch, time_limit=60)
    assert done.code == 0


@posix
@pytest.mark.usefixtures("hurried")
def test_what_is_written_meanwhile_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    script = "import sys, pathlib, time\nprint('half', flush=True)\n"
    script += "while not pathlib.Path('seen').exists(): time.sleep(0.01)\nprint('whole')"

    def look(output: str) -> None:
        told.append(output)
        (tmp_path / "seen").touch()

    done = process.run(python(script), env=ENV, cwd=tmp_path, on_output=look, time_limit=60)
    assert told[0] == "half\n"
    assert done.output == "half\nwhole\n"


def test_of_endless_output_the_last_is_kept(tmp_path: Path) -> None:
    script = f"import sys\nfor n in range(200): sys.stdout.write('x' * {process.KEPT // 50})\nprint('the end')"
    output = process.run(python(script), env=ENV, cwd=tmp_path).output
    left_out = 200 * (process.KEPT // 50) + len("the end\n") - process.KEPT
    assert output.startswith(f"({left_out} bytes left out)\nxxx")
    assert output.endswith("xxxthe end\n")
    assert process.KEPT <= len(output) < process.KEPT + 100


def test_of_endless_output_no_more_is_ever_held() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as pipe, os.fdopen(writing, "wb", 0) as writer:
        output = process.Output(pipe)
        output.start()
        for _ in range(6):
            writer.write(b"x" * process.KEPT)
        writer.close()
        output.join(60)
    assert output.size == 6 * process.KEPT
    assert len(output.last) <= 2 * process.KEPT


@posix
def test_a_program_that_writes_without_end_is_ended_in_time(tmp_path: Path) -> None:
    script = "import sys\nwhile True: sys.stdout.write('?' * 65536)"
    with pytest.raises(ToolStuck) as error:
        process.run(python(script), env=ENV, cwd=tmp_path, time_limit=1)
    assert len(error.value.output) < process.KEPT + 100
    assert "bytes left out" in error.value.output


@posix
def test_what_keeps_the_output_open_elsewhere_is_not_waited_for(tmp_path: Path) -> None:
    """A daemon leaves the group of the program that started it, and may keep its output."""
    script = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {FOREVER!r}], start_new_session=True)
print(child.pid, flush=True)
"""
    began = time.monotonic()
    outcome = process.run(python(script), env=ENV, cwd=tmp_path, time_limit=60)
    os.kill(int(outcome.output), signal.SIGKILL)
    assert time.monotonic() - began < 30


@posix
def test_a_program_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    script = "import os, time\nos.close(1)\nos.close(2)\ntime.sleep(0.3)\nos._exit(5)"
    assert process.run(python(script), env=ENV, cwd=tmp_path).code == 5


@pytest.mark.parametrize("log", [True, False])
def test_output_is_shown_to_who_asks_for_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, log: bool
) -> None:
    monkeypatch.setattr(SCREEN, "verbose", True)
    process.run(python("print('spoken'.upper())"), env=ENV, cwd=tmp_path, log=log)
    assert ("| SPOKEN" in capsys.readouterr().out) is log


def test_what_was_run_is_kept_for_the_timeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(process, "SCREEN", screen)
    process.run([sys.executable, "-I", "-c", "pass"], env={}, cwd=tmp_path)
    with screen.step("build") as step:
        step.summary = "demo 1.0"
    assert [task.label for task in screen.tasks] == [f"{Path(sys.executable).name} -c pass", "build"]
    first, second, third = screen.timeline().splitlines()
    assert (first.split(), second.split()[-3:], third.split()[-1]) == (
        ["start", "length", "task"],
        [Path(sys.executable).name, "-c", "pass"],
        "build",
    )


@posix
@pytest.mark.usefixtures("hurried")
def test_nobody_reads_from_a_pipe_that_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be that of another pipe by then."""
    closed: list[bool] = []

    class Slow(process.Output):
        def run(self) -> None:
            super().run()
            time.sleep(0.2)
            closed.append(self.pipe.closed)

    monkeypatch.setattr(process, "Output", Slow)
    process.run(python("print('done')"), env=ENV, cwd=tmp_path)
    with pytest.raises(ToolStuck):
        process.run(python(FOREVER), env=ENV, cwd=tmp_path, time_limit=0.2)
    assert closed == [False, False]
