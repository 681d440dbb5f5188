from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.cli.register import PROJECT_VARIABLE
from seatrial.machine import process
from seatrial.project.commands import ALL, Errand, Typed, from_environment
from seatrial.project.options import BadOption, parse, without_package
from seatrial.project.settings import BadConfig
from seatrial.release.record import DIGEST_VARIABLE
from seatrial.steps import publish
from seatrial.steps.publish import NotConfirmed, NotVerified
from seatrial.workspace import batch
from seatrial.workspace.batch import REGISTER, Caller, NoPackages, TogetherFailed, in_order
from seatrial.workspace.packages import NoSuchPackage, Package, PackageCycle, Repository
from tests.fakes import make_run
from tests.projects import write_tree
from tests.samples.stages import BUILT
from tests.samples.workspaces import UV, project, three

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.machine.process import OnWait
    from seatrial.project.context import Run
    from seatrial.release.stages import Built

NAMES = {name: f"release-{name}" for name in ("build", "check", "testpypi", "verify", "pypi", "dryrun", "rebuild")}
CHAIN = ["demo-base", "demo-core", "demo-cli"]


@dataclass
class FakeNox:
    """The nested runs of nox: what they were told, and how they end by the name of their package."""

    codes: dict[str, int] = field(default_factory=dict)
    argvs: list[tuple[str, ...]] = field(default_factory=list)
    envs: list[Mapping[str, str]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    asking: list[bool] = field(default_factory=list)

    @property
    def ran(self) -> list[str]:
        """The packages, in the order in which they were begun."""
        return [self.name_of(argv) for argv in self.argvs]

    def name_of(self, argv: Sequence[str]) -> str:
        return Path(argv[argv.index("--envdir") + 1]).name

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, on_wait: OnWait = lambda _: None
    ) -> process.Outcome:
        on_wait(15.0)
        self.argvs.append(tuple(argv))
        self.envs.append(env)
        self.folders.append(cwd)
        name = self.name_of(argv)
        return process.Outcome(self.codes.get(name, 0), f"\nwhat {name} says\n\n")

    def run_shown(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, asking: bool) -> int:
        self.asking.append(asking)
        return self.run(argv, env=env, cwd=cwd).code


@pytest.fixture(autouse=True)
def nox(monkeypatch: pytest.MonkeyPatch) -> FakeNox:
    fake = FakeNox()
    monkeypatch.setattr(process, "run", fake.run)
    monkeypatch.setattr(process, "run_shown", fake.run_shown)
    monkeypatch.setattr(batch, "_SEEN_TO", {})
    monkeypatch.delenv(DIGEST_VARIABLE, raising=False)
    return fake


@dataclass
class Asked:
    """A session that was asked to work for packages, and what it handed on."""

    root: Path
    words: tuple[str, ...] = ()
    name: str = "build"
    typed: Typed = field(default_factory=lambda: Typed(NAMES))
    start: Path | None = None
    interactive: bool = False
    at_work: list[tuple[Path, Errand]] = field(default_factory=list)
    rehearsed: list[tuple[Run, Caller, Repository]] = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        return Caller(
            name=self.name,
            typed=self.typed,
            root=self.root,
            start=self.start or self.root,
            envdir=self.root / ".nox",
            words=tuple(without_package(self.words)),
            interactive=self.interactive,
        )

    def run_in(self, root: Path, errand: Errand) -> Run:
        self.at_work.append((root, errand))
        return replace(make_run(root, name=self.name), errand=errand)

    def rehearse(self, run: Run, caller: Caller, repository: Repository) -> None:
        self.rehearsed.append((run, caller, repository))

    def run(self) -> None:
        asked = parse(self.name, self.words, self.root)
        batch.run(self.caller, asked, self.run_in, self.rehearse)


# One package.


def test_a_session_for_one_package_is_a_nox_of_its_own_in_its_folder(tmp_path: Path, nox: FakeNox) -> None:
    root = three(tmp_path)
    Asked(root, ("--rebuild", "--package", "Demo_Core")).run()
    (argv,), (env,) = nox.argvs, nox.envs
    assert argv[:3] == (sys.executable, "-c", batch.START)
    assert argv[3:7] == ("--noxfile", str(REGISTER), "--envdir", str(root / ".nox" / "packages" / "demo-core"))
    assert argv[7:] == ("--no-dependencies", "--session", "build", "--", "--rebuild")
    assert env[PROJECT_VARIABLE] == str(root / "packages" / "core")
    assert from_environment(env) == Errand(Typed(NAMES, option=("--package", "demo-core")))
    assert env["PATH"] == os.environ["PATH"]
    assert nox.folders == [root]


