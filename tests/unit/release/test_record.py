from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import MISSING, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.machine.disk import locked_file, write_whole
from seatrial.machine.values import fields_of, is_value
from seatrial.release import record as module
from seatrial.release import stages
from seatrial.release.record import (
    FOLDER,
    FilesChanged,
    Record,
    RecordDamaged,
    RecordForeign,
    RecordSwapped,
    RunningAlready,
    StageMissing,
    load,
    now,
)
from seatrial.release.stages import (
    CHAIN,
    Built,
    Checked,
    Dist,
    Problem,
    Stage,
    Verified,
)
from tests.projects import write_tree
from tests.samples.records import hashings, mutations
from tests.samples.stages import AT, BUILT, CHECKED, DISTS, FILES, SAMPLES, SDIST, VERIFIED, WHEEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
each_stage = pytest.mark.parametrize("stage", SAMPLES, ids=lambda stage: stage.name)
each_single_stage = pytest.mark.parametrize(
    "stage", [stage for stage in SAMPLES if stage != VERIFIED], ids=lambda stage: stage.name
)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """The record of a project of which the two files lie in dist/, and nothing is recorded."""
    write_tree(tmp_path / "dist", FILES)
    return Record.of(tmp_path)


def tree(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


# What is written comes back.


@each_single_stage
def test_a_stage_comes_back_as_it_was_written(record: Record, stage: Stage) -> None:
    record.write(stage)
    assert record.read(type(stage)) == stage
    assert record.find(type(stage)) == stage


def test_a_verified_cell_comes_back_as_it_was_written(record: Record) -> None:
    record.write(VERIFIED)
    assert record.verified() == (VERIFIED,)


WORDS = {name: st.text("abc-_.", min_size=1) for name in ("python", "sys_platform", "machine")}


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_stage_comes_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    place = tmp_path_factory.mktemp("any")
    names = st.from_regex(r"demo-1\.0-[0-9][a-c]{0,4}-py3-none-any\.whl", fullmatch=True)
    files = data.draw(st.dictionaries(names, st.text(), max_size=3))
    write_tree(place / "dist", files)
    dists = tuple(Dist.from_file(place / "dist" / name) for name in files)
    kind = data.draw(st.sampled_from(CHAIN))
    facts = {"project": st.just("Demo"), "version": st.just("1.0"), "at": st.just(AT), "dists": st.just(dists)}
    stage = data.draw(st.builds(kind, **facts, **(WORDS if kind is Verified else {})))
    record = Record.of(place)
    record.write(stage)
    assert load(record.path(stage), kind) == stage


def test_names_that_are_no_unicode_come_back(record: Record) -> None:
    """Members of an sdist can have such names, and a rule names them."""
    name = os.fsdecode(b"demo-1.0/gr\xf6\xdfe.pem")
    stage = replace(CHECKED, problems=(Problem("secret-private-key", "warning", SDIST, name),))
    record.write(stage)
    assert record.find(Checked) == stage


@each_stage
def test_a_file_says_its_schema_and_stage(record: Record, stage: Stage) -> None:
    record.write(stage)
    document = json.loads(record.path(stage).read_bytes())
    assert (document["schema"], document["stage"]) == (1, stage.name)
    assert (document["project"], document["version"], document["at"]) == ("demo", "1.0", AT)
    assert document["dists"] == [{"filename": d.filename, "sha256": d.sha256, "size": d.size} for d in DISTS]


def test_each_stage_and_each_cell_has_a_file_of_its_own(record: Record) -> None:
    for stage in (*SAMPLES, replace(VERIFIED, kind="sdist"), replace(VERIFIED, python="pypy3.11", machine="arm64")):
        record.write(stage)
    assert {path.name for path in record.folder.iterdir()} == {
        ".gitignore",
        "built.json",
        "checked.json",
        "rehearsed.json",
        "verified-3.14t-linux-x86_64-wheel.json",
        "verified-3.14t-linux-x86_64-sdist.json",
        "verified-pypy3.11-linux-arm64-wheel.json",
        "released.json",
    }
    assert len(record.verified()) == 3


def test_records_of_several_jobs_merge_by_copying(record: Record, tmp_path: Path) -> None:
    record.write(BUILT)
    cells = (VERIFIED, replace(VERIFIED, kind="sdist"))
    for cell in cells:
        job = write_tree(tmp_path / "jobs" / cell.kind / "dist", FILES).parent
        Record.of(job).write(cell)
        (path,) = Record.of(job).folder.glob("*.json")
        path.rename(record.folder / path.name)
    assert set(record.verified()) == set(cells)


def test_git_does_not_see_the_record(record: Record) -> None:
    record.write(BUILT)
    assert (record.folder / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_gitignore_that_is_there_is_left(record: Record) -> None:
    write_tree(record.folder, {".gitignore": "*.json\n"})
    record.write(BUILT)
    assert (record.folder / ".gitignore").read_text(encoding="utf-8") == "*.json\n"


def test_the_time_is_utc_to_the_second() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now())


# What is not there, or not whole.


@each_single_stage
def test_what_is_not_recorded_is_missing(record: Record, stage: Stage) -> None:
    assert record.find(type(stage)) is None
    with pytest.raises(StageMissing) as error:
        record.read(type(stage))
    assert (error.value.stage, error.value.step) == (stage.name, stage.step)
    assert f"run `seatrial {stage.step}` first" in str(error.value)
    assert record.verified() == ()


def test_what_was_changed_is_told_before_what_is_missing(record: Record) -> None:
    record.write(BUILT)
    with pytest.raises(StageMissing):
        record.read(Checked)
    (record.dist / WHEEL).write_bytes(b"other")
    with pytest.raises(FilesChanged):
        record.read(Checked)


@each_stage
def test_a_file_cut_short_at_any_byte_is_damaged(record: Record, stage: Stage) -> None:
    record.write(stage)
    path = record.path(stage)
    whole = path.read_bytes()
    for end in range(len(whole.rstrip())):
        path.write_bytes(whole[:end])
        with pytest.raises(RecordDamaged):
            load(path, type(stage))


@each_stage
def test_a_file_with_a_field_too_few_too_many_or_wrong_is_damaged(record: Record, stage: Stage) -> None:
    record.write(stage)
    path = record.path(stage)
    for label, document in mutations(json.loads(path.read_bytes())):
        if re.sub(r"\.\d+", "", label) not in set(optional(type(stage))):
            path.write_text(json.dumps(document), encoding="utf-8")
            with contextlib.suppress(RecordDamaged):
                load(path, type(stage))
                pytest.fail(label)


@each_stage
def test_a_field_that_earlier_versions_did_not_write_has_its_default(record: Record, stage: Stage) -> None:
    record.write(stage)
    path = record.path(stage)
    defaults = with_default(type(stage))
    document = {name: value for name, value in json.loads(path.read_bytes()).items() if name not in defaults}
    path.write_text(json.dumps(document), encoding="utf-8")
    assert load(path, type(stage)) == replace(stage, **defaults)


def optional(kind: Any, where: str = "") -> Iterator[str]:
    """Yield the labels that `mutations` has for what may be missing, without numbers in them."""
    hints = get_type_hints(kind, vars(stages))
    for field in fields_of(kind):
        hint = hints[field.name]
        inner = next(filter(is_value, (hint, *get_args(hint))), None)
        if inner:
            yield from optional(inner, f"{where}.{field.name}")
        if field.default is not MISSING:
            yield f"{where}.{field.name}: missing"


def with_default(kind: type[Stage]) -> dict[str, Any]:
    return {field.name: field.default for field in fields_of(kind) if field.default is not MISSING}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": 2}, "it says schema 2, stage 'built'; expected 1, 'built'"),
        ({"schema": "1"}, "it says schema '1'"),
        ({"stage": "checked"}, "stage 'checked'"),
        ({"extra": None}, "it has missing or unknown fields: extra"),
        ({"dists": None}, "dists is not tuple"),
        ({"dists": [{"filename": "a", "sha256": "b"}]}, "dists[0] has missing or unknown fields: size"),
        ({"dists": [{"filename": "a", "sha256": "b", "size": "1"}]}, "dists[0].size is not int"),
        ({"dists": ["a"]}, "dists[0] has missing or unknown fields: not an object"),
        ({"epoch": True}, "epoch is not int"),
        ({"dirty": 0}, "dirty is not bool"),
        ({"commit": 1}, "commit is not str"),
        ({"matrix": [{"python": "3.13", "kind": "egg"}]}, "matrix[0].kind is not"),
        ({"project": None}, "project is not str"),
    ],
)
def test_what_is_wrong_is_named(record: Record, change: dict[str, object], reason: str) -> None:
    record.write(BUILT)
    path = record.path(Built)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change), encoding="utf-8")
    with pytest.raises(RecordDamaged) as error:
        record.find(Built)
    assert error.value.path == path
    assert reason in error.value.reason


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"[]", b"null", b"\xff{}", b"\xef\xbb\xbf{}", b"[" * 200_000])
def test_what_is_no_record_at_all_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "built.json"
    path.write_bytes(content)
    with pytest.raises(RecordDamaged):
        load(path, Built)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.1", "dists": ()},
        {"project": "other"},
        {"dists": DISTS[:1]},
        {"dists": (DISTS[0], replace(DISTS[1], size=9))},
    ],
    ids=["version", "project", "files", "bytes"],
)
@pytest.mark.parametrize("stage", SAMPLES[1:], ids=lambda stage: stage.name)
def test_a_stage_of_another_release_is_foreign(record: Record, stage: Stage, change: dict[str, Any]) -> None:
    record.write(stage)
    record.write(BUILT)
    path = record.path(BUILT)
    write_whole(path, json.dumps(json.loads(path.read_bytes()) | as_json(change)))
    with pytest.raises(RecordForeign) as error:
        record.verified() if isinstance(stage, Verified) else record.find(type(stage))
    assert error.value.path == record.path(stage)
    assert "demo 1.0" in str(error.value)
    ours, theirs = dict.fromkeys(FILES, ""), {}
    for file in change.get("dists", DISTS):
        ours[file.filename] = f"sha256 {file.sha256} ({file.size} bytes)"
    for file in DISTS:
        theirs[file.filename] = f"sha256 {file.sha256} ({file.size} bytes)"
    assert error.value.files == tuple(
        f"{name}: expected {ours[name] or 'no such file'}, found {theirs[name]}"
        for name in sorted(FILES)
        if ours[name] != theirs[name]
    )


