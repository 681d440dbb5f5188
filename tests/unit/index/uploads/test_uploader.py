"""The uploader as a program: what it is given, what it answers, and that a minted token is burnt however it ends."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import requests
from twine import settings, utils

from seatrial.index.tokens import make
from seatrial.index.uploads import upload, uploader
from seatrial.index.uploads.attestations import SUFFIX
from seatrial.index.uploads.uploader import BODY_BYTES, Upload, answer, claims, decoded, prepare
from seatrial.machine import variables
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from tests.archives import sdist, wheel
from tests.index_server import Faults
from tests.oidc_server import REQUEST_TOKEN, Issuer, jwt
from tests.oidc_server import uploader as uploader_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.usefixtures("measured_children")  # the program alone goes through all of it
HOST = "index.example"
PROGRAM = (sys.executable, "-I", "-m", "seatrial.index.uploads.uploader")


@dataclass
class Site:
    """An index that is served, and the files for it."""

    app: StandinIndex
    faults: Faults
    url: str
    files: list[str]

    def upload(self, *, program: Sequence[str] = PROGRAM, env: dict[str, str] | None = None, **order: Any) -> Any:
        """Run the uploader, and return its last document."""
        document = {"url": f"{self.url}/legacy/", "files": self.files, "username": "__token__"}
        document |= {"password": self.app.token} | order
        done = subprocess.run(
            program,
            input=json.dumps(document).encode(),
            env=variables.for_upload(os.environ, env or {}),
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
        assert [line["event"] for line in lines[:-1]] == ["progress"] * (len(lines) - 1)
        return lines[-1]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    app = StandinIndex(tmp_path / "index", make("testpypi.localhost"))
    faults = Faults(app)
    files = [str(path) for path in (wheel(tmp_path / "dist"), sdist(tmp_path / "dist"))]
    with serving(faults) as url:
        yield Site(app, faults, url, files)


def test_files_are_uploaded_and_each_answer_is_told(site: Site) -> None:
    done = site.upload(env={"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "TWINE_PASSWORD": "another"})
    assert [(one["file"], one["status"], one["reason"]) for one in done["answers"]] == [
        (os.path.basename(path), 200, "OK")  # noqa: PTH119 (the order has texts)
        for path in site.files
    ]
    assert (done["error"], done["notes"]) == (None, [])
    assert len(list((site.app._folder).iterdir())) == 2


def test_a_refusal_is_told_whole_and_ends_it(site: Site) -> None:
    done = site.upload(password=make("pypi.org"))
    (refused,) = done["answers"]
    assert refused["status"] == 403
    assert refused["reason"] == (
        "Invalid or non-existent authentication information. See https://pypi.org/help/#invalid-auth for more"
        " information."
    )
    assert done["error"] is None
    assert site.faults.uploads == 1


def test_a_server_error_is_not_repeated_at_once_and_its_pause_is_told(site: Site) -> None:
    site.faults.order("status", method="POST", detail=("503 Busy", "17"), times=9)
    (refused,) = site.upload()["answers"]
    assert (refused["status"], refused["reason"], refused["retry_after"]) == (503, "Busy", "17")
    assert site.faults.orders[0].times == 8


def test_a_connection_that_breaks_is_told_as_that(site: Site) -> None:
    site.faults.order("reset", method="POST")
    done = site.upload()
    assert done["error"]["reason"].startswith("ConnectionError: ")
    assert not done["error"]["final"]


def test_a_file_that_twine_does_not_take_is_told_in_its_words(site: Site, tmp_path: Path) -> None:
    odd = tmp_path / "demo-1.0.whl"
    odd.write_bytes(b"no zip")
    done = site.upload(files=[str(odd)])
    assert done["error"]["reason"].startswith(("InvalidDistribution: ", "BadZipFile: "))
    assert done["error"]["final"]


def test_attestations_are_sent_with_their_files(site: Site) -> None:
    for path in site.files:
        with open(path + SUFFIX, "w", encoding="utf-8") as file:  # noqa: PTH123 (the order has texts)
            file.write("{}")
    with serving(issuer := Issuer(site.faults, site.app.token)) as url:
        done = site.upload(url=f"{url}/legacy/", attested=SUFFIX)
    assert [one["status"] for one in done["answers"]] == [200, 200]
    assert list(issuer.attestations.values()) == [[{}], [{}]]


# What an index answers.


def response(body: bytes, headers: dict[str, str], status: str = "400 Bad Request") -> dict[str, Any]:
    """Return what is told of an answer of a real server."""

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start(status, list(headers.items()))
        return [body]

    with serving(app) as url:
        return answer(requests.get(url, stream=True, allow_redirects=False, timeout=10))


def test_a_page_is_told_as_its_text() -> None:
    page = (
        b"<html><head><title>400</title><style>a { }</style></head><body><h1>Not &amp; this</h1>\n file</body></html>"
    )
    assert response(page, {"Content-Type": "text/html"})["body"] == "Not & this file"
    assert response(b"  a text\n of two lines ", {"Content-Type": "text/plain"})["body"] == "a text of two lines"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_page_that_is_long_or_packed_to_grow_is_read_to_a_bound(encoding: str) -> None:
    page = b"x" * (64 << 20)
    body = gzip.compress(page) if encoding == "gzip" else page
    tracemalloc.start()
    try:
        assert len(response(body, {"Content-Encoding": encoding})["body"]) == BODY_BYTES
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


def test_no_page_is_asked_for_that_is_packed() -> None:
    url = f"https://{HOST}/legacy/"
    repository = settings.Settings(repository_url=url, username="ada", password="s3cret").create_repository()
    prepare(repository, url)
    assert repository.session.headers["Accept-Encoding"] == "identity"


def test_where_it_has_moved_is_told() -> None:
    told = response(b"", {"Location": "https://elsewhere.example/"}, "308 Permanent Redirect")
    assert told["reason"] == "Permanent Redirect to https://elsewhere.example/"


@pytest.mark.parametrize(("reason", "expected"), [("größe".encode().decode("latin-1"), "größe"), ("\xfc", "\xfc")])
def test_the_words_of_a_status_line_are_read_as_servers_write_them(reason: str, expected: str) -> None:
    assert decoded(reason) == expected


# A token that was minted.


@pytest.fixture
def minting(site: Site) -> Iterator[tuple[Issuer, Any]]:
    """An index that mints, and a function that uploads to it as TestPyPI by trusted publishing."""
    issuer = Issuer(site.faults, site.app.token)
    with ExitStack() as stack:
        url = stack.enter_context(serving(issuer))
        identity = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/identity?",
        }

        def upload() -> Any:
            where = "https://test.pypi.org/legacy/"
            return site.upload(program=uploader_at(url), env=identity, url=where, password=None)

        yield issuer, upload


def test_what_was_minted_uploads_and_is_burnt_once(minting: tuple[Issuer, Any]) -> None:
    issuer, upload = minting
    done = upload()
    assert [one["status"] for one in done["answers"]] == [200, 200]
    assert done["notes"] == ["the minted token is burnt: test.pypi.org takes it no more"]
    assert issuer.burnt == [issuer.secrets[-1]]
    assert not [secret for secret in issuer.secrets if secret in json.dumps(done)]


def test_what_was_minted_is_burnt_where_the_index_refuses(minting: tuple[Issuer, Any], site: Site) -> None:
    issuer, upload = minting
    site.faults.order("status", method="POST", detail="400 No")
    assert upload()["answers"][0]["status"] == 400
    assert issuer.burnt == [issuer.secrets[-1]]


def test_an_identity_that_is_rejected_is_told_by_code_and_with_its_claims(minting: tuple[Issuer, Any]) -> None:
    issuer, upload = minting
    issuer.refusal = ("invalid-publisher", "valid token, but no corresponding publisher")
    done = upload()
    error = done["error"]
    assert (error["status"], error["final"]) == (422, True)
    assert error["errors"] == [["invalid-publisher", "valid token, but no corresponding publisher"]]
    assert ["aud", "testpypi"] in error["claims"]
    assert (done["answers"], done["notes"]) == ([], [])


def test_claims_are_read_without_the_signature() -> None:
    token = jwt("pypi", repository="ada/demo", run_attempt=1)
    found = dict(claims(token))
    assert (found["aud"], found["repository"]) == ("pypi", "ada/demo")
    assert "run_attempt" not in found


@dataclass
class Session:
    """In the place of a session of requests: keeps what is posted."""

    answer: int | Exception = uploader.ACCEPTED
    posted: list[tuple[str, Any]] = field(default_factory=list)
    hooks: dict[str, list[Any]] = field(default_factory=lambda: {"response": []})

    def post(self, url: str, *, json: Any, timeout: float) -> requests.Response:
        assert timeout == uploader.LIMIT
        self.posted.append((url, json))
        if isinstance(self.answer, Exception):
            raise self.answer
        response = requests.Response()
        response.status_code = self.answer
        return response


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr(utils, "make_requests_session", lambda: made)
    return made


def test_what_was_minted_is_burnt_when_the_upload_is_ended(monkeypatch: pytest.MonkeyPatch, network: Session) -> None:
    def mint(_settings: object) -> NoReturn:
        response = requests.Response()
        response.status_code, response.url = 200, f"https://{HOST}/_/oidc/mint-token"
        response.raw = io.BytesIO(b'{"success": true, "token": "pypi-minted"}')
        for watch in utils.make_requests_session().hooks["response"]:
            watch(response)
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("the signal ends it")

    before = signal.signal(signal.SIGTERM, uploader._end)
    try:
        monkeypatch.setattr(settings.Settings, "create_repository", mint)
        done = Upload({"url": f"https://{HOST}/legacy/", "files": []}, print).run()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done["error"] == {"reason": "it was ended before it was done"}
    assert network.posted == [(f"https://{HOST}/_/oidc/burn-token", {"token": "pypi-minted"})]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (202, f"the minted token is burnt: {HOST} takes it no more"),
        (404, f"{HOST} does not offer to burn the minted token; {uploader.EXPIRES}"),
        (500, f"the minted token could not be burnt (HTTP 500); {uploader.EXPIRES}"),
        (
            requests.ConnectionError("a-secret"),
            f"the minted token could not be burnt (ConnectionError); {uploader.EXPIRES}",
        ),
    ],
)
def test_what_came_of_it_is_said_and_stops_nothing(network: Session, answer: int | Exception, words: str) -> None:
    network.answer = answer
    assert uploader.burnt(HOST, "pypi-minted") == words


def test_one_uploader_takes_an_order_after_the_other(site: Site) -> None:
    login = {"url": f"{site.url}/legacy/", "username": "__token__", "password": site.app.token}
    with upload.uploader().kept() as worker:
        for file in site.files:
            done = worker.ask(json.dumps({**login, "files": [file]}).encode(), time_limit=60)
            last = json.loads(done.output.splitlines()[-1])
            assert [one["status"] for one in last["answers"]] == [200]
    held = (Path(site.files[0]).parents[1] / "index").iterdir()
    assert sorted(path.name for path in held) == sorted(Path(file).name for file in site.files)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_other_process_looks_into_it_before_it_has_a_secret() -> None:
    """PR_GET_DUMPABLE says so of itself; tests/integration/test_hostile_project.py has others look."""
    script = (
        "import ctypes, sys\nfrom seatrial.index.uploads import uploader\n"
        "class Input:\n"
        "    def __iter__(self):\n"
        "        sys.exit(f'dumpable: {ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)}')\n"
        "sys.stdin = Input()\n"
        "uploader.main()"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "dumpable: 0\n"
