"""Every way an index can fail, against each session that talks to one: what comes of it, in which words."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from uv import find_uv_bin

from seatrial.cli import chain
from seatrial.index import conflicts, holdings, http, indexes
from seatrial.index.uploads import upload
from seatrial.index.uploads.refusals import ASK_PYPI, NO_ANSWER, UNKNOWN
from seatrial.index.uploads.upload import Job
from seatrial.machine.errors import ReleaseError
from seatrial.project.options import Commands, Options
from seatrial.release.record import Record
from seatrial.release.stages import Rehearsed, Released
from seatrial.steps import uploading
from seatrial.trial.installer import InstallFailed
from seatrial.workspace.candidate import Candidate
from tests.index_server import ALWAYS
from tests.releases import TAGS, Place, context_of, standing_in, write_rehearsal, write_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.machine.worker import Worker

    Step = Callable[[], None]

WHEEL, SDIST = f"demo-1.0-{TAGS[0]}.whl", "demo-1.0.tar.gz"
PAGE, FILES, ANY = "/simple/", "/packages/", "/"
UPLOADS = ("testpypi", "pypi")
COMMANDS_HERE = Commands(nox=True)
SESSIONS = ("testpypi", "verify", "pypi")
RECORDS = {"testpypi": Rehearsed, "pypi": Released}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, and wait a second at most."""
    for module in (http, upload):
        monkeypatch.setattr(module, "RETRY_AFTER", (0.0, 0.0, 0.0))
    install: Any = Candidate.install_wheel
    monkeypatch.setitem(install.__kwdefaults__, "sleep", lambda _: None)
    monkeypatch.setattr(holdings, "POLL_AFTER", (0.05,))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")  # uv waits longer from try to try