def test_a_cell_under_the_name_of_another_is_no_evidence(record: Record) -> None:
    """CI takes the files of a verify job by their names, which say the Python and the system of that job."""
    record.write(BUILT)
    (cell,) = (stage for stage in SAMPLES if isinstance(stage, Verified))
    record.write(cell)
    assert record.verified() == (cell,)
    record.path(cell).rename(path := record.path(replace(cell, python="3.99")))
    with pytest.raises(RecordDamaged) as error:
        record.verified()
    assert (error.value.path, record.path(cell).name in error.value.reason) == (path, True)


def as_json(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value if name != "dists" else [vars(dist) for dist in value] for name, value in change.items()}


# The files must be what they were.


def changed(dist: Path) -> None:
    write_tree(dist, {WHEEL: "the WHEEL\n"})


def cut_short(dist: Path) -> None:
    write_tree(dist, {WHEEL: "the"})


def missing(dist: Path) -> None:
    (dist / WHEEL).unlink()


def added(dist: Path) -> None:
    write_tree(dist, {"demo-0.9.tar.gz": ""})


def hidden(dist: Path) -> None:
    write_tree(dist, {".DS_Store": ""})


def renamed(dist: Path) -> None:
    (dist / WHEEL).rename(dist / "demo-1.0-py2-none-any.whl")


