"""A stand-in on this machine as the rehearsal of a release that is meant: by a setting, or once, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.index_server import ALWAYS
from tests.integration.conftest import RUNNING, SETTINGS
from tests.program import VARIABLE
from tests.projects import write_tree
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from tests.integration.conftest import Indexes, Project

ONCE = ("--rehearse-on", "dryrun", "TestPyPI is down, and this mends CVE-2024-1")
SETTING = 'rehearse-on = "dryrun" in [tool.seatrial]'


def released(project: Project, indexes: Indexes, reason: str) -> bool:
    """Whether PyPI holds the files, TestPyPI none, and the record says why."""
    rehearsed = project.stage("rehearsed.json")
    cells = [project.stage(path.name) for path in project.record.glob("verified-*.json")]
    return (
        indexes.held("pypi") == project.files()
        and indexes.held("testpypi") == {}
        and rehearsed["reason"] == reason
        and all(stage["index"].startswith("http://127.0.0.1:") for stage in [rehearsed, *cells])
        and {(cell["python"], cell["kind"]) for cell in cells} == {(RUNNING, "wheel"), (RUNNING, "sdist")}
        and project.stage("released.json")["dists"] == rehearsed["dists"]
    )


@pytest.fixture
def real(project: Project, indexes: Indexes) -> Project:
    """A project whose own two indexes are the stand-ins, by its settings: no dry run."""
    del project.env[VARIABLE]
    tables = [
        f'[tool.seatrial.indexes.{name}]\nupload = "{url}/legacy/"\nsimple = "{url}/simple/"\n'
        for name, url in indexes.urls.items()
    ]
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    project.change({"pyproject.toml": "\n".join([text, *tables])})
    return project


def test_once_with_a_reason_on_the_day_when_testpypi_is_down(real: Project, indexes: Indexes) -> None:
    indexes.testpypi.order("status", times=ALWAYS, detail="503 Down")
    indexes.testpypi.order("status", method="POST", times=ALWAYS, detail="503 Down")
    done = real.step("verify", *ONCE)
    assert done.code == 0, done.output
    assert done.shows("rehearsal: a stand-in on this machine, not 127.0.0.1:", f"({ONCE[2]})")
    assert done.shows(f'next: nox -s pypi -- --rehearse-on dryrun "{ONCE[2]}"')
    assert real.step("status").shows(f"a stand-in on this machine ({ONCE[2]})")
    refused = real.step("pypi", "--yes", "1.0")
    assert is_clear(
        refused, "but the rehearsal index of this release is", f'`nox -s pypi -- --rehearse-on dryrun "{ONCE[2]}"`'
    )
    assert indexes.held("pypi") == {}
    done = real.step("pypi", "--yes", "1.0", *ONCE)
    assert done.code == 0, done.output
    assert done.shows("note rehearsed on a stand-in on this machine, not", ONCE[2])
    assert released(real, indexes, ONCE[2])


def test_for_good_by_a_setting(real: Project, indexes: Indexes) -> None:
    text = (real.root / "pyproject.toml").read_text(encoding="utf-8")
    real.change({"pyproject.toml": text.replace(SETTINGS, SETTINGS + 'rehearse-on = "dryrun"\n')})
    del real.env["TESTPYPI_TOKEN"]
    verified = real.step("verify")
    assert verified.code == 0, verified.output
    done = real.step("pypi", "--yes", "1.0")
    assert done.code == 0, done.output
    assert done.shows(f"({SETTING})")
    assert released(real, indexes, SETTING)


def test_a_rehearsal_here_gives_way_to_the_real_one(real: Project, indexes: Indexes) -> None:
    """And the other way round: what was rehearsed on the index is rehearsed here where that is asked for."""
    assert real.step("testpypi", *ONCE).code == 0
    assert indexes.held("testpypi") == {}
    assert real.step("testpypi").code == 0
    assert real.stage("rehearsed.json")["reason"] is None
    assert indexes.held("testpypi") == real.files()
    assert real.step("testpypi", *ONCE).code == 0
    assert real.stage("rehearsed.json")["reason"] == ONCE[2]


def test_a_dirty_tree_is_not_rehearsed_here_either(real: Project) -> None:
    write_tree(real.root, {"src/demo/more.py": "x = 1\n"})
    assert is_clear(real.step("testpypi", *ONCE), "1 uncommitted change would not be in", "src/demo/more.py")


@pytest.mark.parametrize("args", [("testpypi", "because"), ("dryrun", " "), ("dryrun",)])
def test_a_reason_has_to_be_given(project: Project, args: tuple[str, ...]) -> None:
    assert is_clear(project.step("testpypi", "--rehearse-on", *args), "--rehearse-on")
