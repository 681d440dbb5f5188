"""What a noxfile runs to get the release sessions: ``runpy.run_path("tasks/register.py")``.

This folder is loaded as a package under a private name, whatever the folder is called and without touching
``sys.path``: plain imports fail under the ``nox`` command, and an inserted path lets a project's own ``email/`` or
``tasks.py`` win over the standard library or over us.

This is the one file that has to run on any Python and any nox. Where either is too old it registers nothing and says
so once, so that the project's own sessions go on.
"""

import importlib.util
import os
import sys

VERSION = "0.1.0"
PACKAGE = "seatrial_tasks"
PROJECT_VARIABLE = "SEATRIAL_PROJECT"  # set by the door alone (door.py), and read in the door's noxfile alone
STANDIN_VARIABLE = "SEATRIAL_STANDIN"  # set by a dry run for the sessions it starts (standins.py)
RECORD_FOLDER = "release-record"
OLDEST_PYTHON = (3, 10)
OLDEST_NOX = (2025, 10, 16)


def load():
    """Import this folder as the package ``seatrial_tasks`` (once) and return it."""
    if PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_loader(PACKAGE, None, is_package=True)
        spec.submodule_search_locations = [os.path.dirname(os.path.abspath(__file__))]
        sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    return sys.modules[PACKAGE]


def too_old():
    """Return the one sentence that says what is too old for the release sessions, or an empty string."""
    if sys.version_info < OLDEST_PYTHON:
        return "Python %d.%d or later (this is %s)" % (*OLDEST_PYTHON, sys.version.split()[0])
    nox_version = _nox_version()
    if nox_version < OLDEST_NOX:
        found = ".".join(map(str, nox_version))
        return "nox %d.%d.%d or later (this is %s): pip install --upgrade nox" % (*OLDEST_NOX, found)
    return ""


def _nox_version():
    """Return nox's version as integers; a version that cannot be read counts as new enough."""
    from importlib import metadata

    try:
        return tuple(int(part) for part in metadata.version("nox").split(".")[:3])
    except Exception:  # noqa: BLE001 (what a damaged installation raises differs between Pythons)
        return OLDEST_NOX


def main(*, door):
    """Register the release sessions with nox; `door` says that the installed package runs on another project."""
    problem = too_old()
    if problem:
        sys.stderr.write("seatrial: the release sessions are not registered: they need " + problem + "\n")
        return
    load()
    listed = importlib.import_module(PACKAGE + ".listed")
    listed.register(door=door)


# "<run_path>": a project's noxfile ran this file. "user_nox_module": it is nox's noxfile itself, which is how the
# installed `seatrial` command uses it (see door.py). Merely imported, it does nothing.
if __name__ in ("<run_path>", "user_nox_module"):
    main(door=__name__ == "user_nox_module")
