"""What a PyPI API token says of itself: ``pypi-`` and the unpadded base64 of a macaroon, version 2.

The layout is that of libmacaroons' v2 binary format: a version byte, then packets of a field type, a length (varint)
and data; an empty packet type ends a section. The signature is checked for its length and not kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "pypi-"
CANDIDATE = re.compile(r"pypi-[A-Za-z0-9_-]{60,4096}(?![A-Za-z0-9_-])")
VERSION_BYTE = 2
END, LOCATION, IDENTIFIER, SIGNATURE = 0, 1, 2, 6
SIGNATURE_LENGTH = 32


@dataclass(frozen=True)
class Token:
    """An API token, without its secret: the host it is for, its identifier, and its caveats as JSON texts."""

    location: str
    identifier: str
    caveats: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Token:
        """Read `text`. Raises ValueError (which does not show it) where it is not a whole token."""
        if not text.startswith(PREFIX):
            raise ValueError("an API token begins with pypi-")
        body = text[len(PREFIX) :]
        try:
            raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("an API token is urlsafe base64 after pypi-") from None
        return _parse(raw)


def find_tokens(text: str) -> Iterator[tuple[int, Token]]:
    """Yield the line number, from 1, and the token, of each whole token in `text`; cut-off examples are none."""
    for found in CANDIDATE.finditer(text):
        try:
            token = Token.parse(found[0])
        except ValueError:
            continue
        yield text.count("\n", 0, found.start()) + 1, token


def _parse(raw: bytes) -> Token:
    """Return the token in the macaroon `raw`. Raises ValueError."""
    if raw[:1] != bytes([VERSION_BYTE]):
        raise ValueError("an API token holds a macaroon of version 2")
    packets = _packets(raw)
    header = _section(packets)
    if set(header) - {LOCATION, IDENTIFIER} or IDENTIFIER not in header:
        raise ValueError("the macaroon has no identifier")
    caveats = []
    while section := _section(packets):
        caveats.append(section.get(IDENTIFIER, b"").decode("utf-8"))
    kind, signature = next(packets, (END, b""))
    if kind != SIGNATURE or len(signature) != SIGNATURE_LENGTH or next(packets, None) is not None:
        raise ValueError("the macaroon has no whole signature at its end")
    location = header.get(LOCATION, b"").decode("utf-8")
    return Token(location, header[IDENTIFIER].decode("utf-8", "backslashreplace"), tuple(caveats))


def _section(packets: Iterator[tuple[int, bytes]]) -> dict[int, bytes]:
    """Return the packets up to the next end of section. Raises ValueError where there is none."""
    found: dict[int, bytes] = {}
    for kind, data in packets:
        if kind == END:
            return found
        found[kind] = data
    raise ValueError("the macaroon is cut short")


def _packets(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield field type and data of each packet after the version byte. Raises ValueError where one is cut short."""
    at = 1
    while at < len(raw):
        kind, at = raw[at], at + 1
        if kind == END:
            yield END, b""
            continue
        length, at = _varint(raw, at)
        data, at = raw[at : at + length], at + length
        if len(data) != length:
            raise ValueError("the macaroon is cut short")
        yield kind, data


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` (seven bits a byte, low ones first) and where it ends. Raises ValueError."""
    number = shift = 0
    for byte in raw[at : at + 5]:
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 (the top bit says that more follows)
            return number, at
    raise ValueError("the macaroon is cut short")
