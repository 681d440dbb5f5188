"""The policy of an upload, against a scripted index and uploader; the program itself is tried in test_uploader.py."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index.credentials import Credential
from seatrial.index.holdings import Holdings, OtherBytes, ProjectClosed, ReleaseYanked
from seatrial.index.indexes import TESTPYPI, Index
from seatrial.index.simple import Listing, Served
from seatrial.index.uploads import upload as module
from seatrial.index.uploads.attestations import SUFFIX
from seatrial.index.uploads.refusals import Answer
from seatrial.index.uploads.upload import (
    AGE_OF_TOKEN,
    AT_ONCE,
    LEAST,
    PROGRAM,
    RETRY_AFTER,
    Job,
    UploadRefused,
    copied,
    sent,
    upload,
)
from seatrial.machine import process, terminal
from seatrial.machine.process import Outcome, ToolStuck
from seatrial.release.record import FilesChanged
from seatrial.release.stages import Dist

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

WHEEL = Dist("demo-1.0-py3-none-any.whl", "a" * 64, 1)
SDIST = Dist("demo-1.0.tar.gz", "b" * 64, 2)
DONE = Answer(200, "OK")
BUSY = Answer(503, "Service Unavailable")
FORBIDDEN = Answer(403, "Invalid or non-existent authentication information.")
EXPIRED = Answer(403, "Invalid API Token: token is expired")
LIMITED = Answer(429, "Too Many Requests")
EXISTS = Answer(400, "File already exists ('demo-1.0.tar.gz', with blake2_256 hash 'ab').")
LOST = "ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"


def document(*answers: Answer, notes: Sequence[str] = (), error: dict[str, Any] | None = None) -> Outcome:
    """Return how the uploader ends, in its own form, among what else programs write."""
    listed = [
        {"file": answer.file, "status": answer.status, "reason": answer.reason, "body": answer.body}
        | {"retry_after": answer.retry_after}
        for answer in answers
    ]
    done = {"event": "done", "answers": listed, "error": error, "notes": [*notes], "output": ""}
    return Outcome(0, f"WARNING of twine\n[]\n{json.dumps(done)}\n")


@dataclass
class World:
    """An index and an uploader that follow a script: each call ends as said, and stores the files it names."""

    stored: dict[str, str] = field(default_factory=dict)
    script: list[tuple[Answer | Outcome | ToolStuck, tuple[Dist, ...]]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    envs: list[dict[str, str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    listing: Listing = field(default_factory=Listing)
    yanked: tuple[str, ...] = ()
    waits: int = 0

    def holdings(self, _index: object, _project: str, _version: str, dists: tuple[Dist, ...]) -> Holdings:
        served = {
            name: Served(name, sha256, f"https://files.example/{name}", yanked=name in self.yanked)
            for name, sha256 in self.stored.items()
        }
        there = [(dist, served[dist.filename]) for dist in dists if dist.filename in served]
        return Holdings(
            identical=tuple(dist for dist, file in there if file.sha256 == dist.sha256),
            absent=tuple(dist for dist in dists if dist.filename not in served),
            different=tuple((dist, file) for dist, file in there if file.sha256 != dist.sha256),
            extra=(),
            yanked=tuple(file for file in served.values() if file.yanked),
            served=tuple(served.values()),
            listing=self.listing,
        )

    def wait(self, *args: Any, **_options: object) -> Holdings:
        self.waits += 1
        return self.holdings(*args)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: dict[str, str],
        cwd: Path,
        time_limit: float,
        given: bytes,
        on_wait: Any,
        on_output: Any,
        every: float | None,
    ) -> Outcome:
        assert (argv, cwd.is_dir()) == (PROGRAM, True)
        assert every is None or terminal.is_terminal()
        self.limits.append(time_limit)
        on_wait(15.0)
        on_output('{"event": "progress", "file": "demo-1.0-py3-none-any.whl", "sent": 1}\n')
        self.orders.append(json.loads(given))
        self.envs.append(env)
        outcome, stored = self.script.pop(0)
        self.stored |= {dist.filename: dist.sha256 for dist in stored}
        if isinstance(outcome, ToolStuck):
            raise outcome
        return document(outcome) if isinstance(outcome, Answer) else outcome

    @property
    def sent(self) -> list[list[str]]:
        """The files of each call of the uploader."""
        return [[path.replace("\\", "/").rpartition("/")[2] for path in order["files"]] for order in self.orders]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(module, "holdings", made.holdings)
    monkeypatch.setattr(module, "wait_until_served", made.wait)
    monkeypatch.setattr(process, "run", made.run)
    return made


@pytest.fixture
def job(world: World, tmp_path: Path) -> Job:
    folder = tmp_path / "ein Übungsstück"
    folder.mkdir()
    credential = Credential("TESTPYPI_TOKEN", "a-secret", identity={"ACTIONS": "theirs"})
    return Job(
        TESTPYPI,
        "demo",
        "1.0",
        (SDIST, WHEEL),
        folder,
        lambda: credential,
        {"PATH": "/bin"},
        900,
        world.said.append,
        world.said.append,
    )


@pytest.fixture
def run(world: World, job: Job) -> functools.partial[Holdings]:
    """The upload, with pauses that are noted instead of made."""
    return functools.partial(upload, job, sleep=world.pauses.append)


def stored(dists: Iterable[Dist]) -> dict[str, str]:
    return {dist.filename: dist.sha256 for dist in dists}


def test_what_became_of_a_minted_token_is_said(world: World, job: Job) -> None:
    world.script = [(document(DONE, notes=["the minted token is burnt"]), (WHEEL, SDIST))]
    upload(job)
    assert "the minted token is burnt" in world.said


def test_an_uploader_that_breaks_is_quoted_and_not_tried_again(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, "Traceback (most recent call last):\nNameError: oh\n"), ())]
    with pytest.raises(UploadRefused) as error:
        run()
    assert "| The uploader ended with exit code 1:\n  | Traceback (most recent call last):\n  | NameError: oh\n" in str(
        error.value
    )
    assert world.pauses == []


def test_nothing_is_sent_where_all_is_there(world: World, run: functools.partial[Holdings]) -> None:
    world.stored = stored([WHEEL, SDIST])
    found = run()
    assert found.complete
    assert (world.orders, world.waits) == ([], 1)
    assert f"{WHEEL.filename}: already on TestPyPI, identical" in world.said


@pytest.mark.parametrize(
    ("there", "files"),
    [((), [WHEEL.filename, SDIST.filename]), ((WHEEL,), [SDIST.filename]), ((SDIST,), [WHEEL.filename])],
)
def test_exactly_what_is_absent_is_sent(
    world: World, job: Job, run: functools.partial[Holdings], there: tuple[Dist, ...], files: list[str]
) -> None:
    world.stored = stored(there)
    world.script = [(DONE, (WHEEL, SDIST))]
    assert run().complete
    assert world.sent == [files]
    assert [line for line in world.said if "uploading to TestPyPI" in line]
    assert str(job.folder / files[0]) in world.orders[0]["files"]
    assert world.pauses == []


def test_the_secret_goes_to_standard_input_alone(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(DONE, (WHEEL, SDIST))]
    run()
    order = world.orders[0]
    assert (order["url"], order["username"], order["password"]) == (TESTPYPI.upload, "__token__", "a-secret")
    assert world.envs == [{"PATH": "/bin", "ACTIONS": "theirs"}]
    assert "a-secret" not in " ".join([*PROGRAM, *world.said])


def test_a_long_upload_gives_signs_of_life(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(DONE, (WHEEL, SDIST))]
    run()
    assert "still uploading (15 s)" in world.said


def test_other_bytes_stop_it_before_anything_is_sent(world: World, run: functools.partial[Holdings]) -> None:
    world.stored = {WHEEL.filename: "c" * 64}
    with pytest.raises(OtherBytes, match=r"already has different files for demo 1\.0") as error:
        run()
    assert world.orders == []
    assert f"expected {'a' * 64}" in str(error.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            "archived",
            "unarchive it on https://test.pypi.org/manage/project/demo/settings/, and run this again.",
        ),
        ("quarantined", "write to security@pypi.org."),
    ],
)
def test_a_project_that_takes_nothing_stops_it_before_anything_is_sent(
    world: World, run: functools.partial[Holdings], status: str, said: str
) -> None:
    world.listing = Listing(status=status, reason="the word\x1b[2J of the index")
    with pytest.raises(ProjectClosed) as error:
        run()
    assert f"demo is {status} on TestPyPI, so nothing was sent. Its reason: the word\\x1b[2J of" in str(error.value)
    assert said in str(error.value)
    assert world.orders == []


def test_what_an_archived_project_has_already_is_done(world: World, run: functools.partial[Holdings]) -> None:
    world.listing, world.stored = Listing(status="archived"), stored([WHEEL, SDIST])
    assert run().complete


def test_a_deprecated_project_is_warned_about(world: World, run: functools.partial[Holdings]) -> None:
    world.listing = Listing(status="deprecated", reason="use other")
    world.script = [(DONE, (WHEEL, SDIST))]
    assert run().complete
    assert "demo is deprecated on TestPyPI: use other" in world.said


def test_yanked_files_are_a_rehearsal_and_no_release(world: World, job: Job) -> None:
    world.stored, world.yanked = stored([WHEEL, SDIST]), (WHEEL.filename,)
    assert upload(replace(job, rehearses=True)).complete
    word = f"yanked on TestPyPI: {WHEEL.filename}; it serves the bytes, so this is a rehearsal all the same"
    assert word in world.said
    with pytest.raises(ReleaseYanked):
        upload(job)
    assert world.orders == []


@pytest.mark.parametrize(
    "outcome",
    [
        BUSY,
        LIMITED,
        Answer(502, "Bad Gateway"),
        Answer(408, "Request Timeout"),
        document(error={"reason": LOST}),
        document(error={"reason": "it was ended before it was done"}),
    ],
)
def test_what_was_stored_in_spite_of_a_fault_is_not_sent_again(
    world: World, run: functools.partial[Holdings], outcome: Answer | Outcome
) -> None:
    world.script = [(outcome, (WHEEL, SDIST))]
    assert run().complete
    assert len(world.orders) == 1
    assert world.pauses == [RETRY_AFTER[0]]
    assert "TestPyPI did not accept every file; checking what it has, then trying again in 2 s" in world.said


@pytest.mark.parametrize(
    "answer",
    [EXPIRED, EXISTS, FORBIDDEN, Answer(429, "Too many new projects created"), Answer(400, "A new reason.")],
)
def test_what_a_pause_cannot_change_is_not_tried_again(
    world: World, run: functools.partial[Holdings], answer: Answer
) -> None:
    world.script = [(answer, ())]
    with pytest.raises(UploadRefused, match="TestPyPI rejected the upload"):
        run()
    assert (len(world.orders), world.pauses, world.waits) == (1, [], 0)


def test_a_name_that_exists_elsewhere_may_be_our_own_file(world: World, job: Job) -> None:
    """Other servers say so of the same bytes, and their pages may lag; PyPI takes the same bytes again."""
    house = Index("house", simple="https://house.example/simple/", upload="https://house.example/")
    world.script = [(Answer(409, "File already exists"), ()), (DONE, (WHEEL, SDIST))]
    assert upload(replace(job, index=house), sleep=world.pauses.append).complete
    assert world.pauses == [RETRY_AFTER[0]]


@pytest.mark.parametrize(
    ("asked", "pause"), [("17", 17), ("120", 120), ("1", RETRY_AFTER[0]), ("soon", RETRY_AFTER[0])]
)
def test_an_index_is_left_alone_as_long_as_it_asks(
    world: World, run: functools.partial[Holdings], asked: str, pause: float
) -> None:
    world.script = [(replace(LIMITED, retry_after=asked), ()), (DONE, (WHEEL, SDIST))]
    assert run().complete
    assert world.pauses == [pause]
    assert f"TestPyPI did not accept every file; checking what it has, then trying again in {pause:.0f} s" in world.said


def test_an_index_that_asks_for_more_than_patience_is_left_alone(
    world: World, run: functools.partial[Holdings]
) -> None:
    world.script = [(replace(LIMITED, retry_after="121", body="slow down"), ())]
    with pytest.raises(UploadRefused) as error:
        run()
    assert "  | 429 Too Many Requests: slow down (it asked us to retry in 121 s)\n" in str(error.value)
    assert (len(world.orders), world.pauses) == (1, [])


def test_what_an_index_stored_before_it_asked_for_peace_is_not_sent_again(
    world: World, run: functools.partial[Holdings]
) -> None:
    world.script = [(replace(LIMITED, retry_after="3600"), (WHEEL, SDIST))]
    assert run().complete
    assert (len(world.orders), world.pauses) == (1, [])


def test_after_a_fault_only_what_is_still_absent_is_sent(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(BUSY, (WHEEL,)), (DONE, (SDIST,))]
    assert run().complete
    assert world.sent == [[WHEEL.filename, SDIST.filename], [SDIST.filename]]


def test_other_bytes_after_a_fault_stop_it(world: World, run: functools.partial[Holdings]) -> None:
    foreign = Dist(WHEEL.filename, "c" * 64, 1)
    world.script = [(BUSY, (foreign,))]
    with pytest.raises(OtherBytes):
        run()
    assert len(world.orders) == 1


def test_a_fault_that_lasts_ends_with_the_indexs_own_words(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(BUSY, ())] * (len(RETRY_AFTER) + 1)
    with pytest.raises(UploadRefused, match="TestPyPI rejected the upload") as error:
        run()
    assert "It answered:\n  | 503 Service Unavailable\n" in str(error.value)
    assert "the index is busy or down" in str(error.value)
    assert world.pauses == list(RETRY_AFTER)


def test_the_last_try_counts_as_well(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(BUSY, ())] * len(RETRY_AFTER) + [(DONE, (WHEEL, SDIST))]
    assert run().complete


def test_a_refusal_ends_it_at_once_in_whole_sentences(world: World, run: functools.partial[Holdings]) -> None:
    name = "a-very-long-name-of-a-project-" * 4
    sentence = f"The user 'ada' isn't allowed to upload to project '{name}'. See https://test.pypi.org/help/ for more."
    world.script = [(Answer(403, sentence), ())]
    with pytest.raises(UploadRefused) as error:
        run()
    assert f"| 403 {sentence}\n" in str(error.value)
    assert error.value.kind == "name-taken"
    assert (len(world.orders), world.pauses, world.waits) == (1, [], 0)


def test_a_token_that_expired_on_the_way_is_narrowed_anew(world: World, job: Job) -> None:
    """A narrowed token lives for minutes, and an upload may take longer; one that has expired at once stays so."""
    made = iter([Credential("TESTPYPI_TOKEN", "first"), Credential("TESTPYPI_TOKEN", "second")])
    world.script = [(EXPIRED, (WHEEL,)), (DONE, (SDIST,))]
    times = iter([0.0, AGE_OF_TOKEN + 1, 0.0])
    slow = replace(job, credential=lambda: next(made))
    assert upload(slow, sleep=world.pauses.append, clock=lambda: next(times)).complete
    assert [order["password"] for order in world.orders] == ["first", "second"]


def test_an_upload_that_never_ends_is_ended_and_what_arrived_is_asked_for(
    world: World, job: Job, run: functools.partial[Holdings]
) -> None:
    world.script = [(ToolStuck("twine", 900, "Uploading"), (WHEEL,)), (DONE, (SDIST,))]
    assert run().complete
    assert world.pauses == [RETRY_AFTER[0]]
    assert world.sent == [[WHEEL.filename, SDIST.filename], [SDIST.filename]]
    assert all(limit > job.limit for limit in world.limits)


def test_an_upload_has_time_to_start_however_short_the_wait_for_the_index_is(world: World, job: Job) -> None:
    world.script = [(DONE, (WHEEL, SDIST))]
    assert upload(replace(job, limit=1), sleep=world.pauses.append).complete
    assert world.limits[0] > LEAST


def test_an_upload_that_always_stands_still_is_refused_with_that_word(
    world: World, run: functools.partial[Holdings]
) -> None:
    world.script = [(ToolStuck("twine", 900, "Uploading"), ())] * 4
    with pytest.raises(UploadRefused, match="timed out: it had not ended after 900 seconds"):
        run()


def test_many_files_go_some_at_a_time_and_the_sdist_last(world: World, job: Job) -> None:
    wheels = tuple(Dist(f"demo-1.0-cp3{minor}-abi3-any.whl", "a" * 64, 1) for minor in range(AT_ONCE + 10))
    world.script = [(DONE, wheels[:3]), (BUSY, ()), (DONE, (*wheels, SDIST)), (DONE, ())]
    many = replace(job, dists=(SDIST, *wheels))
    assert upload(many, sleep=world.pauses.append).complete
    assert [len(files) for files in world.sent] == [AT_ONCE, 11, AT_ONCE, 8]
    assert [SDIST.filename in files for files in world.sent] == [False, True, False, True]
    assert world.sent[1][-1] == SDIST.filename
    assert f"{AT_ONCE} of 61 files sent" in world.said


def test_the_sdist_is_last_however_its_name_is_spelled(world: World, job: Job) -> None:
    """An older backend writes the name as it is, which may stand before those of the wheels."""
    sdist = Dist("Demo-1.0.tar.gz", "b" * 64, 2)
    wheels = tuple(Dist(f"demo-1.0-cp3{minor}-abi3-any.whl", "a" * 64, 1) for minor in range(AT_ONCE))
    world.script = [(DONE, wheels), (DONE, (sdist,))]
    assert upload(replace(job, dists=(sdist, *wheels)), sleep=world.pauses.append).complete
    assert world.sent[1] == [sdist.filename]


def test_attestations_go_with_their_files(world: World, job: Job) -> None:
    world.script = [(DONE, (WHEEL, SDIST))]
    upload(replace(job, attested=True))
    assert world.orders[0]["attested"] == SUFFIX


def test_no_sdist_is_sent_while_a_wheel_is_refused(world: World, job: Job) -> None:
    wheels = tuple(Dist(f"demo-1.0-cp3{minor}-abi3-any.whl", "a" * 64, 1) for minor in range(AT_ONCE))
    world.script = [(FORBIDDEN, wheels[:3])]
    with pytest.raises(UploadRefused):
        upload(replace(job, dists=(SDIST, *wheels)), sleep=world.pauses.append)
    assert [SDIST.filename in files for files in world.sent] == [False]


# A private copy.


def test_what_is_sent_is_a_copy_that_was_hashed_as_it_was_made(tmp_path: Path) -> None:
    source = tmp_path / "dist"
    source.mkdir()
    for name in (WHEEL.filename, SDIST.filename):
        (source / name).write_text(f"the bytes of {name}", encoding="utf-8")
    dists = tuple(Dist.from_file(source / name) for name in (WHEEL.filename, SDIST.filename))
    folder = copied(dists, source, tmp_path / "files")
    (source / WHEEL.filename).write_text("swapped by what a build left behind", encoding="utf-8")
    assert tuple(map(Dist.from_file, sorted(folder.iterdir()))) == tuple(sorted(dists))
    with pytest.raises(FilesChanged, match=f"{WHEEL.filename}: changed"):
        copied(dists, source, tmp_path / "again")


# How far it is.

TWO = [replace(WHEEL, size=1000), replace(SDIST, size=2000)]


def progress(dist: Dist, count: int) -> str:
    return json.dumps({"event": "progress", "file": dist.filename, "sent": count}) + "\n"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", 0),
        ("Uploading distributions to https://test.pypi.org/legacy/\n", 0),
        (progress(WHEEL, 0), 0),
        (progress(WHEEL, 70), 70),
        (progress(WHEEL, 1400), 1000),
        (progress(WHEEL, 1000) + progress(SDIST, 500), 1500),
        (progress(Dist("other-1.0.tar.gz", "", 9), 5), 0),
        ('{"event": "progress"', 0),
    ],
)
def test_what_is_sent_is_what_the_uploader_says(output: str, expected: int) -> None:
    assert sent(output, TWO) == expected
