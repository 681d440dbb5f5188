"""Which wheel of a release an interpreter installs: the tags of that interpreter, in its own order of preference.

The tags are computed inside it, by `packaging`: ABIs (abi3, free-threaded), the C library (manylinux,
musllinux) and the machine (universal2, Pyodide) are known there alone.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import packaging
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from seatrial.machine import process
from seatrial.machine.errors import ReleaseError
from seatrial.machine.process import ToolFailed
from seatrial.release.filenames import tags_of, version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seatrial.release.stages import Dist
    from seatrial.trial.installer import Venv

# Asks the first copy of `packaging` that this interpreter can read: ours, of which only the one package is brought
# along, from its own folder, or that inside a wheel of pip.
ASK = """\
import importlib.util, json, pathlib, sys

def ask(place):
    if place.endswith(".whl"):
        sys.path.insert(0, place)
        from pip._vendor.packaging.tags import sys_tags
    else:
        folder = pathlib.Path(place)
        spec = importlib.util.spec_from_file_location(
            "packaging", str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
        )
        sys.modules["packaging"] = importlib.util.module_from_spec(spec)
        from packaging.tags import sys_tags
    return [str(tag) for tag in sys_tags()]

for place in sys.argv[1:]:
    try:
        print(json.dumps(ask(place)))
        break
    except (SyntaxError, ImportError, AttributeError, TypeError) as error:
        print(place, repr(error))
else:
    sys.exit(1)
"""
LIMIT = 60.0
EVERYWHERE = "py3-none-any"


class NoFittingWheel(ReleaseError):
    python: str
    tag: str
    files: tuple[str, ...]

    what = (
        "No wheel of this release fits Python {e.python} here, which accepts {e.tag} and less specific ones:"
        "{e.files:shortened}"
    )
    cause = "the wheel for this Python or platform was not built, or was not among the files that were taken."
    cure = (
        "build it (cibuildwheel: CIBW_BUILD) and take all files again with `{run[build --rebuild --from FOLDER]}`; or"
        " take {e.python} out of `pythons` in [tool.seatrial], where its users build the sdist."
    )


def taken_by(venv: Venv, env: Mapping[str, str], scratch: Path) -> tuple[str, ...]:
    """Return the tags of wheels that the interpreter of `venv` takes, the best first. Raises ToolFailed.

    Our own `packaging` may be too new for an old Python. virtualenv has a wheel of pip for each that it makes
    environments for; they are tried from the newest on.
    """
    spec = importlib.util.find_spec("virtualenv")
    folders = [Path(place) / "seed" / "wheels" / "embed" for place in (spec and spec.submodule_search_locations) or ()]
    wheels = [path for folder in folders for path in folder.glob("pip-*.whl")]
    wheels.sort(key=lambda path: version_of(path.name) or Version("0"), reverse=True)
    copies = [Path(str(packaging.__file__)).parent, *wheels]
    argv = (str(venv.python), "-I", "-c", ASK, *map(str, copies))
    outcome = process.run(argv, env=env, cwd=scratch, time_limit=LIMIT)
    try:
        return tuple(json.loads(outcome.output.splitlines()[-1]))
    except (ValueError, IndexError):
        raise ToolFailed(
            "Asking the interpreter which wheels it takes",
            outcome.code,
            outcome.output,
            "an interpreter that is damaged, or older than our `packaging` supports.",
            "set `pythons` in [tool.seatrial] to Pythons that are still supported, or repair the interpreter.",
        ) from None


def fitting(names: Iterable[str], taken: Sequence[str]) -> str | None:
    """Return the one of the wheels `names` that an interpreter with the tags `taken` prefers, None where none fits.

    Of two with equal tags the one with the higher build number is preferred, as installers do.
    """
    rank = {tag: place for place, tag in enumerate(taken)}
    able: dict[str, tuple[int, ...]] = {}
    for name in names:
        places = [rank[tag] for tag in map(str, tags_of(name)) if tag in rank]
        if places:
            build = parse_wheel_filename(name)[2]  # from the highest down, none last
            able[name] = (min(places), -build[0], *(-ord(char) for char in build[1])) if build else (min(places), 1)
    return min(able, key=able.__getitem__, default=None)


def fits_everywhere(dists: Iterable[Dist]) -> bool:
    """Whether one of `dists` is a wheel for every Python 3, so that nothing has to be asked."""
    return any(dist.kind == "wheel" and EVERYWHERE in map(str, tags_of(dist.filename)) for dist in dists)


def chosen(dists: Sequence[Dist], taken: Sequence[str], python: str) -> Dist:
    """Return the wheel of `dists` to install on `python`, which takes the tags `taken`. Raises NoFittingWheel."""
    name = fitting((dist.filename for dist in dists), taken)
    if name is None:
        raise NoFittingWheel(python, taken[0] if taken else "", tuple(dist.filename for dist in dists))
    return next(dist for dist in dists if dist.filename == name)
