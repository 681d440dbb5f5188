"""The lock of a project: seatrial by path or by name, all else as seatrial was locked."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import http.server
import io
import os
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, ClassVar

import pytest
import virtualenv

from seatrial.adoption import lock
from seatrial.adoption.lock import Head, Pin
from seatrial.index.indexes import Index
from tests.projects import write_tree
from tests.samples import installed
from tests.samples.installed import INFO, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seatrial.adoption.origin import Origin

HEAD = Head(VERSION, "https://example.org/a@c0ffee", dt.date(2026, 1, 31), {"ci": "github"}, {"a.yml": "0" * 64})
NOWHERE = Index("an index that is not there", simple="http://127.0.0.1:9/simple/")


class Handler(http.server.SimpleHTTPRequestHandler):
    requested: ClassVar[list[str]] = []

    def log_message(self, *_: object) -> None:
        """Keep what is requested, and say nothing."""
        self.requested.append(self.path)


@contextlib.contextmanager
def serving(
    folder: Path,
    source: Origin,
    wheel: bytes | None = None,
    *,
    hashed: bool = True,
    requested: list[str] | None = None,
) -> Iterator[Index]:
    """Serve the `wheel` of `source` and an sdist, as an index does."""
    files = {
        source.filename: source.wheel if wheel is None else wheel,
        f"seatrial-{source.version}.tar.gz": b"an sdist",
    }
    page = folder / "simple" / "seatrial"
    page.mkdir(parents=True)
    links = ""
    for name, content in files.items():
        (page / name).write_bytes(content)
        links += f'<a href="{name}{f"#sha256={hashlib.sha256(content).hexdigest()}" if hashed else ""}">{name}</a>\n'
    (page / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n", encoding="utf-8")
    logged = type("Logged", (Handler,), {"requested": [] if requested is None else requested})
    handler = functools.partial(logged, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield Index("this machine", simple=f"http://127.0.0.1:{server.server_port}/simple/")
        server.shutdown()


def packed(members: Mapping[str, bytes]) -> bytes:
    """Return a compressed zip file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_what_is_from_elsewhere_is_pinned_by_path_and_no_index_is_asked() -> None:
    source = installed.origin()
    sha256 = hashlib.sha256(source.wheel).hexdigest()
    pin = lock.pin(source, "tasks", NOWHERE)
    assert pin == Pin(f"./tasks/seatrial-{VERSION}-py3-none-any.whl", sha256, source.wheel)
    assert str(pin) == f"./tasks/seatrial-{VERSION}-py3-none-any.whl \\\n    --hash=sha256:{sha256}\n"


def test_a_wheel_on_an_index_with_the_same_files_is_pinned_by_its_hash_and_an_sdist_is_not(tmp_path: Path) -> None:
    source = installed.origin(elsewhere=False)
    rows = source.members[f"{INFO}/RECORD"].splitlines(keepends=True)
    wheel = packed(source.members | {f"{INFO}/RECORD": b"".join(reversed(rows))})  # as another backend packs it
    with serving(tmp_path, source, wheel) as index:
        pin = lock.pin(source, "tasks", index)
    assert pin == Pin(f"seatrial=={VERSION}", hashlib.sha256(wheel).hexdigest())


def hostile(source: Origin) -> dict[str, bytes]:
    """Wheels that somebody else might put on an index under the name."""
    members, record = source.members, f"{INFO}/RECORD"
    method = bytearray(packed(members))
    method[method.rfind(b"PK\1\2") + 10] = 97
    return {
        "the genuine RECORD and other code": packed({**members, "seatrial/cli.py": b"import evil\n"}),
        "the genuine RECORD and one more file": packed({**members, "evil.pth": b"import evil\n"}),
        "a RECORD with one more row": packed({**members, record: members[record] + b"../../../bin/python,,\n"}),
        "a member twice": packed({**members, "seatrial/cl_.py": b"import evil\n"}).replace(b"cl_.py", b"cli.py"),
        "another view from the front": source.wheel.replace(b"seatrial/cli.py", b"seatrial/sys.py", 1),
        "without a RECORD": packed(source.files),
        "an unknown compression": bytes(method),
        "a RECORD that unpacks to much more": packed({**members, record: b"a" * (32 << 20)}),
        "no zip file": b"<!DOCTYPE html>",
        "nothing": b"",
    }


