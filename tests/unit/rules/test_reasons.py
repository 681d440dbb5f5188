"""The ways in which PyPI's server refuses an upload or warns of it, in the order in which it judges, each with a file.

What can be seen in the files, or asked of an index, is found by the rule that is named here. For what cannot be seen
before an upload it is said why. Read in the server at `limits.SOURCE_COMMIT`.
"""

from __future__ import annotations

import functools
import struct
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from seatrial.release.formats.zip_records import END, LOCAL
from seatrial.rules import limits
from seatrial.rules.distribution import Release
from seatrial.rules.index import judge_listing
from seatrial.rules.judge import judge_file, judge_release
from seatrial.rules.listing import Listing
from tests import hostile
from tests.archives import (
    SDIST,
    WHEEL,
    gzipped,
    metadata,
    patched,
    sdist,
    sdist_members,
    tarred,
    wheel,
    written,
    zipped,
)
from tests.unit.rules import test_sdist as sdists
from tests.unit.rules.test_attestation import PUBLISH, attest
from tests.unit.rules.test_contents import ARMOR, PYE
from tests.unit.rules.test_index import NOW, served
from tests.unit.rules.test_index import SDIST as OUR_SDIST
from tests.unit.rules.test_index import WHEEL as OUR_WHEEL
from tests.unit.rules.wheel import test_zip as zips
from tests.unit.rules.wheel.test_wheel import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.archives import Contents

    Make = Callable[[Path], Path]

INFO = "demo-1.0.dist-info"
PLAIN_TAR = tarred(sdist_members(SDIST, metadata(), {}).items())


def fields(**changes: str | list[str] | None) -> Make:
    """A wheel whose metadata has `changes`; an underscore stands for a hyphen."""
    return lambda folder: wheel(folder, {name.replace("_", "-"): value for name, value in changes.items()})


def members(files: Contents, name: str = WHEEL) -> Make:
    return lambda folder: wheel(folder, filename=name, files=files)


def named(name: str, **changes: str) -> Make:
    """A wheel or an sdist that is called `name`, with `changes` in its metadata."""
    make = wheel if name.endswith(".whl") else sdist
    return lambda folder: make(
        folder, {field.replace("_", "-"): value for field, value in changes.items()}, filename=name
    )


def raw(make: Callable[[], bytes], name: str = WHEEL) -> Make:
    return lambda folder: written(folder, name, make())


def tar(change: Callable[[str], str]) -> Make:
    """An sdist whose members' names are changed."""
    renamed = ((change(name), content) for name, content in sdist_members(SDIST, metadata(), {}).items())
    return lambda folder: written(folder, SDIST, gzipped(tarred(renamed)))


def large(size: int) -> Make:
    """A file of so many bytes, none of which take room on the disk."""

    def make(folder: Path) -> Path:
        path = wheel(folder)
        with path.open("r+b") as file:
            file.truncate(size)
        return path

    return make


def attested(*predicates: str, **changes: Any) -> Make:
    def make(folder: Path) -> Path:
        path = wheel(folder)
        for number, predicate in enumerate(predicates):
            attest(path, str(number), predicate, **changes)
        return path

    return make


def attested_by(text: str) -> Make:
    def make(folder: Path) -> Path:
        path = wheel(folder)
        attest(path).write_text(text, encoding="utf-8")
        return path

    return make


def described(text: str) -> Make:
    return lambda folder: wheel(folder, {"Description-Content-Type": "text/x-rst"}, description=text)


def scripts(text: str | bytes) -> Make:
    return members({f"{INFO}/entry_points.txt": text})


def cut(end: int) -> bytes:
    return zips.PLAIN[:end]


def packed(make: Callable[[], bytes]) -> bytes:
    return gzipped(make())


def zeros() -> bytes:
    return zipped([*zips.MEMBERS.items(), ("demo/zeros", bytes(limits.RATIO_FLOOR + 1))])


