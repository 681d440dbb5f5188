from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from seatrial.machine import variables
from seatrial.machine.process import ToolFailed, ToolMissing
from seatrial.project.settings import Settings
from seatrial.release.stages import Installed
from seatrial.trial.installer import Beside, Installer, Origin, Venv
from seatrial.trial.requirements import holding
from seatrial.trial.trial import (
    SiblingExcluded,
    Subject,
    Use,
    _installed,
    _resolved,
    needed,
    other_version,
    smoke,
    stop_if_excluded,
    summary,
    surroundings,
    use,
)
from tests.environments import Site
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from seatrial.trial.installer import Origins

LINUX = {"python_version": "3.13", "python_full_version": "3.13.1", "sys_platform": "linux", "os_name": "posix"}
WINDOWS = {**LINUX, "sys_platform": "win32", "os_name": "nt"}
OLD = {**LINUX, "python_version": "3.9", "python_full_version": "3.9.18"}


# What holds of the requirements.


@pytest.mark.parametrize(
    ("surroundings", "expected"),
    [
        (LINUX, ["attrs>=23", "uvloop"]),
        (WINDOWS, ["attrs>=23", "colorama"]),
        (OLD, ["attrs>=23", "uvloop", "tomli"]),
    ],
)
def test_markers_are_those_of_the_environment(surroundings: dict[str, str], expected: list[str]) -> None:
    requires = [
        "attrs>=23",
        'colorama; sys_platform == "win32"',
        'uvloop; os_name == "posix"',
        'tomli; python_version < "3.11"',
    ]
    assert holding(requires, "demo", (), surroundings) == expected


@pytest.mark.parametrize(
    ("extras", "expected"),
    [((), ["attrs"]), (("test",), ["attrs", "pytest"]), (("test", "docs"), ["attrs", "pytest", "sphinx"])],
)
def test_extras_are_those_asked_for(extras: tuple[str, ...], expected: list[str]) -> None:
    requires = ["attrs", 'pytest; extra == "test"', 'sphinx; extra == "docs"']
    assert sorted(holding(requires, "demo", extras, LINUX)) == expected


@pytest.mark.parametrize("project", ["demo", "Demo", "de-mo", "De.Mo"])
def test_a_requirement_on_the_project_itself_stands_for_its_extras(project: str) -> None:
    name = project.upper()
    requires = [f'{name}[test,docs]; extra == "all"', 'pytest; extra == "test"', 'sphinx; extra == "docs"']
    assert holding(requires, project, ("all",), LINUX) == ["pytest", "sphinx"]
    assert holding(requires, project, (), LINUX) == []


def test_extras_that_stand_for_each_other_come_to_an_end() -> None:
    requires = ['demo[b]; extra == "a"', 'demo[a]; extra == "b"', 'demo[c]; extra == "b"', 'attrs; extra == "c"']
    assert holding(requires, "demo", ("a",), LINUX) == ["attrs"]


def test_an_extra_holds_only_where_the_rest_of_its_marker_does() -> None:
    requires = ['demo[test]; extra == "all" and sys_platform == "win32"', 'pytest; extra == "test"']
    assert holding(requires, "demo", ("all",), LINUX) == []
    assert holding(requires, "demo", ("all",), WINDOWS) == ["pytest"]


def test_a_requirement_by_url_is_kept() -> None:
    requires = ['other @ https://files.example/other-1.0.tar.gz ; sys_platform == "linux"']
    assert holding(requires, "demo", (), LINUX) == ["other @ https://files.example/other-1.0.tar.gz"]


def test_extras_and_versions_of_a_requirement_are_kept() -> None:
    assert holding(['other[cli,x]>=1,<2; os_name == "posix"'], "demo", (), LINUX) == ["other[cli,x]<2,>=1"]


def test_a_line_that_is_no_requirement_is_handed_on_as_it_is() -> None:
    assert holding(["attrs (>=23", "other"], "demo", ("test",), LINUX) == ["attrs (>=23", "other"]


def test_a_requirement_that_is_named_twice_is_there_once() -> None:
    requires = ["attrs", 'attrs; extra == "test"', "attrs>=23"]
    assert holding(requires, "demo", ("test",), LINUX) == ["attrs", "attrs>=23"]


# The words of a smoke command.


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    """The environment's folder, with one program in it."""
    made = Venv(tmp_path / "ein venv")
    made.scripts.mkdir(parents=True)
    (made.scripts / "demo").touch()
    return made


