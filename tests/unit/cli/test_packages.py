"""``--package`` and ``--all``: which steps run for which packages, in which order, and what is typed next."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from seatrial.cli import chain, main
from seatrial.cli.options import INTERFACE
from seatrial.index.tokens import make
from seatrial.release.record import DIGEST_VARIABLE, Record
from seatrial.steps import dryrun, preflight, pypi
from seatrial.steps.pypi import NotVerified
from seatrial.workspace import packages
from tests.projects import write_tree
from tests.samples.records import built_in
from tests.samples.stages import RELEASED
from tests.samples.workspaces import BUILDS, UV, project, three

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.project.context import Context
    from seatrial.workspace.packages import Package, Repository

CHAIN = ["demo-base", "demo-core", "demo-cli"]


@dataclass
class Steps:
    """What runs in the place of the steps: notes what it works with, and fails for some packages."""

    bad: dict[str, Exception] = field(default_factory=dict)
    contexts: list[tuple[str, Context]] = field(default_factory=list)

    def act(self, step: str, context: Context) -> None:
        self.contexts.append((step, context))
        context.screen.line(f"{step} of {context.root.name}")
        if error := self.bad.get(context.root.name):
            raise error

    @property
    def ran(self) -> list[tuple[str, str]]:
        return [(step, context.root.name) for step, context in self.contexts]


@pytest.fixture(autouse=True)
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    made = Steps()
    monkeypatch.setattr(chain, "act", made.act)
    monkeypatch.setattr(pypi, "proved", lambda context: made.act("proved", context))
    monkeypatch.setattr(pypi, "run", lambda context: made.act("pypi", context))
    return made


@dataclass
class Typed:
    """A command that ended."""

    code: int
    output: str
    errors: str


Type = Callable[..., Typed]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Type:
    """Type a command in a folder."""

    def run(folder: Path, *words: str, **outer: str) -> Typed:
        monkeypatch.chdir(folder)
        code = main.run(words, outer)
        output, errors = capsys.readouterr()
        return Typed(code, output, errors)

    return run


# One package.


def test_a_preflight_runs_no_step_and_refuses_what_the_upload_would(
    tmp_path: Path, typed: Type, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[tuple[str, Collection[str]]] = []
    monkeypatch.setattr(preflight, "stop_early", lambda context, names, **_: looked.append((context.root.name, names)))
    root = three(tmp_path)
    for words in (("--package", "demo-core"), ("--all",)):
        assert typed(root, "testpypi", "--preflight", *words) == Typed(0, "", "")
    every = ["core", *(package.root.name for package in packages.find(root).ordered())]
    assert [name for name, _ in looked] == every
    assert all("testpypi" in names for _, names in looked)
    assert steps.ran == []


@pytest.mark.parametrize(
    ("withheld", "there", "said"),
    [([], [], "upload\n"), (["TESTPYPI_TOKEN"], [], "upload\n"), (["TESTPYPI_TOKEN"], ["TESTPYPI_TOKEN"], "")],
)
def test_a_preflight_asks_for_the_credential_where_an_upload_lies_ahead(
    tmp_path: Path, typed: Type, steps: Steps, *, withheld: list[str], there: list[str], said: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        looking = MagicMock(return_value=True)
        patch.setattr(preflight, "stop_early", looking)
        facts = {"interface": INTERFACE, "prefix": "", "interactive": False, "asked": ["testpypi"], "uv": None}
        facts |= {"withheld": withheld, "root": str(three(tmp_path) / "packages" / "core"), "start": str(tmp_path)}
        words = ("testpypi", "--nox", json.dumps(facts), "--preflight")
        assert typed(tmp_path, *words, **dict.fromkeys(there, "a token")) == Typed(0, said, "")
    assert looking.call_args.kwargs == {"withheld": withheld != there}
    assert steps.ran == []


def test_a_step_for_one_package_is_done_in_its_folder(tmp_path: Path, typed: Type, steps: Steps) -> None:
    root = three(tmp_path)
    ended = typed(root, "check", "--rebuild", "--package", "Demo_Core", **{DIGEST_VARIABLE: "0" * 64})
    assert ended.code == 0
    assert steps.ran == [("build", "core"), ("check", "core")]
    context = steps.contexts[-1][1]
    assert context.root == root / "packages" / "core"
    assert context.options.rebuild
    assert context.commands.option == ("--package", "demo-core")
    assert context.record.expected == "0" * 64
    assert [one.last for _, one in steps.contexts] == [False, True]


@pytest.mark.parametrize("root_of", [UV, '[tool.seatrial]\npackages = ["packages/*"]\n'], ids=["uv", "packages"])
@pytest.mark.parametrize("step", ["build", "pypi", "dryrun"])
def test_the_root_of_packages_is_not_taken_for_one(
    tmp_path: Path, typed: Type, steps: Steps, root_of: str, step: str
) -> None:
    ended = typed(three(tmp_path, root_of), step)
    assert (ended.code, steps.ran) == (1, [])
    assert "is the root of 3 packages, and no package itself: demo-base, demo-cli, demo-core" in ended.errors
    assert f"add `--all` or `--package NAME`: `seatrial {step} --all`" in ended.errors


@pytest.mark.parametrize("itself", [BUILDS, '[project]\nname = "whole"\n', '[tool.poetry]\nname = "whole"\n'])
def test_a_root_that_is_a_package_itself_is_built(tmp_path: Path, typed: Type, steps: Steps, itself: str) -> None:
    assert typed(three(tmp_path, itself + UV), "build").code == 0
    assert [step for step, _ in steps.ran] == ["build"]


def test_a_folder_is_seen_from_where_the_command_was_typed(tmp_path: Path, typed: Type, steps: Steps) -> None:
    root = three(tmp_path)
    assert typed(root, "build", "--package=packages/cli").code == 0
    assert steps.ran == [("build", "cli")]


def test_what_fails_for_one_package_is_told_with_its_commands(tmp_path: Path, typed: Type, steps: Steps) -> None:
    steps.bad["core"] = NotVerified("PyPI", ("Python 3.14, wheel",), False)  # noqa: FBT003
    ended = typed(three(tmp_path), "build", "--package", "demo-core")
    assert ended.code == 1
    assert "run `seatrial verify --package demo-core`; at least one cell" in ended.errors


def test_an_unknown_package_is_refused_with_those_there_are(tmp_path: Path, typed: Type, steps: Steps) -> None:
    ended = typed(three(tmp_path), "build", "--package", "demo")
    assert ended.code == 1
    assert "There is no package `demo` in" in ended.errors
    assert "\n  demo-base\n  demo-cli\n  demo-core\n" in ended.errors
    assert steps.ran == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("build", "--all", "--package", "core"), "--package and --all exclude each other"),
        (("inspect", "--all"), "it takes files, and no package"),
        (("inspect", "--package", "core"), "it takes files, and no package"),
        (("rebuild", "--all", "1.0"), "a VERSION belongs to one package: give it with --package NAME"),
        (("build", "--all", "--from", "wheels"), "--from takes the files of one package: give it with --package NAME"),
    ],
)
def test_what_makes_no_sense_is_refused_as_it_was_typed(
    tmp_path: Path, typed: Type, words: tuple[str, ...], complaint: str
) -> None:
    ended = typed(three(tmp_path), *words)
    assert ended.code == 1
    assert ended.errors.startswith(f"seatrial {words[0]}: {complaint}\n")


def test_of_one_package_a_version_and_files_may_be_given(tmp_path: Path, typed: Type, steps: Steps) -> None:
    root = three(tmp_path)
    assert typed(root, "build", "--from", "wheels", "--package", "demo-core").code == 0
    assert typed(root, "rebuild", "--package", "demo-core", "1.0").code == 0
    assert steps.contexts[0][1].options.taken_from == root / "wheels"
    assert steps.contexts[1][1].options.version == "1.0"


# All packages.


def test_all_packages_are_done_each_after_what_it_needs(tmp_path: Path, typed: Type, steps: Steps) -> None:
    ended = typed(three(tmp_path), "build", "--all", "--rebuild", **{DIGEST_VARIABLE: "0" * 64})
    assert steps.ran == [("build", name) for name in ("base", "core", "cli")]
    assert [context.settings.release_with for _, context in steps.contexts] == [(), ("../base",), ("../core",)]
    assert {context.record.expected for _, context in steps.contexts} == {None}  # it is of one package
    assert not any(context.asks for _, context in steps.contexts)
    shown = [line for line in ended.output.splitlines() if line]
    each = [line for name in CHAIN for line in (f"== {name}", f"build of {name.removeprefix('demo-')}")]
    assert shown == [f"3 packages: {', '.join(CHAIN)}", *each, "next: seatrial check --all"]


@pytest.mark.parametrize(
    ("step", "following"),
    [
        ("build", "check"),
        ("check", "testpypi"),
        ("testpypi", "verify"),
        ("verify", "pypi"),
        ("status", ""),
        ("pypi", ""),
    ],
)
def test_the_next_command_is_for_all_too(tmp_path: Path, typed: Type, step: str, following: str) -> None:
    output = typed(three(tmp_path), step, "--all", TESTPYPI_TOKEN=make("test.pypi.org")).output
    assert [line for line in output.splitlines() if line.startswith("next")] == (
        [f"next: seatrial {following} --all"] if following else []
    )


def test_the_next_command_needs_the_rehearsal_that_was_asked_for(tmp_path: Path, typed: Type) -> None:
    output = typed(three(tmp_path), "testpypi", "--all", "--rehearse-on", "dryrun", "it is down").output
    assert output.endswith('next: seatrial verify --all --rehearse-on dryrun "it is down"\n')


@pytest.mark.parametrize("step", ["build", "verify", "dryrun", "pypi"])
def test_explained_nothing_is_done_and_nothing_is_next(tmp_path: Path, typed: Type, steps: Steps, step: str) -> None:
    ended = typed(three(tmp_path), step, "--all", "--explain")
    assert (ended.code, steps.ran) == (0, [])
    assert [line for line in ended.output.splitlines() if line.startswith("==")] == [f"== {name}" for name in CHAIN]
    assert "next:" not in ended.output


def test_one_package_is_told_as_one_and_what_is_left_out_is_named(tmp_path: Path, typed: Type) -> None:
    root = three(tmp_path, '[tool.seatrial]\npackages = ["packages/base", "packages/notes"]\n')
    write_tree(root, {"packages/notes/pyproject.toml": ""})
    output = typed(root, "build", "--all").output
    assert output.startswith("1 package: demo-base\nnot for release: packages/notes (no [build-system])\n")


def test_where_all_are_left_out_they_are_named(tmp_path: Path, typed: Type) -> None:
    ended = typed(write_tree(tmp_path, {"pyproject.toml": UV, "packages/notes/pyproject.toml": ""}), "build", "--all")
    assert ended.output == "not for release: packages/notes (no [build-system])\n"
    assert ended.errors.startswith(f"No packages are found in {tmp_path.resolve()}.\n")


def test_what_needs_a_package_that_failed_is_not_begun(tmp_path: Path, typed: Type, steps: Steps) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/alone/pyproject.toml": project("alone")})
    steps.bad["base"] = NotVerified("PyPI", ("Python 3.14, wheel",), False)  # noqa: FBT003
    ended = typed(root, "build", "--all")
    assert ended.code == 1
    assert sorted(steps.ran) == [("build", "alone"), ("build", "base")]
    assert "`build` failed for demo-base. Not started, since they come after it: demo-core, demo-cli." in ended.errors
    assert "run `seatrial verify --all`; at least one cell" in ended.output
    assert "next:" not in ended.output


def test_a_disk_that_is_full_for_one_package_stops_those_that_need_it(
    tmp_path: Path, typed: Type, steps: Steps
) -> None:
    steps.bad["core"] = OSError(28, "No space left on device")
    ended = typed(three(tmp_path), "build", "--all")
    assert "The operating system refused to read or write: [Errno 28] No space left on device" in ended.output
    assert "`build` failed for demo-core. Not started, since they come after it: demo-cli." in ended.errors


def test_packages_that_need_each_other_are_refused_before_any_is_begun(
    tmp_path: Path, typed: Type, steps: Steps
) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/base/pyproject.toml": project("demo-base", dependencies='"demo-cli"')})
    ended = typed(root, "build", "--all")
    assert "These packages need each other" in ended.errors
    assert steps.ran == []


def test_a_root_that_is_set_up_wrongly_stops_all(tmp_path: Path, typed: Type) -> None:
    ended = typed(three(tmp_path, f"{UV}[tool.seatrial]\ntagg = 1\n"), "build", "--all")
    assert "Unknown setting `tagg` in [tool.seatrial]" in ended.errors


def test_a_dry_run_of_all_is_made_at_the_root(tmp_path: Path, typed: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Context, list[str]]] = []

    def of_all(context: Context, repository: Repository, _act: Callable[[Package, Any], bool]) -> None:
        made.append((context, [package.name for package in repository.ordered()]))

    monkeypatch.setattr(dryrun, "of_all", of_all)
    root = three(tmp_path)
    assert typed(root, "dryrun", "--all", "--offline").output.endswith("next: seatrial testpypi --all\n")
    ((context, names),) = made
    assert (context.root, context.options.offline, names) == (root, True, CHAIN)


# The release of all.


def test_nothing_is_sent_before_all_are_proved(tmp_path: Path, typed: Type, steps: Steps) -> None:
    assert typed(three(tmp_path), "pypi", "--all", "--yes", "1.0").code == 0
    assert steps.ran == [(step, name) for step in ("proved", "pypi") for name in ("base", "core", "cli")]
    options = [context.commands.option for _, context in steps.contexts]
    assert options == [*(("--package", name) for name in CHAIN), *([("--all",)] * 3)]
    assert [context.settings.release_with for _, context in steps.contexts] == [(), ("../base",), ("../core",)] * 2


@pytest.mark.parametrize("words", [(), ("--yes", "1.0"), ("--yes", "2.0")])
def test_where_versions_differ_each_is_confirmed_by_itself(
    tmp_path: Path, typed: Type, steps: Steps, words: tuple[str, ...]
) -> None:
    root = three(tmp_path)
    for name, version in (("base", "1.0"), ("core", "2.0"), ("cli", "2.0")):
        built = built_in(root / "packages" / name, version=version)
        if name == "cli":
            facts: dict[str, Any] = {"project": built.project, "version": built.version, "dists": built.dists}
            Record.of(root / "packages" / name).write(replace(RELEASED, **facts))
    ended = typed(three(tmp_path), "pypi", "--all", *words, CI="1")
    commands = ("seatrial pypi --package demo-base --yes 1.0", "seatrial pypi --package demo-core --yes 2.0")
    assert ended.errors.endswith(f"in this order:\n  {commands[0]}\n  {commands[1]}\n")
    assert [(step, context.options.yes) for step, context in steps.contexts] == [("proved", None)] * 3


def test_one_that_is_not_proved_stops_all(tmp_path: Path, typed: Type, steps: Steps) -> None:
    steps.bad["cli"] = NotVerified("PyPI", ("Python 3.14, wheel",), False)  # noqa: FBT003
    ended = typed(three(tmp_path), "pypi", "--all", "--yes", "1.0")
    assert ended.code == 1
    assert [step for step, _ in steps.ran] == ["proved"] * 3
    assert "These files are not verified as the matrix demands" in ended.errors


def test_the_first_release_that_fails_is_the_last(
    tmp_path: Path, typed: Type, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pypi, "proved", lambda _context: None)
    steps.bad["core"] = NotVerified("PyPI", ("Python 3.14, wheel",), False)  # noqa: FBT003
    ended = typed(three(tmp_path), "pypi", "--all", "--yes", "1.0")
    assert steps.ran == [("pypi", "base"), ("pypi", "core")]
    assert "These files are not verified as the matrix demands" in ended.output
    assert "`pypi` failed for demo-core. Not started, since they come after it: demo-cli." in ended.errors
