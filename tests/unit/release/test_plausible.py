"""Records that no step of ours writes are refused; what our steps have written is read."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.release.record import Record, RecordDamaged, load, now
from seatrial.release.stages import Built, Checked, Dist
from tests.samples.stages import BUILT, CHECKED, DISTS, SAMPLES, SDIST, WHEEL

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Stage

HASH = "0123456789abcdef" * 4


def named(*names: str) -> tuple[Dist, ...]:
    return tuple(Dist(name, HASH, 7) for name in names)


def reread(place: Path, stage: Stage, **changes: Any) -> Stage:
    path = place / "stage.json"
    document = {"schema": 1, "stage": stage.name} | asdict(replace(stage, **changes))
    path.write_text(json.dumps(document), encoding="utf-8")
    return load(path, type(stage))


@pytest.mark.parametrize("stage", SAMPLES, ids=lambda stage: stage.name)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": "one"}, "version is 'one'"),
        ({"version": "1.0\nurl=https://evil.example"}, "version is"),
        ({"version": "1.0\n"}, "version is"),
        ({"version": ""}, "version is ''"),
        ({"at": "2024-05-06T07:08:09Z |\n\n# all is well"}, "at is"),
        ({"at": "2024-05-06T07:08:09+00:00"}, "at is"),
        ({"at": "2024-05-06T07:08:09Z\n"}, "at is"),
        ({"at": "2024-13-06T07:08:09Z"}, "at is"),
        ({"at": ""}, "at is ''"),
        (
            {"dists": (*DISTS, *named("demo-2.0-py3-none-any.whl"))},
            "dists[2] is 'demo-2.0-py3",
        ),
        ({"dists": (*DISTS, *named("other-1.0-py3-none-any.whl"))}, "dists[2] is 'other-1.0"),
        ({"dists": (*DISTS, *named("demo-1.0.post1.tar.gz"))}, "dists[2] is"),
        ({"dists": (*DISTS, *named("demo-1.0+local.tar.gz"))}, "dists[2] is"),
        ({"dists": (*DISTS, *named("demo-1.0.exe"))}, "dists[2] is"),
        ({"dists": (*DISTS, *named("../demo-1.0.tar.gz"))}, "dists[2] is"),
        ({"dists": named("")}, "dists[0] is ''"),
        ({"dists": (*DISTS, DISTS[0])}, "dists has a file name twice"),
        ({"dists": (*DISTS, *named(SDIST))}, "dists has a file name twice"),
        ({"dists": (replace(DISTS[0], sha256=HASH.upper()),)}, "dists[0].sha256 is"),
        ({"dists": (replace(DISTS[0], sha256=HASH[1:]),)}, "dists[0].sha256 is"),
        ({"dists": (replace(DISTS[0], sha256=f"{HASH}\n"),)}, "dists[0].sha256 is"),
    ],
)
def test_what_no_step_writes_is_refused(tmp_path: Path, stage: Stage, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RecordDamaged) as error:
        reread(tmp_path, stage, **changes)
    assert reason in error.value.reason


@pytest.mark.parametrize("stage", SAMPLES[1:], ids=lambda stage: stage.name)
@pytest.mark.parametrize("project", ["", "de mo", "größe", "-demo", "demo\n", "../demo", "demo2"])
def test_a_checked_release_is_of_a_project_with_a_valid_name(tmp_path: Path, stage: Stage, project: str) -> None:
    with pytest.raises(RecordDamaged, match=r"project is|not a file of"):
        reread(tmp_path, stage, project=project)


def test_what_was_built_with_a_name_that_check_refuses_is_read(tmp_path: Path) -> None:
    """Its rule says more of the name than an error about the record could."""
    assert reread(tmp_path, BUILT, project="a demo").project == "a demo"


@pytest.mark.parametrize(
    ("project", "version", "names"),
    [
        ("demo", "1.0", (SDIST, WHEEL)),
        ("De.m_o-1", "1.0", ("de_m_o_1-1.0-py3-none-any.whl", "De.m_o-1-1.0.tar.gz", "de_m_o_1-1.0.0.tar.gz")),
        ("demo", "1!2.0rc1.post2.dev3+ubuntu.1", ("demo-1!2.0rc1.post2.dev3+ubuntu.1.tar.gz",)),
        ("demo", "1.0+g1234.d5", ("demo-1.0+g1234.d5-1abc-cp39-abi3-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl",)),
        ("demo", "2024.1", ("demo-2024.01-py2.py3-none-any.whl", "demo-v2024.1.tar.gz", "demo-2024.1.zip")),
        ("demo", "1.0.dev3", ("demo-1.0.dev3-py3-none-any.whl", "demo-1.0dev3.tar.gz")),
    ],
)
def test_what_our_steps_write_is_read(tmp_path: Path, project: str, version: str, names: tuple[str, ...]) -> None:
    for stage in SAMPLES:
        changes: dict[str, Any] = {"project": project, "version": version, "dists": named(*names), "at": now()}
        assert reread(tmp_path, stage, **changes) == replace(stage, **changes)


def test_a_file_of_another_version_goes_no_further_though_all_records_name_it(tmp_path: Path) -> None:
    record, other = Record.of(tmp_path), "demo-2.0-py3-none-any.whl"
    record.dist.mkdir()
    (record.dist / other).write_bytes(b"2.0")
    dists = (Dist.from_file(record.dist / other),)
    for stage in (BUILT, CHECKED):
        record.write(replace(stage, dists=dists))
    told = replace(record, expected=record.digest())
    for kind in (Built, Checked):
        with pytest.raises(RecordDamaged, match=r"not a file of demo 1\.0"):
            told.read(kind)
