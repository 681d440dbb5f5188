"""Where the running seatrial came from, and the wheel that holds it.

The installation says it: ``direct_url.json`` (PEP 610) names a clone, a folder or a file. Where there is none it may be
from an index, which is so only if the index serves a wheel of the same files. The wheel of anything else is put
together again from the installed files: same files, same bytes.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from seatrial.adoption import template
from seatrial.building import git
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release import archives

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.release.archives import Content

NAME = "seatrial"
OF_INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})
MOMENT = (1980, 1, 1, 0, 0, 0)
REGULAR_FILE = 0o100644 << 16


class NotInstalled(ReleaseError):
    program: Path

    what = "seatrial runs from {e.program} and is not installed, so a project cannot pin it."
    cause = "it was started from its folder, or its metadata were deleted."
    cure = "install it (pip install FOLDER, or uvx --from FOLDER seatrial adopt PATH), and run this again."


class InstallationChanged(ReleaseError):
    version: str
    names: tuple[str, ...]

    what = "Installed files of seatrial {e.version} do not match its RECORD:{e.names:shortened}"
    cause = "somebody edited the installation, or it is incomplete."
    cure = "install seatrial again; nothing was written."


class Origin(Value):
    """Where the running seatrial is from: a public address with its commit, empty where there is none.

    `files` are what a wheel of it holds, by name, but for RECORD; `from_elsewhere` says that no index served it.
    """

    version: str
    address: str
    from_elsewhere: bool
    files: Mapping[str, bytes]

    @property
    def filename(self) -> str:
        return f"{NAME}-{self.version}-py3-none-any.whl"

    @property
    def members(self) -> dict[str, bytes]:
        """What a wheel of it holds, RECORD last."""
        return {**dict(sorted(self.files.items())), f"{_info(self.files)}/RECORD": record_of(self.files)}

    @property
    def wheel(self) -> bytes:
        """The wheel: same files, same bytes."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in self.members.items():
                entry = zipfile.ZipInfo(name, MOMENT)
                entry.create_system, entry.external_attr = 3, REGULAR_FILE
                archive.writestr(entry, content)  # stored: compressed bytes differ between zlib and zlib-ng
        return target.getvalue()

    def is_in(self, wheel: Path) -> bool:
        """Whether the file at `wheel`, which may be anything, is a wheel with these files, byte for byte, and no more.

        Raises one of BROKEN.
        """
        wanted = self.members
        with archives.reading(wheel) as opened:
            names = [entry.name for entry in opened.zip.entries] if opened.zip else []
            if sorted(names) != sorted(wanted) or (opened.zip and opened.zip.oddities):  # read differently by others
                return False
            return all(_is_same(member, wanted[member.name]) for member in opened.contents)


def record_of(files: Mapping[str, bytes]) -> bytes:
    """Return the RECORD of a wheel with `files` (binary distribution format), sorted by name."""
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in sorted(files.items())]
    return "".join(f"{row}\n" for row in [*rows, f"{_info(files)}/RECORD,,"]).encode()


def _info(files: Mapping[str, bytes]) -> str:
    return next(name.partition("/")[0] for name in files if name.endswith(".dist-info/METADATA"))


def _is_same(member: Content, wanted: bytes) -> bool:
    """Whether `member` holds the bytes that are `wanted`; of a RECORD the rows may be in another order."""
    content = member.read(len(wanted) + 1)
    if member.name.endswith(".dist-info/RECORD"):
        return sorted(content.splitlines()) == sorted(wanted.splitlines())
    return content == wanted


def hashes_of(record: str) -> dict[str, str]:
    """Return the hash of each file that `record` lists, those left out that an installer adds."""
    rows = [row for row in csv.reader(io.StringIO(record)) if len(row) == 3]  # noqa: PLR2004 (RECORD's columns)
    return {name: algorithm for name, algorithm, _ in rows if _is_packaged(name)}


def read() -> Origin:
    """Return where the running seatrial is from. Raises NotInstalled, InstallationChanged and NoTemplate."""
    try:
        dist = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        raise NotInstalled(template.PROGRAM) from None
    direct = json.loads(dist.read_text("direct_url.json") or "{}")
    is_editable = bool(direct.get("dir_info", {}).get("editable"))  # of what is ours RECORD has the metadata alone then
    hashes = hashes_of(dist.read_text("RECORD") or "")
    if is_editable:
        hashes = {name: sha256 for name, sha256 in hashes.items() if ".dist-info/" in name}
    if not any(name.endswith(".dist-info/METADATA") for name in hashes):
        raise NotInstalled(template.PROGRAM)
    paths = {name: Path(str(dist.locate_file(name))) for name in hashes}
    files = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
    if changed := [name for name in hashes if name not in files or hashes[name] != f"sha256={_digest(files[name])}"]:
        raise InstallationChanged(dist.version, tuple(sorted(changed)))
    if is_editable:  # the rest is in the checkout that the program runs from
        for path in template.PROGRAM.rglob("*"):
            if path.is_file() and _is_packaged(path.as_posix()):
                files[f"{NAME}/{path.relative_to(template.PROGRAM).as_posix()}"] = path.read_bytes()
        files |= {f"{NAME}/{template.PACKAGED}/{name}": content for name, content in template.files().items()}
    return Origin(dist.version, _address(direct), bool(direct), files)


def _is_packaged(name: str) -> bool:
    """Whether a file of the installation is one of the wheel's: no script, no cache, nothing that an installer adds."""
    path = PurePosixPath(name)
    by_installer = path.parent.name.endswith(".dist-info") and path.name in OF_INSTALLERS
    return not by_installer and {"..", "__pycache__"}.isdisjoint(path.parts)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def _address(direct: Mapping[str, Any]) -> str:
    """Return the public address, without a login, that `direct` (PEP 610) leads to, with the commit.

    It is empty where it is on this machine. A folder that is a clone has the address that it was fetched from.
    """
    url, at = str(direct.get("url", "")), ""
    if "vcs_info" in direct:
        commit = direct["vcs_info"].get("commit_id")
        at = f"@{commit}" if commit else ""
    elif "dir_info" in direct:
        folder = Path(url2pathname(urlsplit(url).path))
        try:
            name, at = git.remote_of(folder), f"@{git.run(folder, 'rev-parse', 'HEAD', missing='').strip()}"
            url = git.address_of(folder, name) if name else ""
        except (OSError, ReleaseError):  # a folder that is gone, no git, or another user's repository
            return ""
    parts = urlsplit(url)
    if parts.scheme.removeprefix("git+") not in {"http", "https", "ssh", "git"} or not parts.hostname:
        return ""
    netloc = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    return parts._replace(netloc=netloc, query="", fragment="").geturl() + at