FILES: dict[int, tuple[str, tuple[tuple[str, Make], ...]]] = {
    7: ("no Name, or UNKNOWN", tuple(("metadata-name", fields(Name=name)) for name in (None, "", "UNKNOWN"))),
    8: ("Name is none", tuple(("metadata-name", fields(Name=name)) for name in ("-demo", "de mo", "größe"))),
    9: ("a kind of file that is gone", (("filename-extension", raw(lambda: b"", "demo-1.0-py3.11.egg")),)),
    14: (
        "a field of single use twice; two links with one label",
        (
            ("metadata-repeated", fields(Summary=["one", "two"])),
            ("metadata-repeated", fields(Project_URL=["A, https://a.org", "A, https://b.org"])),
        ),
    ),
    15: (
        "Metadata-Version is missing or not known",
        tuple(("metadata-version", fields(Metadata_Version=version)) for version in (None, "2.0", "2.6", "3")),
    ),
    16: (
        "a field of a later metadata version",
        (
            ("metadata-field-version", fields(Metadata_Version="2.1")),
            ("metadata-field-version", fields(Metadata_Version="2.4", Import_Name="demo")),
        ),
    ),
    17: ("Version is none", tuple(("metadata-release-version", fields(Version=text)) for text in (None, "one"))),
    18: ("a local version", (("metadata-local-version", fields(Version="1.0+local")),)),
    19: ("Summary of two lines", (("metadata-summary-line", fields(Summary="one\n two")),)),
    20: ("Summary of 513 characters", (("metadata-summary-length", fields(Summary="x" * 513)),)),
    21: ("another content type", (("description-content-type", fields(Description_Content_Type="text/html")),)),
    22: (
        "another charset",
        tuple(
            ("description-content-type", fields(Description_Content_Type=f"text/plain; charset={name}"))
            for name in ("utf-8", "latin-1")
        ),
    ),
    23: (
        "another kind of Markdown",
        (("description-content-type", fields(Description_Content_Type="text/markdown; variant=gfm")),),
    ),
    24: ("Dynamic names what cannot be", (("metadata-dynamic", fields(Dynamic="Name")),)),
    25: ("Dynamic names no field", (("metadata-dynamic", fields(Dynamic="Something")),)),
    26: ("Provides-Extra is no name", (("metadata-extra-name", fields(Provides_Extra="a b")),)),
    27: ("Requires-Python is no specifier", (("metadata-requires-python-valid", fields(Requires_Python=">=3.8.*")),)),
    28: ("Requires-Dist is no requirement", (("metadata-requirement", fields(Requires_Dist="six >= one ;")),)),
    29: (
        "a dependency from a URL",
        (("metadata-direct-reference", fields(Requires_Dist='six @ https://x.org/six.zip ; extra == "a"')),),
    ),
    30: ("Provides-Dist is no requirement", (("metadata-requirement", fields(Provides_Dist="a b")),)),
    31: (
        "Provides-Dist with a URL",
        (("metadata-direct-reference", fields(Obsoletes_Dist="a @ https://x.org/a.zip")),),
    ),
    32: ("License-Expression is none", (("metadata-license-expression", fields(License_Expression="MIT License")),)),
    33: ("License and License-Expression", (("metadata-two-licenses", fields(License="MIT")),)),
    34: (
        "License-File is no plain path",
        tuple(
            ("metadata-license-file-path", fields(License_File=path)) for path in ("../L", "L*", "/L", "C:/L", "a\\L")
        ),
    ),
    35: (
        "Import-Name is no name",
        (("metadata-import-name", fields(Metadata_Version="2.5", Import_Name="de-mo", Import_Namespace="a; public")),),
    ),
    36: (
        "an address is none",
        tuple(
            ("metadata-email", fields(Author_email=to)) for to in ("a@localhost", "a@b.test", "A <ada>", "a..b@c.org")
        ),
    ),
    37: (
        "a classifier is none",
        (
            ("metadata-classifier", fields(Classifier="Private :: Do Not Upload")),
            ("metadata-classifier", fields(Classifier="topic :: internet")),
            ("metadata-classifier-new", fields(Classifier="Framework :: Brand New")),
        ),
    ),
    38: ("a deprecated classifier", (("metadata-classifier", fields(Classifier="Natural Language :: Ukranian")),)),
    39: ("Home-page is no URL", (("metadata-url", fields(Home_page="www.example.org")),)),
    40: ("a link without a label", (("metadata-url-label", fields(Project_URL=", https://example.org")),)),
    41: ("a long label", (("metadata-url-label", fields(Project_URL=f"{'x' * 33}, https://example.org")),)),
    42: ("a label without a link", (("metadata-url-label", fields(Project_URL="Source")),)),
    43: (
        "a link is no URL",
        tuple(
            ("metadata-url", fields(Project_URL=f"S, {url}"))
            for url in ("git@x.org:a", "mailto:a@b.org", "ftp://x.org")
        ),
    ),
    57: (
        "the description does not render",
        tuple(("description-renders", described(text)) for text in (".. toctree::\n", "*demo\n", ".. a comment\n")),
    ),
    58: ("a control character in the file's name", (("filename-characters", named("demo-1.0-py3-none-any\t.whl")),)),
    59: ("a backslash in the file's name", (("filename-characters", named("de\\mo-1.0.tar.gz")),)),
    60: (
        "another extension",
        tuple(
            ("filename-extension", raw(lambda: b"", name)) for name in ("demo-1.0.tar.bz2", "demo-1.0.TAR.GZ", "demo")
        ),
    ),
    62: (
        "too large",
        (
            ("file-size-default", large(limits.FILE_SIZE + 1)),
            ("file-size", large(limits.FILE_SIZE_HIGHEST + 1)),
        ),
    ),
    70: ("zip and tar in one", (("archive-both", raw(zips.joined)),)),
    71: (
        "no zip file, or cut short",
        tuple(("archive-readable", raw(functools.partial(cut, end))) for end in (0, 99)),
    ),
    72: ("a zip bomb", (("zip-ratio", raw(zeros)),)),
    73: ("bzip2 in a zip", (("zip-compression", raw(functools.partial(zips.packed, zipfile.ZIP_BZIP2))),)),
    74: ("a zip sdist without a top folder", (("filename-extension", raw(lambda: zips.PLAIN, "demo-1.0.zip")),)),
    75: ("a zip sdist without PKG-INFO", (("filename-extension", raw(lambda: zips.PLAIN, "demo-1.0.zip")),)),
    76: ("a wheel's name with too few dashes", (("filename-wheel", named("demo-1.0.whl")),)),
    77: (
        "no NAME-VERSION.dist-info/WHEEL",
        (
            ("wheel-dist-info", members({f"{INFO}/WHEEL": None})),
            ("wheel-dist-info", raw(lambda: zips.PLAIN, "demo-1.1-py3-none-any.whl")),
        ),
    ),
    78: ("PyArmor", (("contents-pyarmor", members({"demo/a.py": f"__{ARMOR}_enter__"})),)),
    79: (
        "SourceDefender",
        (("contents-sourcedefender", members({"demo/a.py": f"---BEGIN {PYE}---\n---END {PYE}---"})),),
    ),
    80: ("a control character in a member's name", (("zip-characters", members({"demo/Icon\r": ""})),)),
    81: (
        "an extra field is damaged or twice",
        (
            ("zip-extra", raw(lambda: zips.with_local_extra(struct.pack("<HH", 1, 1) + b"x"))),
            ("zip-extra", raw(lambda: zips.with_local_extra(zips.ZIP64_EMPTY * 2))),
        ),
    ),
    82: ("a data descriptor", (("zip-data-descriptor", raw(zips.streamed)),)),
    83: ("local sizes differ", (("zip-sizes", raw(lambda: patched(zips.PLAIN, LOCAL, 22, b"\1\0\0\0"))),)),
    84: (
        "a member that the central directory lacks; a name that is not UTF-8",
        (
            ("zip-directory", raw(lambda: zips.renamed(b"demo/ab", b"demo/xy", 0))),
            ("zip-name-encoding", raw(lambda: zips.renamed(b"demo/ab", b"demo/\xe4b", 0))),
        ),
    ),
    85: ("a comment on a member", (("zip-member-comment", raw(zips.commented)),)),
    86: ("a name twice", (("zip-duplicate", raw(zips.twice)),)),
    87: ("an entry without a local header", (("zip-directory", raw(lambda: zips.renamed(b"demo/ab", b"demo/xy", 1))),)),
    88: ("counts that do not fit", (("zip-counts", raw(lambda: patched(zips.PLAIN, END, 8, b"\x09\0\x09"))),)),
    89: ("ZIP64 with extensible data", (("zip-zip64", raw(lambda: zips.zip64(48))),)),
    90: ("something before the first record", (("zip-between", raw(lambda: b"#!/bin/sh\n" + zips.PLAIN)),)),
    91: ("something behind the end", (("zip-trailing", raw(lambda: zips.PLAIN + b"more")),)),
    92: (
        "a member that cannot be unpacked",
        (("zip-damaged-member", raw(zips.damaged)), ("zip-encrypted", raw(hostile.encrypted))),
    ),
    93: ("no tar file", (("archive-readable", raw(lambda: gzipped(b"no tar file"), SDIST)),)),
    94: (
        "a sparse member",
        tuple(
            ("tar-sparse", raw(functools.partial(packed, make), SDIST))
            for make in (sdists.sparse_gnu, sdists.sparse_pax)
        ),
    ),
    95: (
        "no common top folder",
        (
            ("sdist-top-folder", tar(lambda name: name.partition("/")[2])),
            ("sdist-top-folder", tar(lambda name: f"/{name}" if "README" in name else name)),
            ("sdist-top-folder", tar(lambda name: "._demo-1.0" if "README" in name else name)),
        ),
    ),
    96: (
        "no TOP/PKG-INFO",
        (
            ("sdist-pkg-info", tar(lambda name: f"./{name}")),
            ("sdist-pkg-info", tar(lambda name: name.replace("PKG-INFO", "x"))),
        ),
    ),
    97: (
        "not gzip, or cut short",
        (
            ("archive-readable", raw(lambda: PLAIN_TAR, SDIST)),
            ("archive-readable", raw(lambda: gzipped(PLAIN_TAR)[:-9], SDIST)),
        ),
    ),
    98: ("an sdist's name without a version", (("filename-sdist", named("demo.tar.gz")),)),
    99: ("an sdist's name of another project", (("filename-sdist", named("other-1.0.tar.gz")),)),
    100: (
        "an sdist's name that is not normalised",
        (
            ("filename-sdist", named("Demo-1.0.tar.gz", Name="Demo")),
            ("filename-sdist", named("de-mo-1.0.tar.gz", Name="de-mo")),
            ("filename-sdist", named("demo-1.0.RC1.tar.gz", Version="1.0rc1")),
            ("filename-sdist", named("demo-1.0.tar.gz", Version="1.0.0")),
        ),
    ),
    101: (
        "a licence file that the sdist lacks",
        (("sdist-license-file", lambda folder: sdist(folder, {"License-File": "COPYING"})),),
    ),
    102: (
        "a wheel's name is none",
        tuple(
            ("filename-wheel", named(name))
            for name in (
                "demo-1.0-py3-none-any-x-y.whl",
                "demo-one-py3-none-any.whl",
                "demo-1.0-x1-py3-none-any.whl",
                "de__mo-1.0-py3-none-any.whl",
            )
        ),
    ),
    103: (
        "a platform that is not served",
        tuple(
            ("filename-platform", named(f"demo-1.0-py3-none-{tag}.whl"))
            for tag in (
                "linux_x86_64",
                "macosx_11_1_arm64",
                "macosx_16_0_arm64",
                "any.linux_x86_64",
                "musllinux_1_2_ppc64",
            )
        ),
    ),
    104: ("a wheel's name of another project", (("filename-project", named("other-1.0-py3-none-any.whl")),)),
    105: (
        "a wheel's name that is not normalised",
        (("filename-project", named("Demo-1.0-py3-none-any.whl", Name="Demo")),),
    ),
    106: ("a wheel's name of another version", (("filename-version", named(WHEEL, Version="1.1")),)),
    107: (
        "a licence file that the wheel lacks",
        (("wheel-license-file", members({f"{INFO}/licenses/LICENSE": None})),),
    ),
    108: (
        "no RECORD, or none that can be read",
        tuple(("wheel-record", members({f"{INFO}/RECORD": text})) for text in (None, b"\xff", RECORD + "\n")),
    ),
    109: (
        "RECORD does not list the files",
        tuple(
            ("wheel-record-mismatch", members({f"{INFO}/RECORD": text})) for text in (RECORD + "gone.py,,\n", "a,,\n")
        ),
    ),
    110: (
        "entry points that cannot be read",
        tuple(
            ("wheel-entry-points", scripts(text))
            for text in (b"\xff", "[console_scripts]\na b = c:d\n", "[x]\na=b\na=c\n")
        ),
    ),
    111: ("no METADATA", (("wheel-metadata", members({f"{INFO}/METADATA": None})),)),
    112: ("a long name", (("filename-length", named(f"{'x' * 228}-1.0-py3-none-any.whl")),)),
    115: ("no attestation", (("attestation-shape", attested_by("{}")),)),
    116: ("an empty list of attestations", (("attestation-shape", attested_by("[]")),)),
    117: ("three attestations", (("attestation-predicate", attested(*limits.PREDICATES, PUBLISH)),)),
    118: ("an attestation of another file", (("attestation-subject", attested(PUBLISH, subject=[{"name": "x"}])),)),
    119: ("another predicate", (("attestation-predicate", attested("https://example.org/v1")),)),
    120: ("two of one predicate", (("attestation-predicate", attested(PUBLISH, PUBLISH)),)),
    122: (
        "what twine does not send",
        (("metadata-unknown-field", fields(Colour="blue")),),
    ),
}