def test_nox_is_not_misled_by_the_current_folder(tmp_path: Path) -> None:
    write_tree(tmp_path, {"nox/__init__.py": "", "nox/__main__.py": "def main():\n    print('the wrong nox')\n"})
    (command,) = [word for word in batch.nox(Path("noxfile.py"), tmp_path) if "import" in word]
    argv = [sys.executable, "-c", command, "--version"]
    found = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "wrong" not in found.stdout + found.stderr


@pytest.mark.parametrize("verbose", [True, False])
def test_what_is_verbose_stays_so(monkeypatch: pytest.MonkeyPatch, *, verbose: bool) -> None:
    monkeypatch.setattr(process, "is_verbose", lambda: verbose)
    argv = batch.nox(Path("a/noxfile.py"), Path("envs"))
    assert argv[3:] == ("--noxfile", str(Path("a/noxfile.py")), "--envdir", "envs", *(["--verbose"] * verbose))


def test_the_record_that_is_told_outside_is_that_of_the_one_package(
    tmp_path: Path, nox: FakeNox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    Asked(three(tmp_path), ("--package", "demo-core")).run()
    assert nox.envs[0][DIGEST_VARIABLE] == "0" * 64


@pytest.mark.parametrize("interactive", [True, False])
def test_one_package_is_asked_about_where_somebody_is(tmp_path: Path, nox: FakeNox, *, interactive: bool) -> None:
    Asked(three(tmp_path), ("--package", "demo-core"), name="pypi", interactive=interactive).run()
    assert nox.asking == [interactive]


def test_a_folder_is_seen_from_where_the_command_was_typed(tmp_path: Path, nox: FakeNox) -> None:
    root = three(tmp_path)
    Asked(root, ("--package=.",), start=root / "packages" / "cli").run()
    assert (nox.ran, nox.folders) == (["demo-cli"], [root / "packages" / "cli"])


def test_one_package_that_fails_is_named(tmp_path: Path, nox: FakeNox) -> None:
    nox.codes["demo-core"] = 1
    with pytest.raises(TogetherFailed) as error:
        Asked(three(tmp_path), ("--package", "demo-core")).run()
    assert (error.value.session, error.value.failed, error.value.waiting) == ("build", ("demo-core",), ())


def test_an_unknown_package_is_refused(tmp_path: Path, nox: FakeNox) -> None:
    with pytest.raises(NoSuchPackage):
        Asked(three(tmp_path), ("--package", "demo")).run()
    assert nox.argvs == []


# What makes no sense.


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (("build", "--all", "--package", "core"), "--package and --all exclude each other"),
        (("inspect", "--all"), "it takes files, and no package"),
        (("inspect", "--package", "core"), "it takes files, and no package"),
        (("rebuild", "--all", "1.0"), "a VERSION is of one package: give it with --package NAME"),
        (("build", "--all", "--from", "wheels"), "--from takes the files of one package: give it with --package NAME"),
    ],
)
@pytest.mark.parametrize(("door", "prog"), [(False, "nox -s release-{} --"), (True, "seatrial {}")])
def test_what_makes_no_sense_is_refused_as_it_was_typed(
    tmp_path: Path, typed: tuple[str, ...], complaint: str, prog: str, *, door: bool
) -> None:
    name, *words = typed
    names = {one: f"release-{one}" for one in ("build", "inspect", "rebuild")}
    with pytest.raises(BadOption) as error:
        Asked(three(tmp_path), tuple(words), name=name, typed=Typed(names, door)).run()
    assert (error.value.prog, error.value.complaint) == (prog.format(name), complaint)


@pytest.mark.parametrize(
    ("name", "words"),
    [("rebuild", ("--package", "demo-core", "1.0")), ("build", ("--from", "wheels", "--package", "demo-core"))],
)
def test_for_one_package_it_does(tmp_path: Path, nox: FakeNox, name: str, words: tuple[str, ...]) -> None:
    Asked(three(tmp_path), words, name=name).run()
    assert nox.argvs[0][-len(words) + 2 :] == tuple(word for word in words if word not in {"--package", "demo-core"})


# All packages.


