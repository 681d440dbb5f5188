"""Read TOML: the one place that knows that Python 3.10 has no parser of its own."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING, Any

from seatrial.machine import disk

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

MARKS = {  # the longer ones first: that of UTF-32 begins like that of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    codecs.BOM_UTF8: "UTF-8 with a byte order mark",
}


class OtherEncoding(ValueError):
    """A file that is not UTF-8 as TOML demands; says which encoding it has as far as can be seen."""


def parse(text: str) -> dict[str, Any]:
    """Return the document in `text`. Raises ValueError, which names line and column where the parser knows them."""
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise ValueError("its brackets are nested too deeply, on a line that the parser does not name") from None
    return document


def read(path: Path) -> dict[str, Any]:
    """Return the document at `path`, empty where there is none.

    Raises ValueError, OtherEncoding among them, and what `disk.read` raises.
    """
    try:
        content = disk.read(path)
    except FileNotFoundError:
        return {}
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            raise OtherEncoding(f"it is {encoding}")
    if b"\0" in content[:2]:  # of UTF-16 without a mark the first letter has a zero byte
        raise OtherEncoding("it is UTF-16 without a byte order mark")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise OtherEncoding(f"byte {content[error.start]:#04x} on line {line} is not UTF-8") from None
    return parse(text.replace("\r\n", "\n"))
