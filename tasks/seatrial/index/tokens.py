"""What a PyPI API token says of itself, and how it is narrowed: ``pypi-`` and the unpadded base64 of a macaroon.

The layout is that of libmacaroons' binary format, version 2: a version byte, then packets of a field type, a length
(varint) and data; an empty packet type ends a section. Whoever has a macaroon can add a caveat to it, since each
signature is the HMAC of the caveat under the signature before; nobody can take one away. PyPI's caveats are JSON.

The tests compare every narrowing with pypitoken's, byte for byte (docs/design.md says why it is not used here).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import io
import json
import re
import secrets
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from seatrial.index.indexes import is_loopback
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PREFIX = "pypi-"
RUN = re.compile(r"[A-Za-z0-9_-]{65,}")  # what a token stands in; runs are looked at once, whatever is in them
BEGINNING = PREFIX + "Ag"  # the version byte in base64, and the kind of the first packet
LONGEST = 4096 + len(PREFIX)
VERSION_BYTE = 2
END, LOCATION, IDENTIFIER, SIGNATURE = 0, 1, 2, 6
SIGNATURE_LENGTH = 32
CLOSING = bytes([END, SIGNATURE, SIGNATURE_LENGTH])  # what stands between the caveats and the signature
EXPIRATION, PROJECT_NAMES = 0, 1  # the first item of the caveats that we add
HOSTS = {"pypi.org": ("pypi.org", "upload.pypi.org"), "test.pypi.org": ("test.pypi.org",)}


class Scope(Value):
    """What a token may be used for. Times are seconds since 1970; None is no limit, for `projects` the whole account.

    `by_id` says that projects are named by an identifier that only the index knows, `unknown` that there is a caveat
    which this version does not know.
    """

    projects: frozenset[str] | None = None
    by_id: bool = False
    starts: int | None = None
    expires: int | None = None
    unknown: bool = False

    @property
    def whole_account(self) -> bool:
        return self.projects is None and not self.by_id and not self.unknown

    def under(self, caveat: Any) -> Scope:
        """Return what is left of this scope under one more `caveat`; a caveat only ever takes away."""
        match caveat:
            case [0, int(expires), int(starts)] | {"exp": int(expires), "nbf": int(starts)}:
                expires = expires if self.expires is None else min(self.expires, expires)
                starts = starts if self.starts is None else max(self.starts, starts)
                return replace(self, expires=expires, starts=starts)
            case [1, [*names]] | {"version": 1, "permissions": {"projects": [*names]}}:
                named = frozenset(map(str, names))
                return replace(self, projects=named if self.projects is None else self.projects & named)
            case [2, [*_]]:
                return replace(self, by_id=True)
            case [3, str()] | {"version": 1, "permissions": "user"}:
                return self
        return replace(self, unknown=True)


class Token(Value):
    """An API token, without its secret: the host it is for, its identifier, and its caveats as JSON texts."""

    location: str
    identifier: str
    caveats: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Token:
        """Read `text`. Raises ValueError (which does not show it) where it is not a whole token."""
        raw = _decode(text)
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
        return cls(location, header[IDENTIFIER].decode("utf-8", "backslashreplace"), tuple(caveats))

    @property
    def scope(self) -> Scope:
        scope = Scope()
        for caveat in self.caveats:
            scope = scope.under(caveat_value(caveat))
        return scope


def caveat_value(caveat: str) -> Any:
    """Return the JSON value in `caveat`; None, which is no caveat of PyPI's, where there is none."""
    try:
        return json.loads(caveat)
    except (ValueError, RecursionError):
        return None


def narrow(text: str, caveats: Iterable[object]) -> str:
    """Return the token `text` under further `caveats`. Raises ValueError where it is not a whole token."""
    Token.parse(text)
    return _encode(_narrowed(_decode(text), [json.dumps(caveat).encode() for caveat in caveats]))