@pytest.fixture(scope="module")
def uploader() -> Iterator[Worker]:
    """An uploader that runs already, as in a dry run: twine takes longer to start than most of these faults."""
    with upload.uploader().kept() as running:
        yield running


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch, uploader: Worker) -> None:
    monkeypatch.setattr(uploading, "Job", lambda **facts: Job(**facts | {"worker": uploader}))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A release of a wheel and an sdist, the indexes, and their tokens."""
    with standing_in(tmp_path) as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def ready(place: Place) -> Callable[..., Step]:
    """Bring the release to the point before a step, `verify` of one kind of archive, and return that step."""
    built = write_release(place.root, TAGS[:1])

    def make(name: str, heard: Callable[[str], None] = lambda _: None) -> Step:
        step, _, of_kind = name.partition("-")
        kind: Any = of_kind or None
        options = Options(yes="1.0" if step == "pypi" else None, kind=kind)
        context = context_of(step, place.root, place.urls, options, uv=find_uv_bin(), heard=heard, index_timeout=1)
        if step != "testpypi":
            write_rehearsal(place.root, built, place.simple("testpypi"))
            place.hold("testpypi")
        if step == "verify":
            for path in context.record.folder.glob("verified-*"):
                path.unlink()
        return lambda: chain.act(step, context)

    return make


def faults_of(place: Place, session: str) -> Any:
    """Return the faults of the index that `session` talks to."""
    return place.faults["pypi" if session == "pypi" else "testpypi"]


def named(session: str) -> str:
    return "PyPI" if session == "pypi" else "TestPyPI"


def is_done(place: Place, session: str) -> bool:
    """Whether the session is recorded, and its index holds exactly the files, each with its bytes."""
    record = Record.of(place.root)
    if session in RECORDS:
        return record.find(RECORDS[session]) is not None and place.held(session) == place.files()
    return len(record.verified()) == (2 if session == "verify" else 1) and place.held("testpypi") == place.files()


def message(act: Step) -> str:
    """Return what `act` stops with."""
    with pytest.raises(ReleaseError) as error:
        act()
    return shown(error.value)


def shown(error: ReleaseError) -> str:
    return error.text(COMMANDS_HERE)


def goes_on(place: Place, session: str, act: Step) -> bool:
    """Whether the same session ends well once the fault is over, with nothing lost or doubled."""
    faults_of(place, session).orders.clear()
    act()
    return is_done(place, session)


# Faults that pass.

LAGGING: Callable[[Any], None] = lambda page: page["files"].clear()  # noqa: E731
PASSING: dict[str, list[tuple[str, str, str, int, Any]]] = {
    "503 once": [("status", "GET", PAGE, 1, "503 Busy")],
    "429 with Retry-After": [("status", "GET", PAGE, 2, ("429 Too Many Requests", "0"))],
    "a reset": [("reset", "GET", PAGE, 1, None)],
    "a truncated page": [("truncated", "GET", PAGE, 1, None)],
    "a stale page": [("page", "GET", PAGE, 4, LAGGING)],
    "a page that is stale for half a second": [("stale", "GET", PAGE, ALWAYS, 0.5)],
    "slow": [("slow", "GET", ANY, 1, 0.3)],
    "all of it": [
        ("status", "GET", PAGE, 1, "502 Bad Gateway"),
        ("reset", "GET", PAGE, 1, None),
        ("page", "GET", PAGE, 2, LAGGING),
    ],
}
PASSING_UPLOADS: dict[str, list[tuple[str, str, str, int, Any]]] = {
    "503 once": [("status", "POST", ANY, 1, "503 Busy")],
    "503 for a while": [("status", "POST", ANY, 3, "503 Busy")],
    "429 with Retry-After": [("status", "POST", ANY, 2, ("429 Too Many Requests", "0"))],
    "a reset": [("reset", "POST", ANY, 2, None)],
    "stored, then 502": [("stored-then-502", "POST", ANY, 1, None)],
    "stored, then 502 until nobody asks": [("stored-then-502", "POST", ANY, 5, None)],
    "slow": [("slow", "POST", ANY, 2, 0.2)],
}


def order(place: Place, session: str, orders: list[tuple[str, str, str, int, Any]]) -> None:
    for kind, method, prefix, times, detail in orders:
        faults_of(place, session).order(kind, method=method, prefix=prefix, times=times, detail=detail)


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("fault", PASSING)
def test_a_reading_fault_that_passes_costs_time_alone(
    place: Place, ready: Callable[..., Step], session: str, fault: str
) -> None:
    act = ready(session)
    order(place, session, PASSING[fault])
    act()
    assert is_done(place, session)


@pytest.mark.parametrize("session", UPLOADS)
@pytest.mark.parametrize("fault", PASSING_UPLOADS)
def test_an_uploading_fault_that_passes_costs_time_alone(
    place: Place, ready: Callable[..., Step], session: str, fault: str
) -> None:
    act = ready(session)
    order(place, session, PASSING_UPLOADS[fault])
    act()
    assert is_done(place, session)


@pytest.mark.parametrize("session", UPLOADS)
def test_an_upload_waits_as_long_as_the_index_asks(
    place: Place, ready: Callable[..., Step], session: str, capsys: pytest.CaptureFixture[str]
) -> None:
    act = ready(session, heard=print)
    order(place, session, [("status", "POST", ANY, 1, ("429 Too Many Requests", "1"))])
    act()
    assert is_done(place, session)
    assert f"{named(session)} did not accept every file; checking what it has, then trying again in 1 s\n" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("kind", ["status", "truncated", "reset"])
def test_a_file_that_comes_badly_once_is_fetched_again(place: Place, ready: Callable[..., Step], kind: str) -> None:
    for session in ("verify-wheel", "verify-sdist"):
        act = ready(session)
        order(place, session, [(kind, "GET", FILES, 1, "503 Busy")])
        act()
        assert len(list(Record.of(place.root).folder.glob(f"verified-*-{session[7:]}.json"))) == 1


@pytest.mark.parametrize("session", SESSIONS)
def test_two_edges_that_disagree_are_not_believed_until_they_agree(
    place: Place, ready: Callable[..., Step], monkeypatch: pytest.MonkeyPatch, session: str
) -> None:
    """Several edges serve an index that is not on this machine; each answer may come from another."""
    act = ready(session)
    edges = iter([True, False, True, True])
    monkeypatch.setattr(indexes.Index, "is_loopback", False)

    def disagree(page: dict[str, Any]) -> None:
        if not next(edges, True):
            page["files"].clear()

    order(place, session, [("page", "GET", PAGE, ALWAYS, disagree)])
    act()
    assert is_done(place, session)
    assert list(edges) == []


@pytest.mark.parametrize("session", SESSIONS)
def test_two_edges_that_never_agree_are_an_outcome_of_its_own(
    place: Place, ready: Callable[..., Step], monkeypatch: pytest.MonkeyPatch, session: str
) -> None:
    act = ready(session)
    edges = itertools.cycle([True, False])

    def disagree(page: dict[str, Any]) -> None:
        if not next(edges):
            page["files"].clear()

    with monkeypatch.context() as patch:
        patch.setattr(indexes.Index, "is_loopback", False)
        order(place, session, [("page", "GET", PAGE, ALWAYS, disagree)])
        assert message(act) == late(session)
    assert goes_on(place, session, act)


def test_an_installer_that_meets_the_edge_that_lags_is_started_again(place: Place, ready: Callable[..., Step]) -> None:
    act = ready("verify-wheel")
    faults_of(place, "verify").order("page", prefix=PAGE, skip=1, times=1, detail=LAGGING)
    act()
    assert is_done(place, "verify-wheel")


# Faults that stay: with which message, and that the same session goes on when they are over.


def unreadable(place: Place, session: str, reason: str, **more: Any) -> str:
    """Return the message for a page that cannot be read."""
    url = f"{place.urls['pypi' if session == 'pypi' else 'testpypi']}/simple/demo/"
    return shown(http.IndexUnreachable(named(session), url, reason, **more))


RESET = str(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
STAYING: dict[str, tuple[list[tuple[str, str, str, int, Any]], dict[str, Any]]] = {
    "503 always": ([("status", "GET", PAGE, ALWAYS, "503 Busy")], {"status": 503, "reason": "Busy"}),
    "429 with a long Retry-After": (
        [("status", "GET", PAGE, ALWAYS, ("429 Too Many Requests", "3600"))],
        {"status": 429, "reason": "Too Many Requests", "pause": 3600.0},
    ),
    "a reset": ([("reset", "GET", PAGE, ALWAYS, None)], {"reason": RESET}),
}


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("fault", STAYING)
def test_an_index_that_cannot_be_read_stops_everything(
    place: Place, ready: Callable[..., Step], session: str, fault: str
) -> None:
    act = ready(session)
    orders, facts = STAYING[fault]
    order(place, session, orders)
    assert message(act) == unreadable(place, session, **facts)
    assert goes_on(place, session, act)


@pytest.mark.parametrize("session", SESSIONS)
def test_a_page_that_is_always_cut_short(place: Place, ready: Callable[..., Step], session: str) -> None:
    act = ready(session)
    place.hold("pypi" if session == "pypi" else "testpypi")  # else there is no page
    order(place, session, [("truncated", "GET", PAGE, ALWAYS, None)])
    with pytest.raises(http.IndexUnreachable) as error:
        act()
    assert error.value.index == named(session)
    assert "IncompleteRead(" in error.value.reason or "cut short" in error.value.reason
    assert goes_on(place, session, act)


@pytest.mark.parametrize("session", SESSIONS)
def test_an_index_that_is_too_slow(
    place: Place, ready: Callable[..., Step], session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = ready(session)
    with monkeypatch.context() as patch:
        patch.setattr(http, "READ_LIMIT", 0.2)
        order(place, session, [("slow", "GET", PAGE, ALWAYS, 0.4)])
        assert message(act) == unreadable(place, session, "timed out")
    assert goes_on(place, session, act)


@pytest.mark.parametrize(
    ("kind", "detail", "facts"),
    [
        ("status", "503 Busy", (503, "Busy", 0)),
        ("status", ("429 Too Many Requests", "3600"), (429, "Too Many Requests", 3600)),
        ("reset", None, (0, RESET, 0)),
        ("truncated", None, None),
    ],
)
def test_an_sdist_that_cannot_be_fetched(
    place: Place, ready: Callable[..., Step], kind: str, detail: Any, facts: Any
) -> None:
    act = ready("verify-sdist")
    order(place, "verify", [(kind, "GET", FILES, ALWAYS, detail)])
    with pytest.raises(http.IndexUnreachable) as error:
        act()
    met = error.value
    assert (met.index, met.url) == ("TestPyPI", f"{place.urls['testpypi']}/packages/{SDIST}")
    assert facts in {None, (met.status, met.reason, met.pause)}
    assert goes_on(place, "verify-one", act)


# uv asks for the rest of a file, and pypiserver leaves the file open that it answers a part of.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize(("kind", "detail"), [("status", "503 Busy"), ("reset", None), ("truncated", None)])
def test_a_wheel_that_cannot_be_installed_for_the_index(
    place: Place, ready: Callable[..., Step], kind: str, detail: Any
) -> None:
    act = ready("verify-wheel")
    order(place, "verify", [(kind, "GET", FILES, ALWAYS, detail)])
    with pytest.raises((InstallFailed, http.IndexUnreachable)):
        act()
    assert goes_on(place, "verify-one", act)


def late(session: str) -> str:
    """Return the message for files that were taken and are not shown."""
    return shown(holdings.NotVisible(named(session), "demo", "1.0", (WHEEL, SDIST), 1, COMMANDS[session]))


COMMANDS = {
    "testpypi": "nox -s testpypi",
    "verify": "nox -s verify",
    "pypi": "nox -s pypi -- --yes 1.0",
}


@pytest.mark.parametrize("session", SESSIONS)
def test_a_page_that_stays_stale_is_an_outcome_of_its_own(
    place: Place, ready: Callable[..., Step], session: str
) -> None:
    act = ready(session)
    order(place, session, [("page", "GET", PAGE, ALWAYS, LAGGING)])
    assert message(act) == late(session)
    uploaded = faults_of(place, session).uploads
    assert uploaded == (2 if session in UPLOADS else 0)
    assert goes_on(place, session, act)
    assert faults_of(place, session).uploads == uploaded


def refused(index: str, words: str, cause: str, **more: Any) -> str:
    """Return the message for an upload that was rejected."""
    return shown(upload.UploadRefused(index, words, f"{cause}.", **more))


DIGEST = "The digest supplied does not match a digest calculated from the uploaded file."
ANSWERS: dict[Any, tuple[str, str]] = {
    "503 Busy": ("503 Busy", "the index is busy or down (https://status.python.org)"),
    "429 Too Many Requests": (
        "429 Too Many Requests: 429 Too Many Requests",
        "the index limits requests: wait some minutes",
    ),
    f"400 {DIGEST}": (f"400 {DIGEST}", UNKNOWN.format(ask=ASK_PYPI).removesuffix(".")),
    ("429 Too Many Requests", "3600"): (
        "429 Too Many Requests: 429 Too Many Requests (",
        "the index limits requests: wait some minutes",
    ),
    "403 Invalid or non-existent authentication information.": (
        "403 Invalid or non-existent authentication information.",
        "the token is wrong, was revoked, or belongs to the other index",
    ),
    "400 User 'ada' does not have a verified primary email address.": (
        "400 User 'ada' does not have a verified primary email address.",
        "the account's e-mail address is not verified",
    ),
}


@pytest.mark.parametrize("session", UPLOADS)
@pytest.mark.parametrize("status", ANSWERS)
def test_an_upload_that_is_refused_for_good(
    place: Place, ready: Callable[..., Step], session: str, status: Any
) -> None:
    act = ready(session)
    order(place, session, [("status", "POST", ANY, ALWAYS, status)])
    words, cause = ANSWERS[status]
    with pytest.raises(upload.UploadRefused) as error:
        act()
    assert error.value.index == named(session)
    assert error.value.words.startswith(words)
    assert error.value.reason == f"{cause}."
    assert ("3600 s" in str(error.value)) == isinstance(status, tuple)
    assert Record.of(place.root).find(RECORDS[session]) is None
    assert place.held(session) == {}
    assert goes_on(place, session, act)


@pytest.mark.parametrize("session", UPLOADS)
def test_a_connection_that_always_breaks(place: Place, ready: Callable[..., Step], session: str) -> None:
    act = ready(session)
    order(place, session, [("reset", "POST", ANY, ALWAYS, None)])
    with pytest.raises(upload.UploadRefused) as error:
        act()
    assert error.value.index == named(session)
    assert error.value.reason == f"{NO_ANSWER.meaning}."
    assert goes_on(place, session, act)


@pytest.mark.parametrize("session", UPLOADS)
@pytest.mark.parametrize(
    "said",
    [
        "This filename was previously used by a file that has since been deleted.",
        "Uploading new files to releases older than 14 days is not allowed.",
        "File already exists ('demo-1.0-py3-none-any.whl', with blake2_256 hash 'ab').",
    ],
)
def test_a_version_that_is_taken_comes_with_the_next_free_one(
    place: Place, ready: Callable[..., Step], session: str, said: str
) -> None:
    act = ready(session)
    (place.folder / "pypi" / "demo-1.0.1-py3-none-any.whl").write_bytes(b"a later release")
    order(place, session, [("status", "POST", ANY, ALWAYS, f"400 {said}")])
    with pytest.raises(upload.UploadRefused) as error:
        act()
    met = error.value
    assert (met.index, met.words, met.kind, met.free) == (named(session), f"400 {said}", "version-taken", "1.0.2")


# Other bytes.

PAGES = {"TestPyPI": "https://test.pypi.org/project/demo/1.0/", "PyPI": "https://pypi.org/project/demo/1.0/"}


def different(index: str, file: str, ours: str, theirs: str, **facts: str) -> str:
    """Return the message for other bytes under the name `file`, with the next version that is free."""
    files = ((file, ours, theirs),)
    return shown(holdings.OtherBytes(index, "demo", "1.0", files, PAGES[index], free="1.0.1", **facts))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("file", [WHEEL, SDIST])
@pytest.mark.parametrize("session", ["verify", "pypi"])
def test_other_bytes_stop_a_session_before_it_does_anything(
    place: Place, ready: Callable[..., Step], session: str, file: str
) -> None:
    act = ready(session)
    index = "pypi" if session == "pypi" else "testpypi"
    (place.folder / index / file).write_bytes(b"other bytes")
    ours = sha256(place.files()[file])
    assert message(act) == different(named(session), file, ours, sha256(b"other bytes"))
    assert place.faults[index].uploads == 0


@pytest.mark.parametrize("session", ["verify-wheel", "verify-sdist"])
def test_other_bytes_behind_a_right_page(place: Place, ready: Callable[..., Step], session: str) -> None:
    """The page tells the recorded hash, and the file that comes has another."""
    act = ready(session)
    file = WHEEL if session == "verify-wheel" else SDIST
    order(place, session, [("body", "GET", f"{FILES}{file}", ALWAYS, b"other bytes")])
    ours = sha256(place.files()[file])
    assert message(act) == different("TestPyPI", file, ours, sha256(b"other bytes"))
    assert Record.of(place.root).verified() == ()
    assert goes_on(place, session, act)


@pytest.mark.parametrize("session", UPLOADS)
def test_a_wrong_digest_that_was_accepted_is_found_when_it_is_read_back(
    place: Place, ready: Callable[..., Step], session: str
) -> None:
    """The index took the upload, and holds other bytes than were sent."""
    act = ready(session)

    def store_other_bytes(page: dict[str, Any]) -> None:
        for entry in page["files"]:
            if entry["filename"] == WHEEL:
                entry["hashes"]["sha256"] = "0" * 64

    order(place, session, [("page", "GET", PAGE, ALWAYS, store_other_bytes)])
    said = message(act)
    assert f"  {WHEEL}\n    expected {sha256(place.files()[WHEEL])}\n    found    {'0' * 64}\n" in said
    assert Record.of(place.root).find(RECORDS[session]) is None


@pytest.mark.parametrize("session", SESSIONS)
def test_a_file_too_many_stops(place: Place, ready: Callable[..., Step], session: str) -> None:
    act = ready(session)
    index = "pypi" if session == "pypi" else "testpypi"
    (place.folder / index / "demo-1.0-py2-none-any.whl").write_bytes(b"an intruder")
    said = message(act)
    found = f"demo-1.0-py2-none-any.whl\n    expected (not part of this build)\n    found    {sha256(b'an intruder')}"
    assert found in said
    assert place.faults[index].uploads == 0


# Ways out.


def ways(text: str) -> list[str]:
    """Return the numbered ways out in a message, each with what it costs."""
    found = re.findall(r"^  [1-9]\. (.+)$", text, re.MULTILINE)
    assert all("Cost: " in way for way in found)
    return found


def is_elsewhere(staging: str, here: str) -> bool:
    """Whether these are the ways that leave the public rehearsal index aside, as commands that can be typed."""
    once = '-- --rehearse-on dryrun "REASON"`'
    return "[tool.seatrial.indexes.testpypi]" in staging and all(
        text in here for text in (f"`nox -s verify {once}", f"`nox -s pypi {once}", 'rehearse-on = "dryrun"')
    )


def test_a_version_that_is_spent_on_testpypi_has_three_ways_out(place: Place, ready: Callable[..., Step]) -> None:
    act = ready("testpypi")
    (place.folder / "testpypi" / SDIST).write_bytes(b"other bytes")
    with pytest.raises(conflicts.VersionSpent) as error:
        act()
    met = error.value
    assert (met.index, met.real, met.project, met.version) == ("TestPyPI", "PyPI", "demo", "1.0")
    assert met.files == ((SDIST, sha256(place.files()[SDIST]), sha256(b"other bytes")),)
    following, *others = ways(met.text(COMMANDS_HERE))
    assert "1.0.1 is free on both indexes" in following
    assert "`nox -s verify`" in following
    assert is_elsewhere(*others)
    assert place.faults["testpypi"].uploads == 0


def test_a_version_that_pypi_has_as_well_is_not_called_spent(place: Place, ready: Callable[..., Step]) -> None:
    act = ready("testpypi")
    (place.folder / "testpypi" / SDIST).write_bytes(b"other bytes")
    (place.folder / "pypi" / SDIST).write_bytes(b"released long ago")
    ours = sha256(place.files()[SDIST])
    assert message(act) == different("TestPyPI", SDIST, ours, sha256(b"other bytes"), again="verify")


def test_where_pypi_does_not_answer_nothing_is_said_of_it(place: Place, ready: Callable[..., Step]) -> None:
    act = ready("testpypi")
    (place.folder / "testpypi" / SDIST).write_bytes(b"other bytes")
    order(place, "pypi", [("status", "GET", PAGE, ALWAYS, "503 Busy")])
    with pytest.raises(holdings.OtherBytes) as error:
        act()
    assert (error.value.index, error.value.free) == ("TestPyPI", "")


def test_a_name_of_somebody_else_on_testpypi_has_two_ways_out(place: Place, ready: Callable[..., Step]) -> None:
    act = ready("testpypi")
    words = "The user 'ada' isn't allowed to upload to project 'demo'."
    order(place, "testpypi", [("status", "POST", ANY, ALWAYS, f"403 {words}")])
    with pytest.raises(conflicts.NameTaken) as error:
        act()
    met = error.value
    assert (met.index, met.project, met.words) == ("TestPyPI", "demo", f"403 {words}")
    assert is_elsewhere(*ways(met.text(COMMANDS_HERE)))


def test_a_name_of_somebody_else_on_pypi_has_none(place: Place, ready: Callable[..., Step]) -> None:
    act = ready("pypi")
    words = "The user 'ada' isn't allowed to upload to project 'demo'."
    order(place, "pypi", [("status", "POST", ANY, ALWAYS, f"403 {words}")])
    cause = "the name is taken by somebody else, or the token is for another project"
    assert message(act) == refused("PyPI", f"403 {words}", cause)
    with contextlib.suppress(ReleaseError):
        act()
    assert place.held("pypi") == {}
