"""Rules on what is in the archives: what does not belong there, what is missing, secrets.

Some of the names follow check-wheel-contents' ideas.
"""

import re
from collections.abc import Iterator

from seatrial.index.tokens import find_tokens
from seatrial.rules import limits
from seatrial.rules.distribution import LICENSE_WORDS, Distribution, Release, some
from seatrial.rules.rule import TYPING, practice, rule, server, standard

COPY = frozenset({"release.py", "release.txt"})
FORMER_COPY = frozenset({"register.py", "stages.py", "record.py", "probe.py"})
PRIVATE_KEY = re.compile(  # the marks, and the beginning of a key behind them: code that reads keys has the marks too
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\\rn\s]+(?:[A-Za-z-]+: [^\r\n]*[\r\n]+)*[A-Za-z0-9+/]{16}"
)
TRACKED_LIMIT = 10 << 20  # bytes
NEWLINE = b"\n"
COMMON_NAMES = frozenset("test tests testing doc docs example examples script scripts src build dist bench".split())
LEFTOVERS = (".pyc", ".pyo", ".orig", ".rej", ".swp", ".DS_Store", "Thumbs.db")
MODULES = (".py", ".pyi", ".pyc", ".so", ".pyd", ".dll", ".pth", ".egg-link")  # what has a reason to be at the top
FUNCTIONS, MOST = 20, 0.8
SOURCEDEFENDER = server("utils/scanner_rules/sourcedefender.yar", "sourcedefender_encrypted")


