"""The commands of each page, run in the order in which they stand there, in a shell on a terminal with somebody at it.

The two indexes are stand-ins, and what is to be filled in is filled in. A page also has to show what is really said.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from virtualenv import cli_run

from tests.integration.conftest import HERE, PROGRAM, RUNNING, SETTINGS, Indexes, Project, copy_state, project_in
from tests.projects import GIT_SETTINGS, commit, git, sample, write_tree
from tests.snippets import NOT_RUN, ROOT, RUN, SHELLS, Step, blocks, commands, steps

if TYPE_CHECKING:
    from tests.integration.conftest import Rehearsal, Servers

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="the blocks are for a POSIX shell, on a POSIX terminal"),
    pytest.mark.skipif(not (HERE / ".git").exists(), reason="an sdist holds no commit that could be released"),
]
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
MARK = "<<<next command>>>"
# What a page calls nox or seatrial is the program of this working tree, with the indexes of the test.
FUNCTIONS = f"""\
nox() {{
    local flags=(--typing) steps=()
    while (( $# )) && [ "$1" != -- ]; do
        case "$1" in
            --no-dependencies) flags+=(--alone) ;;
            -p) shift ;;
            -s) ;;
            *) steps+=("$1") ;;
        esac
        shift
    done
    '{sys.executable}' -I '{PROGRAM}' "${{flags[@]}}" "${{steps[@]}}" "$@"
}}
seatrial() {{ '{sys.executable}' -I '{PROGRAM}' --installed "$@"; }}
"""
# Said of the two public indexes alone, of a Python that is not on every machine, or shown together with what is typed.
ONLY_THERE = re.compile(r"^next: |page +https://pypi.org/manage/|not verified|^Type the version")
DIFFERENT = {
    r" \(stand-in\)": "",
    "a stand-in on this machine": "URL",
    r"https?://[^\s)]+": "URL",
    r"\b[0-9.]+ (B|KiB)\b": "SIZE",
    r"\bgoes to \S+ for good": "goes to HOST for good",
    r"\b[0-9]+ rules, 2 files tried on [0-9., and]+": "RULES, ",
    r"^ok +verify +3.*$": "ok verify CELLS",
    r"\b[0-9a-f]{12,64}\b": "HEX",
    r"\b[0-9]{4}-?[0-9]{2}-?[0-9]{2}T[0-9:]+Z": "TIME",
    r"\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}\b": "TIME",
    r"\b(done|in part) +verify\b": "VERIFY",
    r"\b[0-9]+ of [0-9]+ cells\b": "CELLS",
    r"/\S*/(?=(dist|release-record)\b)": "",
}


@dataclass
class Story:
    """Where the commands of one page are run: what is filled in, what is typed, and what comes before each block.

    `functions` stand for the commands nox and seatrial; without them these are the programs that the page installs.
    `said` is what the commands say beside what the page shows of it.
    """

    project: Project
    filled_in: dict[str, str] = field(default_factory=dict)
    typed: tuple[str, ...] = ()
    before: str = ":"
    functions: str = FUNCTIONS
    said: str = ""


@dataclass
class Kit:
    """What stories are made of."""

    folder: Path
    servers: Servers
    rehearsal: Rehearsal

    def project(self, **sample_args: Any) -> Project:
        """Return a committed project, with nothing done yet."""
        return project_in(self.folder, **sample_args)

    def indexes(self, project: Project) -> Indexes:
        return Indexes.of(project, self.folder / "indexes", self.servers)

    def after(self, step: str) -> Project:
        """Return the default project as `step` leaves it, with both indexes."""
        project = self.project()
        copy_state(self.rehearsal.after(step), project, self.folder / "indexes")
        self.indexes(project)
        return project

    def with_python(self, project: Project) -> Project:
        """Put the programs of a new virtual environment first on the PATH of `project`."""
        cli_run([str(self.folder / "python")])
        project.env["PATH"] = os.pathsep.join([str(self.folder / "python" / "bin"), PATH])
        return project

    def with_origin(self, project: Project) -> Project:
        """Give `project` an empty repository to push to."""
        git(self.folder, "init", "--quiet", "--bare", "origin")
        git(project.root, "remote", "add", "origin", str(self.folder / "origin"))
        return project

    def clone(self) -> Path:
        git(self.folder, "clone", "--quiet", str(HERE), "clone")
        return self.folder / "clone"

    def other(self) -> Path:
        """Return a committed project that has nothing of ours."""
        root = sample(self.folder / "your-project")
        commit(root)
        return root


@pytest.fixture
def kit(tmp_path: Path, servers: Servers, rehearsal: Rehearsal) -> Kit:
    return Kit(tmp_path, servers, rehearsal)


# One story a page.

# What "The next release" asks for in words: done before the block that follows the upload.
RAISE = """\
if [ -e release-record/released.json ]; then
    sed -i.bak 's/version = "0.1.0"/version = "0.2.0"/' pyproject.toml && rm pyproject.toml.bak && git commit -qam Raise