def test_all_packages_are_done_each_after_what_it_needs(
    tmp_path: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    root = three(tmp_path)
    Asked(root, ("--all", "--rebuild")).run()
    assert nox.ran == CHAIN
    assert {argv[7:] for argv in nox.argvs} == {("--no-dependencies", "--session", "build", "--", "--rebuild")}
    assert [env[PROJECT_VARIABLE] for env in nox.envs] == [str(root / "packages" / n) for n in ("base", "core", "cli")]
    assert [from_environment(env) for env in nox.envs] == [
        Errand(Typed(NAMES, option=ALL), beside) for beside in ((), ("../base",), ("../core",))
    ]
    assert not [env for env in nox.envs if DIGEST_VARIABLE in env]
    assert all(env["PATH"] == os.environ["PATH"] for env in nox.envs)
    said = [line for line in capsys.readouterr().out.splitlines() if line]
    shown = itertools.chain.from_iterable(
        (f"still at `build` of {name} (15 s)", f"== {name}", f"what {name} says") for name in CHAIN
    )
    assert said == [f"3 packages: {', '.join(CHAIN)}", *shown, "next: nox -s release-check -- --all"]


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("build", "check"),
        ("check", "testpypi"),
        ("testpypi", "verify"),
        ("verify", "pypi"),
        ("dryrun", "testpypi"),
        ("status", ""),
        ("rebuild", ""),
    ],
)
def test_the_next_command_is_for_all_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, following: str
) -> None:
    asked = Asked(three(tmp_path), ("--all",), name=name, typed=Typed({}, door=True))
    if name == "rebuild":
        asked.words = ("--package", "demo-core")
    asked.run()
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line.startswith("next")] == (
        [f"next: seatrial {following} --all"] if following else []
    )


def test_the_next_command_needs_the_rehearsal_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Asked(three(tmp_path), ("--all", "--rehearse-on", "dryrun", "it is down"), name="testpypi").run()
    expected = 'next: nox -s release-verify -- --all --rehearse-on dryrun "it is down"\n'
    assert capsys.readouterr().out.endswith(expected)


@pytest.mark.parametrize("name", ["build", "verify", "dryrun", "pypi"])
def test_explained_nothing_is_done_and_nothing_is_next(
    tmp_path: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    asked = Asked(three(tmp_path), ("--all", "--explain"), name=name)
    asked.run()
    assert nox.ran == CHAIN
    assert {argv[-2:] for argv in nox.argvs} == {("--", "--explain")}
    assert (asked.at_work, asked.rehearsed) == ([], [])
    assert "next:" not in capsys.readouterr().out


def test_one_package_is_told_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Asked(three(tmp_path, '[tool.seatrial]\npackages = ["packages/base"]\n'), ("--all",)).run()
    assert capsys.readouterr().out.startswith("1 package: demo-base\n")


def test_where_all_are_left_out_they_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_tree(tmp_path, {"pyproject.toml": UV, "packages/notes/pyproject.toml": ""})
    with pytest.raises(NoPackages):
        Asked(root, ("--all",)).run()
    assert capsys.readouterr().out == "not for release: packages/notes (no [build-system])\n"


def test_what_is_left_out_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = three(tmp_path)
    Asked(root, ("--all",)).run()
    assert "not for release" not in capsys.readouterr().out
    write_tree(root, {"packages/notes/pyproject.toml": "", "packages/zoo/pyproject.toml": ""})
    Asked(root, ("--all",)).run()
    assert (
        "\nnot for release: packages/notes (no [build-system]), packages/zoo (no [build-system])\n"
        in capsys.readouterr().out
    )


def test_what_needs_a_package_that_failed_is_not_begun(
    tmp_path: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str]
) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/alone/pyproject.toml": project("alone")})
    nox.codes["demo-base"] = 1
    with pytest.raises(TogetherFailed) as error:
        Asked(root, ("--all",)).run()
    assert sorted(nox.ran) == ["alone", "demo-base"]
    assert (error.value.session, error.value.failed, error.value.waiting) == (
        "build",
        ("demo-base",),
        ("demo-core", "demo-cli"),
    )
    said = capsys.readouterr().out
    assert "what demo-base says" in said
    assert "next:" not in said


def test_where_there_are_no_packages_that_is_said(tmp_path: Path, nox: FakeNox) -> None:
    with pytest.raises(NoPackages) as error:
        Asked(write_tree(tmp_path, {"pyproject.toml": project("demo")}), ("--all",)).run()
    assert error.value.root == tmp_path.resolve()
    assert nox.argvs == []