@pytest.mark.parametrize("command", ["demo", "demo --version", "demo run demo"])
def test_the_program_of_the_environment_is_preferred(venv: Venv, tmp_path: Path, command: str) -> None:
    assert _resolved(command, venv, tmp_path) == [str(venv.scripts / "demo"), *command.split()[1:]]


def test_the_program_may_end_in_exe(venv: Venv, tmp_path: Path) -> None:
    (venv.scripts / "tool.exe").touch()
    assert _resolved("tool -h", venv, tmp_path) == [str(venv.scripts / "tool.exe"), "-h"]


def test_other_programs_are_left_to_the_path(venv: Venv, tmp_path: Path) -> None:
    (venv.scripts / "folder").mkdir()
    assert _resolved("git --version", venv, tmp_path) == ["git", "--version"]
    assert _resolved("folder", venv, tmp_path) == ["folder"]


def test_project_stands_for_the_checkout_and_is_one_word(venv: Venv, tmp_path: Path) -> None:
    checkout = tmp_path / "ein Übungsstück"
    words = _resolved("demo {project}/tests --root={project}", venv, checkout)
    assert words[1:] == [f"{checkout}/tests", f"--root={checkout}"]


def test_quotes_keep_words_together_and_no_shell_is_involved(venv: Venv, tmp_path: Path) -> None:
    command = shlex.join(["demo", "two words", "$HOME", "a;b", "*"])
    assert _resolved(command, venv, tmp_path)[1:] == ["two words", "$HOME", "a;b", "*"]


@pytest.mark.parametrize(
    ("backslash", "expected"),
    [
        (True, ["tool", "a b", "c d", "#e", "f g", "C:x"]),
        (False, ["tool", "a b", "c d", "#e", "f\\", "g", r"C:\x"]),
    ],
)
def test_a_backslash_is_part_of_a_path_on_windows(
    venv: Venv, tmp_path: Path, *, backslash: bool, expected: list[str]
) -> None:
    assert _resolved(r"""tool 'a b' "c d" #e f\ g C:\x""", venv, tmp_path, backslash=backslash) == expected


# What was found in the environment.


def test_what_is_installed_is_shown_with_its_origin_and_without_a_login() -> None:
    report = {
        "installed": [
            {"name": "Zope.Interface", "version": "7.0", "wheel_tags": ["py3-none-any"]},
            {"name": "attrs", "version": "23.1", "wheel_tags": []},
        ]
    }
    origin = Origin("https://ada:s3cret@files.example/zope_interface-7.0-py3-none-any.whl", "a" * 64)
    assert _installed(report, {"zope-interface": (origin,)}) == (
        Installed("attrs", "23.1"),
        Installed("zope-interface", "7.0", "https://files.example/zope_interface-7.0-py3-none-any.whl", "a" * 64),
    )


# A whole life: a real environment and the real probe; only nothing is installed but what is put there by hand.


@dataclass
class Recorder:
    """Stands for an Installer: what it would install is written down."""

    scratch: Path
    beside: tuple[Beside, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: variables.for_install(os.environ))
    asked: list[str] = field(default_factory=list)
    checked: bool = False

    def dependencies(self, _: Venv, requirements: Sequence[str], subject: str, version: str) -> Origins:
        self.asked += [*requirements, f"as a subject: {subject} {version}"]
        return {"attrs": (ATTRS,)}

    def check(self, _: Venv) -> None:
        self.checked = True