NEW = ()
HUGE = replace(OUR_WHEEL, size=11 << 30)
LISTED: dict[int, tuple[str, str, tuple[Any, ...], dict[str, Any]]] = {
    50: ("a new project named as a module", "index-name-stdlib", NEW, {"project": "xml-etree"}),
    53: ("a new project named nearly as another", "index-name-similar", NEW, {"similar": ("dem0",)}),
    63: ("more than 10 GiB in all", "index-project-size", (served(),), {"dists": (HUGE,)}),
    66: ("the name with other bytes", "index-other-bytes", (served(OUR_WHEEL.filename),), {}),
    68: ("a release older than 14 days", "index-old-release", (served("demo-1.0.zip", days=15),), {}),
    69: ("a second sdist", "index-other-files", (served("demo-1.0.0.tar.gz"),), {}),
}

UNSEEN = {
    **dict.fromkeys((1, 2, 49), "a switch of PyPI's administrators, of which the upload tells in PyPI's own words"),
    3: "the credential is looked at before an upload, as far as it can be read (tokens), and not by a rule on files",
    **dict.fromkeys((4, 5, 6, 10, 11, 12, 13, 44, 61, 64), "the form is twine's, which writes it right"),
    **dict.fromkeys((45, 46, 47, 54, 55), "what an account or a trusted publisher may is known to PyPI alone"),
    48: "how many projects were made from here today is known to PyPI alone",
    51: "somebody else made the project in the same moment",
    52: "the list of prohibited names is not public; index-new-name says so",
    56: "a warning by mail where a token is used beside a trusted publisher, which PyPI alone knows of",
    65: "the same name and bytes: nothing is wrong, and the upload goes on where it stopped",
    67: "the names of deleted files are not public; index-other-bytes says that no name can be used twice",
    **dict.fromkeys(
        (113, 114), "who uploads decides, and attestations are made only where that is a trusted publisher"
    ),
    121: "the server fails",
}


