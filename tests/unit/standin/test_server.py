from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.index import simple
from seatrial.index.simple import JSON
from seatrial.index.tokens import Token, added_caveats, make, narrow
from seatrial.standin.forms import RefusedError, Upload, parsed, stop_if_unfit
from seatrial.standin.indexes import LOCATIONS
from seatrial.standin.launch import serve, serving
from seatrial.standin.server import StandinIndex, stop_if_forbidden

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.10\n"
BOUNDARY = "a-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def wheel(metadata: str = METADATA, member: str = "demo-1.0.dist-info/METADATA") -> bytes:
    """Return the bytes of a wheel with just its metadata."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member), metadata)
    return file.getvalue()


def sdist(metadata: str = METADATA, member: str = "demo-1.0/PKG-INFO", kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return the bytes of an sdist with just its metadata and an empty file."""
    file, content = io.BytesIO(), metadata.encode()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo(member)
        info.type, info.size = kind, len(content) if kind == tarfile.REGTYPE else 0
        archive.addfile(info, io.BytesIO(content))
        archive.addfile(tarfile.TarInfo("demo-1.0/README.md"))
    return file.getvalue()


def form(filename: str | None, content: bytes, **fields: str | None) -> bytes:
    """Return an upload as twine sends it; a field that is None is left out."""
    sent = {":action": "file_upload", "sha256_digest": hashlib.sha256(content).hexdigest()} | fields
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in sent.items()
        if text is not None
    ]
    if filename is not None:
        head = f'Content-Disposition: form-data; name="content"; filename="{filename}"'
        kind = "Content-Type: application/octet-stream"
        parts.append(f"--{BOUNDARY}\r\n{head}\r\n{kind}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def taken(body: bytes, kind: str = FORM) -> Upload:
    """Return what an index reads in the body of a request, if it takes it; the file itself is closed."""
    environ: Any = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    with parsed(environ) as upload:
        stop_if_unfit(upload)
    return upload


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """A stand-in index that is served, and who talks to it."""

    folder: Path
    token: str
    url: str

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        request = urllib.request.Request(self.url + path, data=body, headers=headers or {}, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as found:  # noqa: S310 (our own server)
                return Answer(found.status, found.reason, found.read(), dict(found.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.reason, error.read(), dict(error.headers))

    def send(self, body: bytes, *, password: str | None = None, user: str = "__token__", kind: str = FORM) -> Answer:
        login = base64.b64encode(f"{user}:{self.token if password is None else password}".encode()).decode()
        return self.ask(
            "/legacy/", method="POST", body=body, headers={"Content-Type": kind, "Authorization": f"Basic {login}"}
        )

    def upload(self, filename: str, content: bytes, **fields: str | None) -> Answer:
        return self.send(form(filename, content, **fields))

    def page(self, name: str) -> Any:
        return self.ask(f"/simple/{name}/", headers={"Accept": JSON}).json()


@pytest.fixture
def app(tmp_path: Path) -> StandinIndex:
    return StandinIndex(tmp_path / "testpypi", make("test.pypi.org"))


@pytest.fixture
def site(tmp_path: Path, app: StandinIndex) -> Iterator[Site]:
    with serving(app) as url:
        yield Site(tmp_path / "testpypi", app.token, url)


# Uploads that are taken, and their neighbours that are refused.


@pytest.mark.parametrize(("name", "content"), [(WHEEL, wheel()), (SDIST, sdist()), ("demo-1!2.0+x.1.tar.gz", b"any")])
def test_an_upload_is_stored_as_it_was_sent(site: Site, name: str, content: bytes) -> None:
    assert site.upload(name, content).status == 200
    assert (site.folder / name).read_bytes() == content


def test_the_same_bytes_again_are_fine(site: Site) -> None:
    for _ in range(2):
        assert site.upload(WHEEL, wheel()).status == 200
    assert [path.name for path in site.folder.iterdir()] == [WHEEL]


def refused(answer: Answer, status: int, said: str) -> bool:
    """Whether `answer` is that refusal, in the status line, where twine looks, and in the body, where uv does."""
    return answer.status == status and said in answer.reason and said in answer.body.decode()


def test_other_bytes_under_a_name_that_is_taken(site: Site) -> None:
    content = wheel(METADATA + "Summary: another\n")
    assert site.upload(WHEEL, wheel()).status == 200
    hash_ = hashlib.blake2b(content, digest_size=32).hexdigest()
    said = f"File already exists ('{WHEEL}', with blake2_256 hash '{hash_}')."
    assert refused(site.upload(WHEEL, content), 400, said)
    assert (site.folder / WHEEL).read_bytes() == wheel()


def test_the_same_bytes_under_another_name(site: Site) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    assert refused(site.upload("demo-1.1-py3-none-any.whl", wheel()), 400, "File already exists")
    assert site.upload("demo-1.1-py3-none-any.whl", wheel(METADATA + "\n")).status == 200


@pytest.mark.parametrize("content", [wheel(), wheel(METADATA + "Summary: another\n")])
def test_a_name_is_taken_for_ever(site: Site, content: bytes) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    (site.folder / WHEEL).unlink()
    assert refused(site.upload(WHEEL, content), 400, "This filename has already been used, use a different version.")
    assert site.upload("demo-1.1-py3-none-any.whl", b"something else").status == 200


def test_a_name_stays_taken_when_the_index_starts_again(tmp_path: Path) -> None:
    for status in (200, 400):
        with serving(StandinIndex(tmp_path / "pypi", "a-token")) as url:
            site = Site(tmp_path / "pypi", "a-token", url)
            assert site.upload(WHEEL, wheel()).status == status
        (tmp_path / "pypi" / WHEEL).unlink(missing_ok=True)


def test_a_file_that_lay_there_before_is_taken_too(site: Site) -> None:
    (site.folder / WHEEL).write_bytes(b"from before")
    assert site.upload(WHEEL, b"from before").status == 200
    assert refused(site.upload(WHEEL, b"another"), 400, "File already exists")


def test_a_release_has_one_sdist(site: Site) -> None:
    assert site.upload("my_demo-1.0.tar.gz", sdist()).status == 200
    second = site.upload("my-demo-1.0.tar.gz", sdist(METADATA + "\n"))
    assert refused(second, 400, "Only one sdist may be uploaded per release.")
    assert site.upload("my-demo-1.1.tar.gz", sdist(METADATA + "\n\n")).status == 200
    assert site.upload("my_demo-1.0-py3-none-any.whl", wheel()).status == 200
    assert site.upload("my_demo-1.0-py2-none-any.whl", wheel(METADATA + "\n")).status == 200


@pytest.mark.parametrize("name", ["demo-1.0.zip", "demo-1.0.exe", "demo-1.0.tar.bz2", "SHA256SUMS", "demo.whl.asc"])
def test_only_wheels_and_sdists_are_taken(site: Site, name: str) -> None:
    assert refused(site.upload(name, wheel()), 400, "Invalid file extension")
    assert not (site.folder / name).exists()


@pytest.mark.parametrize(
    "name", ["../demo-1.0.tar.gz", "/demo-1.0.tar.gz", "demo 1.0.tar.gz", ".demo-1.0.tar.gz", "a\u00fc.whl"]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="Cannot upload a file with '/' or non-printable characters") as error:
        taken(form(name, wheel()))
    assert error.value.status == 400


@pytest.mark.parametrize("password", ["", "pypi-wrong", make("test.pypi.org")])
def test_another_token_is_refused(site: Site, password: str) -> None:
    said = "Invalid or non-existent authentication information."
    assert refused(site.send(form(WHEEL, wheel()), password=password), 403, said)
    assert list(site.folder.iterdir()) == []


def test_only_the_user_token_is_known(site: Site) -> None:
    assert site.send(form(WHEEL, wheel()), user="ada").status == 403
    assert site.ask("/legacy/", method="POST", body=form(WHEEL, wheel()), headers={"Content-Type": FORM}).status == 403
    assert site.send(form(WHEEL, wheel())).status == 200


@pytest.mark.parametrize("login", ["", "Bearer abc", "Basic", "Basic !", "Basic YQ==", "Basic X190b2tlbl9fOv8="])
def test_a_login_that_cannot_be_read_is_refused(site: Site, login: str) -> None:
    headers = {"Content-Type": FORM, "Authorization": login}
    assert site.ask("/legacy/", method="POST", body=form(WHEEL, wheel()), headers=headers).status == 403


NOW = int(time.time())  # when the tests began; how long they take must not matter
SOON, LATER = NOW + 10**6, NOW + 2 * 10**6


@pytest.mark.parametrize(
    ("caveats", "said"),
    [
        ([], ""),
        ([[0, SOON, NOW - 60]], ""),
        ([[1, ["other", "demo"]]], ""),
        ([[0, SOON, NOW - 60], [1, ["demo"]]], ""),
        ([[1, ["demo", "x" * 200]]], ""),
        ([[0, NOW - 1, NOW - 60]], "Invalid API Token: token is expired"),
        ([[0, LATER, SOON]], "Invalid API Token: token is expired"),
        ([[1, ["other"]]], "Invalid API Token: project-scoped token is not valid for project: 'demo'"),
        ([[1, ["demo"]], [1, ["other"]]], "project-scoped token is not valid for project: 'demo'"),
        ([[1, []]], "project-scoped token is not valid for project: 'demo'"),
        ([[4, "a-publisher"]], "Invalid API Token: caveat deserialization error"),
    ],
)
def test_a_narrowed_token_is_taken_for_what_it_is_for(site: Site, caveats: list[Any], said: str) -> None:
    answer = site.send(form(WHEEL, wheel()), password=narrow(site.token, caveats))
    assert refused(answer, 403, said) if said else answer.status == 200


@pytest.mark.parametrize("caveat", ["no JSON", "[" * 100_000, "", "\ud800"])
def test_a_caveat_that_cannot_be_read_forbids(caveat: str) -> None:
    with pytest.raises(RefusedError, match="caveat deserialization error"):
        stop_if_forbidden([caveat], "demo", NOW)


def test_what_was_narrowed_from_another_token_is_refused(site: Site) -> None:
    other = narrow(make("test.pypi.org"), [[1, ["demo"]]])
    assert site.send(form(WHEEL, wheel()), password=other).status == 403


def test_a_caveat_that_was_changed_is_refused() -> None:
    token = make("pypi.org")
    narrowed = narrow(token, [[1, ["demo"]]])
    assert added_caveats(token, narrowed) == ('[1, ["demo"]]',)
    raw = base64.urlsafe_b64decode(narrowed[5:] + "=" * (-len(narrowed[5:]) % 4)).replace(b"demo", b"evil")
    forged = "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert added_caveats(token, forged) is None


DIGEST = hashlib.sha256(wheel()).hexdigest()
BLAKE2 = hashlib.blake2b(wheel(), digest_size=32).hexdigest()


@pytest.mark.parametrize(
    "fields",
    [
        {"sha256_digest": DIGEST},
        {"sha256_digest": DIGEST.upper()},
        {"sha256_digest": None, "blake2_256_digest": BLAKE2},
        {"sha256_digest": DIGEST, "blake2_256_digest": BLAKE2},
    ],
)
def test_a_digest_that_fits_is_taken(fields: dict[str, str | None]) -> None:
    assert taken(form(WHEEL, wheel(), **fields)).sha256 == DIGEST


@pytest.mark.parametrize(
    "fields",
    [
        {"sha256_digest": "0" * 64},
        {"sha256_digest": ""},
        {"sha256_digest": None, "blake2_256_digest": DIGEST},
        {"sha256_digest": DIGEST, "blake2_256_digest": "0" * 64},
    ],
)
def test_a_digest_that_does_not_fit_is_refused(fields: dict[str, str | None]) -> None:
    with pytest.raises(RefusedError, match="The digest supplied does not match"):
        taken(form(WHEEL, wheel(), **fields))


def test_an_upload_without_a_digest_is_refused() -> None:
    with pytest.raises(RefusedError, match="Include at least one message digest"):
        taken(form(WHEEL, wheel(), sha256_digest=None, md5_digest="0" * 32))


@pytest.mark.parametrize(("action", "status"), [("remove_pkg", 405), ("submit", 400), ("", 400), (None, 400)])
def test_nothing_but_uploads_can_be_asked_for(site: Site, action: str | None, status: int) -> None:
    assert refused(site.upload(WHEEL, wheel(), **{":action": action}), status, "Unknown or missing :action")


@pytest.mark.parametrize("filename", [None, ""])
def test_an_upload_has_a_file(filename: str | None) -> None:
    with pytest.raises(RefusedError, match="Upload payload does not have a file"):
        taken(form(filename, wheel()))


def test_a_body_that_is_no_form_is_refused(site: Site) -> None:
    assert refused(site.send(wheel(), kind="application/octet-stream"), 400, "Unknown or missing :action")


@pytest.mark.parametrize("lost", [4, 60, 200])
def test_a_request_that_is_cut_short_is_refused(tmp_path: Path, lost: int) -> None:
    index, answered = StandinIndex(tmp_path / "pypi", "a-token"), []
    body = form(WHEEL, wheel())
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/legacy/",
        "CONTENT_TYPE": FORM,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body[:-lost]),
    }
    told = b"".join(index(environ, lambda status, _headers, *_: answered.append(status)))  # type: ignore[arg-type]
    assert answered == ["400 The request was cut short, or is no form."]
    assert told == b"400 The request was cut short, or is no form.\n"


@given(st.binary(max_size=200), st.sampled_from([FORM, "multipart/form-data", "text/plain", ""]))
def test_any_body_is_an_upload_or_refused(body: bytes, kind: str) -> None:
    with pytest.raises(RefusedError):
        taken(body, kind)


@given(st.binary(max_size=200).filter(lambda content: BOUNDARY.encode() not in content))
def test_any_content_comes_through_unchanged(content: bytes) -> None:
    assert taken(form(WHEEL, content)).sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("field", ["x" * 200_000, "ü", ""])
def test_a_field_may_be_long(field: str) -> None:
    assert taken(form(WHEEL, wheel(), description=field)).fields["description"] == field


def test_a_file_that_was_written_again_is_read_again(site: Site) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    (site.folder / WHEEL).write_bytes(b"other bytes")
    assert refused(site.upload(WHEEL, wheel()), 400, "File already exists")


def test_an_index_remembers_what_it_is_told_by_hand(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = StandinIndex(folder, "a-token")
    upload = Upload.of(WHEEL, io.BytesIO(b"a"), {})
    assert index.accept(upload)
    assert not index.accept(upload)
    assert (folder / WHEEL).read_bytes() == b"a"
    assert json.loads((tmp_path / "index.json").read_bytes()) == {WHEEL: hashlib.sha256(b"a").hexdigest()}


# What a reader finds.


def test_a_page_in_json_has_what_installers_read(site: Site) -> None:
    content = {WHEEL: wheel(), SDIST: sdist()}
    for name, data in content.items():
        assert site.upload(name, data).status == 200
    page = site.page("demo")
    assert (page["meta"]["api-version"], page["name"], page["versions"]) == ("1.4", "demo", ["1.0"])
    for file in page["files"]:
        data = content.pop(file["filename"])
        assert file["hashes"] == {"sha256": hashlib.sha256(data).hexdigest()}
        assert (file["size"], file["requires-python"], file["yanked"]) == (len(data), ">=3.10", False)
        assert file["upload-time"].endswith("Z")
        assert site.ask(file["url"]).body == data
    assert content == {}


UNREADABLE = {
    "no zip": (WHEEL, b"no zip"),
    "no metadata": (WHEEL, wheel(member="demo/__init__.py")),
    "no Requires-Python": (WHEEL, wheel("Name: demo\n")),
    "no tar": (SDIST, b"no tar"),
    "tar cut short": (SDIST, sdist()[:60]),
    "tar with a bit turned": (SDIST, sdist()[:30] + b"\xff" + sdist()[31:]),
    "zip with an unknown compression": (WHEEL, wheel().replace(b"\0\0\0\0\0\0!\0", b"\0\0\x63\0\0\0!\0")),
    "no PKG-INFO": (SDIST, sdist(member="demo-1.0/deeper/PKG-INFO")),
    "PKG-INFO is a folder": (SDIST, sdist(kind=tarfile.DIRTYPE)),
}


@pytest.mark.parametrize("label", UNREADABLE)
def test_a_file_whose_metadata_cannot_be_read_is_listed_without(site: Site, label: str) -> None:
    name, content = UNREADABLE[label]
    assert site.upload(name, content).status == 200
    (file,) = site.page("demo")["files"]
    assert (file["filename"], file["requires-python"]) == (name, None)


def test_a_page_in_html_is_there_for_who_does_not_ask_for_json(site: Site) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    page = site.ask("/simple/demo/", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert f"{WHEEL}#sha256={DIGEST}" in page.body.decode()


@pytest.mark.parametrize("accept", [JSON, "text/html"])
def test_pages_can_be_cached_as_those_of_pypi(site: Site, accept: str) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    headers = site.ask("/simple/demo/", headers={"Accept": accept}).headers
    assert (headers["Cache-Control"], headers["Vary"]) == ("max-age=600, public", "Accept")


def test_the_list_of_projects(site: Site) -> None:
    assert site.ask("/simple/", headers={"Accept": JSON}).json()["projects"] == []
    assert site.upload("My_Demo-1.0.tar.gz", sdist()).status == 200
    assert site.upload(WHEEL, wheel()).status == 200
    assert site.ask("/simple/", headers={"Accept": JSON}).json()["projects"] == [{"name": "demo"}, {"name": "my-demo"}]
    assert b"demo" in site.ask("/simple/").body


def test_a_project_that_is_not_there(site: Site) -> None:
    assert site.ask("/simple/demo/", headers={"Accept": JSON}).status == 404
    assert site.ask("/simple/demo/").status == 404
    assert site.ask(f"/packages/{WHEEL}").status == 404


def test_a_name_that_is_not_normalised_is_sent_to_the_one_that_is(site: Site) -> None:
    assert site.upload("My_Demo-1.0.tar.gz", sdist()).status == 200
    found = site.ask("/simple/My.Demo/", headers={"Accept": JSON})
    assert (found.status, found.json()["name"]) == (200, "my-demo")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_nothing_can_be_deleted_or_replaced(site: Site, method: str) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    assert refused(site.ask(f"/packages/{WHEEL}", method=method, body=b""), 405, "Method Not Allowed")
    assert site.ask(f"/packages/{WHEEL}").body == wheel()


def test_there_is_a_front_page(site: Site) -> None:
    assert site.ask("/").status == 200
    assert site.ask("/", method="HEAD").body == b""
    assert site.ask("/elsewhere/").status == 404


# What an administrator, or time, has done.


def test_an_archived_project_takes_nothing_and_says_so(site: Site, app: StandinIndex) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    app.state.statuses["demo"] = ("archived", "not maintained <any> more")
    said = "The user 'standin' isn't allowed to upload to project 'demo'. See https://pypi.org/help/#project-name"
    assert refused(site.upload(SDIST, sdist()), 403, said)
    page = site.page("demo")
    assert page["project-status"] == {"status": "archived", "reason": "not maintained <any> more"}
    assert [file["filename"] for file in page["files"]] == [WHEEL]
    in_html = site.ask("/simple/demo/").body
    assert simple.parse(in_html, "https://index.example/") == replace(
        simple.parse(in_html, "https://index.example/"), status="archived", reason="not maintained <any> more"
    )


def test_a_quarantined_project_lists_nothing_and_takes_what_a_token_sends(site: Site, app: StandinIndex) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    app.state.statuses["demo"] = ("quarantined", "")
    assert (site.page("demo")["project-status"], site.page("demo")["files"]) == ({"status": "quarantined"}, [])
    assert site.upload(SDIST, sdist()).status == 200
    assert site.page("demo")["files"] == []


def test_a_project_may_exist_without_files(site: Site, app: StandinIndex) -> None:
    app.state.projects.add("demo")
    page = site.page("demo")
    assert (page["files"], page["project-status"]) == ([], {"status": "active"})
    assert site.ask("/simple/", headers={"Accept": JSON}).json()["projects"] == [{"name": "demo"}]


def test_a_file_may_be_yanked(site: Site, app: StandinIndex) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    app.state.yanked[WHEEL] = 'broken "on" Windows'
    assert site.page("demo")["files"][0]["yanked"] == 'broken "on" Windows'
    (file,) = simple.parse(site.ask("/simple/demo/").body, "https://index.example/").files
    assert file.yanked


def test_a_file_that_was_yanked_without_a_reason_is_yanked(site: Site, app: StandinIndex) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    app.state.yanked[WHEEL] = ""
    assert site.page("demo")["files"][0]["yanked"] is True
    assert b' data-yanked="">' in site.ask("/simple/demo/").body


def test_a_release_closes_after_14_days_also_when_its_first_file_is_gone(site: Site, app: StandinIndex) -> None:
    assert site.upload(WHEEL, wheel()).status == 200
    (site.folder / WHEEL).unlink()
    app.state.created["demo", "1.0"] -= timedelta(days=15)
    said = "Uploading new files to releases older than 14 days is not allowed."
    assert refused(site.upload(SDIST, sdist()), 400, said)
    assert site.upload("demo-1.1.tar.gz", sdist()).status == 200


def test_file_and_project_have_a_largest_size(site: Site, app: StandinIndex) -> None:
    app.state.file_bytes["demo"] = 10
    assert refused(site.upload(WHEEL, wheel()), 400, "File too large. Limit for project 'demo' is 0 MB.")
    app.state.file_bytes.clear()
    app.state.project_bytes["demo"] = len(wheel())
    assert site.upload(WHEEL, wheel()).status == 200
    said = "Project size too large. Limit for project 'demo' total size is 0 GB."
    assert refused(site.upload(SDIST, sdist()), 400, said)
    assert site.upload("other-1.0.tar.gz", sdist()).status == 200


# Tokens and the program.


@pytest.mark.parametrize("location", LOCATIONS.values())
def test_a_token_has_the_form_of_pypis(location: str) -> None:
    token = make(location)
    assert Token.parse(token).location == location
    assert Token.parse(token).caveats == ()
    assert make(location) != token


def test_twine_uploads_to_it(site: Site, tmp_path: Path) -> None:
    config = tmp_path / "empty"
    config.touch()
    (tmp_path / WHEEL).write_bytes(wheel())
    argv = [sys.executable, "-I", "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    where = ["--repository-url", f"{site.url}/legacy/", "--config-file", str(config), str(tmp_path / WHEEL)]
    secret = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": site.token}
    for content, code, said in ((wheel(), 0, "Uploading"), (wheel(METADATA + "\n"), 1, "File already exists")):
        (tmp_path / WHEEL).write_bytes(content)
        done = subprocess.run([*argv, *where], env=os.environ | secret, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert said in done.stdout + done.stderr
    assert (site.folder / WHEEL).read_bytes() == wheel()


def test_a_token_of_the_one_index_is_not_taken_by_the_other(tmp_path: Path) -> None:
    with serve(tmp_path) as standins:
        tokens = [standins.tokens["TESTPYPI_TOKEN"], standins.tokens["PYPI_TOKEN"]]
        urls = [standins.testpypi, standins.pypi]
        sites = [Site(tmp_path / name, token, url) for name, token, url in zip(LOCATIONS, tokens, urls, strict=True)]
        assert [site.send(form(WHEEL, wheel()), password=tokens[0]).status for site in sites] == [200, 403]
        assert [site.upload(WHEEL, wheel()).status for site in sites] == [200, 200]
    assert [(tmp_path / name / WHEEL).read_bytes() for name in LOCATIONS] == [wheel()] * 2
