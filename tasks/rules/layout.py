"""Rules on what a maintainer would regret in a file that PyPI takes. The names follow check-wheel-contents' ideas."""

from __future__ import annotations

import email.parser
from typing import TYPE_CHECKING

from packaging.tags import parse_tag

from .look import some
from .registry import sdist_rule, wheel_rule
from .sources import TYPING, practice, standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .look import Look

COMMON_NAMES = frozenset("test tests testing doc docs example examples script scripts src build dist bench".split())
LEFTOVERS = (".pyc", ".pyo", ".orig", ".rej", ".swp", ".DS_Store", "Thumbs.db")
LICENSE_WORDS = ("LICEN", "COPYING", "NOTICE", "COPYRIGHT", "AUTHORS", "UNLICENSE")


@wheel_rule("wheel-common-name", "warning", practice("check-wheel-contents (W005), the idea of it"))
def common_name(look: Look) -> Iterator[str]:
    """The wheel installs a top-level `tests`, `docs`, `examples` or the like into every user's site-packages.

    Other projects' folders of the same name are mixed up with it. Leave it out: setuptools
    `[tool.setuptools.packages.find] include = ["demo*"]`, hatchling `[tool.hatch.build.targets.wheel] packages`, poetry
    `packages`, pdm `excludes`; or move the tests into the package. (check-wheel-contents: W005)
    """
    tops = {name.partition("/")[0] for name in look.names if "/" in name}
    if strange := sorted(tops & COMMON_NAMES - {look.name}):
        yield f"it installs {some(strange)} beside other projects' folders of the same name: exclude them."


@wheel_rule("wheel-leftovers", "warning", practice("check-wheel-contents (W001), the idea of it"))
def leftovers(look: Look) -> Iterator[str]:
    """The wheel holds compiled caches or leftovers of editors and systems (`__pycache__`, `.DS_Store`, `.orig`).

    Clean the tree, or exclude them; a build from a clean checkout has none. (check-wheel-contents: W001)
    """
    if names := sorted(name for name in look.names if name.endswith(LEFTOVERS)):
        yield f"it holds leftovers that nobody needs: {some(names)}."


@wheel_rule("wheel-typing", "warning", TYPING)
def typing(look: Look) -> Iterator[str]:
    """The classifier `Typing :: Typed` is set, and there is no `py.typed`, so type checkers ignore the types.

    Put an empty `py.typed` into the package (PEP 561), and have it packed: setuptools `package-data`.
    """
    if look.metadata is None or "Typing :: Typed" not in look.metadata.all("classifier"):
        return
    stubs = any(name.partition("/")[0].endswith("-stubs") for name in look.names)
    if not stubs and not any(name.endswith("/py.typed") for name in look.names):
        yield "the classifier says `Typing :: Typed`, and there is no py.typed, so type checkers ignore the types."


@wheel_rule("wheel-no-license", "warning", standard("licence files", "license-expression"))
def no_license(look: Look) -> Iterator[str]:
    """The metadata names a licence, and the wheel holds no text of it, which most licences ask for.

    Set `license-files = ["LICENSE*"]` in `[project]`; most backends find the usual names by themselves.
    """
    metadata = look.metadata
    if metadata is None or not (metadata.first("license-expression") or metadata.first("license")):
        return
    if not any(word in name.rpartition("/")[2].upper() for name in look.names for word in LICENSE_WORDS):
        yield "the metadata names a licence, and its text is not in the wheel: set `license-files` in [project]."


@wheel_rule("wheel-tags", "warning", standard("binary distribution format", "binary-distribution-format"))
def tags(look: Look) -> Iterator[str]:
    """The tags in the file's name are not those in WHEEL, so the file was renamed after it was built.

    `wheel tags` changes both at once.
    """
    raw = look.kept.get(f"{look.info}/WHEEL")
    if raw is None or not look.tags:
        return
    lines = email.parser.BytesParser().parsebytes(raw).get_all("tag", [])
    try:
        inside = {tag for line in lines for tag in parse_tag(str(line).strip())}
    except ValueError:
        return
    if inside and inside != look.tags:
        odd = sorted(map(str, inside ^ look.tags))
        yield f"its name and its WHEEL file tell different tags ({some(odd)}); `wheel tags` changes both."


@sdist_rule("sdist-no-build-system", "warning", standard("source distribution format", "source-distribution-format"))
def no_build_system(look: Look) -> Iterator[str]:
    """The sdist has neither pyproject.toml nor setup.py, so no installer can build it.

    MANIFEST.in or an `exclude` leaves it out.
    """
    top = look.tar.top if look.tar else None
    if top is not None and not look.names & {f"{top}/pyproject.toml", f"{top}/setup.py"}:
        yield "it has neither pyproject.toml nor setup.py, so nobody can build it."
