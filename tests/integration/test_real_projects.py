"""Projects of other people, as they lie on PyPI: made repositories again and rehearsed, nothing copied into them."""

from __future__ import annotations

import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from seatrial.release.record import load
from seatrial.release.stages import Built, Verified
from tests.integration.conftest import RUNNING, Project
from tests.rehearsals import fetched, repository

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Sdist:
    """A source distribution on PyPI, by its bytes; what it imports as and depends on, and the build backend."""

    backend: str
    filename: str
    sha256: str
    imports: tuple[str, ...]
    depends_on: frozenset[str]

    @property
    def project(self) -> str:
        return self.filename.rpartition("-")[0]

    @property
    def version(self) -> str:
        return self.filename.rpartition("-")[2].removesuffix(".tar.gz")


REAL = (
    Sdist(  # with a script and an optional part of a dependency
        "uv_build",
        "cachecontrol-0.14.4.tar.gz",
        "e6220afafa4c22a47dd0badb319f84475d79108100d04e26e8542ef7d3ab05a1",
        ("cachecontrol",),
        frozenset({"requests", "msgpack"}),
    ),
    Sdist(
        "pdm-backend",
        "dep_logic-0.7.2.tar.gz",
        "2a3c49526075b0bc6825f0ea8c2d9f464de48b7b85f3f3d2900b4e5950fefedf",
        ("dep_logic",),
        frozenset({"packaging"}),
    ),
    Sdist(  # stubs: nothing in it can be imported, and nothing is wrong with that
        "setuptools",
        "types_requests-2.33.0.20261030.tar.gz",
        "42d75eb02ed0f8220904c8fc08d3129742e7fce42fd5cf706395c8bb4c0ad990",
        (),
        frozenset({"urllib3"}),
    ),
)


@pytest.fixture(scope="session")
def sdists(request: pytest.FixtureRequest) -> Path:
    """A folder that keeps what was fetched once, from one run of the tests to the next."""
    cache: pytest.Cache = request.config.cache
    return cache.mkdir("sdists")


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason=f"Python {sys.version} unpacks without a filter")
@pytest.mark.parametrize("sdist", REAL, ids=lambda sdist: f"{sdist.project}-{sdist.backend}")
def test_a_real_project_is_rehearsed_as_it_is(sdist: Sdist, sdists: Path, tmp_path: Path) -> None:
    path = fetched(sdist.project, sdist.sha256, sdists)
    root = repository(path, tmp_path / "unpacked", f"v{sdist.version}")
    done = Project(root).step("dryrun", "--keep", str(tmp_path / "kept"))
    assert done.code == 0, done.output
    record = tmp_path / "kept" / "release-record"
    built = load(record / "built.json", Built)
    assert {dist.filename for dist in built.dists} >= {sdist.filename}
    for kind in ("wheel", "sdist"):
        (path,) = record.glob(f"verified-{RUNNING}-*-{kind}.json")
        verified = load(path, Verified)
        assert set(sdist.imports) <= set(verified.imported)
        assert bool(verified.imported) == bool(sdist.imports)
        assert sdist.depends_on <= {one.name for one in verified.installed}