def make(location: str) -> str:
    """Return a random token for the host `location`, in the form of PyPI's and without a caveat."""
    head = _packet(LOCATION, location.encode()) + _packet(IDENTIFIER, str(uuid.uuid4()).encode()) + bytes([END])
    return _encode(bytes([VERSION_BYTE]) + head + CLOSING + secrets.token_bytes(SIGNATURE_LENGTH))


def added_caveats(token: str, presented: str) -> tuple[str, ...] | None:
    """Return the caveats with which `presented` narrows `token`; None where it is not made from it.

    Raises ValueError where `presented` is no token.
    """
    if secrets.compare_digest(token.encode(), presented.encode()):
        return ()
    own, other = Token.parse(token), Token.parse(presented)
    added = other.caveats[len(own.caveats) :]
    made = _narrowed(_decode(token), [caveat.encode() for caveat in added])
    return added if secrets.compare_digest(made, _decode(presented)) else None


def foreign(secret: str, url: str) -> str:
    """Return the index that the token in `secret` names where `url` is none of its hosts; empty where it may go there.

    A token that is quoted, cut short or otherwise damaged names its index too.
    """
    host = urlsplit(url).hostname
    for location, hosts in HOSTS.items():
        head = bytes([VERSION_BYTE]) + _packet(LOCATION, location.encode())
        beginning = _encode(head[: len(head) // 3 * 3])  # the characters that no byte after it can change
        if beginning in secret and host not in hosts:
            return location
    return ""


def withheld(secret: str, url: str) -> str:
    """Return why `secret` must not be sent to `url`, empty where it may."""
    if urlsplit(url).scheme != "https" and not is_loopback(url):
        return "it would go over plain HTTP, where anybody in between can read it."
    if location := foreign(secret, url):
        return f"it is a token for {location}, and goes nowhere else."
    return ""


def find_tokens(text: str) -> Iterator[tuple[int, Token]]:
    """Yield the line number, from 1, and the token, of each whole token in `text`; cut-off examples are none."""
    for run in RUN.finditer(text) if BEGINNING in text else ():
        start = run[0].rfind(BEGINNING)
        if start >= 0 and len(run[0]) - start <= LONGEST:
            with contextlib.suppress(ValueError):
                token = Token.parse(run[0][start:])
                yield text.count("\n", 0, run.start()) + 1, token


def _narrowed(raw: bytes, caveats: Iterable[bytes]) -> bytes:
    """Return the macaroon `raw` under further `caveats`. Raises ValueError where it cannot be taken apart."""
    body, signature = raw[:-SIGNATURE_LENGTH], raw[-SIGNATURE_LENGTH:]
    if not body.endswith(CLOSING):
        raise ValueError("the macaroon has its signature in another form")
    head = body[: -len(CLOSING)]
    for caveat in caveats:
        head += _packet(IDENTIFIER, caveat) + bytes([END])
        signature = hmac.new(signature, caveat, hashlib.sha256).digest()
    return head + CLOSING + signature


def _packet(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + _to_varint(len(data)) + data


def _encode(raw: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Return the macaroon in the token `text`. Raises ValueError."""
    if not text.startswith(PREFIX):
        raise ValueError("an API token begins with pypi-")
    body = text[len(PREFIX) :]
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("an API token is urlsafe base64 after pypi-") from None


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
    stream = io.BytesIO(raw[1:])
    while kind := stream.read(1):
        length = _varint(stream) if kind[0] != END else 0
        data = stream.read(length)
        if len(data) != length:
            raise ValueError("the macaroon is cut short")
        yield kind[0], data


def _varint(stream: BinaryIO) -> int:
    """Return the number that begins here, in at most five bytes of seven bits, low ones first. Raises ValueError."""
    number = 0
    for place in range(5):
        byte = ord(stream.read(1) or b"\x80")  # at the end of the stream, more follows and never comes
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 (the top bit says that more follows)
            return number
    raise ValueError("the macaroon is cut short")


def _to_varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _to_varint(rest) if rest else bytes([low])
