"""What adopting reads of a project, what it would add, and what it offers; and the copy, compared."""

from __future__ import annotations

import ast
import datetime as dt
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.adoption import copies, lock, target, template
from seatrial.adoption.edits import Edit, with_lines, with_sessions
from seatrial.adoption.offers import offers
from seatrial.adoption.refusals import (
    AdoptedAlready,
    CopyDiffers,
    IsTemplate,
    NotAdopted,
    NoTarget,
    NotClean,
    NoTemplate,
    NotOnIndex,
    NoxfileUnread,
    OtherVersion,
)
from seatrial.adoption.template import NOT_COPIED, SESSIONS
from seatrial.cli.register import VERSION
from seatrial.index.indexes import Index, Served
from seatrial.project.settings import BrokenToml, NoProject
from tests.projects import commit, git, sample, write_tree

if TYPE_CHECKING:
    from pathlib import Path

CALL = 'runpy.run_path("tasks/register.py")'
TYPICAL = '''\
"""Sessions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox


@nox.session
def tests(session: nox.Session) -> None:
    session.run("pytest")
'''


# The lines of a noxfile.


def lines_of(noxfile: str) -> list[str]:
    return with_sessions(noxfile, CALL).splitlines()


def test_the_import_goes_where_a_formatter_would_put_it() -> None:
    lines = lines_of(TYPICAL)
    assert lines[lines.index("import os") : lines.index("import sys") + 1] == [
        "import os",
        "import runpy",
        "import sys",
    ]
    assert lines[-4:] == ["", "", "# The release sessions, last, so that the others keep their names.", CALL]


def test_an_import_that_is_there_is_not_repeated() -> None:
    noxfile = "import runpy\n\nimport nox\n"
    assert with_sessions(noxfile, CALL).count("import runpy") == 1


@pytest.mark.parametrize(
    ("noxfile", "head"),
    [
        ("import nox\n", ["import runpy", "", "import nox"]),
        (
            "import json\nfrom pathlib import Path\n\nimport nox\n",
            ["import json", "import runpy", "from pathlib import Path"],
        ),
        ("import json\n\nimport nox\n", ["import json", "import runpy", "", "import nox"]),
        ('"""Sessions."""\nimport nox\n', ['"""Sessions."""', "import runpy", "", "import nox"]),
        ("import shutil\nimport nox\n", ["import runpy", "import shutil", "import nox"]),
        ('"""Nothing yet."""\n', ['"""Nothing yet."""', "", "import runpy", ""]),
        ("", ["import runpy", ""]),
    ],
)
def test_the_import_fits_into_any_head(noxfile: str, head: list[str]) -> None:
    assert lines_of(noxfile)[: len(head)] == head


def test_a_noxfile_keeps_its_line_ends_and_all_of_its_text() -> None:
    before = TYPICAL.replace("\n", "\r\n")
    after = with_sessions(before, CALL)
    assert "\n" not in after.replace("\r\n", "")
    assert [line for line in after.splitlines() if line in before.splitlines()] >= before.splitlines()[:-1]


@given(
    st.lists(
        st.sampled_from(["import os", "import zipfile", "from re import sub", "import nox", "X = 1", "\f", ""]),
        max_size=8,
    )
)
def test_whatever_a_noxfile_holds_stays_in_its_order(parts: list[str]) -> None:
    before = "\n".join(parts)
    after = with_sessions(before, CALL)
    ast.parse(after)
    rest = iter(after.split("\n"))
    assert all(line in rest for line in before.split("\n") if line.strip())
    assert after.count("import runpy\n") == 1


def test_sessions_are_found_under_the_names_that_nox_gives_them(tmp_path: Path) -> None:
    noxfile = """
import nox
@nox.session
def build(session): ...
@nox.session(name="release-notes", python="3.13")
def notes(session): ...
@session(python=["3.12"])
@nox.parametrize("x", [1])
def tests(session): ...
def helper(session): ...
"""
    assert set(target.sessions_in(noxfile, tmp_path)) == {"build", "release-notes", "tests"}


@pytest.mark.parametrize(
    "noxfile",
    [
        "for name in ('build', 'check'):\n    @nox.session(name=name)\n    def run(session): ...\n",
        "nox.session(name=NAME)(helper)\n",
        "nox.session(python='3.12')(helper)\n",
    ],
)
def test_a_name_that_is_made_when_nox_runs_is_not_guessed(tmp_path: Path, noxfile: str) -> None:
    assert target.sessions_in(noxfile, tmp_path) == {None}


