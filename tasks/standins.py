"""How the sessions learn that a dry run's stand-in indexes take the place of the real ones.

One variable, set by `dryrun` alone, names two servers on this machine and the folder of the dry run. Anything that is
not loopback is refused: URLs of indexes never come from the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from . import environment, process
from .errors import NotLoopback, RehearsedElsewhere, StandinFailed
from .indexes import LOOPBACK, Index, is_loopback
from .register import STANDIN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .config import Config
    from .run import Run
    from .stages import Dist, Rehearsed

VARIABLE = STANDIN_VARIABLE
SERVER = Path(__file__).with_name("standin.py")
INDEXES = ("testpypi", "pypi")
TOKENS = frozenset(f"{name.upper()}_TOKEN" for name in INDEXES)


@dataclass(frozen=True)
class Standin:
    """Two servers, and the folder that takes the dry run's own ``dist/`` and record.

    `dependencies` is the simple URL of the relay to an index that wants a login (see `relay`), empty for none.
    """

    place: Path
    testpypi: str
    pypi: str
    dependencies: str = ""

    def to_environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self) | {"place": str(self.place)})}

    def replacing(self, config: Config) -> Config:
        """Return `config` with the two indexes replaced; dependencies come from where they always do."""
        wanted = config.dependencies
        if self.dependencies:
            wanted = replace(wanted, simple=self.dependencies, stands_for=wanted.simple)
        testpypi, pypi = _at(config.testpypi, self.testpypi), _at(config.pypi, self.pypi)
        return replace(config, testpypi=testpypi, pypi=pypi, dependencies=wanted)


def from_environment(outer: Mapping[str, str]) -> Standin | None:
    """Return the stand-in that `outer` names, None for none. Raises NotLoopback."""
    text = outer.get(VARIABLE)
    if text is None:
        return None
    try:
        found = json.loads(text)
        standin = Standin(Path(found["place"]), found["testpypi"], found["pypi"], found.get("dependencies", ""))
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
    with process.serving(argv, env=environment.for_install(os.environ), cwd=place) as line:
        try:
            said = json.loads(line)
            standin = Standin(place, *(said[name]["url"] for name in INDEXES))
            tokens = {f"{name.upper()}_TOKEN": said[name]["token"] for name in INDEXES}
        except (ValueError, KeyError, TypeError):
            raise StandinFailed(f"it said {line.strip()!r}.") from None
        yield standin, tokens


@contextlib.contextmanager
def rehearsal(run: Run, held: tuple[Dist, ...] = ()) -> Iterator[tuple[Index, Mapping[str, str]]]:
    """Yield the index that is the rehearsal of `run`, and the variables to find its credential in.

    Where that is this machine, a stand-in serves as long as the context lasts; it holds the files `held` of dist.
    """
    if run.rehearsed_here is None:
        yield run.config.testpypi, os.environ
        return
    run.say(f"rehearsal: a stand-in on this machine, not {run.config.testpypi.name} ({run.rehearsed_here})")
    with run.scratch() as scratch:
        files = scratch / "testpypi"
        files.mkdir()
        for dist in held:
            shutil.copyfile(run.record.dist / dist.filename, files / dist.filename)
        with started(run.tools_in(scratch, "standin"), scratch) as (standin, tokens):
            yield _at(run.config.testpypi, standin.testpypi), tokens


def _at(index: Index, url: str) -> Index:
    base = url.rstrip("/")
    urls = {"simple": f"{base}/simple/", "upload": f"{base}/legacy/", "pages": ""}
    return replace(index, name=f"{index.name} (stand-in)", login=None, **urls)


def counts(run: Run, index: str) -> bool:
    """Whether a rehearsal on the index with the simple URL `index` is the one that `run` asks for."""
    ours = index == run.config.testpypi.simple
    return ours if run.rehearsed_here is None else is_loopback(index) and not ours


def place(run: Run, rehearsed: Rehearsed) -> str:
    """Say where the files were rehearsed."""
    if rehearsed.reason is None:
        return run.config.testpypi.name
    return f"a stand-in on this machine, not {run.config.testpypi.name} ({rehearsed.reason})"


def elsewhere(run: Run, rehearsed: Rehearsed) -> RehearsedElsewhere:
    """Return what to say where the rehearsal that is recorded is not the one that is asked for."""
    here = rehearsed.reason is not None
    option = ("--rehearse-on", "dryrun", f'"{rehearsed.reason}"') if here else ()
    expected = "a stand-in on this machine" if run.rehearsed_here else run.config.testpypi.simple
    return RehearsedElsewhere(rehearsed.index, expected, run.command("verify"), run.command(run.name, *option), here)
