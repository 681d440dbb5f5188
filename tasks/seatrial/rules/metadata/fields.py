"""Rules on the values of core metadata, as PyPI's server validates them."""

import email.utils
import functools
import importlib.metadata
import keyword
import pathlib
import re
from collections.abc import Iterator

import trove_classifiers
from packaging import licenses
from packaging.specifiers import SpecifierSet

from seatrial.release.archives import Metadata
from seatrial.release.filenames import parsed_requirement
from seatrial.rules import limits
from seatrial.rules.distribution import some
from seatrial.rules.metadata.identity import NAME
from seatrial.rules.rule import library, rule, server

VALIDATED = server("forklift/metadata.py", "_validate_metadata", "everywhere")
URLS = 2_000  # links that are looked at
PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(/[A-Za-z0-9._~/+@=-]*)?")
GROWING_FAMILIES = ("Environment", "Framework", "Operating System", "Programming Language", "Topic")  # of classifiers


@rule("metadata", "metadata-summary-line", "refused", library("_process_summary"))
def summary_line(metadata: Metadata) -> Iterator[str]:
    """Summary has more than one line. PyPI answers: "'summary' must be a single line".

    Write `description` in `[project]` on one line (setup.cfg: without an indented second line).
    """
    if set("\r\n") & set(metadata.first("summary") or ""):
        yield "Summary has to be a single line: shorten `description` in [project] to one."


@rule("metadata", "metadata-summary-length", "refused", server("forklift/metadata.py", "_LENGTH_LIMITS"))
def summary_length(metadata: Metadata) -> Iterator[str]:
    """Summary is longer than 512 characters. PyPI answers: "'summary' field must be 512 characters or less".

    `description` in `[project]` is the one line under the name; the long text goes into `readme`.
    """
    if (count := len(metadata.first("summary") or "")) > limits.SUMMARY_LENGTH:
        yield f"Summary has {count} characters, and PyPI takes {limits.SUMMARY_LENGTH}: put the rest into the README."


@rule("metadata", "metadata-dynamic", "refused", library("_process_dynamic"))
def dynamic(metadata: Metadata) -> Iterator[str]:
    """Dynamic names a field that cannot be dynamic (Name, Version, Metadata-Version), or does not exist.

    PyPI answers: "'name' is not allowed as a dynamic field". Backends write it from `dynamic` in `[project]`.
    """
    named = [value.strip().lower() for value in metadata.all("dynamic")]
    if wrong := [field for field in named if field in limits.NEVER_DYNAMIC or field not in limits.FIELDS]:
        yield f"Dynamic may not name {some(wrong)}."


@rule("metadata", "metadata-extra-name", "refused", library("_process_provides_extra"))
def extra_name(metadata: Metadata) -> Iterator[str]:
    """The name of an extra is invalid. PyPI answers: "'X' is invalid for 'provides-extra'".

    Names of extras are made like those of projects: ASCII letters, digits, `.`, `_`, `-`.
    """
    if wrong := [repr(name) for name in metadata.all("provides-extra") if not NAME.fullmatch(name)]:
        yield f"invalid extra names: {some(wrong)}."


@rule("metadata", "metadata-requires-python-valid", "refused", library("_process_requires_python"))
def requires_python(metadata: Metadata) -> Iterator[str]:
    """Requires-Python is not a valid version specifier. PyPI answers: "'X' is invalid for 'requires-python'".

    Write it as in `>=3.10`; `>=3.10.*` and `^3.10` are invalid.
    """
    given = metadata.first("requires-python")
    try:
        SpecifierSet(given or "")
    except ValueError:  # InvalidSpecifier, or a number of more digits than Python converts
        yield f"{some([repr(given)])} is not a valid version specifier: write `requires-python` as in `>=3.10`."


@rule("metadata", "metadata-requirement", "refused", library("_process_requires_dist"))
def requirement(metadata: Metadata) -> Iterator[str]:
    """A dependency is not a valid requirement (PEP 508). PyPI answers: "'X' is invalid for 'requires-dist'".

    Write it as in `name[extra] >=1.0 ; python_version < "3.11"`.
    """
    for field in ("requires-dist", "provides-dist", "obsoletes-dist"):
        if wrong := [repr(line) for line in metadata.all(field) if parsed_requirement(line) is None]:
            yield f"{field}: {some(wrong)} is not a valid requirement (PEP 508)."


