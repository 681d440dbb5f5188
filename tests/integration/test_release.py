"""The five sessions, one after the other, and everything that may come between them."""

from __future__ import annotations

import json
import os
import tarfile
from typing import TYPE_CHECKING

from seatrial.machine.terminal import size
from tests.integration.conftest import RUNNING
from tests.projects import git, write_tree
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Indexes, Project

    Bring = Callable[[str], Project]

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


def test_the_very_same_files_go_from_build_to_pypi(project: Project, indexes: Indexes, bring: Bring) -> None:
    bring("verify")
    built = project.files()
    done = project.step("pypi", "--yes", "1.0")
    assert done.code == 0, done.output
    assert set(built) == {WHEEL, SDIST}
    assert project.files() == built == indexes.held("testpypi") == indexes.held("pypi")
    stages = [project.stage(f"{name}.json") for name in ("built", "checked", "rehearsed", "released")]
    stages += [project.stage(path.name) for path in sorted(project.record.glob("verified-*.json"))]
    assert all(stage["dists"] == stages[0]["dists"] for stage in stages)
    assert {(stage["python"], stage["kind"]) for stage in stages[4:]} == {(RUNNING, "wheel"), (RUNNING, "sdist")}


def test_an_idle_chain_does_nothing_twice(project: Project, indexes: Indexes, bring: Bring) -> None:
    bring("verify")
    record = {path: path.read_bytes() for path in project.record.glob("*.json")}
    uploads = indexes.testpypi.uploads
    again = project.step("verify")
    assert again.code == 0
    assert again.shows(
        "is already built", "is already checked", "has been on TestPyPI (stand-in) since", "is verified already"
    )
    assert {path: path.read_bytes() for path in project.record.glob("*.json")} == record
    assert indexes.testpypi.uploads == uploads
    assert "uv venv" not in again.output


def test_a_cell_that_is_to_be_verified_after_all_gets_a_fresh_environment(
    project: Project, indexes: Indexes, bring: Bring
) -> None:
    del indexes
    bring("verify")
    (cell,) = project.record.glob("verified-*-wheel.json")
    before = json.loads(cell.read_text(encoding="utf-8"))
    cell.unlink()
    again = project.step("verify")
    assert again.code == 0, again.output
    assert again.output.count("uv venv") == 1
    after = json.loads(cell.read_text(encoding="utf-8"))
    assert after == before | {"at": after["at"]}


def test_status_names_the_one_next_command(project: Project, bring: Bring) -> None:
    assert project.step("status").shows("nothing is built yet", "next: nox -s build")
    bring("check")
    assert project.step("status").shows("done build", "done check", "not yet testpypi", "next: nox -s testpypi")


def test_each_file_is_shown_with_size_and_hash(project: Project) -> None:
    done = project.step("build")
    built = project.stage("built.json")
    assert done.code == 0
    for dist in built["dists"]:
        assert done.shows(dist["filename"], f"sha256 {dist['sha256']}", size(dist["size"]))
    assert built["commit"] == git(project.root, "rev-parse", "HEAD")
    assert built["epoch"] == int(git(project.root, "log", "-1", "--format=%ct"))


def test_two_builds_of_one_commit_give_the_same_wheel(project: Project, bring: Bring) -> None:
    bring("build")
    first = project.files()
    assert project.step("build", "--rebuild").shows("moved what was in dist/ to")
    assert project.files()[WHEEL] == first[WHEEL]