@pytest.mark.parametrize("name", hostile(installed.origin()))
def test_a_wheel_on_an_index_that_is_not_ours_is_not_pinned(tmp_path: Path, name: str) -> None:
    """Whoever owns the name there could otherwise have their code run in every release."""
    source = installed.origin(elsewhere=False)
    tracemalloc.start()
    with serving(tmp_path, source, hostile(source)[name]) as index:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        pin = lock.pin(source, "tasks", index)
        used = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert pin.requirement == f"./tasks/{source.filename}"
    assert pin.wheel == source.wheel
    assert used < 16 << 20


@pytest.mark.parametrize("served", ["other files", "other version", "no hashes", "nothing"])
def test_what_no_index_serves_as_it_is_installed_is_pinned_by_path(tmp_path: Path, served: str) -> None:
    """As after an installation from a folder of wheels, which leaves no direct_url.json."""
    source = installed.origin(elsewhere=False)
    other = {
        "other files": installed.origin(more=b"import os\n"),
        "other version": installed.origin(version="1.0"),
    }.get(served, source)
    with serving(tmp_path, other, hashed=served != "no hashes") as index:
        pin = lock.pin(source, "tasks", NOWHERE if served == "nothing" else index)
    assert pin.wheel == source.wheel


@pytest.mark.parametrize("installer", ["pip", "uv pip"])
def test_no_index_is_asked_for_a_seatrial_whose_wheel_is_beside_the_lock(tmp_path: Path, installer: str) -> None:
    """And the hash of that wheel counts, with a `seatrial` of other bytes on the index or without."""
    source = installed.origin()
    pin = lock.pin(source, "tasks", NOWHERE)
    assert pin.wheel is not None
    write_tree(tmp_path, {"tasks/release.txt": f"{HEAD}{pin}twine==1.0 --hash=sha256:{'0' * 64}\n"})
    (tmp_path / "tasks" / source.filename).write_bytes(pin.wheel)
    requested: list[str] = []
    with serving(tmp_path / "index", installed.origin(more=b"import evil\n"), requested=requested) as index:
        options = ("--index-url", index.simple, "--target", str(tmp_path / "site"), "--no-cache-dir")
        python = sys.executable
        if installer == "pip":
            virtualenv.cli_run(["--quiet", str(tmp_path / "venv")])
            python = str(next((tmp_path / "venv").glob("[bS]*/python*")))
        argv = [python, "-m", *installer.split(), "install", *options, "--require-hashes", "-r", "tasks/release.txt"]
        env = os.environ | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0  # the index has no twine
    assert any("/twine/" in path for path in requested), done.stdout + done.stderr
    assert not any("seatrial" in path for path in requested)


def test_the_head_of_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert lock.read_head(str(HEAD)) == HEAD
    assert lock.read_head(str(HEAD).replace("\n", "\r\n").replace("\r\n", "\n")) == HEAD
    (tmp_path / "docs").mkdir()
    write_tree(tmp_path, {"tasks/release.txt": str(HEAD), "docs/release.txt": "notes\n"})
    assert lock.find(tmp_path) == [(tmp_path / "tasks" / "release.txt", HEAD)]


@pytest.mark.parametrize("text", ["", "twine==1\n", "# seatrial 1.0, locked on 2026-13-01\n"])
def test_what_is_no_lock_of_ours_has_no_head(text: str) -> None:
    assert lock.read_head(text) is None


def test_an_old_lock_is_warned_of_and_a_young_one_is_not() -> None:
    assert HEAD.age_warning(HEAD.locked_on + dt.timedelta(days=90)) == ""
    assert "91 days ago" in HEAD.age_warning(HEAD.locked_on + dt.timedelta(days=91))


def test_requirements_are_named_without_version_and_hashes() -> None:
    hashes = " \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\n"
    text = f"# a comment\ntwine==7.0 ; python_version < '4'{hashes}    # via x\n./a.whl --hash=sha256:ef\n"
    assert lock.requirements(text) == {
        "twine ; python_version < '4'": "twine==7.0 ; python_version < '4' --hash=sha256:ab --hash=sha256:cd",
        "./a.whl": "./a.whl --hash=sha256:ef",
    }


def test_every_tool_is_locked_by_hash() -> None:
    lines = lock.requirements(lock.tools()).values()
    assert len(lines) > 20
    assert all("==" in line and "--hash=sha256:" in line for line in lines)