def test_a_name_that_is_given_in_a_call_is_read(tmp_path: Path) -> None:
    noxfile = "nox.session(name='build')(helper)\n\ndef helper(session):\n    requests.session(name=x)\n"
    assert target.sessions_in(noxfile, tmp_path) == {"build"}


def test_a_noxfile_that_is_no_python_is_refused(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"noxfile.py": "def build(:\n"})
    with pytest.raises(NoxfileUnread, match=r"noxfile\.py"):
        target.look(project)


# Lines of other files.


def test_lines_are_added_once_and_in_the_files_own_line_ends() -> None:
    after = with_lines("*.pyc\r\ndist/", ["/dist/", "/.nox/"], "# ours")
    assert after == "*.pyc\r\ndist/\r\n\r\n# ours\r\n/.nox/\r\n"
    assert with_lines(after, ["/dist/", "/.nox/"], "# ours") == after


def test_an_empty_file_gets_no_empty_line() -> None:
    assert with_lines("", ["/dist/"], "# ours") == "# ours\n/dist/\n"


def test_an_edit_shows_what_it_adds_and_nothing_else() -> None:
    shown = Edit(".gitignore", "a\n", "a\nb\n").diff.splitlines()
    assert [line for line in shown if line.startswith("+") and not line.startswith("+++")] == ["+b"]


# The project as it is.


def test_a_project_in_git_is_read(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"noxfile.py": TYPICAL})
    commit(project)
    found = target.look(project)
    assert (found.git, found.nested, found.changed) == (True, False, ())
    assert found.sessions == {"tests"}
    assert found.folder == "tasks"
    assert found.pyproject["project"]["name"] == "demo"


@pytest.mark.parametrize(
    ("taken", "free"), [(["tasks.py"], "release-tasks"), (["tasks/a.py", "release-tasks/b.py"], "seatrial-tasks")]
)
def test_a_folder_that_is_taken_is_left_alone(tmp_path: Path, taken: list[str], free: str) -> None:
    assert target.look(sample(tmp_path, files=dict.fromkeys(taken, ""))).folder == free


def test_a_dirty_tree_is_refused_and_a_clean_one_is_not(tmp_path: Path) -> None:
    project = sample(tmp_path)
    commit(project)
    target.stop_if_dirty(target.look(project))
    write_tree(project, {"README.md": "changed\n"})
    with pytest.raises(NotClean, match=r"README\.md"):
        target.stop_if_dirty(target.look(project))


def test_a_repository_without_a_commit_is_dirty(tmp_path: Path) -> None:
    project = sample(tmp_path)
    git(project, "init", "--quiet")
    with pytest.raises(NotClean):
        target.stop_if_dirty(target.look(project))


def test_a_project_without_git_is_never_dirty(tmp_path: Path) -> None:
    found = target.look(sample(tmp_path))
    target.stop_if_dirty(found)
    assert not found.git


def test_a_part_of_a_larger_repository_is_nested(tmp_path: Path) -> None:
    project = sample(tmp_path / "packages" / "demo")
    commit(tmp_path)
    assert target.look(project).nested


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoTarget):
        target.look(tmp_path / "nowhere")
    write_tree(tmp_path, {"file": ""})
    with pytest.raises(NoTarget):
        target.look(tmp_path / "file")


def test_what_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoProject):
        target.look(tmp_path)


def test_a_broken_pyproject_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenToml):
        target.look(write_tree(tmp_path, {"pyproject.toml": "[project"}))


def test_seatrial_itself_is_refused() -> None:
    with pytest.raises(IsTemplate):
        target.look(SESSIONS.parent)


@pytest.mark.parametrize("sign", [".seatrial.yml", "tools/register.py"])
def test_what_was_adopted_is_not_adopted_again(tmp_path: Path, sign: str) -> None:
    project = sample(tmp_path, files={sign: 'PACKAGE = "seatrial_tasks"\n'})
    with pytest.raises(AdoptedAlready, match="copier update"):
        target.look(project)