def swapped(dist: Path) -> None:
    write_tree(dist, {WHEEL: FILES[SDIST], SDIST: FILES[WHEEL]})


def gone(dist: Path) -> None:
    (dist / WHEEL).unlink()
    (dist / SDIST).unlink()
    dist.rmdir()


def folder(dist: Path) -> None:
    (dist / "egg-info").mkdir()


def told(content: str | None) -> str:
    """Return how a file with `content` is spoken of, None for no file."""
    if content is None:
        return "no such file"
    return f"sha256 {hashlib.sha256(content.encode()).hexdigest()} ({len(content.encode())} bytes)"


def line(name: str, found: str | None) -> str:
    return f"{name}: expected {told(FILES.get(name))}, found {told(found)}"


OTHER = "demo-1.0-py2-none-any.whl"
CHANGES: list[tuple[Callable[[Path], None], tuple[str, ...]]] = [
    (changed, (line(WHEEL, "the WHEEL\n"),)),
    (cut_short, (line(WHEEL, "the"),)),
    (missing, (line(WHEEL, None),)),
    (added, (line("demo-0.9.tar.gz", ""),)),
    (hidden, (line(".DS_Store", ""),)),
    (folder, ("egg-info: expected no such file, found what is no file",)),
    (renamed, (line(WHEEL, None), line(OTHER, FILES[WHEEL]))),
    (swapped, (line(WHEEL, FILES[SDIST]), line(SDIST, FILES[WHEEL]))),
    (gone, (line(WHEEL, None), line(SDIST, None))),
]


