"""What PyPI's server takes, as data. How to bring it up to date: docs/how-to/update-rules.md.

Read in Warehouse (github.com/pypi/warehouse) at the commit below; each table names the file there.
"""

import functools
import itertools
import re

import stdlib_list
from packaging.utils import canonicalize_name

SOURCE_COMMIT = "6b62157124ab7865029afeeadf282bce27d601d9"
SOURCE_DATE = "2026-08-21"
# requirements/main.txt: what the server used on that day to validate metadata, classifiers and names
SERVER_PACKAGING = "26.2"
SERVER_CLASSIFIERS = "2026.6.1.19"
SERVER_STDLIB_LIST = "0.12.0"

# warehouse/forklift/metadata.py: SUPPORTED_METADATA_VERSIONS, _LENGTH_LIMITS, DYNAMIC_FIELDS
METADATA_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
SUMMARY_LENGTH = 512
URL_LABEL_LENGTH = 32

# packaging/metadata.py of SERVER_PACKAGING: the version that introduced a field
INTRODUCED = {
    field: version
    for version, fields in {
        "1.1": "supported-platform download-url classifier requires provides obsoletes",
        "1.2": "maintainer maintainer-email requires-dist provides-dist obsoletes-dist requires-python project-url"
        " requires-external",
        "2.1": "description-content-type provides-extra",
        "2.2": "dynamic",
        "2.4": "license-expression license-file",
        "2.5": "import-name import-namespace",
    }.items()
    for field in fields.split()
}
SINGLE_USE = frozenset(
    "metadata-version name version summary description description-content-type keywords home-page download-url author"
    " author-email maintainer maintainer-email license license-expression requires-python".split()
)
FIELDS = SINGLE_USE | set(INTRODUCED) | {"platform"}
NEVER_DYNAMIC = frozenset({"metadata-version", "name", "version"})
CONTENT_TYPES = frozenset({"text/plain", "text/x-rst", "text/markdown"})
MARKDOWN_VARIANTS = frozenset({"GFM", "CommonMark"})

# warehouse/constants.py, warehouse/forklift/legacy.py: MAX_FILESIZE, MAX_PROJECT_SIZE, COMPRESSION_RATIO_*
FILE_SIZE = 100 << 20
FILE_SIZE_HIGHEST = 1 << 30
PROJECT_SIZE = 10 << 30
RATIO = 50
RATIO_FLOOR = 64 << 20
RELEASE_DAYS = 14

# The file system's limit on a name, to which the server adds ".metadata"
FILENAME_LENGTH = 255 - len(".metadata")

# warehouse/forklift/legacy.py: _allowed_platforms and the patterns behind it
PLATFORMS = frozenset(
    "any win32 win_arm64 win_amd64 win_ia64 manylinux1_x86_64 manylinux1_i686 manylinux2010_x86_64 manylinux2010_i686"
    " manylinux2014_x86_64 manylinux2014_i686 manylinux2014_aarch64 manylinux2014_armv7l manylinux2014_ppc64"
    " manylinux2014_ppc64le manylinux2014_s390x linux_armv6l linux_armv7l".split()
)
_MAC = "(?:ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2)"
_LINUX = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
PLATFORM_PATTERN = re.compile(
    rf"macosx_10_\d+_{_MAC}|macosx_(?:11|12|13|14|15|26)_0_{_MAC}"
    rf"|manylinux_\d+_\d+_(?:{_LINUX}|ppc64)|musllinux_\d+_\d+_(?:{_LINUX})"
    r"|ios_\d+_\d+_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator)|android_\d+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)"
    r"|pyemscripten_\d+_\d+_wasm32.*"
)

# warehouse/utils/scanner.py and scanner_rules/*.yar
SCANNED = (".py", ".pye")
SCANNED_SIZE = 5 << 20
PYARMOR_STEM = b"__pyarmor_"  # what all of the marks have in common: one search for most files
# Put together here: written out, they would make PyPI refuse this very file, and every sdist with a copy of it.
PYARMOR = (
    b"__%s__(__name__, __file__," % b"pyarmor",
    *(b"__pyarmor_%s__" % word for word in (b"enter", b"exit", b"assert", b"bcc")),
)
SOURCEDEFENDER = tuple(b"---%s PYE FILE---" % word for word in (b"BEGIN", b"END"))

# email-validator 2.3: SPECIAL_USE_DOMAIN_NAMES, in which no mail is delivered
SPECIAL_DOMAINS = ("arpa", "invalid", "local", "localhost", "onion", "test")

# Warehouse's warehouse/attestations: pypi-attestations' predicate types
PREDICATES = ("https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1")
ATTESTATIONS = 2


@functools.cache
def stdlib_names() -> frozenset[str]:
    """Return the normalised names that no new project may have: modules of all Pythons, and what each is inside of.

    warehouse/packaging/services.py: STDLIB_PROHIBITED, made from stdlib-list. The server had the release
    SERVER_STDLIB_LIST; this is the one that is installed.
    """
    modules = itertools.chain.from_iterable(map(stdlib_list.stdlib_list, stdlib_list.short_versions))
    paths = {tuple(module.split(".")) for module in modules}
    dotted = {".".join(path[:depth]) for path in paths for depth in range(1, len(path) + 1)}
    return frozenset(canonicalize_name(name.strip("-_.")) for name in dotted)
