"""A seatrial that is installed from some place, for the tests of where it is from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seatrial.adoption.origin import Origin, record_of

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "9.8.7"
INFO = f"seatrial-{VERSION}.dist-info"
FILES = {
    "seatrial/__init__.py": b"__version__ = '9.8.7'\n",
    "seatrial/cli.py": b"def main(): ...\n",
    f"{INFO}/METADATA": f"Metadata-Version: 2.4\nName: seatrial\nVersion: {VERSION}\n".encode(),
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def origin(*, elsewhere: bool = True, version: str = VERSION, **files: bytes) -> Origin:
    """Return a seatrial from somewhere, with `files` of the package beside the usual ones."""
    more = {f"seatrial/{name}.py": content for name, content in files.items()}
    return Origin(version, "https://example.org/seatrial@abc" if elsewhere else "", elsewhere, FILES | more)


def install(folder: Path, direct_url: dict[str, Any] | None = None) -> Path:
    """Install it into `folder` as an installer does, and return the folder."""
    record = record_of(FILES).decode().replace(f"{INFO}/RECORD,,", "")
    added = {f"{INFO}/INSTALLER": b"pip\n", "../bin/seatrial": b"#!python\n", "seatrial/__pycache__/cli.pyc": b"x"}
    added |= {f"{INFO}/direct_url.json": json.dumps(direct_url).encode()} if direct_url else {}
    for name, content in (FILES | added).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    lines = [f"{name},," for name in (*added, f"{INFO}/RECORD")]
    (folder / INFO / "RECORD").write_text(record + "\n".join(lines) + "\n", encoding="utf-8")
    return folder
