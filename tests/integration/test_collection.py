"""Every broken distribution of the collection is stopped in `check` by its cause, and no sound one is.

What `check` does with files is done here with the real rules, installer, environments and probe; only nox is left out
of it, and the dependencies come from an index on this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import nox.virtualenv
import pytest

from tasks import check, environment, judge, standin
from tasks.config import Config
from tasks.installer import Installer
from tasks.record import Record
from tasks.stages import Built, Dist
from tests.collection import BESIDE, BROKEN, RUNNING, SOUND, Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.run import Run
    from tasks.stages import Problem

# pypiserver's bottle forgets the file of which it was asked for a part.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*[.]whl:ResourceWarning")

CASES = (*BROKEN, *SOUND)


@dataclass(frozen=True)
class Bench:
    """Stands for the Run of a session: what `check` asks of it to install and try files."""

    root: Path
    config: Config
    index: str
    said: list[str] = field(default_factory=list)

    @property
    def record(self) -> Record:
        return Record.of(self.root)

    def say(self, text: str = "") -> None:
        self.said.append(text)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="seatrial-check-", ignore_cleanup_errors=True) as folder:
            yield Path(folder).resolve()

    def installer(self, scratch: Path) -> Installer:
        uv = nox.virtualenv.UV if nox.virtualenv.HAS_UV else None
        env = environment.for_install(os.environ) | {"UV_CACHE_DIR": str(self.root.parent / "cache")}
        return Installer(uv, env, scratch, self.index)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project's folder for each case, its files in dist/."""
    folder = tmp_path_factory.mktemp("collection")
    for case in CASES:
        case.write(folder / case.label / "dist")
    return folder


@pytest.fixture(scope="module")
def findings(shelf: Path) -> Mapping[str, list[dict[str, str]]]:
    """What the rules find in the files of each case, with `twine check --strict` among them."""
    out = shelf / "findings.json"
    paths = {str(path): case.label for case in CASES for path in (shelf / case.label / "dist").iterdir()}
    judge.main(["--out", str(out), "files", *paths])
    found: dict[str, list[dict[str, str]]] = {case.label: [] for case in CASES}
    for judged in json.loads(out.read_text(encoding="utf-8")):
        found[paths[judged["file"]]] += judged["problems"]
    return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The simple repository that dependencies come from."""
    folder = tmp_path_factory.mktemp("index")
    for case in BESIDE:
        case.write(folder)
    with standin.serving(standin.make_index(folder, "no upload is taken")) as url:
        yield f"{url}/simple/"


def tried(case: Case, shelf: Path, index: str) -> tuple[tuple[Problem, ...], Bench]:
    """Install and import the files of `case` as `check` does; return what it met."""
    bench = Bench(shelf / case.label, Config(pythons=(RUNNING,), **case.settings), index)
    built = Built(
        project=case.name,
        version=case.version,
        dists=tuple(sorted(map(Dist.from_file, bench.record.dist.iterdir()))),
        at="2024-05-06T07:08:09Z",
        commit=None,
        tag=None,
        dirty=False,
        epoch=0,
        fingerprint="",
        tools=(),
        matrix=(),
    )
    _, problems = check._try_all(cast("Run", bench), built)
    return problems, bench


def test_the_collection_is_large_and_each_has_a_name_of_its_own() -> None:
    assert len(BROKEN) >= 30
    assert len(SOUND) >= 30
    assert len({case.label for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_twine_and_the_other_rules_find_nothing_that_stops_it(
    case: Case, findings: Mapping[str, list[dict[str, str]]]
) -> None:
    stopping = [p for p in findings[case.label] if p["severity"] == "error" or p["rule"].startswith("twine-")]
    assert stopping == []


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.label)
def test_what_is_broken_is_stopped_by_its_cause(case: Case, shelf: Path, index: str) -> None:
    problems, _ = tried(case, shelf, index)
    errors = [problem for problem in problems if problem.severity == "error"]
    said = " ".join("\n".join(f"{problem.file}: {problem.message}" for problem in errors).split())
    assert errors
    for words in case.says:
        assert words in said


@pytest.mark.parametrize("case", SOUND, ids=lambda case: case.label)
def test_what_is_sound_is_not_stopped(case: Case, shelf: Path, index: str) -> None:
    problems, bench = tried(case, shelf, index)
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert all("installed on Python" in line for line in bench.said)
