"""Colours, widths, encodings and what is drawn over, without a terminal and without a clock."""

from __future__ import annotations

import io
import sys
import time

import pytest

from seatrial.machine import terminal
from seatrial.machine.terminal import Meter, duration, meter, styled, takes_colour


class Screen(io.StringIO):
    """A terminal, as far as anybody can tell."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


def on_a_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Put a terminal in place of standard output; pytest would take it away again between a fixture and its test."""
    made = Screen()
    monkeypatch.setattr(sys, "stdout", made)
    return made


# Whether.


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "true"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
    ],
)
def test_colours_elsewhere_than_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert takes_colour() is expected


def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_screen(monkeypatch)
    assert takes_colour()
    assert styled("done", "good") == "\x1b[32mdone\x1b[0m"
    assert styled("done", "") == "done"
    monkeypatch.setenv("NO_COLOR", "1")
    assert not takes_colour()
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert not takes_colour()


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_screen(monkeypatch)
    assert terminal.width() > 0
    monkeypatch.setenv("COLUMNS", "61")
    assert terminal.width() == 61


def test_elsewhere_a_line_may_be_as_long_as_it_likes() -> None:
    assert terminal.width() == 0


# What takes long.


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (7260, "2 h 1 min")],
)
def test_a_duration_is_for_a_person(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("shown", "seconds", "line", "bar"),
    [
        (Meter("looking"), 3, "looking, 3 s", ""),
        (
            Meter("waiting", limit=300),
            30,
            "waiting, 30 s, at most 4 min 30 s more",
            f"[#{'.' * 11}] ",
        ),
        (Meter("waiting", limit=30), 60, "waiting, 1 min 00 s, at most 0 s more", f"[{'#' * 12}] "),
        (Meter("trying", total=4, unit="files"), 2, "trying, 0 of 4 files, 2 s", f"[{'.' * 12}] "),
        (
            Meter("uploading", total=4 << 20, unit="B", done=1 << 20),
            2,
            "uploading, 1.0 MiB of 4.0 MiB, 512.0 KiB/s, 6 s left",
            f"[{'#' * 3}{'.' * 9}] ",
        ),
        (Meter("uploading", total=2, done=2), 2, "uploading, 2 of 2, 2 s", f"[{'#' * 12}] "),
    ],
)
def test_a_meter_says_how_far_how_fast_and_how_long(shown: Meter, seconds: float, line: str, bar: str) -> None:
    assert (shown.shown(seconds), shown.bar(seconds)) == (line, bar)


def test_an_upload_and_its_bar_fit_80_columns() -> None:
    shown = Meter("uploading", total=999 << 20, unit="B", done=500 << 20)
    assert len(shown.bar(599) + shown.shown(599)) < 80
    assert shown.shown(599) == "uploading, 500.0 MiB of 999.0 MiB, 854.8 KiB/s, 9 min 58 s left"


def test_elsewhere_a_line_is_said_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "NOW_AND_THEN", 0.001)
    said: list[str] = []
    with meter("looking", said.append):
        while not said:
            pass
    assert said[0] == "looking, 0 s"


def test_elsewhere_what_says_nothing_leaves_the_word_to_what_began_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "NOW_AND_THEN", 0.001)
    said: list[str] = []
    with meter("pypi", said.append), meter("waiting", None):
        start, end = len(said), time.monotonic() + 10
        while len(said) <= start + 1 and time.monotonic() < end:
            pass
    assert len(said) > start + 1


def test_on_a_terminal_one_line_is_drawn_over_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_a_screen(monkeypatch)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(terminal, "FIRST", 0.001)
    monkeypatch.setattr(terminal, "REDRAW", 0.001)
    said: list[str] = []
    with meter("waiting " * 10, said.append, limit=60):
        while "waiting" not in screen.getvalue():
            pass
        terminal.line("found something")
    assert said == []
    drawn = screen.getvalue()
    assert "\r\x1b[Kfound something\n" in drawn
    assert "waiting" not in drawn.rpartition("\x1b[K")[2]
    assert max(len(part) for part in drawn.replace("\n", "\r\x1b[K").split("\r\x1b[K")) < 40


def test_the_bar_gives_way_where_there_is_no_room() -> None:
    assert terminal.fitting("[##..] ", "waiting, 3 s", 19) == "[##..] waiting, 3 s"
    assert terminal.fitting("[##..] ", "waiting, 3 s", 18) == "waiting, 3 s"
    assert terminal.fitting("[##..] ", "waiting, 3 s", 7) == "waiting"


def test_what_is_quick_says_nothing() -> None:
    said: list[str] = []
    with meter("looking", said.append):
        pass
    assert said == []


# What is written.


@pytest.mark.parametrize("text", ["", "plain", "größe → ü"])
def test_what_is_said_is_a_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.line(text)
    assert capsys.readouterr().out == text + "\n"


def test_a_terminal_that_lacks_a_character_gets_its_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\n")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.line("größe →")
    stream.seek(0)
    assert stream.read() == "größe \\u2192\n"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (3 << 20, "3.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (7 << 40, "7168.0 GiB"),
    ],
)
def test_a_size_is_for_a_person(count: int, expected: str) -> None:
    assert terminal.size(count) == expected
