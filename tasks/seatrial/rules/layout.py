"""Rules on what a maintainer would regret in a file that PyPI takes. The names follow check-wheel-contents' ideas."""

from __future__ import annotations

import email.parser
from typing import TYPE_CHECKING

from packaging.tags import parse_tag

from seatrial.rules.distribution import some
from seatrial.rules.rule import sdist_rule, wheel_rule
from seatrial.rules.sources import TYPING, practice, standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.distribution import Look

COMMON_NAMES = frozenset("test tests testing doc docs example examples script scripts src build dist bench".split())
LEFTOVERS = (".pyc", ".pyo", ".orig", ".rej", ".swp", ".DS_Store", "Thumbs.db")
MODULES = (".py", ".pyi", ".pyc", ".so", ".pyd", ".dll", ".pth", ".egg-link")  # what has a reason to be at the top
FUNCTIONS, MOST = 20, 0.8
LICENSE_WORDS = ("LICEN", "COPYING", "NOTICE", "COPYRIGHT", "AUTHORS", "UNLICENSE")


@wheel_rule("wheel-common-name", "warning", practice("check-wheel-contents (W005), the idea of it"))
def common_name(look: Look) -> Iterator[str]:
    """The wheel installs a top-level `tests`, `docs`, `examples` or the like into every user's site-packages.

    Other projects' folders of the same name are mixed up with it. Leave it out: setuptools
    `[tool.setuptools.packages.find] include = ["demo*"]`, hatchling `[tool.hatch.build.targets.wheel] packages`, poetry
    `packages`, pdm-backend `[tool.pdm.build] excludes`, maturin `[tool.maturin] exclude`, scikit-build-core
    `[tool.scikit-build] wheel.packages`, meson-python what meson.build installs (flit and uv_build pack the package
    alone); or move the tests into the package. (check-wheel-contents: W005)
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

    Put an empty `py.typed` into the package (PEP 561), and have it packed: setuptools `package-data`, meson-python
    `py.install_sources`; the other backends pack what lies in the package.
    """
    if look.metadata is None or "Typing :: Typed" not in look.metadata.all("classifier"):
        return
    stubs = any(name.partition("/")[0].endswith("-stubs") for name in look.names)
    if not stubs and not any(name.endswith("/py.typed") for name in look.names):
        yield "the classifier says `Typing :: Typed`, and there is no py.typed, so type checkers ignore the types."


@wheel_rule("wheel-annotations", "warning", TYPING)
def annotated(look: Look) -> Iterator[str]:
    """Nearly all functions are annotated, and there is no `py.typed`, so the type checkers of users ignore that.

    Put an empty `py.typed` into the package (PEP 561), and have it packed: setuptools `package-data`, meson-python
    `py.install_sources`; the other backends pack what lies in the package. Told from four fifths of the functions on,
    if there are at least twenty. Where the annotations are for the project's own people:
    `[tool.seatrial.ignore] wheel-annotations = "why"`.
    """
    packages = any(name.endswith("/__init__.py") for name in look.names)
    if packages and look.functions >= FUNCTIONS and look.annotated >= MOST * look.functions and not _says_typed(look):
        yield f"{look.annotated} of {look.functions} functions are annotated, which nobody sees without a py.typed."


def _says_typed(look: Look) -> bool:
    """Whether there is a `py.typed`, or the classifier, on which there is a rule of its own."""
    claimed = look.metadata is not None and "Typing :: Typed" in look.metadata.all("classifier")
    return claimed or any(name.endswith("/py.typed") for name in look.names)


@wheel_rule("wheel-top-level", "warning", practice("check-wheel-contents (W003, W006), the idea of it"))
def top_level(look: Look) -> Iterator[str]:
    """The wheel installs a README, a licence or an `__init__.py` beside all packages of the user.

    Another project's file of the same name overwrites it, and removing one removes both. Nothing reads such a file
    there. poetry: `include = [{ path = "CHANGELOG.md", format = "sdist" }]`; setuptools: no `data_files = [("", ...)]`
    and no package called `""`; hatchling: `only-include`. Licences belong into `license-files`.
    """
    tops = (name for name in look.names if "/" not in name)
    if strange := sorted(name for name in tops if name == "__init__.py" or not name.endswith(MODULES)):
        yield f"it would install {some(strange)} beside all packages of the user: leave it out of the wheel."


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