def test_a_stale_file_in_dist_is_moved_aside_and_named(project: Project) -> None:
    write_tree(project.dist, {"demo-0.9-py3-none-any.whl": "old", "notes.txt": "mine"})
    done = project.step("build")
    assert done.shows("moved what was in dist/ to", "demo-0.9-py3-none-any.whl", "notes.txt")
    assert set(project.files()) == {WHEEL, SDIST}
    (aside,) = (project.record / "aside").iterdir()
    assert (aside / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_an_unrehearsed_build_follows_the_source(project: Project, bring: Bring) -> None:
    bring("build")
    first = project.files()
    project.change({"src/demo/more.py": "x = 1\n"})
    assert project.step("build").shows("moved what was in dist/ to")
    assert project.files()[WHEEL] != first[WHEEL]


def test_a_tag_on_another_commit_stops_the_release(project: Project, indexes: Indexes, bring: Bring) -> None:
    bring("verify")
    project.change({"src/demo/more.py": "x = 1\n"}, tag="v1.0")
    refused = project.step("pypi", "--yes", "1.0")
    assert refused.code == 1
    assert refused.shows("The tag v1.0 points to commit", "this release is from commit")
    assert indexes.held("pypi") == {}
    git(project.root, "tag", "-f", "v1.0", "HEAD~1")
    assert project.step("pypi", "--yes", "1.0").shows("note HEAD is now", "these files were built from")


def test_a_tag_that_does_not_fit_is_seen_early(project: Project, indexes: Indexes) -> None:
    git(project.root, "tag", "v1.1")
    stopped = project.step("check")
    assert stopped.code == 1
    assert stopped.shows("release-tag: HEAD is tagged v1.1", "version 1.0")
    project.change({"src/demo/more.py": "x = 1\n"})
    git(project.root, "tag", "v1.0", "HEAD~1")
    forget = project.step("testpypi", "--rebuild")
    assert is_clear(forget, "The tag v1.0 points to commit", "this release is from commit", "raise the version")
    assert "building" not in forget.output
    assert indexes.held("testpypi") == {}


def test_other_bytes_on_the_index_stop_everything_before_it_starts(
    project: Project, indexes: Indexes, bring: Bring
) -> None:
    bring("check")
    write_tree(indexes.folder / "testpypi", {SDIST: "other bytes"})
    stopped = project.step("testpypi")
    assert stopped.code == 1
    assert stopped.shows("already has different files", SDIST, "expected", "found", "The next version: 1.0.1")
    assert indexes.testpypi.uploads == 0


def test_files_that_are_there_and_identical_stay(project: Project, indexes: Indexes, bring: Bring) -> None:
    bring("check")
    (indexes.folder / "testpypi" / WHEEL).write_bytes((project.dist / WHEEL).read_bytes())
    done = project.step("testpypi")
    assert done.code == 0
    assert done.shows(f"{WHEEL}: already on TestPyPI (stand-in), identical", f"{SDIST}: uploading")
    assert indexes.testpypi.uploads == 1


def test_a_rehearsal_that_was_not_verified_makes_way_for_the_next_release(
    project: Project, indexes: Indexes, bring: Bring
) -> None:
    bring("testpypi")
    rehearsed = project.files()
    project.change({"src/demo/more.py": "x = 1\n"})
    anew = project.step("build")
    assert anew.code == 0
    assert anew.shows(
        "1.0 is on TestPyPI (stand-in) and was not released; starting 1.0 from", "moved what was in dist/"
    )
    assert anew.shows("already has different files for 1.0, and rejects these. Three ways out", "Raise the version")
    assert project.files()[WHEEL] != rehearsed[WHEEL] == indexes.held("testpypi")[WHEEL]
    assert not (project.record / "rehearsed.json").exists()


def test_what_was_verified_is_sealed_until_someone_decides(project: Project, indexes: Indexes, bring: Bring) -> None:
    bring("verify")
    sealed = project.files()
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    project.change({"pyproject.toml": text.replace('version = "1.0"', 'version = "1.1"')})
    stopped = project.step("verify")
    assert is_clear(
        stopped, "demo 1.0, built from", "is verified and not released", "HEAD has moved on to", "Nothing was built"
    )
    assert stopped.shows(
        "1. `nox -s pypi` releases 1.0 on PyPI (stand-in) as verified",
        "2. `nox -s build -- --rebuild` sets these files aside",
        "3. `nox -s verify -- --keep-sealed` goes on with the verified files",
    )
    kept = project.step("verify", "--keep-sealed")
    assert kept.code == 0
    assert kept.shows("going on with the sealed files of demo 1.0", "is verified already")
    assert is_clear(project.step("pypi", "--yes", "1.1"), "--yes 1.1 was given", "the sealed files are demo 1.0")
    assert project.files() == sealed == indexes.held("testpypi")
    anew = project.step("verify", "--rebuild")
    assert anew.code == 0, anew.output
    assert (
        anew.output.count(" venv --quiet --no-python-downloads ") == 4
    )  # fresh environments for two trials and two cells
    assert indexes.held("testpypi") == sealed | project.files()
    cells = [project.stage(path.name) for path in project.record.glob("verified-*.json")]
    assert {(cell["version"], cell["kind"]) for cell in cells} == {("1.1", "wheel"), ("1.1", "sdist")}
    assert indexes.held("pypi") == {}


def test_a_dirty_tree_is_checked_and_goes_nowhere(project: Project, indexes: Indexes) -> None:
    write_tree(project.root, {"src/demo/more.py": "x = 1\n"})
    refused = project.step("testpypi")
    assert is_clear(refused, "1 uncommitted change would not be in", "src/demo/more.py", "commit or stash them")
    assert not project.dist.exists()  # refused before the build
    done = project.step("check")
    assert done.code == 0
    assert done.shows("warning 1 uncommitted change is not in this build: src/demo/more.py. Commit it first.")
    assert is_clear(project.step("testpypi", alone=True), "uncommitted change", "src/demo/more.py")
    assert indexes.held("testpypi") == {}


def test_pypi_refuses_what_was_not_rehearsed_or_verified(project: Project, indexes: Indexes, bring: Bring) -> None:
    for state in (None, "check"):
        if state:
            bring(state)
        refused = project.step("pypi", "--yes", "1.0")
        assert is_clear(refused, "Nothing is verified here, so there is nothing to upload", "run `nox -s verify` first")
    bring("testpypi")
    refused = project.step("pypi", "--yes", "1.0")
    assert is_clear(
        refused, "not verified as the matrix demands", f"Python {RUNNING}, wheel", f"Python {RUNNING}, sdist"
    )
    assert indexes.held("pypi") == {}


def test_pypi_needs_the_version_confirmed(project: Project, indexes: Indexes, bring: Bring) -> None:
    bring("verify")
    assert is_clear(project.step("pypi"), "demo 1.0 was not confirmed", "nox -s pypi -- --yes 1.0")
    other = project.step("pypi", "--yes", "1.1")
    assert is_clear(other, "--yes 1.1 was given, but the sealed files are demo 1.0. Nothing was uploaded.")
    assert indexes.held("pypi") == {}


def test_a_build_backend_sees_no_secret(make_project: Callable[..., Project]) -> None:
    backend = (
        "import os\n"
        "from flit_core.buildapi import *\n"
        "from flit_core import buildapi\n"
        "def build_sdist(*args, **kwargs):\n"
        "    open('src/demo/seen.txt', 'w').write('\\n'.join(f'{k}={v}' for k, v in sorted(os.environ.items())))\n"
        "    return buildapi.build_sdist(*args, **kwargs)\n"
    )
    project = make_project(files={"own_backend.py": backend})
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    text = text.replace('build-backend = "flit_core.buildapi"', 'build-backend = "own_backend"\nbackend-path = ["."]')
    text += '\n[tool.flit.sdist]\ninclude = ["own_backend.py"]\n'
    project.change({"pyproject.toml": text})
    names = ("PYPI_TOKEN", "TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "MY_SECRET")
    secrets: dict[str, str] = dict.fromkeys(names, "s3cr3t-canary")
    secrets["PIP_INDEX_URL_BACKUP"] = "https://user:s3cr3t-canary@example.org"
    project.env |= secrets
    assert project.step("build", "--sdist-only").code == 0
    with tarfile.open(project.dist / SDIST) as sdist:
        member = sdist.extractfile("demo-1.0/src/demo/seen.txt")
        assert member is not None
        seen = member.read().decode()
    assert "s3cr3t-canary" not in seen
    assert "SOURCE_DATE_EPOCH=" in seen
    assert os.environ["PATH"] in seen
