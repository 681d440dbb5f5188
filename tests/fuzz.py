"""Mutate real distributions and judge them: ``python -m tests.fuzz [--mutations N] [--seed N] [--seconds N]``.

The files are those in tests/real/files/. Whatever is done to them, the answer is findings: no exception, no rule that
fails, no file that takes longer than SLOWEST. It prints one JSON document: how many files were judged, the slowest, and
the most memory that was held, in bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import re
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.rules.judge import NOT_APPLIED, judge_file
from tests.archives import zip_info

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FILES = Path(__file__).with_name("real") / "files"
INTERESTING = (
    b"\0",
    b"\xff",
    b"\n",
    b"\r\n",
    b":",
    b"=",
    b"..",
    b"/",
    b"9" * 5000,
    b"\\",
    b"%",
    b"[",
    b'"',
    b",,",
    b"\xe2\x80\xae",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Judge as many mutations as `argv` says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    generator = random.Random(args.seed)  # noqa: S311 (no secret)
    originals = {path.name: path.read_bytes() for path in sorted(FILES.iterdir()) if path.suffix in {".whl", ".gz"}}
    slowest = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.mutations):
            name = sorted(originals)[number % len(originals)]
            path = Path(folder) / name
            path.write_bytes(mutation(name, originals[name], generator))
            started = time.monotonic()
            problems = judge_file(path)
            slowest = max(slowest, (time.monotonic() - started, f"{name}, number {number}"))
            if failed := [problem.message for problem in problems if problem.rule == NOT_APPLIED]:
                print(f"{name}, number {number} of seed {args.seed}: {failed}", file=sys.stderr)
                return 1
    print(json.dumps({"files": len(originals), "judged": args.mutations, "slowest": slowest, "memory": memory()}))
    return 0


def mutation(name: str, raw: bytes, generator: random.Random) -> bytes:
    """Return `raw` changed in one of the ways in which a file can be wrong."""
    kinds: list[Callable[[bytes, random.Random], bytes]] = [changed, members if name.endswith(".whl") else unpacked]
    return generator.choices(kinds, (1, 3))[0](raw, generator)


def changed(raw: bytes, generator: random.Random) -> bytes:
    """Return `raw` with some bytes replaced, inserted or taken away, or its end cut off."""
    for _ in range(generator.randint(1, 4)):
        place = generator.randrange(len(raw) + 1)
        taken = generator.choice((0, 1, 1, 4, 64, len(raw) if generator.random() < 0.05 else 1))
        put = generator.choice((generator.randbytes(1), generator.choice(INTERESTING), b""))
        raw = raw[:place] + put + raw[place + taken :]
    return raw


def unpacked(raw: bytes, generator: random.Random) -> bytes:
    """Return an sdist whose tar was changed inside a whole gzip file, mostly its headers and its first members."""
    plain = gzip.decompress(raw)
    end = generator.choice((4096, 65536, len(plain)))
    return gzip.compress(changed(plain[:end], generator) + plain[end:], 1, mtime=0)


def members(raw: bytes, generator: random.Random) -> bytes:
    """Return a wheel of which one member was changed, and the archive written anew: mostly one of its metadata."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        contents = [(name, archive.read(name)) for name in archive.namelist()]
    info = [place for place, (name, _) in enumerate(contents) if ".dist-info/" in name]
    place = generator.choice(info) if generator.random() < 0.8 else generator.randrange(len(contents))
    name, content = contents[place]
    if generator.random() < 0.2:
        name = changed(name.encode(), generator).decode("utf-8", "replace") or "x"
    else:
        content = changed(content, generator)
    contents[place] = (name, content)
    if generator.random() < 0.2:
        contents.append(generator.choice(contents))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        for name, content in contents:
            archive.writestr(zip_info(name[:60_000]), content)
    return out.getvalue()


def memory() -> int:
    """Return the most memory that this process and its children held at a time, in bytes; 0 where it is not known."""
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return 0
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if sys.platform == "darwin":
        return max(children, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # What `ru_maxrss` says of this process begins with the memory of the one that started it.
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return max(children, int(held[1]) if held else 0) << 10


if __name__ == "__main__":
    sys.exit(main())