TWINE = """
on:
  push:
    tags: [v*]
jobs:
  a:
    environment: pypi
    steps:
      - run: twine upload dist/*
"""
ACTION = """
on:
  release:
    types: [published]
jobs:
  a:
    environment:
      name: prod
    steps:
      - uses: pypa/gh-action-pypi-publish@v1
"""
UV = """
on: [release]
jobs:
  a:
    environment:  # two
      name: 'test-pypi'
    steps:
      - run: uv publish
  b:
    environment: pypi
"""
WORKFLOWS = {
    TWINE: ("tag", ("pypi",)),
    ACTION: ("release", ("prod",)),
    UV: ("release", ("test-pypi", "pypi")),
}


@pytest.mark.parametrize(("text", "facts"), WORKFLOWS.items(), ids=["twine", "action", "uv"])
def test_a_workflow_that_publishes_is_read(tmp_path: Path, text: str, facts: tuple[str, tuple[str, ...]]) -> None:
    files = {".github/workflows/publish.yml": text, ".github/workflows/test.yaml": "on: push\n"}
    (found,) = target.publishing(write_tree(tmp_path, files))
    assert (found.name, found.trigger, found.environments) == ("publish.yml", *facts)


@pytest.mark.parametrize(
    ("files", "compiled"),
    [
        ({"pyproject.toml": "[tool.cibuildwheel]\n"}, True),
        ({"pyproject.toml": '[build-system]\nbuild-backend = "maturin"\n'}, True),
        ({"setup.py": "setup(ext_modules=[])\n"}, True),
        ({".github/workflows/p.yml": "- uses: pypa/cibuildwheel@v4\n- run: twine upload\n"}, True),
        ({".github/workflows/p.yml": "- run: twine upload\n", "setup.py": "setup()\n"}, False),
    ],
)
def test_compiled_wheels_are_recognised(tmp_path: Path, files: dict[str, str], *, compiled: bool) -> None:
    assert target.look(sample(tmp_path, files=files)).compiled == compiled


# What is offered.


def offered(tmp_path: Path, pyproject: str, files: dict[str, str] | None = None) -> str:
    project = sample(tmp_path, files={**(files or {}), "pyproject.toml": pyproject})
    return "\n".join(map(str, offers(target.look(project), "tasks", ("tasks", "noxfile.py"))))


@pytest.mark.parametrize(
    ("pyproject", "line"),
    [
        ("[tool.mypy]\nstrict = true\n", r'exclude = ["^tasks/", "^noxfile\\.py$"]    ([tool.mypy] of pyproject.toml)'),
        ("[tool.ruff]\n", 'extend-exclude = ["tasks", "noxfile.py"]'),
        ("[tool.black]\n", r"extend-exclude = '^/tasks/|^/noxfile\.py$'"),
        ("[tool.pyright]\n", 'exclude = ["tasks", "noxfile.py"]'),
        ("[tool.coverage.run]\n", 'omit = ["tasks/*", "noxfile.py"]'),
        ('[build-system]\nbuild-backend = "hatchling.build"\n', 'exclude = ["/tasks", "/noxfile.py"]'),
        ('[build-system]\nbuild-backend = "pdm.backend"\n', 'excludes = ["tasks", "noxfile.py"]'),
        ('[build-system]\nbuild-backend = "scikit_build_core.build"\n', 'sdist.exclude = ["/tasks", "/noxfile.py"]'),
        ('[build-system]\nbuild-backend = "mesonpy"\n', "/tasks export-ignore"),
        (
            '[build-system]\nbuild-backend = "setuptools.build_meta"\nrequires = ["setuptools_scm"]\n',
            "prune tasks; exclude noxfile.py",
        ),
    ],
)
def test_a_line_is_offered_for_what_the_project_uses(tmp_path: Path, pyproject: str, line: str) -> None:
    assert line in offered(tmp_path, pyproject)