@pytest.mark.parametrize(("change", "lines"), CHANGES)
@each_single_stage
def test_changed_files_are_named_when_a_stage_is_read(
    record: Record, stage: Stage, change: Callable[[Path], None], lines: tuple[str, ...]
) -> None:
    record.write(stage)
    change(record.dist)
    with pytest.raises(FilesChanged) as error:
        record.read(type(stage))
    assert set(error.value.changes) == set(lines)
    assert not [line for line in lines if f"\n  {line}" not in str(error.value)]
    assert record.find(type(stage)) == stage


def test_what_only_lies_beside_the_recorded_files_is_to_be_moved_away(record: Record) -> None:
    record.write(BUILT)
    write_tree(record.dist, {"other.whl": ""})
    with pytest.raises(FilesChanged) as error:
        record.read(Built)
    assert "What to do: the recorded files are unchanged, so move other.whl to another folder." in str(error.value)
    write_tree(record.dist, {WHEEL: "changed"})
    with pytest.raises(FilesChanged) as error:
        record.read(Built)
    assert "What to do: put the recorded files back" in str(error.value)


@pytest.mark.parametrize("change", [change for change, _ in CHANGES])
def test_nothing_is_recorded_of_changed_files(record: Record, change: Callable[[Path], None]) -> None:
    change(record.dist)
    with pytest.raises(FilesChanged):
        record.write(BUILT)
    assert not record.folder.exists()


# How often files are read.


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return hashings(monkeypatch)


def test_what_is_shown_is_not_hashed_again_where_this_session_has_done_so(record: Record, reading: list[str]) -> None:
    record.write(BUILT)
    assert sorted(reading) == sorted(FILES)
    assert all(map(record.shows, DISTS))
    assert len(reading) == len(FILES)
    assert all(map(Record.of(record.dist.parent).shows, DISTS))
    assert len(reading) == 2 * len(FILES)


@pytest.mark.parametrize("keeps_time", [True, False])
def test_what_is_shown_is_hashed_again_where_the_file_has_changed(record: Record, *, keeps_time: bool) -> None:
    record.write(BUILT)
    wheel = record.dist / WHEEL
    before = wheel.stat()
    wheel.write_text(FILES[WHEEL].swapcase(), encoding="utf-8", newline="")
    assert wheel.stat().st_size == before.st_size
    os.utime(wheel, ns=(before.st_atime_ns, before.st_mtime_ns + (0 if keeps_time and os.name != "nt" else 10**6)))
    assert [dist.filename for dist in DISTS if not record.shows(dist)] == [WHEEL]


