"""How the sessions learn that a dry run's stand-in indexes take the place of the real ones.

One variable, set by `dryrun` alone, names two servers on this machine and the folder of the dry context. Anything that is
not loopback is refused: URLs of indexes never come from the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.cli.register import STANDIN_VARIABLE
from seatrial.index.indexes import LOOPBACK, Index
from seatrial.machine import process, variables
from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.project.context import Context
    from seatrial.project.settings import Settings
    from seatrial.release.stages import Rehearsed

VARIABLE = STANDIN_VARIABLE
SERVER = Path(__file__).with_name("standin.py")
INDEXES = ("testpypi", "pypi")
TOKENS = frozenset(f"{name.upper()}_TOKEN" for name in INDEXES)


@dataclass(eq=False)
class RehearsedElsewhere(ReleaseError):
    found: str
    expected: str
    anew: str
    again: str
    here: bool = False

    what = "These files were rehearsed on {e.found}, and the rehearsal index of this release is {e.expected}."
    cause = "the record was made against another index (a stand-in of `dryrun` proves nothing about {e.expected})."
    cure = "`{e.anew}` rehearses there.{e.otherwise}"

    @property
    def otherwise(self) -> str:
        return f" To let the rehearsal on this machine count: `{self.again}`." if self.here else ""


@dataclass(eq=False)
class StandinFailed(ReleaseError):
    reason: str

    what = "The stand-in indexes did not start: {e.reason}"
    cause = "a firewall or security program that forbids servers on 127.0.0.1, or an environment that was cut short."
    cure = "delete the .nox folder and run the session again."


@dataclass(eq=False)
class NotLoopback(ReleaseError):
    variable: str
    found: str

    what = "{e.variable} names an address outside this machine: {e.found}"
    cause = "only `dryrun` sets this variable, and only to 127.0.0.1; URLs of indexes never come from the environment."
    cure = "unset it; indexes are set in [tool.seatrial.indexes]."


@dataclass(frozen=True)
class Standin:
    """Two servers, and the folder that takes the dry run's own ``dist/`` and record.

    `held` is the folder with the files that both servers hold, where that is another one; `places` says for the folder
    of each package that is rehearsed together with others which folder takes its ``dist/`` and record. `dependencies`
    is the simple URL of the relay to an index that wants a login (see `relay`), empty for none.
    """

    place: Path
    testpypi: str
    pypi: str
    dependencies: str = ""
    held: Path | None = None
    places: Mapping[str, str] = field(default_factory=dict)

    def to_environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self), default=str)}

    def of_package(self, folder: Path) -> Standin:
        """Return the stand-in as the package in `folder` has it."""
        return replace(self, place=self.place_of(folder), held=self.folder)

    def place_of(self, folder: Path) -> Path:
        """Return the folder that takes ``dist/`` and record of the package in `folder`."""
        return Path(self.places.get(str(folder), self.place))

    @property
    def is_shared(self) -> bool:
        """Whether several packages are rehearsed on the two servers, each in a dry run of its own."""
        return self.held is not None

    @property
    def folder(self) -> Path:
        """The folder with the files that the servers hold, one folder for each."""
        return self.held or self.place

    def replacing(self, settings: Settings) -> Settings:
        """Return `settings` with the two indexes replaced; dependencies come from where they always do."""
        wanted = settings.dependencies
        if self.dependencies:
            wanted = replace(wanted, simple=self.dependencies, stands_for=wanted.simple)
        testpypi, pypi = _at(settings.testpypi, self.testpypi), _at(settings.pypi, self.pypi)
        return replace(settings, testpypi=testpypi, pypi=pypi, dependencies=wanted)


def from_environment(outer: Mapping[str, str]) -> Standin | None:
    """Return the stand-in that `outer` names, None for none. Raises NotLoopback."""
    text = outer.get(VARIABLE)
    if text is None:
        return None
    try:
        found = json.loads(text)
        standin = Standin(
            place=Path(found["place"]),
            testpypi=found["testpypi"],
            pypi=found["pypi"],
            dependencies=found.get("dependencies", ""),
            held=Path(found["held"]) if found.get("held") else None,
            places=dict(found.get("places", {})),
        )
        urls = [standin.testpypi, standin.pypi, *filter(None, [standin.dependencies])]
        hosts = {url: urlsplit(url).hostname for url in urls}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotLoopback(VARIABLE, "(not readable)") from None
    for url, host in hosts.items():
        if host not in LOOPBACK:
            raise NotLoopback(VARIABLE, url)
    return standin


@contextlib.contextmanager
def started(python: Path, place: Path) -> Iterator[tuple[Standin, dict[str, str]]]:
    """Serve the two stand-ins with `python`, their files in the folder `place`.

    Yields where they are, and the variables with the tokens they take. They end with us, however we end.
    """
    argv = (str(python), "-I", str(SERVER), "--root", str(place))
    with process.serving(argv, env=variables.for_install(os.environ), cwd=place) as line:
        try:
            said = json.loads(line)
            standin = Standin(place, *(said[name]["url"] for name in INDEXES))
            tokens = {f"{name.upper()}_TOKEN": said[name]["token"] for name in INDEXES}
        except (ValueError, KeyError, TypeError):
            raise StandinFailed(f"it said {line.strip()!r}.") from None
        yield standin, tokens


@contextlib.contextmanager
def rehearsal(context: Context, held: tuple[Path, ...] = ()) -> Iterator[tuple[Index, Mapping[str, str]]]:
    """Yield the index that is the rehearsal of `run`, and the variables to find its credential in.

    Where that is this machine, a stand-in serves as long as the context lasts; it holds copies of the files `held`.
    """
    if context.rehearsed_here is None:
        yield context.settings.testpypi, os.environ
        return
    context.say(
        f"rehearsal: a stand-in on this machine, not {context.settings.testpypi.name} ({context.rehearsed_here})"
    )
    with context.scratch() as scratch:
        files = scratch / "testpypi"
        files.mkdir()
        for path in held:
            shutil.copyfile(path, files / path.name)
        with started(context.tools_in(scratch, "standin"), scratch) as (standin, tokens):
            yield _at(context.settings.testpypi, standin.testpypi), tokens


def _at(index: Index, url: str) -> Index:
    base = url.rstrip("/")
    urls = {"simple": f"{base}/simple/", "upload": f"{base}/legacy/", "pages": ""}
    return replace(index, name=f"{index.name} (stand-in)", login=None, **urls)


def place(context: Context, rehearsed: Rehearsed) -> str:
    """Say where the files were rehearsed."""
    if rehearsed.reason is None:
        return context.settings.testpypi.name
    return f"a stand-in on this machine, not {context.settings.testpypi.name} ({rehearsed.reason})"


def elsewhere(context: Context, rehearsed: Rehearsed) -> RehearsedElsewhere:
    """Return what to say where the rehearsal that is recorded is not the one that is asked for."""
    here = rehearsed.reason is not None
    option = ("--rehearse-on", "dryrun", f'"{rehearsed.reason}"') if here else ()
    expected = "a stand-in on this machine" if context.rehearsed_here else context.settings.testpypi.simple
    return RehearsedElsewhere(
        rehearsed.index, expected, context.command("verify"), context.command(context.name, *option), here
    )