@rule("metadata", "metadata-direct-reference", "refused", server("forklift/metadata.py", "_validate_metadata"))
def direct_reference(metadata: Metadata) -> Iterator[str]:
    """A dependency is to be taken from a URL (`name @ https://...`), also under an extra.

    PyPI answers: "Can't have direct dependency". Publish the fork under a name of its own, or vendor it; for developers
    alone, put it into a dependency group (`[dependency-groups]`), which is not published.
    """
    for field in ("requires-dist", "provides-dist", "obsoletes-dist"):
        if lines := [line for line in metadata.all(field) if (found := parsed_requirement(line)) and found.url]:
            yield f"PyPI refuses dependencies from a URL: {some(lines)}."


@rule("metadata", "metadata-license-expression", "refused", library("_process_license_expression"))
def license_expression(metadata: Metadata) -> Iterator[str]:
    """License-Expression is not a valid SPDX expression. PyPI answers: "'X' is invalid for 'license-expression'".

    Write the identifiers of spdx.org/licenses, as in `MIT OR Apache-2.0`, or `LicenseRef-Proprietary`.
    """
    if given := metadata.first("license-expression"):
        try:
            licenses.canonicalize_license_expression(given)
        except ValueError as error:
            yield f"{some([repr(given)])} is not a valid SPDX licence expression: {some([str(error)])}."


@rule("metadata", "metadata-two-licenses", "refused", VALIDATED)
def two_licenses(metadata: Metadata) -> Iterator[str]:
    """License and License-Expression are both set.

    PyPI answers: "License is deprecated when License-Expression is present". Keep `license = "MIT"` (the expression)
    and remove what sets the old field (setuptools: `license` in setup.cfg or setup.py).
    """
    if metadata.first("license") and metadata.first("license-expression"):
        yield "License and License-Expression are both set: keep only the expression."


@rule("metadata", "metadata-license-file-path", "refused", library("_process_license_files"))
def license_file_path(metadata: Metadata) -> Iterator[str]:
    r"""The path of a licence file is not allowed: it has `..`, `*` or `\`, or is absolute.

    PyPI answers: "'X' is invalid for 'license-file'". Paths in `license-files` are relative to the project and stay in
    it; a licence above the project has to be copied.
    """
    wrong = []
    for path in metadata.all("license-file") if metadata.has_license_files else ():
        windows = pathlib.PureWindowsPath(path)
        absolute = pathlib.PurePosixPath(path).is_absolute() or windows.is_absolute()
        if absolute or ".." in path or "*" in path or windows.as_posix() != path:
            wrong.append(repr(path))
    if wrong:
        yield f"License-File has to be a plain relative path with `/`, not {some(wrong)}."


@rule("metadata", "metadata-import-name", "refused", library("_process_import_names"))
def import_name(metadata: Metadata) -> Iterator[str]:
    """Import-Name or Import-Namespace (PEP 794) is not a name that can be imported.

    PyPI answers: "'X' is invalid for 'import-name'". Write dotted identifiers, optionally followed by `; private`.
    """
    for field in ("import-name", "import-namespace"):
        wrong = []
        for value in filter(None, metadata.all(field)):
            name, semicolon, private = value.partition(";")
            named = all(part.isidentifier() and not keyword.iskeyword(part) for part in name.rstrip().split("."))
            if not named or (semicolon and private.strip() != "private"):
                wrong.append(repr(value))
        if wrong:
            yield f"{field}: {some(wrong)} cannot be imported."


@rule("metadata", "metadata-email", "refused", server("forklift/metadata.py", "_validate_metadata"))
def email_address(metadata: Metadata) -> Iterator[str]:
    """An author's or maintainer's e-mail address is invalid. PyPI answers: "'X' is not a valid email address".

    Also refused are hosts without a dot, and those where no mail is delivered (`.local`, `.test`, `.invalid`,
    `localhost`). Leave `email` out of `authors` in `[project]` if there is none to give.
    """
    for field in ("author-email", "maintainer-email"):
        given = metadata.first(field) or ""
        if "," not in given and '"' not in given:  # PyPI looks at a single plain address alone
            _, address = email.utils.parseaddr(given)
            if address and (reason := _wrong_address(address)):
                where = "authors" if field == "author-email" else "maintainers"
                yield f"{address!r} is not an e-mail address that PyPI accepts: {reason}; see `{where}` in [project]."


def _wrong_address(address: str) -> str:
    """Return what PyPI refuses in `address`; nothing where this is not sure."""
    local, at, domain = address.rpartition("@")
    if not at:
        return "there is no @ in it"
    if "." not in domain and not domain.startswith("["):
        return "its host has no dot"
    if domain.lower().rpartition(".")[2] in limits.SPECIAL_DOMAINS:
        return "no mail is delivered to such a host"
    dots = any(".." in part or part.startswith(".") or part.endswith(".") for part in (local, domain))
    return "a dot is in the wrong place" if dots or not local else ""