@each_single_stage
def test_who_reads_a_stage_hashes_the_files_each_time(record: Record, stage: Stage, reading: list[str]) -> None:
    record.write(stage)
    record.read(type(stage))
    record.read(type(stage))
    assert sorted(reading) == sorted([*FILES] * 3)
    assert record.recorded(type(stage)) == stage
    assert len(reading) == 3 * len(FILES)


# The digest that travels outside the record.


@each_single_stage
def test_the_right_digest_lets_a_stage_be_read(record: Record, stage: Stage) -> None:
    record.write(BUILT)
    record.write(stage)
    told = hashlib.sha256((record.folder / "built.json").read_bytes()).hexdigest()
    assert record.digest() == told
    assert replace(record, expected=told).read(type(stage)) == stage


@pytest.mark.parametrize("told", ["", "0" * 64, "not a digest"])
@each_single_stage
def test_another_digest_stops_every_stage(record: Record, stage: Stage, told: str) -> None:
    record.write(BUILT)
    record.write(stage)
    with pytest.raises(RecordSwapped) as error:
        replace(record, expected=told).read(type(stage))
    assert (told or "(empty)") in str(error.value)
    assert record.digest() in str(error.value)


def test_any_byte_that_changes_in_built_json_is_noticed(record: Record) -> None:
    record.write(BUILT)
    told = replace(record, expected=record.digest())
    path = record.path(Built)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(RecordSwapped):
            told.find(Built)


def test_a_stage_without_the_built_json_that_was_told_of_is_refused(record: Record) -> None:
    record.write(CHECKED)
    with pytest.raises(RecordSwapped, match=r"\(no file\)"):
        replace(record, expected="0" * 64).find(Checked)


def test_the_digest_of_nothing_built_is_no_matter(record: Record) -> None:
    assert replace(record, expected="0" * 64).find(Built) is None


def test_the_same_stage_is_the_same_file(record: Record, tmp_path: Path) -> None:
    record.write(BUILT)
    other = Record.of(write_tree(tmp_path / "other" / "dist", FILES).parent)
    other.write(BUILT)
    assert other.digest() == record.digest()


# Whole or not at all.


