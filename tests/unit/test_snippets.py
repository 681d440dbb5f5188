"""The blocks of code in the pages are what they say: settings that exist, options that are parsed, files that are read.

tests/integration/test_snippets.py runs the commands.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import template
from seatrial.adoption.target import sessions_in
from seatrial.cli import options
from seatrial.cli.main import STEPS
from seatrial.cli.options import BadOption
from seatrial.machine import toml
from seatrial.project import settings
from seatrial.project.validation import UnknownSetting
from seatrial.steps.adopt import _parser as adopt_parser
from tests import snippets
from tests.bench.__main__ import _parser as bench_parser
from tests.snippets import NOT_RUN, OTHER_SHELLS, PAGES, ROOT, RUN, SHELLS, Block, Step, all_blocks, commands, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = ("text",)  # drawings, outputs and files of other formats
KNOWN = {"toml", "yaml", "python", *SHELLS, *OTHER_SHELLS, *SHOWN}
OWN = sessions_in((ROOT / "noxfile.py").read_text(encoding="utf-8"), ROOT / "noxfile.py")


def of(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", all_blocks(*languages), ids=str)


def test_every_block_is_in_a_language_that_is_looked_at() -> None:
    assert [str(block) for block in all_blocks() if block.language not in KNOWN] == []


# Files.


@of("toml")
def test_settings_are_those_that_exist(tmp_path: Path, block: Block) -> None:
    (tmp_path / "pyproject.toml").write_text(block.text, encoding="utf-8")
    settings.load(tmp_path)
    assert toml.parse(block.text).keys() <= {"build-system", "project", "tool"}


def test_a_setting_that_does_not_exist_is_found(tmp_path: Path) -> None:
    with pytest.raises(UnknownSetting):
        test_settings_are_those_that_exist(tmp_path, Block("page", 1, "toml", "[tool.seatrial]\npython = ['3.10']\n"))


@of("yaml")
def test_yaml_can_be_read(block: Block) -> None:
    yaml = pytest.importorskip("yaml", reason="the dependency group `template` is not installed")
    found = yaml.safe_load(block.text)
    assert isinstance(found, dict)
    assert found.keys() <= {"include", "verify"}  # of a whole pipeline the vendor's schema would have to be asked


def test_the_file_that_gitlab_is_told_to_include_is_one_that_adopt_writes() -> None:
    (named,) = [name for block in all_blocks("yaml") for name in re.findall(r"local: (\S+)", block.text)]
    assert named in template.render(template.complete({"ci": "gitlab"}))


@of("python")
def test_python_can_be_compiled(block: Block) -> None:
    ast.parse(block.text)


# Commands.


def in_shells(*languages: str) -> Iterator[tuple[Block, Step]]:
    for block in all_blocks(*languages):
        for step in snippets.steps(block):
            yield block, step


def asked(command: str) -> None:
    """Parse `command` as nox, or the session it names, would. Raises BadOption and AssertionError."""
    call = typed(command)
    if call is None:
        return
    assert call.sessions, f"{command} names no session"
    for session in call.sessions:
        name = session.partition("-3.")[0]
        if name == "adopt":
            adopt_parser().parse_args(list(call.args))
        elif name in STEPS:
            options.parse(name, call.args, Path.cwd())
        else:
            assert name in OWN, f"{command}: there is no session of this name"
            bench_parser().parse_args(list(call.args)) if name == "bench" else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_command_names_sessions_and_options_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    in_blocks = [
        one
        for block, step in in_shells(*SHELLS, *OTHER_SHELLS)
        if ROOT / block.page == page
        for one in commands(step.command)
    ]
    for command in [*in_blocks, *snippets.INLINE.findall(snippets.FENCE.sub("", text))]:
        asked(command.replace("…", "").replace(" STEP", " build").replace(" OPTIONS", ""))


@pytest.mark.parametrize("command", ["nox -s pypy", "nox -s build -- --fast", "seatrial check x.whl", "nox -s"])
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    with pytest.raises((BadOption, AssertionError)):
        asked(command)


def test_every_command_is_run_or_has_a_reason_not_to_be() -> None:
    left = {one for block, step in in_shells(*SHELLS) if block.page not in RUN for one in whole_or_parts(step.command)}
    assert left - NOT_RUN.keys() == set()


def test_nothing_is_excused_that_no_page_has() -> None:
    there = {one for _, step in in_shells(*SHELLS) for one in whole_or_parts(step.command)}
    assert NOT_RUN.keys() - there == set()
    assert set(RUN) <= {block.page for block, _ in in_shells(*SHELLS)}


def whole_or_parts(command: str) -> list[str]:
    return [command] if command in NOT_RUN else commands(command)


CHECKS = {
    "sh": ("bash", "-n", "-c"),
    "console": ("bash", "-n", "-c"),
    "fish": ("fish", "--no-execute", "-c"),
    "powershell": ("pwsh", "-NoProfile", "-Command"),
}
PARSED = """\
$e = $null
[void][Management.Automation.Language.Parser]::ParseInput(@'
{}
'@, [ref]$null, [ref]$e)
$e.Count"""


@of(*SHELLS, *OTHER_SHELLS)
def test_a_block_is_one_for_its_shell(block: Block) -> None:
    program, *flags = CHECKS[block.language]
    found = shutil.which(program)
    if found is None or (os.name == "nt" and program == "bash"):  # there it may be one that starts another system
        pytest.skip(f"there is no {program} here")
    script = "\n".join(step.command for step in snippets.steps(block))
    script = PARSED.format(script) if program == "pwsh" else script
    done = subprocess.run([found, *flags, script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in {"", "0"}