@pytest.mark.parametrize(
    "pyproject",
    [
        "",
        '[build-system]\nbuild-backend = "flit_core.buildapi"\n',
        '[build-system]\nbuild-backend = "setuptools.build_meta"\n',
        '[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.targets.sdist]\ninclude = ["/src"]\n',
    ],
)
def test_nothing_is_offered_where_nothing_is_taken_in(tmp_path: Path, pyproject: str) -> None:
    assert offered(tmp_path, pyproject) == ""


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("mypy.ini", "[mypy]\n", r"exclude = ^tasks/|^noxfile\.py$    ([mypy] of mypy.ini)"),
        ("setup.cfg", "[mypy]\n", r"exclude = ^tasks/|^noxfile\.py$    ([mypy] of setup.cfg)"),
        ("ruff.toml", "", 'ruff: extend-exclude = ["tasks", "noxfile.py"]    (ruff.toml)'),
        (".coveragerc", "[run]\n", "omit = tasks/*,noxfile.py    ([run] of .coveragerc)"),
        ("tox.ini", "[coverage:run]\n", "omit = tasks/*,noxfile.py    ([coverage:run] of tox.ini)"),
        ("tox.ini", "[flake8]\n", "flake8: extend-exclude = tasks,noxfile.py    ([flake8] of tox.ini)"),
        ("pyrightconfig.json", "{}", 'pyright: "exclude": ["tasks", "noxfile.py"]    (pyrightconfig.json)'),
        (".pre-commit-config.yaml", "repos: []\n", r"pre-commit: exclude: ^tasks/|^noxfile\.py$"),
    ],
)
def test_a_line_is_offered_for_the_file_that_has_the_settings(tmp_path: Path, file: str, text: str, line: str) -> None:
    (offer,) = offered(tmp_path, "", {file: text}).splitlines()
    assert line in offer


def test_the_first_file_with_the_settings_counts_as_it_does_for_the_tool(tmp_path: Path) -> None:
    pyproject = "[tool.mypy]\n[tool.ruff]\n"
    files = {"mypy.ini": "[mypy]\n", "setup.cfg": "[mypy]\n", "ruff.toml": ""}
    lines = offered(tmp_path, pyproject, files).splitlines()
    assert [line.rpartition("(")[2] for line in lines] == ["[mypy] of mypy.ini)", "ruff.toml)"]


def test_a_noxfile_that_was_there_stays_in_their_linters(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"pyproject.toml": "[tool.ruff]\n"})
    (offer,) = offers(target.look(project), "tasks", ("tasks",))
    assert offer.lines == ('extend-exclude = ["tasks"]',)


def test_a_thin_copy_needs_lines_for_its_noxfile_alone(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"pyproject.toml": "[tool.ruff]\n"})
    (offer,) = offers(target.look(project), "tasks", ("noxfile.py",))
    assert offer.lines == ('extend-exclude = ["noxfile.py"]',)
    assert offers(target.look(project), "tasks", ()) == ()


