"""The rules on a changelog and on other workflows, each with a project that fails it and its neighbour that passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.building import git
from seatrial.rules.distribution import Distribution, Release
from seatrial.rules.judge import judge_together
from tests.archives import wheel
from tests.projects import commit, write_tree

KEPT = "# Changelog\n\n## [Unreleased]\n\n- More\n\n## [0.9.0] - 2024-05-06\n\n- First\n"
TOWNCRIER = '[tool.towncrier]\ndirectory = "changes"\n'


def judged(code: str, root: Path, files: dict[str, str], version: str = "1.0", *, is_due: bool = True) -> list[str]:
    """Return what the rule `code` finds in a release of `version` whose project tracks `files`."""
    write_tree(root, files)
    dist = Distribution.open(wheel(root / "dist", filename=f"demo-{version}-py3-none-any.whl"))
    workflows = {name: text for name, text in files.items() if name.endswith(".yml")}
    release = Release(root=root, tracked=tuple(files), is_due=is_due, workflows=workflows)
    return [problem.message for problem in judge_together([dist], release) if problem.rule == code]


@pytest.mark.parametrize(
    ("name", "text", "last"),
    [
        ("CHANGELOG.md", KEPT, "0.9.0"),
        ("Changes.rst", "Changes\n=======\n\n0.9 (2024)\n----------\n\n* First, for 1.0 in the end.\n", "0.9"),
        ("docs/changelog.md", "# v0.9.1, v0.9\n", "0.9.1"),
        ("HISTORY.txt", "Version 0.8\n  First\n", "0.8"),
        ("CHANGELOG.md", "## 0.9\n\n## 2.0\n", "0.9"),
    ],
)
def test_a_changelog_that_names_other_versions_and_not_this_one_is_told(
    tmp_path: Path, name: str, text: str, last: str
) -> None:
    (message,) = judged("release-changelog", tmp_path, {name: text})
    assert message == f"{name} names versions up to {last}, but not 1.0, which is to be released."
    assert judged("release-changelog", tmp_path, {name: text}, is_due=False) == []


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("## 1.0.0 - 2024-05-06\n\n## 0.9\n", "1.0"),
        ("v1.0 / 2024\n===\n\nv0.9\n===\n", "1.0.0"),
        (KEPT, "1.0.dev3"),
        (KEPT, "1.0rc1"),
        (KEPT, "1.0.post1"),
        ("# Changelog\n\n- 0.9 was the first.\n", "1.0"),
        ("# 2024.05.06\n", "1.0"),
        ("# 1.0\n\n# 0.9\n", "1.0.3"),
        ("", "1.0"),
    ],
)
def test_a_changelog_that_names_the_version_or_none_of_its_kind_passes(tmp_path: Path, text: str, version: str) -> None:
    assert judged("release-changelog", tmp_path, {"CHANGELOG.md": text}, version) == []


def test_a_pre_release_is_looked_for_where_others_are_named(tmp_path: Path) -> None:
    (message,) = judged("release-changelog", tmp_path, {"NEWS": "1.0rc1\n======\n"}, "1.0rc2")
    assert message.startswith("NEWS names versions up to 1.0rc1, but not 1.0rc2")


def test_one_of_two_changelogs_is_enough(tmp_path: Path) -> None:
    files = {"CHANGELOG.md": "# 0.9\n", "docs/changes.rst": "1.0\n---\n"}
    assert judged("release-changelog", tmp_path, files) == []
    (message,) = judged("release-changelog", tmp_path, {**files, "docs/changes.rst": "0.9.1\n-----\n"})
    assert message.startswith("CHANGELOG.md and docs/changes.rst name versions up to 0.9.1, but not 1.0")


def test_a_file_that_git_does_not_track_is_no_changelog(tmp_path: Path) -> None:
    write_tree(tmp_path, {"CHANGELOG.md": "# 0.9\n"})
    assert judged("release-changelog", tmp_path, {"README.md": ""}) == []


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        ({"pyproject.toml": TOWNCRIER, "changes/12.bugfix.md": ""}, "changes"),
        ({"towncrier.toml": TOWNCRIER.replace("tool.", ""), "changes/+a.misc": ""}, "changes"),
        ({"pyproject.toml": "[tool.towncrier]\n", "newsfragments/3.feature.rst": ""}, "newsfragments"),
        (
            {
                "pyproject.toml": '[tool.towncrier]\npackage = "demo"\npackage_dir = "src"\n',
                "src/demo/newsfragments/3.feature.1.rst": "",
            },
            "src/demo/newsfragments",
        ),
    ],
)
def test_news_fragments_that_are_left_are_told(tmp_path: Path, files: dict[str, str], folder: str) -> None:
    (message,) = judged("release-news-fragments", tmp_path, files)
    *_, left = files
    assert message == f"news fragments are left in {folder}/, for a changelog that `towncrier build` makes:\n  {left}"
    assert judged("release-news-fragments", tmp_path, files, "1.0rc1") == []
    assert judged("release-news-fragments", tmp_path, files, is_due=False) == []


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": TOWNCRIER, "changes/README.rst": "", "changes/.gitignore": "", "changes/template.jinja": ""},
        {"pyproject.toml": TOWNCRIER, "changes/_template.rst": "", "changes/howto.md": ""},
        {"pyproject.toml": "", "changes/12.bugfix.md": ""},
        {"pyproject.toml": "no TOML", "changes/12.bugfix.md": ""},
        {"pyproject.toml": TOWNCRIER, "newsfragments/12.bugfix.md": ""},
    ],
)
def test_what_is_no_news_fragment_passes(tmp_path: Path, files: dict[str, str]) -> None:
    assert judged("release-news-fragments", tmp_path, files) == []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("- uses: pypa/gh-action-pypi-publish@v1", "pypa/gh-action-pypi-publish"),
        ("- run: twine  upload dist/*", "twine upload"),
        ("- uv publish", "uv publish"),
        ("- run: python setup.py sdist upload", "setup.py sdist upload"),
    ],
)
def test_a_workflow_that_uploads_as_well_is_told(tmp_path: Path, line: str, shown: str) -> None:
    name = "release.yml"
    (message,) = judged("release-other-workflow", tmp_path, {name: f"steps:\n  {line}\n"})
    assert message == f"release.yml uploads too (`{shown}`): files other than those rehearsed here."
    assert judged("release-other-workflow", tmp_path, {name: f"steps:\n  # {line}\n"}) == []
    assert judged("release-other-workflow", tmp_path, {name: f"steps:\n  {line}\n"}, is_due=False) == []


def test_our_own_workflows_are_none_of_these(tmp_path: Path) -> None:
    templates = Path(__file__).parents[3] / "templates"
    texts = {path.name: path.read_text(encoding="utf-8") for path in templates.glob("*.yml")}
    assert texts
    assert judged("release-other-workflow", tmp_path, texts) == []


def test_the_workflows_of_a_repository_are_read_from_what_git_tracks(tmp_path: Path) -> None:
    files = {
        ".github/workflows/a.yml": "twine upload",
        ".gitlab-ci.yml": "cd packages/one",
        "x.yml": "",
        "packages/one/pyproject.toml": "",
    }
    commit(write_tree(tmp_path, files))
    write_tree(tmp_path, {".github/workflows/new.yaml": ""})
    assert git.workflows(git.look(tmp_path)) == {"a.yml": "twine upload", ".gitlab-ci.yml": "cd packages/one"}
    assert git.workflows(git.look(tmp_path / "packages" / "one")) == {".gitlab-ci.yml": "cd packages/one"}


def test_without_git_there_are_no_workflows(tmp_path: Path) -> None:
    assert git.workflows(git.look(write_tree(tmp_path, {".gitlab-ci.yml": "twine upload"}))) == {}


PROJECT = '[project]\nname = "demo"\n'
POETRY = '[tool.poetry.scripts]\nhi = "demo:main"\nfile = { reference = "bin/x", type = "file" }\n'
SETUP = "[options]\ninstall_requires =\n    Click>=8\n    file: more.txt\n"
POINTS = "[options.entry_points]\nconsole_scripts =\n    hi = demo:main\n"


def unread(root: Path, files: dict[str, str], points: str = "", requires: str | None = None) -> list[str]:
    write_tree(root, files)
    members = {"demo-1.0.dist-info/entry_points.txt": points} if points else {}
    dist = Distribution.open(wheel(root / "dist", {"Requires-Dist": requires}, files=members))
    release = Release(root=root, tracked=tuple(files))
    return [one.message for one in judge_together([dist], release) if one.rule == "release-unread-settings"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pyproject.toml": PROJECT + POETRY}, "the scripts in [tool.poetry.scripts] are not in the wheel (hi): move"),
        ({"pyproject.toml": PROJECT, "setup.cfg": POINTS}, "the scripts in setup.cfg are not in the wheel (hi): move"),
        ({"pyproject.toml": PROJECT, "setup.cfg": SETUP}, "the requirements in setup.cfg are not in the wheel (click)"),
    ],
)
def test_settings_that_the_backend_did_not_read_are_told(tmp_path: Path, files: dict[str, str], words: str) -> None:
    (message,) = unread(tmp_path, files)
    assert message.startswith(words)


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": PROJECT + POETRY, "setup.cfg": SETUP + POINTS},
        {"pyproject.toml": POETRY, "setup.cfg": SETUP},
        {"pyproject.toml": "[project\n", "setup.cfg": SETUP},
        {"pyproject.toml": PROJECT, "setup.cfg": "install_requires\n"},
        {"pyproject.toml": PROJECT},
        {},
    ],
)
def test_settings_that_the_backend_did_read_pass(tmp_path: Path, files: dict[str, str]) -> None:
    assert unread(tmp_path, files, "[console_scripts]\nhi = demo:main\n", "click>=8") == []