def test_packages_that_need_each_other_are_refused_before_any_is_begun(tmp_path: Path, nox: FakeNox) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/base/pyproject.toml": project("demo-base", dependencies='"demo-cli"')})
    with pytest.raises(PackageCycle):
        Asked(root, ("--all",)).run()
    assert nox.argvs == []


# The cells of verify.


@pytest.mark.parametrize("words", [("--all",), ("--package", "demo-core")])
def test_the_first_cell_sees_to_the_others(
    tmp_path: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    asked = Asked(three(tmp_path), words, name="verify")
    asked.run()
    before = list(nox.ran)
    assert "has seen to this cell" not in capsys.readouterr().out
    asked.run()
    assert nox.ran == before
    assert "the first session of `verify` has seen to this cell as well." in capsys.readouterr().out


def test_what_failed_in_the_first_cell_is_no_success_in_the_others(tmp_path: Path, nox: FakeNox) -> None:
    asked = Asked(three(tmp_path), ("--all",), name="verify")
    nox.codes["demo-core"] = 1
    for _ in range(2):
        with pytest.raises(TogetherFailed) as error:
            asked.run()
        assert (error.value.failed, error.value.waiting) == (("demo-core",), ("demo-cli",))
    assert nox.ran == ["demo-base", "demo-core"]


@pytest.mark.parametrize("words", [("--package", "demo-cli"), ("--all",), ("--no-narrow", "--package", "demo-core")])
def test_another_verify_is_done_for_itself(tmp_path: Path, nox: FakeNox, words: tuple[str, ...]) -> None:
    root = three(tmp_path)
    Asked(root, ("--package", "demo-core"), name="verify").run()
    Asked(root, words, name="verify").run()
    assert len(nox.ran) > 1


def test_other_sessions_are_done_each_time(tmp_path: Path, nox: FakeNox) -> None:
    asked = Asked(three(tmp_path), ("--package", "demo-core"), name="status")
    asked.run()
    asked.run()
    assert nox.ran == ["demo-core", "demo-core"]


def test_what_is_refused_is_refused_in_each_cell(tmp_path: Path) -> None:
    asked = Asked(three(tmp_path), ("--package", "x", "--all"), name="verify")
    for _ in range(2):
        with pytest.raises(BadOption):
            asked.run()


# A dry run of all.


def test_a_dry_run_of_all_is_made_at_the_root(tmp_path: Path, nox: FakeNox) -> None:
    asked = Asked(three(tmp_path), ("--all", "--offline"), name="dryrun")
    asked.run()
    ((run, caller, repository),) = asked.rehearsed
    assert (run.root, run.errand) == (asked.root, Errand(Typed(NAMES, option=ALL)))
    assert caller.words == ("--offline",)
    assert [package.name for package in repository.ordered()] == CHAIN
    assert nox.argvs == []


# The release of all.


@pytest.fixture
def proving(monkeypatch: pytest.MonkeyPatch) -> dict[str, Built | Exception]:
    """What is found proved of a package, by the name of its folder."""
    found: dict[str, Built | Exception] = {name: replace(BUILT, project=name) for name in ("base", "core", "cli")}

    def proved(run: Run) -> Built:
        one = found[run.root.name]
        if isinstance(one, Exception):
            raise one
        return one

    monkeypatch.setattr(publish, "proved", proved)
    return found


@pytest.mark.usefixtures("proving")
def test_all_are_released_one_after_the_other(
    tmp_path: Path, nox: FakeNox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    root = three(tmp_path)
    asked = Asked(root, ("--all", "--yes", "1.0"), name="pypi", interactive=True)
    asked.run()
    assert nox.ran == CHAIN
    assert nox.asking == [True, True, True]
    assert [argv[7:] for argv in nox.argvs] == [("--no-dependencies", "--session", "pypi", "--", "--yes", "1.0")] * 3
    assert [from_environment(env) for env in nox.envs] == [
        Errand(Typed(NAMES, option=ALL), beside) for beside in ((), ("../base",), ("../core",))
    ]
    assert not [env for env in nox.envs if DIGEST_VARIABLE in env]
    assert asked.at_work == [
        (root / "packages" / folder, Errand(Typed(NAMES, option=("--package", f"demo-{folder}"))))
        for folder in ("base", "core", "cli")
    ]
    assert "next:" not in capsys.readouterr().out


def test_nothing_is_sent_before_all_are_proved(
    tmp_path: Path, nox: FakeNox, proving: dict[str, Built | Exception]
) -> None:
    proving["cli"] = NotVerified("PyPI", ("Python 3.14, wheel",), in_ci=False)
    with pytest.raises(NotVerified):
        Asked(three(tmp_path), ("--all", "--yes", "1.0"), name="pypi").run()
    assert nox.argvs == []


def test_a_version_holds_for_all_or_for_none(
    tmp_path: Path, nox: FakeNox, proving: dict[str, Built | Exception]
) -> None:
    proving["cli"] = replace(BUILT, project="Demo-CLI", version="2.0")
    with pytest.raises(NotConfirmed) as error:
        Asked(three(tmp_path), ("--all", "--yes", "1.0"), name="pypi").run()
    found = error.value
    assert (found.project, found.version, found.typed) == ("Demo-CLI", "2.0", "1.0")
    assert found.command == "nox -s release-pypi -- --package demo-cli --yes 2.0"
    assert nox.argvs == []
    Asked(three(tmp_path), ("--all",), name="pypi").run()  # each is asked for in its own session
    assert nox.ran == CHAIN


@pytest.mark.usefixtures("proving")
def test_the_first_release_that_fails_is_the_last(tmp_path: Path, nox: FakeNox) -> None:
    nox.codes["demo-core"] = 1
    with pytest.raises(TogetherFailed) as error:
        Asked(three(tmp_path), ("--all", "--yes", "1.0"), name="pypi").run()
    assert nox.ran == ["demo-base", "demo-core"]
    assert (error.value.session, error.value.failed, error.value.waiting) == ("pypi", ("demo-core",), ("demo-cli",))


def test_a_root_that_is_set_up_wrongly_stops_all(tmp_path: Path) -> None:
    with pytest.raises(BadConfig):
        Asked(three(tmp_path, f"{UV}[tool.seatrial]\ntagg = 1\n"), ("--all",)).run()


# Side by side.


def graph(needs: dict[str, list[str]]) -> Repository:
    packages = [Package(name, Path(name), tuple(map(Path, of))) for name, of in needs.items()]
    return Repository(Path(), tuple(packages))


def test_what_does_not_need_each_other_runs_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    both = threading.Barrier(2, timeout=20)  # which a single one at a time never passes

    def act(package: Package) -> bool:
        if package.name != "last":
            both.wait()
        return True

    in_order("build", graph({"last": ["a", "b"], "a": [], "b": []}), act)


def test_no_more_run_at_once_than_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    running, most, lock = [0], [0], threading.Lock()
    pause = threading.Event()

    def act(_package: Package) -> bool:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        pause.wait(0.02)
        with lock:
            running[0] -= 1
        return True

    in_order("build", graph({str(n): [] for n in range(6)}), act)
    assert most == [2]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_each_is_begun_after_what_it_needs_and_none_after_what_failed(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    lower = {n: sorted(data.draw(st.sets(st.integers(0, n - 1)))) if n else [] for n in range(count)}
    needs = {str(n): list(map(str, of)) for n, of in lower.items()}
    bad = data.draw(st.sets(st.sampled_from(sorted(needs))))
    ended: list[str] = []
    begun: list[str] = []

    def act(package: Package) -> bool:
        assert all(needed.name in ended for needed in package.needs)
        begun.append(package.name)
        if package.name not in bad:
            ended.append(package.name)
        return package.name not in bad

    kept_back: set[str] = set()
    for name, of in needs.items():
        if (bad | kept_back) & {*of}:
            kept_back.add(name)
    failed = bad - kept_back
    with pytest.raises(TogetherFailed) if failed else contextlib.nullcontext() as error:
        in_order("build", graph(needs), act)
    if error:
        assert (set(error.value.failed), set(error.value.waiting)) == (failed, kept_back)
    assert sorted(begun) == sorted({*needs} - kept_back)


def test_what_goes_wrong_with_us_is_not_hidden() -> None:
    def act(_package: Package) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_order("build", graph({"a": []}), act)


def test_a_cycle_is_refused_before_anything_is_done() -> None:
    done: list[str] = []

    def act(package: Package) -> bool:
        done.append(package.name)
        return True

    with pytest.raises(PackageCycle):
        in_order("build", graph({"a": ["b"], "b": ["a"], "c": []}), act)
    assert done == []
