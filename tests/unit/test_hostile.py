"""Archives made to hurt: each gets an answer, soon and in little memory, and nothing is written."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from tasks import tars, zips
from tasks.rules import look
from tasks.rules.registry import judge_file
from tests.archives import (
    SDIST,
    WHEEL,
    gzipped,
    metadata,
    sdist_members,
    tarred,
    wheel_members,
    written,
    zip_info,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEMBERS = wheel_members(WHEEL, metadata(), {})
TAR = tarred(sdist_members(SDIST, metadata(), {}).items())
MEMORY = 100 << 20  # bytes that Python may hold at any time


def bomb() -> bytes:
    return zipped([*MEMBERS.items(), *((f"demo/{n}.py", b"#" * (9 << 20)) for n in range(12))])


def overlapping() -> bytes:
    """Return a wheel of which 5000 entries are one and the same member."""
    one = zipped([("demo/a.py", b"#" * (9 << 20))])
    at, end = one.index(zips.CENTRAL), one.index(zips.END)
    entry = one[at:end]
    more = b"".join(entry[:28] + struct.pack("<H", 10) + entry[30:46] + b"demo/%05d" % n for n in range(5000))
    return one[:at] + more + struct.pack("<4sHHHHLLH", zips.END, 0, 0, 5000, 5000, len(more), at, 0)


def crowd() -> bytes:
    return zipped([*MEMBERS.items(), *((f"demo/{n}", b"") for n in range(5_000))])


def encrypted() -> bytes:
    info = zip_info("demo/a.py")
    raw = zipped([*MEMBERS.items(), (info, b"pass\n")])
    at = raw.rindex(zips.CENTRAL)
    return raw[: at + 8] + b"\1" + raw[at + 9 :]


def nested() -> bytes:
    return zipped([*MEMBERS.items(), ("demo/inner.whl", bomb())])


def climbing() -> bytes:
    return zipped([*MEMBERS.items(), ("../../../../tmp/climbed", b""), ("/climbed", b""), ("C:\\climbed", b"")])


def tokens() -> bytes:
    return zipped([*MEMBERS.items(), ("demo/a.py", b"pypi-Ag" * 200_000), ("demo/b.py", b"-----BEGIN " * 100_000)])


def many_fields() -> bytes:
    fields = metadata({"Requires-Dist": [f"six{n}" for n in range(3_000)], "Project-URL": ["A, x:"] * 3_000})
    return zipped(wheel_members(WHEEL, fields, {}).items())


def long_description() -> bytes:
    core = metadata({"Description-Content-Type": "text/x-rst"}, ("* " * 200 + "\n") * 20_000)
    return zipped(wheel_members(WHEEL, core, {}).items())


def endless(body: bytes, count: int) -> bytes:
    """Return gzipped: the members, then `body` (of 1 MiB) `count` times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(TAR[:-1024]), *(packer.compress(body) for _ in range(count)), packer.flush()])


def extended() -> bytes:
    """Return an sdist with an extended header that says it has a terabyte."""
    header = bytearray(TAR[:512])
    header[124:136] = b"\x80" + (1 << 40).to_bytes(11, "big")
    header[156:157] = b"x"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzipped(bytes(header) + bytes(1 << 20))


HOSTILE: list[tuple[str, Callable[[], bytes], set[str]]] = [
    (WHEEL, bomb, {"zip-ratio"}),
    (WHEEL, overlapping, {"zip-ratio", "zip-directory"}),
    (WHEEL, crowd, {"wheel-record-mismatch"}),
    (WHEEL, encrypted, {"zip-encrypted", "zip-damaged-member"}),
    (WHEEL, nested, {"wheel-record-mismatch"}),
    (WHEEL, climbing, {"wheel-path"}),
    (WHEEL, tokens, {"wheel-record-mismatch"}),
    (WHEEL, many_fields, {"metadata-url", "metadata-repeated"}),
    (WHEEL, long_description, set()),
    (SDIST, lambda: endless(bytes(1 << 20), 50), {"archive-readable"}),
    (SDIST, extended, {"archive-readable"}),
    (SDIST, lambda: gzipped(gzipped(TAR)), {"archive-readable"}),
]


@pytest.mark.parametrize(("name", "make", "codes"), HOSTILE)
def test_a_hostile_archive_is_answered_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[], bytes], codes: set[str]
) -> None:
    monkeypatch.setattr(look, "TAR_FLOOR", 40 << 20)
    path = written(tmp_path / "dist", name, make())
    judge_file(path.with_name("warm-1.0.tar.gz"))  # what is imported on first use is not counted
    tracemalloc.start()
    try:
        found = judge_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert codes <= {problem.rule for problem in found}
    assert peak < MEMORY
    assert [file.name for file in tmp_path.rglob("*")] == ["dist", name]
    assert not os.path.lexists(tmp_path.parent / "climbed")


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_names_that_are_too_long_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = written(tmp_path, name, zipped(MEMBERS.items()) if name == WHEEL else gzipped(TAR))
    assert judge_file(path) == ()
    monkeypatch.setattr(look, "NAMES_TOTAL", 50)
    assert "archive-readable" in {problem.rule for problem in judge_file(path)}


def test_the_readers_limits_hold_memory_too() -> None:
    """What a list of that many members takes stays far below what a machine has."""
    assert max(zips.MEMBER_LIMIT, tars.MEMBER_LIMIT) <= 100_000
    assert tars.HEADER_LIMIT <= 1 << 20
