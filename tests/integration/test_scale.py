"""A release of 120 wheels and an sdist: bounded memory, resumed in the middle, verified with the wheel that fits."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from seatrial.index.uploads.upload import AT_ONCE
from seatrial.project.options import Options
from seatrial.release.record import Record
from seatrial.release.stages import Released
from seatrial.steps import verify
from tests.integration.test_kill import ended, killed, start
from tests.releases import RUNNING, Place, context_of, standing_in, write_rehearsal, write_release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = f"cp{RUNNING.replace('.', '')}-none-any"
PLATFORMS = ("win_amd64", "win_arm64", "macosx_11_0_arm64", "macosx_11_0_x86_64", "musllinux_1_2_ppc64le", "win32", "x")
FOREIGN = [f"cp3{minor}-cp3{minor}-{platform}" for minor in range(30, 47) for platform in PLATFORMS]
TAGS = [*FOREIGN, OURS]
PADDING = 400_000
SPARE = 30_000  # KiB that a release of 121 files may take more than one of two


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with standing_in(tmp_path) as made:
        yield made


def ready(place: Place, tags: list[str], padding: int = 0) -> None:
    write_rehearsal(place.root, write_release(place.root, tags, padding=padding), place.simple("testpypi"))
    place.hold("testpypi")


def test_the_release_is_as_large_as_it_is_said_to_be() -> None:
    assert len(TAGS) == len(set(TAGS)) == 120


@pytest.mark.parametrize("number", [3, AT_ONCE, 70, 120])
def test_it_is_resumed_in_the_middle(place: Place, number: int) -> None:
    ready(place, TAGS)
    assert ended(killed(place, "pypi", "POST", number, 0.5)) != 0
    there = place.held("pypi")
    assert number <= len(there) <= number + 1
    assert "demo-1.0.tar.gz" not in there or len(there) == 121
    assert ended(start(place, "pypi")) == 0
    assert place.held("pypi") == place.files()
    assert place.faults["pypi"].uploads in {121, 122}  # only what was on its way is sent again
    assert len(Record.of(place.root).read(Released).urls) == 121


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    small, large = (peak(tmp_path / name, tags) for name, tags in (("small", [OURS]), ("large", TAGS)))
    unit = 1024 if sys.platform == "darwin" else 1  # bytes there, KiB elsewhere
    assert all(more - less < SPARE * unit < 121 * PADDING for less, more in zip(small, large, strict=True))


def peak(folder: Path, tags: list[str]) -> list[int]:
    """Upload a release with twine, and return the most memory that our process and twine had."""
    with standing_in(folder) as place:
        ready(place, tags, PADDING)
        process = start(place, "pypi", twine=True)
        said = process.communicate()[0]
        assert process.returncode == 0, said
        assert place.held("pypi") == place.files()
    found = re.search(r"^peak (\d+) (\d+)$", said, re.MULTILINE)
    assert found
    return [int(found[1]), int(found[2])]


@pytest.mark.parametrize("uv", [True, False], ids=["uv", "pip"])
def test_the_wheel_that_fits_is_verified(place: Place, *, uv: bool) -> None:
    ready(place, TAGS)
    options = Options(python=RUNNING, kind="wheel")
    context = context_of("verify", place.root, place.urls, options, uv=find_uv_bin() if uv else None)
    for path in context.record.folder.glob("verified-*"):
        path.unlink()
    verify.run(context)
    (verified,) = context.record.verified()
    assert verified.filename == f"demo-1.0-{OURS}.whl"
    assert verified.imported == ("demo",)