@rule("metadata", "metadata-classifier", "refused", server("forklift/metadata.py", "_validate_metadata"))
def classifier(metadata: Metadata) -> Iterator[str]:
    """A classifier is unknown to PyPI, or deprecated. It answers: "'X' is not a valid classifier".

    They are compared letter by letter with pypi.org/classifiers. `Private :: Do Not Upload` is refused on purpose: that
    is what it is for.
    """
    for name in metadata.all("classifier"):
        if name in trove_classifiers.deprecated_classifiers:
            instead = some(trove_classifiers.deprecated_classifiers[name])
            yield f"the classifier {name!r} is deprecated: {'use ' + instead if instead else 'remove it'}."
        elif name not in trove_classifiers.classifiers and not _may_be_new(name):
            is_private = name.startswith("Private ::")
            why = "which keeps a project off PyPI on purpose" if is_private else "pypi.org/classifiers"
            yield f"{some([repr(name)])} is not a classifier that PyPI knows ({why})."


@rule("metadata", "metadata-classifier-new", "warning", server("forklift/metadata.py", "_validate_metadata"))
def classifier_new(metadata: Metadata) -> Iterator[str]:
    """A classifier is not in the list that these rules came with, but may have been added since.

    PyPI refuses those that it does not know: look it up at pypi.org/classifiers. `check` asks the index for the newest
    list (trove-classifiers); where the one here is as new, it is an error (index-classifier).
    """
    version = importlib.metadata.version("trove-classifiers")  # it begins with the day
    day = "-".join(part.zfill(2) for part in version.split(".")[:3])
    for name in unknown_classifiers(metadata):
        listed = f"is not in the list of classifiers here, which is from {day}"
        yield f"{some([repr(name)])} {listed}; PyPI refuses what is not at pypi.org/classifiers."


def unknown_classifiers(metadata: Metadata) -> tuple[str, ...]:
    """Return the classifiers that are not in the list here, and may have been added since."""
    known = trove_classifiers.classifiers | trove_classifiers.deprecated_classifiers.keys()
    return tuple(name for name in metadata.all("classifier") if name not in known and _may_be_new(name))


def _may_be_new(name: str) -> bool:
    """Whether the unknown classifier `name` may be one that came later: of a family that grows, and no misspelling."""
    return name.partition(" :: ")[0] in GROWING_FAMILIES and _squeezed(name) not in _known_squeezed()


@functools.cache
def _known_squeezed() -> frozenset[str]:
    return frozenset(map(_squeezed, trove_classifiers.classifiers))


def _squeezed(name: str) -> str:
    return "".join(name.split()).lower()


@rule("metadata", "metadata-url", "refused", server("utils/http.py", "is_valid_uri"))
def url(metadata: Metadata) -> Iterator[str]:
    """A link is not an HTTP or HTTPS URL. PyPI answers: "'X' is not a valid url".

    `git@host:path`, `mailto:`, `ftp:` and addresses without `https://` are refused.
    """
    for field in ("home-page", "download-url"):
        if (given := metadata.first(field)) and not is_url(given):
            yield f"{field}: {given!r} is not an HTTP or HTTPS URL."
    for value in metadata.all("project-url")[:URLS]:
        label, comma, given = (part.strip() for part in value.partition(","))
        if label and comma and given and not is_url(given):
            yield f"project-url {label}: {given!r} is not an HTTP or HTTPS URL."


@rule("metadata", "metadata-url-label", "refused", server("forklift/metadata.py", "_validate_metadata"))
def url_label(metadata: Metadata) -> Iterator[str]:
    """A Project-URL has no label, one of more than 32 characters, or no URL.

    PyPI answers: "Must have a label", "'X' must be 32 characters or less", or "Must have a URL". Each line of
    `[project.urls]` is LABEL = "https://...".
    """
    for value in metadata.all("project-url"):
        label, _, given = (part.strip() for part in value.partition(","))
        if not label:
            yield f"a Project-URL has no label: {value!r}."
        elif len(label) > limits.URL_LABEL_LENGTH:
            yield f"the label {label!r} is longer than the {limits.URL_LABEL_LENGTH} characters that PyPI takes."
        elif not given:
            yield f"the Project-URL {label!r} has no URL."


def is_url(text: str) -> bool:
    """Whether PyPI takes `text` for a URL, by the library rfc3986. The host may be missing, the scheme may not."""
    if PLAIN_URL.fullmatch(text):
        return True
    import rfc3986  # noqa: PLC0415 (it compiles for a tenth of a second what a plain URL does not need)
    from rfc3986.exceptions import RFC3986Exception  # noqa: PLC0415
    from rfc3986.validators import Validator  # noqa: PLC0415

    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(rfc3986.uri_reference(text).normalize())
    except (RFC3986Exception, ValueError):
        return False
    return True