def fail(error: BaseException) -> Callable[..., None]:
    def failing(*_args: object, **_options: object) -> None:
        raise error

    return failing


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
def test_a_write_that_fails_midway_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: BaseException
) -> None:
    write_tree(tmp_path, {"built.json": "the old file"})
    monkeypatch.setattr(owner, name, fail(error))
    for path in (tmp_path / "built.json", tmp_path / "checked.json"):
        with pytest.raises(type(error)):
            write_whole(path, "the new file")
    assert tree(tmp_path) == {"built.json": "the old file"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no process's files")
def test_a_disk_that_takes_no_more_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_tree(tmp_path, {"built.json": "the old file"}) / "built.json"
    script = (
        "import resource, sys; from pathlib import Path; from seatrial.release.record import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "write_whole(Path(sys.argv[1]), 'x' * 100_000)"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    argv = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert "OSError: [Errno 27]" in done.stderr
    assert tree(tmp_path) == {"built.json": "the old file"}


def test_a_failure_is_told_even_where_nothing_can_be_tidied(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no such folder" / "built.json", "")


def test_a_file_is_written_over_what_a_killed_run_left(tmp_path: Path) -> None:
    write_tree(tmp_path, {".built.json.new": "cut sho"})
    write_whole(tmp_path / "built.json", "größe\n")
    assert tree(tmp_path) == {"built.json": "größe\n"}


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_others_may_read_the_record_as_they_may_read_other_files(record: Record) -> None:
    record.write(BUILT)
    plain = record.dist / SDIST
    assert stat.filemode(record.path(Built).stat().st_mode) == stat.filemode(plain.stat().st_mode)


# The old is moved aside.


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the folder that takes what is moved aside."""
    monkeypatch.setattr(module, "now", lambda: AT)
    return "20240506T070809Z"


def test_files_and_record_are_moved_aside_and_kept(record: Record, stopped_clock: str) -> None:
    for stage in SAMPLES:
        record.write(stage)
    old = {f"{FOLDER}/{path.name}": path.read_text(encoding="utf-8") for path in record.folder.glob("*.json")}
    aside = record.move_aside((SDIST, WHEEL))
    assert aside == record.folder / "aside" / stopped_clock
    assert tree(aside) == old | FILES
    assert list(record.dist.iterdir()) == []
    assert list(record.folder.glob("*.json")) == []


def test_the_report_goes_with_its_record(record: Record) -> None:
    record.write(BUILT)
    write_tree(record.folder, {"report.html": "the page", "report.md": "in short"})
    aside = record.move_aside(())
    assert aside is not None
    assert {path.name for path in (aside / FOLDER).iterdir()} == {"built.json", "report.html", "report.md"}
    assert not (record.folder / "report.html").exists()


def test_only_the_named_files_are_moved(record: Record) -> None:
    aside = record.move_aside((SDIST,))
    assert aside is not None
    assert tree(aside) == {SDIST: FILES[SDIST]}
    assert tree(record.dist) == {WHEEL: FILES[WHEEL]}
    assert (record.folder / ".gitignore").exists()


def test_a_file_named_like_one_of_the_record_does_not_take_its_place(record: Record) -> None:
    record.write(BUILT)
    recorded = record.path(Built).read_text(encoding="utf-8")
    write_tree(record.dist, {"built.json": "another"})
    aside = record.move_aside(("built.json",))
    assert aside is not None
    assert tree(aside) == {"built.json": "another", f"{FOLDER}/built.json": recorded}


def test_where_nothing_is_old_nothing_is_made(record: Record) -> None:
    assert record.move_aside(()) is None
    assert not record.folder.exists()


def test_what_was_moved_aside_before_stays(record: Record, stopped_clock: str) -> None:
    places = []
    for text in ("first", "second", "third"):
        write_tree(record.dist, {"notes.txt": text})
        places.append(record.move_aside(("notes.txt",)))
    names = (stopped_clock, f"{stopped_clock}-2", f"{stopped_clock}-3")
    assert places == [record.folder / "aside" / name for name in names]
    assert [tree(place)["notes.txt"] for place in places if place] == ["first", "second", "third"]


# One run at a time.

HOLD = """\
import sys
from pathlib import Path
from seatrial.release.record import Record

with Record.of(Path(sys.argv[1])).locked("release"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def another_run(place: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that holds the lock of the record in `place` until its standard input ends."""
    argv = [sys.executable, "-c", HOLD, str(place)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


@pytest.mark.parametrize("stop", [end, kill])
def test_a_second_run_is_told_of_the_first(record: Record, stop: Callable[[subprocess.Popen[str]], None]) -> None:
    with another_run(record.dist.parent) as process:
        with pytest.raises(RunningAlready) as error, record.locked("release"):
            pytest.fail("both hold the lock")
        assert error.value.folder == record.folder
        with record.locked("verify-3.13-wheel"):
            pass
        stop(process)
        with record.locked("release"):
            pass


def test_a_lock_is_let_go_where_a_session_fails(record: Record) -> None:
    with pytest.raises(KeyboardInterrupt), record.locked("release"):
        raise KeyboardInterrupt
    with record.locked("release"):
        pass


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked_file(path) as first, locked_file(path) as second:
        assert (first, second) == (True, False)


def test_locks_are_no_part_of_the_record(record: Record) -> None:
    with record.locked("release"):
        record.write(BUILT)
        assert record.verified() == ()
    assert record.move_aside(()) is not None
