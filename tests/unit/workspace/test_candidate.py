"""What an installer meets where an edge of the index does not have the wheel yet, or has other bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.index.holdings import OtherBytes
from seatrial.release.stages import Rehearsed
from seatrial.trial.installer import Installer, InstallFailed, Venv
from seatrial.workspace.candidate import Candidate
from tests.archives import WHEEL
from tests.samples.releases import release_in
from tests.samples.stages import BUILT, REHEARSED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.samples.releases import Release


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path) as made:
        made.serve("testpypi")
        made.write(BUILT, REHEARSED)
        yield made


def install(release: Release, folder: Path, *pauses: float) -> list[float]:
    """Install the wheel, and return the seconds that were waited."""
    rehearsed = release.record.read(Rehearsed)
    candidate = Candidate.served(release.context, release.record.read(type(BUILT)), rehearsed, release.testpypi)
    installer = Installer.of(None, folder, release.pypi, {})
    slept: list[float] = []
    wheels, venv = candidate.dists("wheel"), Venv(folder / "venv")
    candidate.install_wheel(wheels, installer, venv, release.lines.append, pauses=pauses, sleep=slept.append)
    return slept


def failing(monkeypatch: pytest.MonkeyPatch, *outputs: str) -> list[str]:
    """Let the installer fail with each of `outputs`, then succeed; return those that are left."""
    left = list(outputs)

    def from_index(*_: object) -> None:
        if left:
            raise InstallFailed("demo 1.0 from the index", 1, left.pop(0))

    monkeypatch.setattr(Installer, "from_index", from_index)
    return left


def test_a_wheel_that_cannot_be_had_yet_is_tried_again(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "not found", "not found")
    assert install(release, tmp_path, 2.0, 10.0, 30.0) == [2.0, 10.0]
    assert "TestPyPI shows the wheel, and it could not be installed; trying again in 2 s" in release.shown


def test_in_the_end_the_installers_words_are_shown(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = failing(monkeypatch, "not found", "still not found", "never seen")
    with pytest.raises(InstallFailed) as error:
        install(release, tmp_path, 2.0)
    assert (error.value.output, left) == ("still not found", ["never seen"])


@pytest.mark.parametrize("other", [True, False])
def test_bytes_that_an_installer_rejects_are_looked_at(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, other: bool
) -> None:
    failing(monkeypatch, "THESE PACKAGES DO NOT MATCH THE HASHES")
    if other:
        release.faults.order("body", prefix=f"/packages/{WHEEL}", detail=b"other")
    with pytest.raises(OtherBytes if other else InstallFailed):
        install(release, tmp_path)