ATTRS = Origin("https://files.example/attrs-23.1-py3-none-any.whl", "b" * 64)
WHEEL = Origin("https://files.example/demo-1.0-py3-none-any.whl", "a" * 64)
SUBJECT = Subject("demo-1.0-py3-none-any.whl", "demo", "1.0", (WHEEL,))
REQUIRES = """\
Requires-Dist: attrs
Requires-Dist: tomli; python_version < "3"
Requires-Dist: pytest; extra == "test"
Provides-Extra: test
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Venv, Site]:
    root = tmp_path_factory.mktemp("home") / "ein venv"
    return Venv(root), Site.create(root)


@pytest.fixture
def site(home: tuple[Venv, Site]) -> Iterator[Site]:
    yield home[1]
    home[1].clear()


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def as_installer(recorder: Recorder) -> Installer:
    return cast("Installer", recorder)


def lived(recorder: Recorder, home: tuple[Venv, Site], **settings: Any) -> Use:
    return use(as_installer(recorder), home[0], SUBJECT, Settings(**settings), recorder.scratch / "checkout")


def test_a_sound_subject_lives(recorder: Recorder, home: tuple[Venv, Site], site: Site) -> None:
    site.install({"demo.py": ""}, metadata=REQUIRES)
    site.install({"attrs.py": ""}, name="attrs", version="23.1")
    life = lived(recorder, home, extras=("test",), smoke_requires=("hypothesis",))
    assert recorder.asked == ["attrs", "pytest", "hypothesis", "as a subject: demo 1.0"]
    assert recorder.checked
    assert (life.problems, life.imported, life.ran) == ((), ("demo",), ())
    assert life.subject == Installed("demo", "1.0", WHEEL.url, WHEEL.sha256)
    assert life.installed == (Installed("attrs", "23.1", ATTRS.url, ATTRS.sha256), life.subject)
    assert life.python_version == "{}.{}.{}".format(*sys.version_info)
    assert life.sys_platform == sys.platform


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ("1.0", "1.0"),
        ("1.0+Ubuntu-1", "1.0+ubuntu.1"),
        ("2026.08.17", "2026.8.17"),
        ("0.01", "0.1"),
        ("1.0.dev", "1.0.dev0"),
    ],
)
def test_the_released_version_may_be_spelt_in_another_way(there: str, wanted: str) -> None:
    assert other_version(replace(SUBJECT, version=wanted), {"version": there}) == []
    assert other_version(SUBJECT, None) == []  # the probe has told that nothing is installed


@pytest.mark.parametrize("there", ["1.0.1", "1.0rc1", "2.0", "1.00.1", "10", "a version", ""])
def test_another_version_is_told(recorder: Recorder, home: tuple[Venv, Site], site: Site, there: str) -> None:
    site.install({"demo.py": ""}, info={"METADATA": f"Metadata-Version: 2.1\nName: demo\nVersion: {there}\n"})
    (problem,) = lived(recorder, home).problems
    assert (problem.rule, problem.severity, problem.file) == ("install-version", "error", SUBJECT.label)
    assert problem.message == f"demo {there or '(no version)'} is installed instead of 1.0."


def test_what_the_probe_finds_is_a_problem_of_the_file(recorder: Recorder, home: tuple[Venv, Site], site: Site) -> None:
    site.install({"demo.py": "import attrs\n"})
    (problem,) = lived(recorder, home).problems
    assert (problem.rule, problem.severity, problem.file) == ("install-missing-module", "error", SUBJECT.label)
    assert "`attrs`" in problem.message


def test_paths_in_a_message_are_relative_to_the_environment(
    recorder: Recorder, home: tuple[Venv, Site], site: Site
) -> None:
    site.install({"demo.py": "open(__file__ + '.txt')\n"})
    (problem,) = [problem for problem in lived(recorder, home).problems if problem.severity == "error"]
    assert "demo.py.txt" in problem.message
    assert str(home[0].root) not in problem.message
    assert repr(str(home[0].root))[1:-1] not in problem.message


@pytest.mark.parametrize(
    ("metadata", "has"),
    [(REQUIRES, "it has test"), ("Provides-Extra: b\nProvides-Extra: A_c\n", "it has A_c, b"), ("", "it defines none")],
)
def test_an_extra_that_the_distribution_has_not_is_told(
    recorder: Recorder, home: tuple[Venv, Site], site: Site, metadata: str, has: str
) -> None:
    site.install({"demo.py": ""}, metadata=metadata)
    (problem,) = lived(recorder, home, extras=("tset",)).problems
    assert (problem.rule, problem.severity, problem.file) == ("install-extra", "error", SUBJECT.label)
    assert f"demo has no extra `tset` ({has})" in problem.message


def test_an_extra_may_be_spelt_in_another_way(recorder: Recorder, home: tuple[Venv, Site], site: Site) -> None:
    site.install({"demo.py": ""}, metadata="Provides-Extra: Fast.Path\n")
    assert lived(recorder, home, extras=("fast_path",)).problems == ()


@pytest.mark.parametrize("requires", ["==3.0", "!={0}", "<={1}.0", "<{0}"])
def test_a_python_that_the_metadata_leaves_out_is_told(
    recorder: Recorder, home: tuple[Venv, Site], site: Site, requires: str
) -> None:
    full = "{}.{}.{}".format(*sys.version_info)
    if full.endswith(".0"):
        pytest.skip("this is the first release of this Python")
    requires = requires.format(full, "{}.{}".format(*sys.version_info))
    site.install({"demo.py": ""}, metadata=f"Requires-Python: {requires}\n")
    (problem,) = lived(recorder, home).problems
    assert (problem.rule, problem.severity, problem.silenceable) == ("install-requires-python", "error", True)
    assert f"`{requires}`, which leaves out {full}: pip refuses it." in problem.message


@pytest.mark.parametrize("requires", [">=3.8", "!=3.0.*", "what?"])
def test_a_python_that_the_metadata_admits_is_in_order(
    recorder: Recorder, home: tuple[Venv, Site], site: Site, requires: str
) -> None:
    site.install({"demo.py": ""}, metadata=f"Requires-Python: {requires}\n")
    assert lived(recorder, home).problems == ()


def test_what_the_checkout_has_explains_what_the_wheel_lacks(
    recorder: Recorder, home: tuple[Venv, Site], site: Site
) -> None:
    write_tree(recorder.scratch / "checkout", {"helpers.py": "", "src/demo/x.txt": "", "requirements.txt": "pyyaml\n"})
    read = "import os\nopen(os.path.join(os.path.dirname(__file__), 'x.txt'))\n"
    site.install(
        {"demo/__init__.py": "", "demo/a.py": "import helpers\n", "demo/b.py": "import yaml\n", "demo/c.py": read}
    )
    shown = "".join(problem.message for problem in lived(recorder, home).problems if problem.severity == "error")
    assert "`helpers` is in the checkout (helpers.py)" in shown
    assert "`pyyaml` is declared in requirements.txt" in shown
    assert "the build left it out; in the checkout it is src/demo/x.txt" in shown


@pytest.mark.parametrize(
    ("tally", "text"),
    [
        ({"total": 0, "imported": 0, "others": {}, "aside": 0}, "nothing to import"),
        ({"total": 1, "imported": 1, "others": {}, "aside": 0}, "imported 1 module"),
        (
            {"total": 14, "imported": 12, "others": {"need the extra `yaml`": 2}, "aside": 0},
            "imported 12 of 14 modules (2 need the extra `yaml`)",
        ),
        (
            {"total": 4, "imported": 2, "others": {"need `a`": 1, "end the program": 1}, "aside": 3},
            "imported 2 of 4 modules (1 need `a`; 1 end the program; tests and programs inside it left out: 3)",
        ),
    ],
)
def test_how_many_modules_were_imported_is_said(tally: dict[str, Any], text: str) -> None:
    assert summary(tally) == text


def test_the_import_names_of_the_settings_are_handed_on(
    recorder: Recorder, home: tuple[Venv, Site], site: Site
) -> None:
    site.install({"demo.py": "", "bad.py": "1 / 0\n"})
    assert lived(recorder, home, import_names=("demo",)).problems == ()
    assert [problem.rule for problem in lived(recorder, home).problems] == ["install-import"]


def test_a_subject_that_is_not_there_needs_nothing(recorder: Recorder, home: tuple[Venv, Site], site: Site) -> None:
    site.install({"other.py": ""}, name="other", metadata=REQUIRES)
    assert needed(as_installer(recorder), home[0], SUBJECT, Settings()) == []


def test_a_probe_that_fails_is_an_error_with_its_words(recorder: Recorder, home: tuple[Venv, Site], site: Site) -> None:
    site.install({"demo.py": ""})
    recorder.scratch.joinpath("probe-check.json").mkdir()  # so that the answer cannot be written
    with pytest.raises(ToolFailed, match=r"The probe in the fresh environment failed(.|\n)*probe-check"):
        lived(recorder, home)


def test_an_interpreter_is_asked_once_and_each_environment_has_folders_of_its_own(
    recorder: Recorder, home: tuple[Venv, Site], tmp_path: Path
) -> None:
    markers, folders = surroundings(as_installer(recorder), home[0])
    assert markers["python_full_version"] == "{}.{}.{}".format(*sys.version_info)
    assert all(path.startswith(str(home[0].root)) for path in folders)
    said = (home[0].root / "pyvenv.cfg").read_text(encoding="utf-8")
    # There is no Python in these, so that none of them can be asked.
    alike = Venv(write_tree(tmp_path / "alike", {"pyvenv.cfg": f"{said}prompt = alike\n"}))
    assert surroundings(as_installer(recorder), alike) == (
        markers,
        [path.replace(str(home[0].root), str(alike.root)) for path in folders],
    )
    other = Venv(write_tree(tmp_path / "other", {"pyvenv.cfg": f"{said}version_info = 3.8.0\n"}))
    with pytest.raises(ToolMissing):
        surroundings(as_installer(recorder), other)
    with pytest.raises(ToolMissing):
        surroundings(as_installer(recorder), Venv(tmp_path / "nothing"))


def test_smoke_commands_run_in_the_environment_and_away_from_the_checkout(
    recorder: Recorder, home: tuple[Venv, Site], site: Site
) -> None:
    site.install({"demo.py": "import os, sys\nprint(sys.prefix == os.environ['VIRTUAL_ENV'], os.getcwd())\n"})
    good, bad = "python -c 'import demo'", "python -c 'import demo, sys; sys.exit(3)'"
    (problem,) = smoke(as_installer(recorder), home[0], SUBJECT, Settings(smoke=(good, bad)), recorder.scratch / "x")
    assert (problem.rule, problem.severity, problem.file) == ("install-smoke", "error", SUBJECT.label)
    assert problem.message == f"The smoke command `{bad}` failed (exit code 3):\nTrue {recorder.scratch}"


def test_only_the_end_of_what_a_smoke_command_says_is_shown(
    recorder: Recorder, home: tuple[Venv, Site], site: Site
) -> None:
    site.install({"demo.py": "print(*range(100), sep='\\n')\nraise SystemExit(1)\n"})
    (problem,) = smoke(as_installer(recorder), home[0], SUBJECT, Settings(smoke=("python -m demo",)), recorder.scratch)
    assert problem.message.splitlines()[1:] == [str(number) for number in range(80, 100)]


def test_the_programs_of_the_subject_are_first_on_the_path(
    recorder: Recorder, home: tuple[Venv, Site], site: Site
) -> None:
    site.install({"demo.py": "import os\nprint(os.environ['PATH'].split(os.pathsep)[0])\nraise SystemExit(1)\n"})
    (problem,) = smoke(as_installer(recorder), home[0], SUBJECT, Settings(smoke=("python -m demo",)), recorder.scratch)
    assert problem.message.splitlines()[1:] == [str(home[0].scripts)]


# What is released together with the subject.


def core(folder: Path, version: str) -> Beside:
    return Beside("Demo.Core", version, folder / "core.whl", "a" * 64, "https://files.example/core.whl")


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("demo-core", "2.0"),
        ("demo_core>=2,<3", "2.0"),
        ("DEMO.core[cli]~=2.0", "2.1"),
        ("demo-core>=1", "2.0rc1"),  # a pre-release is the one that is there
        ("demo-core @ https://files.example/core.whl", "2.0"),
        ("demo-core-extra<1", "2.0"),
        ("demo-core (>=2", "2.0"),  # no requirement: the installer refuses it in its own words
    ],
)
def test_a_requirement_that_admits_what_is_released_together_is_no_obstacle(
    tmp_path: Path, line: str, version: str
) -> None:
    stop_if_excluded(SUBJECT, ["attrs<1", line], [core(tmp_path, version)])


@pytest.mark.parametrize(
    ("line", "version"), [("demo-core<2", "2.0"), ("Demo.Core==1.*", "2.0"), ("demo_core>=2", "2.0rc1")]
)
def test_one_that_excludes_it_is_refused(tmp_path: Path, line: str, version: str) -> None:
    other = replace(core(tmp_path, "1.0"), project="other")
    with pytest.raises(SiblingExcluded) as error:
        stop_if_excluded(SUBJECT, ["attrs", "other", line], [other, core(tmp_path, version)])
    found = error.value
    assert (found.project, found.requirement, found.sibling) == ("demo 1.0", line, f"Demo.Core {version}")
    stop_if_excluded(SUBJECT, [line], [other])


def test_it_is_refused_before_anything_is_installed(recorder: Recorder, home: tuple[Venv, Site], site: Site) -> None:
    site.install({"demo.py": ""}, metadata="Requires-Dist: attrs>=23\n")
    recorder.beside = (replace(core(recorder.scratch, "0.1"), project="attrs"),)
    with pytest.raises(SiblingExcluded):
        lived(recorder, home)
    assert recorder.asked == []