@rule("file", "archive-readable", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def readable(dist: Distribution) -> Iterator[str]:
    """The file cannot be read to its end as what its name says it is.

    It was cut short, damaged, or not made by a build backend. PyPI answers "Invalid distribution file",
    "File is not a zipfile" or "File is not a tarfile", or fails. Build it again; `python -m zipfile -l` or `tar tzf`
    show what is in it.
    """
    if dist.trouble:
        cure = " It was cut short or damaged: build it again." if dist.size else ""
        yield f"it cannot be read: {dist.trouble.rstrip('.')}.{cure}"


@rule("wheel", "wheel-release-tooling", "broken", practice("our own sessions, which no user is meant to install"))
def release_tooling(dist: Distribution) -> Iterator[str]:
    """The wheel contains the project's release tooling: noxfile.py, or the copy of seatrial's sessions.

    It would be installed into the site-packages of every user, beside other projects' files of the same name. Leave it
    out: setuptools `[tool.setuptools.packages.find] include`, pdm-backend `[tool.pdm.build] excludes = ["tasks"]`,
    hatchling `[tool.hatch.build.targets.wheel] packages`.
    """
    if "noxfile.py" in dist.names:
        yield "noxfile.py would be installed into every user's site-packages: exclude it from the wheel."
    for folder in _tooling(dist.names, 0):
        yield f"the release tooling in {folder}/ would be installed by every user: exclude it from the wheel."


@rule("sdist", "sdist-release-tooling", "warning", practice("our own sessions, which nobody builds with"))
def tooling_in_sdist(dist: Distribution) -> Iterator[str]:
    """The sdist contains the copy of seatrial's sessions and their lock, which nobody who builds from it needs.

    Leave it out: setuptools `prune tasks` in MANIFEST.in, hatchling `exclude` in `[tool.hatch.build.targets.sdist]`,
    pdm-backend `[tool.pdm.build] excludes = ["tasks"]`. Where it is meant: `[tool.seatrial.ignore]`.
    """
    for folder in _tooling(dist.names, 1):
        yield f"it contains the release tooling in {folder}/, which nobody who builds from it needs: exclude it."


def _tooling(names: frozenset[str], depth: int) -> list[str]:
    """Return the folders with our sessions, `depth` folders down; what is deeper is data, as in our own wheel."""
    folders = {name.rpartition("/")[0] for name in names if name.count("/") == depth + 1} - {"seatrial"}
    copies = [(folder, {f"{folder}/{last}" for last in copy}) for folder in folders for copy in (COPY, FORMER_COPY)]
    return sorted({folder for folder, copy in copies if copy <= names})


@rule("wheel", "wheel-pth", "warning", practice("Python's `site`, which runs such files"))
def pth(dist: Distribution) -> Iterator[str]:
    """The wheel installs a `.pth` file, whose lines run at every start of Python.

    A few projects need one (import hooks, editable installs, namespace packages of old). Stolen releases used them too.
    If it is meant, say so: `[tool.seatrial.ignore] wheel-pth = "why"`.
    """
    for member in dist.members:
        parts = member.name.split("/")
        library = len(parts) == 1 or (parts[0].endswith(".data") and len(parts) == 3)  # noqa: PLR2004
        if library and parts[-1].endswith(".pth"):
            yield f"{member.name} runs at every start of Python wherever this is installed; is it meant?"


@rule("wheel", "wheel-common-name", "warning", practice("check-wheel-contents (W005), the idea of it"))
def common_name(dist: Distribution) -> Iterator[str]:
    """The wheel installs a top-level `tests`, `docs`, `examples` or the like into every user's site-packages.

    Other projects' folders of the same name are mixed up with it. Leave it out: setuptools
    `[tool.setuptools.packages.find] include = ["demo*"]`, hatchling `[tool.hatch.build.targets.wheel] packages`, poetry
    `packages`, pdm-backend `[tool.pdm.build] excludes`, maturin `[tool.maturin] exclude`, scikit-build-core
    `[tool.scikit-build] wheel.packages`, meson-python what meson.build installs (flit and uv_build pack the package
    alone); or move the tests into the package. (check-wheel-contents: W005)
    """
    tops = {name.partition("/")[0] for name in dist.names if "/" in name}
    if strange := sorted(tops & COMMON_NAMES - {dist.name}):
        yield f"it installs {some(strange)} beside other projects' folders of the same name: exclude them."


@rule("wheel", "wheel-leftovers", "warning", practice("check-wheel-contents (W001), the idea of it"))
def leftovers(dist: Distribution) -> Iterator[str]:
    """The wheel contains compiled caches or leftovers of editors and systems (`__pycache__`, `.DS_Store`, `.orig`).

    Clean the tree, or exclude them; a build from a clean checkout has none. (check-wheel-contents: W001)
    """
    if names := sorted(name for name in dist.names if name.endswith(LEFTOVERS)):
        yield f"it contains leftovers that nobody needs: {some(names)}."


@rule("wheel", "wheel-typing", "warning", TYPING)
def typing(dist: Distribution) -> Iterator[str]:
    """The classifier `Typing :: Typed` is set, but there is no `py.typed`, so type checkers ignore the types.

    Put an empty `py.typed` into the package (PEP 561), and have it packed: setuptools `package-data`, meson-python
    `py.install_sources`; the other backends pack what is in the package.
    """
    stubs = any(name.partition("/")[0].endswith("-stubs") for name in dist.names)
    if _claims_types(dist) and not stubs and not any(name.endswith("/py.typed") for name in dist.names):
        yield "the classifier says `Typing :: Typed`, but there is no py.typed, so type checkers ignore the types."


def _claims_types(dist: Distribution) -> bool:
    return dist.metadata is not None and "Typing :: Typed" in dist.metadata.all("classifier")


@rule("wheel", "wheel-annotations", "warning", TYPING)
def annotated(dist: Distribution) -> Iterator[str]:
    """Nearly all functions are annotated, and there is no `py.typed`, so the type checkers of users ignore that.

    Put an empty `py.typed` into the package (PEP 561), and have it packed: setuptools `package-data`, meson-python
    `py.install_sources`; the other backends pack what is in the package. Reported from four fifths of the functions
    on, if there are at least twenty. Where the annotations are for the project's own people:
    `[tool.seatrial.ignore] wheel-annotations = "why"`.
    """
    packages = any(name.endswith("/__init__.py") for name in dist.names)
    typed = _claims_types(dist) or any(name.endswith("/py.typed") for name in dist.names)
    if packages and not typed and dist.functions >= FUNCTIONS and dist.annotated >= MOST * dist.functions:
        yield f"{dist.annotated} of {dist.functions} functions are annotated, which nobody sees without a py.typed."


@rule("wheel", "wheel-top-level", "warning", practice("check-wheel-contents (W003, W006), the idea of it"))
def top_level(dist: Distribution) -> Iterator[str]:
    """The wheel installs a README, a licence or an `__init__.py` beside all the user's packages.

    Another project's file of the same name overwrites it, and removing one removes both. Nothing reads such a file
    there. poetry: `include = [{ path = "CHANGELOG.md", format = "sdist" }]`; setuptools: no `data_files = [("", ...)]`
    and no package called `""`; hatchling: `only-include`. Licences belong in `license-files`.
    """
    tops = (name for name in dist.names if "/" not in name)
    if strange := sorted(name for name in tops if name == "__init__.py" or not name.endswith(MODULES)):
        yield f"it would install {some(strange)} beside all the user's packages: leave it out of the wheel."


@rule("wheel", "wheel-no-license", "warning", standard("licence files", "license-expression"))
def no_license(dist: Distribution) -> Iterator[str]:
    """The metadata names a licence, and the wheel lacks its text, which most licences require.

    Set `license-files = ["LICENSE*"]` in `[project]`; most backends find the usual names by themselves.
    """
    metadata = dist.metadata
    if metadata is None or not (metadata.first("license-expression") or metadata.first("license")):
        return
    named = tuple(f"/{path}" for path in metadata.all("license-file"))  # of any metadata version: LICENSES/MIT.txt
    lasts = [name.rpartition("/")[2].upper() for name in dist.names]
    usual = any(word in last for last in lasts for word in LICENSE_WORDS)
    if not usual and not any(name.endswith(named) for name in dist.names):
        yield "the metadata names a licence, but its text is not in the wheel: set `license-files` in [project]."


@rule("member", "secret-api-token", "refused", practice("PyPI's API tokens: whoever has one can use it"))
def token_in_archive(name: str, raw: bytes) -> Iterator[str]:
    """A complete API token for PyPI or TestPyPI is in a file: whoever downloads it can publish in your name.

    Revoke the token on the index's token page at once, since it may be in git's history too, and remove it.
    """
    if b"pypi-" in raw:
        for line, token in find_tokens(raw.decode("utf-8", "replace")):
            yield _leak(f"{name}:{line}", token.location)


@rule("release", "secret-api-token", "refused", practice("PyPI's API tokens: whoever has one can use it"))
def token_in_tree(release: Release) -> Iterator[str]:
    """A complete API token for PyPI or TestPyPI is in a file that git tracks.

    Revoke the token on the index's token page at once, since it is in git's history, and remove it.
    """
    paths = {name: release.root / name for name in release.tracked} if release.root else {}
    for name, path in paths.items():
        if not path.is_symlink() and path.is_file() and path.stat().st_size <= TRACKED_LIMIT:
            for line, token in find_tokens(path.read_text(encoding="utf-8", errors="replace")):
                yield _leak(f"{name}:{line} (tracked by git)", token.location)


def _leak(place: str, location: str) -> str:
    host = location if location in {"pypi.org", "test.pypi.org"} else "pypi.org"
    page = f"https://{host}/manage/account/token/"
    return f"{place}: a complete API token for {location or 'an index'}. Revoke it now ({page}) and remove it."


@rule("member", "secret-private-key", "warning", practice("what secret scanners look for"))
def private_key(name: str, raw: bytes) -> Iterator[str]:
    """A private key is in a file. Test suites carry some on purpose; make sure that this is one of those.

    If it is meant, say so: `[tool.seatrial.ignore] secret-private-key = "why"`.
    """
    if b"PRIVATE KEY" in raw and (found := PRIVATE_KEY.search(raw)):
        yield f"{name}:{raw.count(NEWLINE, 0, found.start()) + 1}: a private key; is it meant to be published?"


@rule("member", "contents-pyarmor", "refused", server("utils/scanner_rules/pyarmor.yar", "pyarmor_encrypted"))
def pyarmor(name: str, raw: bytes) -> Iterator[str]:
    """A module is encrypted with PyArmor. PyPI answers: "PyArmor-encrypted content is not allowed".

    Its acceptable use policy forbids code that nobody can read. Publish the source, or a compiled extension (Cython,
    mypyc, nuitka), which is allowed.
    """
    if _is_scanned(name, raw) and limits.PYARMOR_STEM in raw and any(mark in raw for mark in limits.PYARMOR):
        yield f"{name} is encrypted with PyArmor, which PyPI does not allow."


@rule("member", "contents-sourcedefender", "refused", SOURCEDEFENDER)
def sourcedefender(name: str, raw: bytes) -> Iterator[str]:
    """A module is encrypted with SourceDefender. PyPI answers: "SourceDefender-encrypted content is not allowed".

    Its acceptable use policy forbids code that nobody can read. Publish the source.
    """
    if _is_scanned(name, raw) and all(mark in raw for mark in limits.SOURCEDEFENDER):
        yield f"{name} is encrypted with SourceDefender, which PyPI does not allow."


def _is_scanned(name: str, raw: bytes) -> bool:
    return name.lower().endswith(limits.SCANNED) and len(raw) <= limits.SCANNED_SIZE