fi"""


def readme(kit: Kit) -> Story:
    project = kit.with_python(Project(kit.clone()))
    other = kit.other()
    filled_in = {"/path/to/seatrial": str(HERE), "/path/to/your-project": str(other), "cd your-project": f"cd {other}"}
    before = f"git -C '{other}' clean -qfdx -e .venv"
    said = r"dry run of seatrial .* passed: 2 files, the same bytes on both stand-ins"
    return Story(project, filled_in, before=before, functions="", said=said)


def adopt(kit: Kit) -> Story:
    other = kit.other()
    uvx = f"uvx --from '{HERE}' seatrial"
    filled_in = {
        "uvx --from /path/to/seatrial seatrial adopt /path/to/your-project": f"{uvx} adopt '{other}'",
        "seatrial adopt --": f"{uvx} adopt --",
    }
    return Story(Project(other), filled_in, before="git add -A && git commit -qm Adopted || :")


def any_ci(kit: Kit) -> Story:
    project = kit.project(version="1.0.0")
    write_tree(project.root, {"tasks/nox.txt": (HERE / "tasks" / "nox.txt").read_text(encoding="utf-8")})
    kit.indexes(project)
    project.change({})
    return Story(kit.with_python(project))


def compiled(kit: Kit) -> Story:
    project = kit.after("build")
    shutil.copytree(project.dist, kit.folder / "wheelhouse")
    return Story(project, {"wheelhouse": f"'{kit.folder / 'wheelhouse'}'"}, before="rm -rf dist release-record")


def github(kit: Kit) -> Story:
    return Story(kit.with_origin(kit.project(version="1.0.0")))


def monorepo(kit: Kit) -> Story:
    root = kit.folder / "repository"
    write_tree(root, {"pyproject.toml": '[tool.seatrial]\npackages = ["packages/*"]\n'})
    folders = {name: root / "packages" / name for name in ("core", "app")}
    for name, folder in folders.items():
        sample(folder, name=name, dependencies=["core"] if name == "app" else [])
        with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS)
    commit(root)
    project = Project(root)
    kit.indexes(project)
    return Story(project, typed=("1.0", "1.0"))


def moving(kit: Kit) -> Story:
    project = kit.project()
    kit.indexes(project)
    filled_in = {"seatrial adopt": f"uvx --from '{HERE}' seatrial adopt", "/path/to/your-project": f"'{kit.other()}'"}
    return Story(project, filled_in, ("1.0",))


def lost(kit: Kit) -> Story:
    project = kit.project(name="tide-times", version="0.3.0")
    kit.indexes(project)
    assert project.step("testpypi").code == 0
    project.dist.rename(project.root.parent / "saved")
    shutil.rmtree(project.record)
    return Story(project, typed=("0.3.0",))


def wrong(kit: Kit) -> Story:
    project = kit.with_origin(kit.after("verify"))
    git(project.root, "tag", "v1.0")
    git(project.root, "push", "--quiet", "origin", "v1.0")
    assert project.step("pypi", "--yes", "1.0").code == 0
    return Story(project)


def by_hand(kit: Kit) -> Story:
    need("curl", "sha256sum")
    project = kit.after("build")  # for its record: the files are built by hand
    shutil.rmtree(project.dist)
    git(project.root, "tag", "v1.0")
    indexes = Indexes.of(project, kit.folder / "indexes", kit.servers)
    of_testpypi, of_pypi = (indexes.urls[name] for name in ("testpypi", "pypi"))
    filled_in = {
        "https://test.pypi.org": of_testpypi,
        "https://upload.pypi.org": of_pypi,
        "https://pypi.org/simple/PROJECT/": f"{of_pypi}/simple/demo/",
        "print(next(f['url']": f"print('{of_testpypi}' + next(f['url']",  # on the stand-in it is relative
        "PROJECT": "demo",
        "VERSION": "1.0",
        "IMPORT_NAME": "demo",
        "FILE...": "dist/*",
        "python3.10 -m venv": f"python{RUNNING} -m venv",
        '"$TESTPYPI_TOKEN"': '"$(IFS= read -r token; echo "$token")"',
        '"$PYPI_TOKEN"': '"$(IFS= read -r token; echo "$token")"',
    }
    tokens = [indexes.env[f"{name}_TOKEN"] for name in ("TESTPYPI", "PYPI")]
    made = "rm -rf ../seatrial-* ../trial-* ../verify* ../servers ../testpypi ../pypi"
    return Story(project, filled_in, tuple(tokens), made)


def record(kit: Kit) -> Story:
    need("sha256sum")
    return Story(kit.after("build"))


def need(*programs: str) -> None:
    """Skip the test where one of `programs` is not on this machine."""
    if lacking := [program for program in programs if shutil.which(program) is None]:
        pytest.skip(f"not on this machine: {lacking}")


def tutorial(kit: Kit) -> Story:
    pyproject, module = (
        next(block.text for block in blocks(ROOT / "docs/tutorial/first-release.md") if block.language == language)
        for language in ("toml", "python")
    )
    ignored = "/.nox/\n/dist/\n/release-record/\n__pycache__/\n"
    files = {"pyproject.toml": pyproject, "src/tide_times/__init__.py": module, ".gitignore": ignored}
    root = write_tree(kit.folder / "tide-times", files | {"README.md": "# Tide times\n\nWhen the water is high.\n"})
    project = Project(root)
    tokens = [kit.indexes(project).env[f"{name}_TOKEN"] for name in ("TESTPYPI", "PYPI")]
    for name in ("TESTPYPI_TOKEN", "PYPI_TOKEN"):
        del project.env[name]
    return Story(project, {"~/seatrial-env": str(kit.folder / "seatrial-env")}, (*tokens, "0.1.0", "0.2.0"), RAISE)


STORIES = {
    "README.md": readme,
    "docs/how-to/adopt.md": adopt,
    "docs/how-to/ci.md": any_ci,
    "docs/how-to/compiled-wheels.md": compiled,
    "docs/how-to/github-actions.md": github,
    "docs/how-to/monorepo.md": monorepo,
    "docs/how-to/moving.md": moving,
    "docs/how-to/when-something-fails.md": lost,
    "docs/how-to/wrong-release.md": wrong,
    "docs/reference/explained.md": by_hand,
    "docs/reference/record.md": record,
    "docs/tutorial/first-release.md": tutorial,
}


def test_every_page_that_is_to_be_run_has_a_story() -> None:
    assert tuple(STORIES) == RUN


@pytest.mark.slow
@pytest.mark.parametrize("page", STORIES)
def test_the_commands_of_a_page_do_what_it_says(kit: Kit, page: str) -> None:
    story = STORIES[page](kit)
    found = [block for block in blocks(ROOT / page) if block.language in SHELLS]
    wanted = [step for block in found for step in steps(block)]
    code, outputs = run(story, [[step.command for step in steps(block)] for block in found])
    assert code == 0, "\n".join(outputs)
    assert len(outputs) == len(wanted) + 1
    assert re.search(story.said, "\n".join(outputs))
    absent = [line for step, output in zip(wanted, outputs[1:], strict=True) for line in missing(step, output)]
    assert "\n".join(absent) == ""


def run(story: Story, of_blocks: list[list[str]]) -> tuple[int, list[str]]:
    """Run the commands, each block from the project's folder.

    Returns the exit code, and what was said before the first command and by each.
    """
    lines = [line for some in of_blocks for line in [f"cd '{story.project.root}'", story.before, *map(marked, some)]]
    script = "\n".join([story.functions, *lines])
    for word, value in story.filled_in.items():
        script = script.replace(word, value)
    quick = {"PIP_NO_COMPILE": "1"}  # much of what is installed is never imported
    env = os.environ | git_settings() | quick | {"PATH": PATH} | story.project.env
    master, slave = os.openpty()
    try:
        os.write(master, "".join(f"{line}\n" for line in story.typed).encode())
        argv = ["bash", "--noprofile", "--norc", "-e", "-c", script]
        streams = {"stdin": slave, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(argv, cwd=story.project.root, env=env, check=False, **streams)  # type: ignore[call-overload]
    finally:
        os.close(master)
        os.close(slave)
    return done.returncode, done.stdout.decode("utf-8", "replace").split(MARK)


def marked(command: str) -> str:
    """Return the line for the script: a mark, and those of the commands in it that a test can run."""
    parts = [command] if command in NOT_RUN else commands(command)
    joined = " && ".join(part for part in parts if part not in NOT_RUN)
    return f"echo '{MARK}'\n{joined or ':'}"


def git_settings() -> dict[str, str]:
    """Return the variables with which git is away from this machine's settings, and knows who commits."""
    env = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": str(len(GIT_SETTINGS) // 2)}
    for number, setting in enumerate(GIT_SETTINGS[1::2]):
        env[f"GIT_CONFIG_KEY_{number}"], env[f"GIT_CONFIG_VALUE_{number}"] = setting.split("=", 1)
    return env


def missing(step: Step, output: str) -> list[str]:
    """Return the lines that the page shows and `output` has not, apart from what is different each time."""
    if step.command in NOT_RUN:
        return []
    said = plain(output)
    told = [line for line in step.shown if line.strip() not in {"", "..."} and not ONLY_THERE.search(line)]
    return [line for line in told if plain(line) not in said]


def plain(text: str) -> str:
    """Return `text` on one line, with words for what depends on the machine, the moment and the index."""
    for pattern, word in DIFFERENT.items():
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return " ".join(text.split())