# The copy, compared.


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A committed project with a genuine copy."""
    project = sample(tmp_path / "project", files={".seatrial.yml": "copy: full\nfolder: tasks\n"})
    shutil.copytree(SESSIONS, project / "tasks", ignore=shutil.ignore_patterns(*NOT_COPIED))
    commit(project)
    return project


def test_a_genuine_copy_passes_with_other_line_ends_and_caches_too(copied: Path) -> None:
    stages = copied / "tasks" / "stages.py"
    stages.write_bytes(stages.read_bytes().replace(b"\n", b"\r\n"))
    write_tree(copied, {"tasks/__pycache__/stages.cpython-313.pyc": "x"})
    assert f"seatrial {VERSION}" in copies.compare(copied)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"tasks/stages.py": "import os\n"}, "stages.py: was changed"),
        ({"tasks/rules/extra.py": ""}, "rules/extra.py: does not belong here"),
        ({"tasks/requirements/twine.txt": "twine\n"}, "requirements/twine.txt: was changed"),
    ],
)
def test_a_changed_copy_is_named_file_by_file(copied: Path, change: dict[str, str], difference: str) -> None:
    write_tree(copied, change)
    with pytest.raises(CopyDiffers, match=difference):
        copies.compare(copied)


def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / "tasks" / "upload.py").unlink()
    with pytest.raises(CopyDiffers, match=r"upload\.py: is missing"):
        copies.compare(copied)


def test_a_compiled_file_in_git_is_a_way_in(copied: Path) -> None:
    write_tree(copied, {"tasks/__pycache__/stages.cpython-313.pyc": "x"})
    git(copied, "add", "--force", "tasks")
    commit(copied)
    with pytest.raises(CopyDiffers, match=r"__pycache__/stages\.cpython-313\.pyc: does not belong here"):
        copies.compare(copied)


@pytest.mark.parametrize(
    ("answer", "other"), [("copy: thin", "tasks/: is another copy"), ("folder: real", "tasks/: is another copy")]
)
def test_a_copy_does_not_hide_behind_an_answer(copied: Path, answer: str, other: str) -> None:
    """Who changes the copy can change the answers beside it, too."""
    shutil.copytree(copied / "tasks", copied / "real")
    write_tree(copied, {"tasks/upload.py": "import os\n", target.ANSWERS: f"{answer}\nfolder: tasks\n"})
    with pytest.raises(CopyDiffers, match=other):
        copies.compare(copied)


def test_another_version_is_compared_by_that_version(copied: Path) -> None:
    register = copied / "tasks" / "register.py"
    register.write_text(register.read_text("utf-8").replace(f'"{VERSION}"', '"0.0.1"'), "utf-8")
    with pytest.raises(OtherVersion, match=r"uvx seatrial@0\.0\.1 adopt --check"):
        copies.compare(copied)


def test_a_thin_project_has_no_copy_to_compare(tmp_path: Path) -> None:
    assert "nothing is copied" in copies.compare(write_tree(tmp_path, {".seatrial.yml": "copy: thin\nfolder: tasks\n"}))


def test_without_answers_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(NotAdopted):
        copies.compare(tmp_path)


def test_old_locks_are_warned_of_and_young_ones_are_not() -> None:
    locked = dt.date.fromisoformat((SESSIONS / copies.LOCKED_ON).read_text("utf-8").strip())
    assert copies.age_warning(locked + dt.timedelta(days=90)) == ""
    assert "91 days ago" in copies.age_warning(locked + dt.timedelta(days=91))


# The lock of a thin project.

INDEX = Index("an index", simple="http://127.0.0.1/simple/")


def serving(monkeypatch: pytest.MonkeyPatch, *files: Served) -> None:
    monkeypatch.setattr(lock, "read_project", lambda _index, _project: files)


def test_a_thin_project_is_locked_by_every_hash_of_the_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = Served(f"seatrial-{VERSION}-py3-none-any.whl", "a" * 64, "", yanked=False)
    sdist = Served(f"seatrial-{VERSION}.tar.gz", "b" * 64, "", yanked=False)
    old = Served("seatrial-0.0.1.tar.gz", "c" * 64, "", yanked=False)
    serving(monkeypatch, wheel, sdist, old)
    lock.write(tmp_path, INDEX)
    text = (tmp_path / ".seatrial.txt").read_text("utf-8")
    assert f"seatrial=={VERSION} \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n" in text
    assert "c" * 64 not in text
    assert "\nnox==" in text


def test_a_version_that_is_not_released_cannot_be_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    serving(monkeypatch)
    with pytest.raises(NotOnIndex, match="full copy"):
        lock.locked(INDEX)


# Where the template is.


def test_the_template_lies_beside_the_sessions() -> None:
    assert template.place() == SESSIONS.parent
    assert template.lock().is_file()


def test_a_copy_has_no_template_to_hand_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "SESSIONS", tmp_path / "tasks")
    assert template.place() is None
    with pytest.raises(NoTemplate, match="uvx seatrial adopt"):
        template.lock()
    with pytest.raises(NoTemplate):
        template.assemble(tmp_path / "assembled")


@pytest.mark.parametrize("tag", [f"v{VERSION}", None])
def test_what_was_copied_is_named_by_its_tag_or_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str | None
) -> None:
    write_tree(tmp_path, {"copier.yml": "", "templates/a": "", "tasks/b": ""})
    head = commit(tmp_path, tag)
    monkeypatch.setattr(template, "SESSIONS", tmp_path / "tasks")
    assert template.commit() == (tag or head)


def test_the_package_names_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"seatrial/project-template/copier.yml": "", "seatrial/project-template/templates/a": ""})
    monkeypatch.setattr(template, "SESSIONS", tmp_path / "seatrial")
    assert template.place() == tmp_path / "seatrial" / "project-template"
    assert template.commit() == f"v{VERSION}"


def test_the_origin_is_written_for_a_later_update() -> None:
    text = template.with_origin("# head\n_src_path: /tmp/x\nci: github\nworkflow: release.yml\n", "v1", workflow="''")
    assert text == f"# head\n_commit: v1\n_src_path: {template.REPOSITORY}\nci: github\nworkflow: ''\n"


def test_no_file_of_the_copy_holds_what_the_template_takes_for_its_own() -> None:
    marks = re.compile(rb"@[{%#]|[}%#]@")
    left_out = {"adoption", "__pycache__"}
    copied = [path for path in SESSIONS.rglob("*") if path.is_file() and not left_out & {*path.parts}]
    assert len(copied) > 50
    assert [path.name for path in copied if marks.search(path.read_bytes())] == []
