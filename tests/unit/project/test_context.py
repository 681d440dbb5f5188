from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index.indexes import PYPI, TESTPYPI
from seatrial.machine.screen import Screen
from seatrial.project.context import DryRun, Resolution
from seatrial.project.options import ALL, Commands, Options
from seatrial.project.settings import Settings
from seatrial.release.record import Record
from tests.samples.contexts import make_context

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "http://127.0.0.1:4711/simple/"
REASON = {"options": Options(rehearse_on="TestPyPI is down")}
SETTING = {"settings": Settings(rehearse_on="dryrun")}


@pytest.fixture
def shown() -> list[str]:
    """What a screen shows that `on` is made of."""
    return []


def on(shown: list[str], *, verbose: bool = False) -> Screen:
    return Screen(verbose=verbose, write=shown.append)


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("YES", True), ("false", False), ("", False), ("0", False)]
)
def test_ci_says_that_it_is_ci(tmp_path: Path, value: str, *, expected: bool) -> None:
    context = make_context(tmp_path, variables={"CI": value}, asks=True)
    assert context.in_ci is expected
    assert context.interactive is not expected


def test_a_dry_run_is_never_as_strict_as_ci_and_asks_as_little(tmp_path: Path) -> None:
    context = make_context(tmp_path, variables={"CI": "true"}, asks=True, dry=DryRun(tmp_path))
    assert not context.in_ci
    assert not context.interactive


@pytest.mark.parametrize("asks", [True, False])
def test_somebody_can_be_asked_where_somebody_is(tmp_path: Path, *, asks: bool) -> None:
    assert make_context(tmp_path, asks=asks).interactive is asks


def test_the_record_of_another_package_is_in_its_folder_or_that_of_the_dry_run(tmp_path: Path) -> None:
    core, cli, place = tmp_path / "core", tmp_path / "cli", tmp_path / "place" / "core"
    assert make_context(cli).record_of(core) == Record.of(core)
    dry = DryRun(tmp_path / "place" / "cli", {core.resolve(): place})
    assert make_context(cli, dry=dry).record_of(cli / ".." / "core") == Record.of(place)


@pytest.mark.parametrize(
    ("fields", "index", "counts"),
    [
        ({}, TESTPYPI.simple, True),
        ({}, LOOPBACK, False),
        ({}, PYPI.simple, False),
        (REASON, TESTPYPI.simple, False),
        (REASON, LOOPBACK, True),
        (REASON, PYPI.simple, False),
        (SETTING, TESTPYPI.simple, False),
        (SETTING, LOOPBACK, True),
    ],
)
def test_a_rehearsal_counts_where_it_is_asked_for(
    tmp_path: Path, fields: dict[str, Any], index: str, *, counts: bool
) -> None:
    assert make_context(tmp_path, **fields).counts(index) is counts


def test_a_rehearsal_index_on_this_machine_is_no_stand_in(tmp_path: Path) -> None:
    settings = Settings(testpypi=replace(TESTPYPI, simple=LOOPBACK))
    assert make_context(tmp_path, settings=settings).counts(LOOPBACK)
    assert not make_context(tmp_path, settings=settings, **REASON).counts(LOOPBACK)


def test_in_a_dry_run_its_own_index_is_the_rehearsal(tmp_path: Path) -> None:
    settings = Settings(testpypi=replace(TESTPYPI, simple=LOOPBACK), rehearse_on="dryrun")
    context = make_context(tmp_path, settings=settings, dry=DryRun(tmp_path))
    assert context.rehearsed_here is None
    assert context.counts(LOOPBACK)


def test_the_reason_on_the_command_line_comes_before_the_setting(tmp_path: Path) -> None:
    assert make_context(tmp_path, **SETTING).rehearsed_here == 'rehearse-on = "dryrun" in [tool.seatrial]'
    assert make_context(tmp_path, **SETTING, **REASON).rehearsed_here == "TestPyPI is down"


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({}, "nox -s build -- --rebuild"),
        ({"commands": Commands(option=("--package", "core"))}, "seatrial build --package core --rebuild"),
        ({"commands": Commands(option=ALL)}, None),
        ({"last": False}, None),
        ({"dry": True}, None),
    ],
)
def test_the_next_command_is_told_where_somebody_types_it(
    tmp_path: Path, shown: list[str], fields: dict[str, Any], command: str | None
) -> None:
    fields = fields | ({"dry": DryRun(tmp_path)} if "dry" in fields else {})
    make_context(tmp_path, screen=on(shown), **fields).next("build", "--rebuild")
    assert shown == ([f"next: {command}"] if command else [])


@pytest.mark.parametrize("verbose", [True, False])
def test_what_is_withheld_is_named_without_its_value_to_who_wants_details(
    tmp_path: Path, shown: list[str], *, verbose: bool
) -> None:
    outer = {"PYPI_TOKEN": "s3cret", "PATH": "/bin"}
    context = make_context(tmp_path, variables=outer, screen=on(shown, verbose=verbose))
    context.say_what_is_withheld()
    assert [line.strip(" |") for line in shown] == (["withheld from subprocesses: PYPI_TOKEN"] if verbose else [])
    replace(context, dry=DryRun(tmp_path)).say_what_is_withheld()
    assert len(shown) == verbose


def test_variables_are_not_part_of_what_is_shown_of_a_context(tmp_path: Path) -> None:
    assert "s3cret" not in repr(make_context(tmp_path, variables={"PYPI_TOKEN": "s3cret"}))


def test_warnings_are_said_below_the_step(tmp_path: Path, shown: list[str]) -> None:
    context = make_context(tmp_path, screen=on(shown))
    with context.screen.step("check") as step:
        context.say("no author is named", "warning")
        assert shown == []
        step.summary = "1 warning"
    (text,) = shown
    assert text.splitlines()[1].split() == ["warning", *"no author is named".split()]


def test_earlier_versions_are_read_where_the_project_is_released_whatever_the_settings_become(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    changed = context.with_settings(Settings(pypi=replace(PYPI, simple=LOOPBACK)))
    assert (changed.settings.pypi.simple, changed.published) == (LOOPBACK, PYPI)


def test_what_is_resolved_is_known_to_all_steps_of_a_dry_run_alone(tmp_path: Path) -> None:
    key = ("python", "six", "demo")
    dry = make_context(tmp_path, dry=DryRun(tmp_path))
    dry.locks[key] = resolution = Resolution()
    assert replace(dry, last=False).locks == {key: resolution}
    make_context(tmp_path).locks[key] = resolution
    assert make_context(tmp_path).locks == {}
