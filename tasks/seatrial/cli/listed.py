"""The release sessions as nox lists them: name, sentence, environment, and the cells of `verify`.

Whatever nox is started for in a project, it reads this first. So nothing is imported here that only a session needs
which runs: that is `sessions`, and of `bodies/` the one module that has the session's name.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nox
import nox.registry
import nox.virtualenv

from seatrial.cli.register import PROJECT_VARIABLE, RECORD_FOLDER, STANDIN_VARIABLE
from seatrial.project.pythons import BARE, glance
from seatrial.release.stages import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

SENTENCES = {
    "build": "Build the sdist, and the wheel from that sdist, out of a clean checkout of HEAD.",
    "check": "Find what PyPI would refuse and users would meet: rules, then an installation from this disk.",
    "testpypi": "Upload the checked files to TestPyPI, and read back that it serves exactly these bytes.",
    "verify": "Install the files from TestPyPI into a fresh environment, dependencies from PyPI, and use them.",
    "pypi": "Upload the rehearsed and verified files, the very same bytes, to PyPI.",
    "dryrun": "Rehearse all of it against two throw-away indexes on this machine: no account, nothing leaves.",
    "inspect": "Apply the rules of `check` to any wheel or sdist: nox -s inspect -- [--json OUT] FILE...",
    "status": "Say where this release stands, and the one next command.",
    "rebuild": "Build a released tag again, and compare it with what PyPI serves: nox -s rebuild -- VERSION.",
}
NAMES = tuple(SENTENCES)
ADOPT = "Put the release sessions into another project: adopt -- [--dry-run] [--check] [PATH]."
CHAIN = {"check": "build", "testpypi": "check", "verify": "testpypi"}
BACKENDS = "uv|virtualenv"
HERE = Path(__file__).resolve().parent
# Cells of `verify` may run side by side (`nox -j`, where nox has it), everything else only alone: it shares the record.
PARALLEL = "allow_parallel" in inspect.signature(nox.session).parameters
NEEDED_BY_VIRTUALENV = {"virtualenv", "packaging", "platformdirs", "filelock", "distlib", "python_discovery"}


@dataclass(frozen=True)
class Listing:
    """What is known when the noxfile is read. `names` maps our session names to those of this project.

    `hidden` are the modules of the project that would be taken for those that nox needs to make environments. `kept`
    is whether nox may keep old environments of `verify`.
    """

    root: Path
    door: bool
    names: dict[str, str]
    hidden: tuple[str, ...] = ()
    kept: bool = False


def register(*, door: bool) -> None:
    """Register all sessions with nox. A project that is set up wrongly still gets them: each says what is wrong."""
    root = Path(os.environ[PROJECT_VARIABLE]) if door else Path.cwd()
    pythons, own_prefix = glance(root)
    prefix = "" if door else own_prefix or ("release-" if set(NAMES) & set(nox.registry.get()) else "")
    listing = Listing(root, door, {name: prefix + name for name in NAMES}, _hidden(root), _is_verified(root))
    for name in NAMES:
        _register(listing, name, pythons)
    if door or ((root / "copier.yml").is_file() and root == HERE.parent):
        _register_adopt(listing)


def _register(listing: Listing, name: str, pythons: tuple[str, ...]) -> None:
    # A machine whose tools are shadowed could not even make the environments of sessions that only say so.
    backend = "none" if listing.hidden or name == "status" else BACKENDS
    is_matrix = name == "verify"

    def session(session: nox.Session, **cell: Any) -> None:
        _sessions().run(listing, name, session, **cell)

    session.__doc__ = SENTENCES[name]
    parallel: dict[str, Any] = {"allow_parallel": is_matrix} if PARALLEL else {}
    function: Callable[..., None] = nox.parametrize("kind", KINDS, ids=KINDS)(session) if is_matrix else session
    nox.session(
        name=listing.names[name],
        venv_backend=backend,
        reuse_venv=not is_matrix or listing.kept,
        venv_params=BARE if is_matrix else (),
        default=False,
        requires=[listing.names[CHAIN[name]]] if name in CHAIN else None,
        download_python="never",
        python=list(pythons) if is_matrix and backend != "none" else None,
        **parallel,
    )(function)


def _register_adopt(listing: Listing) -> None:
    """Register `adopt` where its template lies beside these sessions: in the package and the repository, in no copy."""

    def adopt(session: nox.Session) -> None:
        _sessions().adopt(listing, session)

    adopt.__doc__ = ADOPT
    nox.session(venv_backend=BACKENDS, reuse_venv=True, default=False, download_python="never")(adopt)


def _sessions() -> Any:
    """Return what runs a session, which is imported when one runs."""
    return importlib.import_module(f"{__package__}.sessions")


def _is_verified(root: Path) -> bool:
    """Whether the record knows a cell that was verified, so that `verify` has most likely nothing left to do.

    All that follows is that nox need not make environments before the session can say so. What counts is what the
    session reads of the record; if there is something to do after all, it makes its environment anew itself.
    """
    try:
        place = Path(json.loads(os.environ[STANDIN_VARIABLE])["place"])
    except (KeyError, ValueError, TypeError):
        place = root
    return any((place / RECORD_FOLDER).glob("verified-*.json"))


def _hidden(root: Path) -> tuple[str, ...]:
    """Keep the project's own modules from hiding those that nox's ``python -m virtualenv`` needs.

    nox runs it in the project's folder. Where it would be fooled there is a switch, on Python 3.11 and later; it is
    left alone in every other project, since the project's own sessions would feel it too. Return the modules where
    there is no way around them.
    """
    there = {path.stem for path in root.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    hidden = tuple(sorted(there & (NEEDED_BY_VIRTUALENV | sys.stdlib_module_names)))
    if not hidden or nox.virtualenv.HAS_UV:
        return ()
    if sys.version_info >= (3, 11):
        os.environ["PYTHONSAFEPATH"] = "1"
        return ()
    return hidden
