from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

import pytest

from seatrial.release.stages import CHAIN, CHUNK, KINDS, Cell, Dist
from tests.samples.stages import BUILT, DISTS, SAMPLES, VERIFIED

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Kind, Stage


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 1])
def test_a_distribution_is_its_name_and_its_bytes(tmp_path: Path, size: int) -> None:
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(content)
    assert Dist.from_file(path) == Dist("demo-1.0.tar.gz", hashlib.sha256(content).hexdigest(), size)


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("demo-1.0-py3-none-any.whl", "wheel"),
        ("demo-1.0.tar.gz", "sdist"),
        ("whl-1.0.tar.gz", "sdist"),
        ("demo.whl-1.0.tar.gz", "sdist"),
    ],
)
def test_the_file_name_tells_the_kind(filename: str, kind: str) -> None:
    assert Dist(filename, "", 0).kind == kind


def test_distributions_are_in_order_of_their_names() -> None:
    later, earlier = Dist("b", "0", 0), Dist("a", "1", 1)
    assert sorted([later, earlier]) == [earlier, later]


def test_the_chain_is_in_the_order_of_the_sessions() -> None:
    assert [stage.name for stage in CHAIN] == ["built", "checked", "rehearsed", "verified", "released"]


@pytest.mark.parametrize("stage", SAMPLES, ids=lambda stage: stage.name)
def test_the_same_distributions_go_unchanged_through_all_stages(stage: Stage) -> None:
    assert stage.dists == DISTS
    with pytest.raises(dataclasses.FrozenInstanceError):
        stage.dists = ()  # type: ignore[misc]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_verified_is_a_cell_of_the_announced_matrix(kind: Kind) -> None:
    verified = dataclasses.replace(VERIFIED, kind=kind)
    assert verified.cell == Cell("3.14t", kind)
    assert verified.cell in BUILT.matrix
