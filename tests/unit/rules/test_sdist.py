from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from seatrial.rules.judge import judge_file
from tests.archives import SDIST, found, gzipped, metadata, sdist, sdist_members, tarred, wheel, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Contents

MEMBERS = sdist_members(SDIST, metadata(), {})

CASES: list[tuple[str, Contents, Contents]] = [
    ("sdist-top-folder", {"._demo-1.0": b"\0"}, {"demo-1.0/._README.md": b"\0"}),
    ("sdist-top-folder", {"other/a.py": ""}, {"demo-1.0/other/a.py": ""}),
    ("sdist-top-folder", {"/demo-1.0/a.py": ""}, {"./demo-1.0/a.py": ""}),
    ("sdist-pkg-info", {"demo-1.0/PKG-INFO": None}, {}),
    ("sdist-pkg-info", {"demo-1.0/PKG-INFO": None, "./demo-1.0/PKG-INFO": metadata()}, {"demo-1.0/a/PKG-INFO": ""}),
    ("sdist-license-file", {"demo-1.0/LICENSE": None, "demo-1.0/a/LICENSE": ""}, {"demo-1.0/a/LICENSE": ""}),
    ("sdist-path", {"demo-1.0/../a.py": ""}, {"demo-1.0/..a.py": ""}),
]


@pytest.mark.parametrize(("code", "broken", "whole"), CASES)
def test_what_is_wrong_with_an_sdist_is_named(tmp_path: Path, code: str, broken: Contents, whole: Contents) -> None:
    (message,) = found(sdist(tmp_path, files=broken), code)
    assert message.endswith((".", "(python -m build --sdist)."))
    assert found(sdist(tmp_path, files=whole), code) == []


def test_an_sdist_of_nothing_has_no_top_folder(tmp_path: Path) -> None:
    root = tarfile.TarInfo("./")
    root.type = tarfile.DIRTYPE
    (message,) = found(written(tmp_path, SDIST, gzipped(tarred([(root, b"")]))), "sdist-top-folder")
    assert "(the archive's root)" in message


def linked(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = kind, target
    return gzipped(tarred([*MEMBERS.items(), (link, b"")]))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../passwd", "a/../../../x"])
def test_a_link_that_leads_out_is_named(tmp_path: Path, target: str) -> None:
    (message,) = found(written(tmp_path, SDIST, linked("demo-1.0/link", target)), "sdist-link")
    assert "demo-1.0/link" in message


def test_a_hard_link_is_relative_to_the_root(tmp_path: Path) -> None:
    (message,) = found(written(tmp_path, SDIST, linked("demo-1.0/a/b", "other/c", tarfile.LNKTYPE)), "sdist-link")
    assert "demo-1.0/a/b -> other/c" in message


@pytest.mark.parametrize("target", ["README.md", "src/../README.md", "../demo-1.0/README.md"])
def test_a_link_that_stays_inside_passes(tmp_path: Path, target: str) -> None:
    assert judge_file(written(tmp_path, SDIST, linked("demo-1.0/link", target))) == ()
    assert judge_file(written(tmp_path, SDIST, linked("demo-1.0/hard", "demo-1.0/README.md", tarfile.LNKTYPE))) == ()


def sparse_gnu() -> bytes:
    """Return a tar file with a sparse member as GNU tar writes it: one hole, and five bytes behind it."""
    info = tarfile.TarInfo("demo-1.0/sparse")
    info.size = 5
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:410] = b"%011o\0%011o\0" % (1024, 5)
    header[483:495] = b"%011o\0" % 1029
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    plain = tarred(MEMBERS.items())
    return bytes(header) + b"hello".ljust(512, b"\0") + plain


def sparse_pax() -> bytes:
    info = tarfile.TarInfo("demo-1.0/GNUSparseFile.0/sparse")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "demo-1.0/sparse"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, raw in MEMBERS.items():
            plain = tarfile.TarInfo(name)
            plain.size = len(raw)
            archive.addfile(plain, io.BytesIO(raw))
        archive.addfile(info)
    return out.getvalue()


@pytest.mark.parametrize("raw", [sparse_gnu(), sparse_pax()], ids=["gnu", "pax"])
def test_a_sparse_member_is_named(tmp_path: Path, raw: bytes) -> None:
    (message,) = found(written(tmp_path, SDIST, gzipped(raw)), "tar-sparse")
    assert "demo-1.0/sparse" in message
    assert found(sdist(tmp_path), "tar-sparse") == []
    assert {problem.rule for problem in judge_file(written(tmp_path, SDIST, gzipped(raw)))} == {"tar-sparse"}


def test_rules_on_sdists_leave_wheels_alone(tmp_path: Path) -> None:
    for code, *_ in CASES:
        assert found(wheel(tmp_path, files={"other/../x": ""}), code) == []
