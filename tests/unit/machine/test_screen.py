"""One line a step, what stands below it, and what only the log gets."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from seatrial.machine import screen as module
from seatrial.machine import terminal
from seatrial.machine.screen import Log, Screen, below, headline

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def lines_of(screen: Screen) -> list[str]:
    """Return the list that gets what `screen` writes from now on."""
    lines: list[str] = []
    screen.write = lines.append
    return lines


def shown(*, verbose: bool = False, log: Path | None = None) -> tuple[Screen, list[str]]:
    screen = Screen(verbose, Log(log))
    return screen, lines_of(screen)


# The line of a step.


def test_a_step_is_a_line_with_its_warnings_below() -> None:
    screen, lines = shown()
    with screen.step("check") as step:
        screen.say("metadata-author: no author is named (pyproject.toml)", "warning")
        screen.say("two\nlines")
        assert lines == []
        step.summary = "107 rules"
    assert "\n".join(lines).splitlines() == [
        f"ok     check     107 rules{' ' * 63}  0.0 s",
        "       warning   metadata-author: no author is named (pyproject.toml)",
        "                 two",
        "                 lines",
    ]


def test_a_step_that_raises_failed() -> None:
    screen, lines = shown()

    def check() -> None:
        with screen.step("check"):
            screen.summarise("1 error")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        check()
    assert re.fullmatch(r"FAILED check     1 error +0\.0 s", "\n".join(lines))
    screen.say("after it")
    assert lines[-1] == "after it"


def test_a_step_inside_another_comes_first() -> None:
    screen, lines = shown()
    with screen.step("outer"):
        with screen.step("inner"):
            screen.say("of the inner one")
        screen.say("of the outer one")
    words = [line.split()[:2] for line in "\n".join(lines).splitlines()]
    assert words == [["ok", "inner"], ["of", "the"], ["ok", "outer"], ["of", "the"]]


def test_what_somebody_has_to_read_first_is_shown_at_once() -> None:
    screen, lines = shown()
    with screen.step("pypi"):
        screen.line("This cannot be undone.")
        assert lines == ["This cannot be undone."]


def test_what_a_step_has_to_say_is_shown_before_somebody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, lines = shown()
    seen: list[str] = []

    def answer(prompt: str) -> str:
        seen.extend([*lines, prompt])
        return "1.0"

    monkeypatch.setattr("builtins.input", answer)
    with screen.step("pypi"):
        screen.say("not verified: 3.14 wheel", "note")
        assert screen.ask("Type the version: ") == "1.0"
    assert seen == ["       note      not verified: 3.14 wheel", "Type the version: "]
    assert len("\n".join(lines).splitlines()) == 2
    assert screen.ask("Again: ") == "1.0"


def test_nothing_is_drawn_while_somebody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(terminal, "FIRST", 0.001)
    monkeypatch.setattr(terminal, "REDRAW", 0.001)

    def answer(prompt: str) -> str:
        stream.write(prompt)
        before = stream.getvalue()
        time.sleep(0.05)
        assert stream.getvalue() == before
        return ""

    monkeypatch.setattr("builtins.input", answer)
    screen = Screen()
    with screen.step("pypi"):
        while "pypi, 0 s" not in stream.getvalue():
            pass
        screen.ask("Type the version: ")


def test_without_a_step_it_is_shown_at_once() -> None:
    screen, lines = shown()
    screen.say("x", "warning")
    screen.say("y")
    screen.summarise("nowhere")
    screen.doing("nothing")
    assert lines == ["warning: x", "y"]


def test_elsewhere_than_on_a_terminal_a_summary_stays_in_its_line() -> None:
    assert headline("ok", "check", "word " * 40, 61).count("\n") == 0
    assert headline("ok", "check", "word " * 40, 61).endswith("1 min 01 s")


def test_on_a_terminal_it_hangs_below_and_the_duration_is_at_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    first, *rest = headline("ok", "check", "word " * 20, 1.25).splitlines()
    assert len(first) == 60
    assert first.endswith("1.2 s")
    assert rest
    assert all(line.startswith(" " * 17 + "word") and len(line) <= 60 for line in rest)
    hanging = below("warning", "word " * 20).splitlines()
    assert all(line.startswith(" " * 17 + "word") and len(line) <= 60 for line in hanging[1:])


def test_symbols_and_colours_stand_where_both_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert headline("ok", "check", "", 0).startswith("\x1b[32m✓\x1b[0m  check")
    assert headline("FAILED", "check", "", 0).startswith("\x1b[31m✗\x1b[0m  check")
    assert below("warning", "x") == "   \x1b[33mwarning\x1b[0m   x"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert headline("ok", "check", "", 0).startswith("\x1b[32mok\x1b[0m     check")
    monkeypatch.setenv("NO_COLOR", "1")
    assert headline("ok", "check", "", 0).startswith("ok     check")


def test_nothing_of_a_package_steers_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen, lines = shown(verbose=True)
    attack = "\x1b[2J\x1b]0;owned\x07\u202e"
    with screen.step(attack) as step:
        screen.say(attack, "warning")
        screen.detail(attack)
        screen.line(f"{terminal.styled('kept', 'good')} {attack}")
        step.summary = attack
    output = "\n".join(lines)
    assert "\x1b[32mkept\x1b[0m" in output
    assert not re.search("\x1b(?!\\[\\d+m)|\x07|\u202e", output)


# Details.


def test_details_are_shown_with_verbose_alone() -> None:
    screen, lines = shown()
    screen.detail("Successfully built")
    assert lines == []
    screen.verbose = True
    screen.detail("Successfully built\n\nin 3 s\n")
    screen.detail("")
    assert lines == ["       | Successfully built\n       | \n       | in 3 s"]


def test_a_detail_is_no_command_to_the_ci_system() -> None:
    screen, lines = shown(verbose=True)
    screen.detail("::add-path::/tmp/evil")
    assert not lines[0].lstrip().startswith("::")


def test_nothing_that_is_shown_is_a_command_in_the_middle_of_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen, lines = shown(verbose=True)
    attack = "a ##[set-output name=url]https://evil.example"
    with screen.step(attack) as step:
        screen.say(attack, "warning")
        screen.detail(attack)
        screen.line(attack)
        step.summary = attack
    screen.failure(attack)
    output = "\n".join([*lines, capsys.readouterr().err])
    assert output.count("# #[set-output") == 6
    assert "##[" not in output


# The log.


def test_the_log_gets_everything(tmp_path: Path) -> None:
    screen, _ = shown(log=tmp_path / "log.txt")
    with screen.step("build") as step:
        screen.detail("sha256 abc")
        screen.doing("installing")
        screen.say("x", "warning")
        screen.line("a table")
        step.summary = "demo 1.0"
    first, *rest = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ build", first)
    assert rest == ["sha256 abc", "installing", "warning: x", "a table", "ok: build: demo 1.0"]


def test_the_log_waits_for_its_folder_and_makes_none(tmp_path: Path) -> None:
    log = Log(tmp_path / "release-record" / "log.txt")
    log.write("first")
    assert not log.is_written
    assert not (tmp_path / "release-record").exists()
    (tmp_path / "release-record").mkdir()
    log.write("second")
    assert log.is_written
    assert (tmp_path / "release-record" / "log.txt").read_text(encoding="utf-8") == "first\nsecond\n"


def test_the_next_command_adds_to_a_log_until_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.txt"
    Log(path).write("first")
    Log(path).write("second")
    assert path.read_text(encoding="utf-8") == "first\nsecond\n"
    monkeypatch.setattr(module, "LARGEST", 3)
    log = Log(path)
    log.write("third")
    log.write("fourth")
    assert path.read_text(encoding="utf-8") == "third\nfourth\n"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "log.txt").mkdir()
    log = Log(tmp_path / "log.txt")
    log.write("x")
    assert not log.is_written


def test_the_log_has_no_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen, lines = shown(log=tmp_path / "log.txt")
    screen.line(terminal.styled("a table", "strong"))
    assert lines == ["\x1b[1ma table\x1b[0m"]
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "a table\n"


# The end.


def test_an_error_comes_last_with_the_path_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(log=Log(tmp_path / "log.txt"))
    screen.failure("It failed.\nWhat to do: nothing")
    assert capsys.readouterr().err == f"It failed.\nWhat to do: nothing\nLog: {tmp_path / 'log.txt'}\n"
    Screen().failure("It failed.")
    assert capsys.readouterr().err == "It failed.\n"


# Several at once.


def test_work_beside_other_work_is_shown_in_one_piece() -> None:
    screen, lines = shown()
    with screen.apart() as one, screen.apart() as other:
        with one.step("build"):
            one.say("of the one")
        with other.step("build"):
            other.say("of the other")
        assert lines == []
    assert [len(piece.splitlines()) for piece in lines] == [2, 2]


def test_several_threads_may_speak_for_a_step() -> None:
    screen, lines = shown()
    with screen.step("verify"):
        threads = [threading.Thread(target=screen.say, args=(str(number),)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len("\n".join(lines).splitlines()) == 21


def test_what_a_step_is_doing_is_drawn_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(terminal, "FIRST", 0.01)
    monkeypatch.setattr(terminal, "REDRAW", 0.01)
    screen = Screen()
    with screen.step("check"):
        screen.doing("installing twine")
        while "check: installing twine, 0 s" not in stream.getvalue():
            pass
        with screen.progress("looking", total=4, unit="files"):
            while "looking, 0 of 4 files" not in stream.getvalue():
                pass
    assert stream.getvalue().rpartition("\x1b[K")[2].startswith("\x1b[32m✓")


def test_what_is_quick_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    with Screen().step("check"):
        pass
    assert "\x1b[K" not in stream.getvalue()