SEEN = [(number, code, make) for number, (_, cases) in FILES.items() for code, make in cases]


def test_each_reason_has_a_rule_or_is_told_why_not() -> None:
    assert {*FILES, *LISTED, *UNSEEN} == set(range(1, 123))
    assert not {*FILES, *LISTED} & set(UNSEEN)


@pytest.mark.parametrize(("number", "code", "make"), SEEN, ids=[f"{number}-{code}" for number, code, _ in SEEN])
def test_a_file_that_pypi_refuses_is_found(tmp_path: Path, number: int, code: str, make: Make) -> None:
    assert number in FILES
    assert code in {problem.rule for problem in judge_file(make(tmp_path / "dist"), code)}


def test_a_second_sdist_among_the_files_is_found(tmp_path: Path) -> None:
    paths = (sdist(tmp_path), sdist(tmp_path, filename="demo-1.0.0.tar.gz"))
    assert "release-one-sdist" in {problem.rule for problem in judge_release(paths, Release())[1]}


@pytest.mark.parametrize("number", LISTED)
def test_a_release_that_pypi_refuses_is_found(number: int) -> None:
    _, code, files, changes = LISTED[number]
    facts: dict[str, Any] = {
        "name": "PyPI",
        "takes_names": True,
        "project": "demo",
        "version": Version("1.0"),
        "now": NOW,
    }
    facts |= {"dists": (OUR_WHEEL, OUR_SDIST), "served": files, "exists": bool(files)}
    listing = Listing(**{**facts, **changes})
    assert code in {problem.rule for problem in judge_listing(listing)}
