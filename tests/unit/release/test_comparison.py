"""Verdicts on pairs of archives, which differ in one thing each."""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from seatrial.release.comparison import CODE, Comparison, compare, generator
from tests.archives import digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

METADATA = """\
Metadata-Version: 2.3
Name: demo.pkg
Version: 1.0
Requires-Dist: a>=1,<2; extra == 'X_y'
Requires-Dist: b
Requires-Python: >=3.9, <4
Provides-Extra: X_y
Keywords: a, b

The description.
"""
WHEEL = "Wheel-Version: 1.0\nGenerator: builder 1.1\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
FILES: Mapping[str, str | bytes] = {
    "demo/mod.py": "import os\nx = 1\n",
    "demo/data.bin": b"\0\1\2",
    "demo_pkg-1.0.dist-info/METADATA": METADATA,
    "demo_pkg-1.0.dist-info/WHEEL": WHEEL,
}
INFO = "demo_pkg-1.0.dist-info"


def wheel(folder: Path, files: Mapping[str, str | bytes | None], *, moment: int = 1980, record: bool = True) -> Path:
    """Write a wheel of FILES, of which `files` take the place, with a RECORD of them."""
    folder.mkdir()
    path = folder / "demo_pkg-1.0-py3-none-any.whl"
    contents = {name: content for name, content in {**FILES, **files}.items() if content is not None}
    raw = {name: content.encode() if isinstance(content, str) else content for name, content in contents.items()}
    rows = [f"{name},sha256={digest(content)},{len(content)}" for name, content in raw.items()]
    if record:
        raw[f"{INFO}/RECORD"] = "\n".join([*rows, f"{INFO}/RECORD,,"]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in raw.items():
            archive.writestr(zipfile.ZipInfo(name, (moment, 1, 1, 0, 0, 0)), content)
    return path


def compared(tmp_path: Path, files: Mapping[str, str | bytes | None], moment: int = 1980) -> Comparison:
    """Compare FILES, built here, with `files`, which are served."""
    return compare(wheel(tmp_path / "ours", {}), wheel(tmp_path / "theirs", files, moment=moment))


def test_the_same_bytes_are_identical(tmp_path: Path) -> None:
    assert compared(tmp_path, {}) == Comparison("demo_pkg-1.0-py3-none-any.whl", "identical")


EQUIVALENT: list[Mapping[str, str]] = [
    {"WHEEL": WHEEL.replace("builder 1.1", "builder 1.2")},
    {"METADATA": METADATA.replace("2.3", "2.4")},
    {"METADATA": METADATA.replace("2.3", "2.4\nDynamic: license-file")},
    {"METADATA": METADATA.replace("a>=1,<2; extra == 'X_y'", 'a<2,>=1 ; extra == "X_y"')},
    {"METADATA": METADATA.replace(">=3.9, <4", "<4,>=3.9")},
    {"METADATA": METADATA.replace("Provides-Extra: X_y", "Provides-Extra: x-y")},
    {"METADATA": METADATA.replace("a, b", "a,b")},
    {"METADATA": METADATA.replace("2.3", "2.5\nImport-Name: demo\nLicense-File: LICENSE")},
    {"METADATA": METADATA.replace("Name: demo.pkg\nVersion: 1.0", "Version: 1.0\nName: demo_pkg")},
]


@pytest.mark.parametrize("files", EQUIVALENT)
def test_what_a_backend_writes_differently_without_another_meaning(tmp_path: Path, files: Mapping[str, str]) -> None:
    found = compared(tmp_path, {f"{INFO}/{name}": text for name, text in files.items()})
    assert found.verdict == "equivalent"
    assert {difference.member for difference in found.differences} == {f"{INFO}/{next(iter(files))}", f"{INFO}/RECORD"}
    assert not any(difference.matters for difference in found.differences)
    assert all(difference.lines for difference in found.differences)


def test_times_alone_are_packing(tmp_path: Path) -> None:
    found = compared(tmp_path, {}, moment=2020)
    assert (found.verdict, found.differences, found.packing) == ("equivalent", (), ("times",))
    assert (found.clocked, found.epoch) == (False, 1577836800)  # 2020-01-01, in all members


DIFFERENT: list[tuple[Mapping[str, str | bytes | None], str, str]] = [
    ({"demo/mod.py": "import os\nx = 1\nos.abort()\n"}, "text", "@@ -2,0 +3 @@|+os.abort()"),
    ({"demo/mod.py": "import os\r\nx = 1\r\n"}, "text", "line ends"),
    ({"demo/mod.py": None}, "missing there", ""),
    ({"demo/more.py": "evil\n"}, "missing here", ""),
    ({"demo/data.bin": b"\0\1\2\3"}, "binary", "3 bytes here, 4 there"),
    ({f"{INFO}/METADATA": METADATA.replace("Requires-Dist: b", "Requires-Dist: c")}, "metadata", "-Requires-Dist: b"),
    ({f"{INFO}/METADATA": METADATA.replace("The desc", "Another desc")}, "metadata", "+Another description."),
    ({f"{INFO}/WHEEL": WHEEL.replace("Purelib: true", "Purelib: false")}, "metadata", "-Root-Is-Purelib: true"),
    ({f"{INFO}/entry_points.txt": "[console_scripts]\nx = y:z\n"}, "missing here", ""),
]


@pytest.mark.parametrize(("files", "kind", "line"), DIFFERENT)
def test_anything_else_is_different(
    tmp_path: Path, files: Mapping[str, str | bytes | None], kind: str, line: str
) -> None:
    found = compared(tmp_path, files)
    (name,) = files
    assert found.verdict == "different"
    difference = next(difference for difference in found.differences if difference.member == name)
    assert (difference.kind, difference.matters) == (kind, True)
    assert line in "|".join(difference.lines)


def test_a_field_that_both_metadata_versions_have_is_compared(tmp_path: Path) -> None:
    new = METADATA.replace("2.3", "2.5")
    ours = wheel(tmp_path / "ours", {f"{INFO}/METADATA": new.replace("2.5", "2.5\nImport-Name: demo")})
    theirs = wheel(tmp_path / "theirs", {f"{INFO}/METADATA": new.replace("2.5", "2.5\nImport-Name: evil")})
    assert compare(ours, theirs).verdict == "different"


def test_a_record_that_lists_something_else_is_different(tmp_path: Path) -> None:
    record = {f"{INFO}/RECORD": "demo/mod.py,sha256=other,1\n"}
    ours = wheel(tmp_path / "ours", {})
    found = compare(ours, wheel(tmp_path / "theirs", record, record=False))
    assert [difference.member for difference in found.differences if difference.matters] == [f"{INFO}/RECORD"]


def test_code_stands_first(tmp_path: Path) -> None:
    files = {"demo/a.txt": "new", "demo/zed.py": "new", f"{INFO}/WHEEL": WHEEL.replace("1.1", "1.2")}
    found = [difference.member for difference in compared(tmp_path, files).differences]
    assert found[0] == "demo/zed.py"
    assert found[0].endswith(CODE)
    assert found.index("demo/a.txt") < found.index(f"{INFO}/WHEEL")


def test_an_extension_module_is_said_to_be_compiled(tmp_path: Path) -> None:
    name = "demo/_fast.so"
    pair = [wheel(tmp_path / side, {name: b"\0" + side.encode()}) for side in ("ours", "theirs")]
    (first, *_) = compare(*pair).differences
    assert first.lines == ("5 bytes here, 7 there, compiled",)


def test_a_long_difference_is_cut(tmp_path: Path) -> None:
    (first, *_) = compared(tmp_path, {"demo/mod.py": "".join(f"x = {n}\n" for n in range(100))}).differences
    assert first.lines[-1].endswith("more lines")


def sdist(folder: Path, files: Mapping[str, str]) -> Path:
    """Write an sdist of `files`."""
    folder.mkdir()
    path = folder / "demo_pkg-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = folder / "member"
            member.write_text(text, encoding="utf-8")
            tar.add(member, f"demo_pkg-1.0/{name}")
            member.unlink()
    return path


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("PKG-INFO", "equivalent"), ("src/demo.egg-info/PKG-INFO", "equivalent"), ("tests/data/PKG-INFO", "different")],
)
def test_metadata_of_an_sdist_is_compared_by_its_meaning(tmp_path: Path, name: str, verdict: str) -> None:
    ours, theirs = (
        sdist(tmp_path / side, {"PKG-INFO": METADATA, "a.py": "x", name: METADATA.replace("2.3", version)})
        for side, version in (("ours", "2.3"), ("theirs", "2.4"))
    )
    assert compare(ours, theirs).verdict == verdict


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("demo.egg-info/scm_file_list.json", "equivalent"), ("data/scm_file_list.json", "different")],
)
def test_the_order_of_a_list_of_files_means_nothing(tmp_path: Path, name: str, verdict: str) -> None:
    lists = ('{\n  "files": [\n    "a",\n    "b"\n  ]\n}', '{\n  "files": [\n    "b",\n    "a"\n  ]\n}')
    pair = [sdist(tmp_path / str(number), {"PKG-INFO": METADATA, name: text}) for number, text in enumerate(lists)]
    assert compare(*pair).verdict == verdict


@pytest.mark.parametrize(
    ("name", "verdict"),
    [(f"{INFO}/scm_file_list.json", "equivalent"), ("demo_pkg/scm_file_list.json", "different")],
)
def test_the_order_of_a_list_of_files_in_a_wheel_means_nothing(tmp_path: Path, name: str, verdict: str) -> None:
    ours, theirs = (wheel(tmp_path / order, {name: "\n".join(order)}) for order in ("ab", "ba"))
    assert compare(ours, theirs).verdict == verdict


def test_the_backend_is_the_one_that_the_wheel_names(tmp_path: Path) -> None:
    assert generator(wheel(tmp_path / "one", {})) == "builder 1.1"
    assert generator(wheel(tmp_path / "two", {f"{INFO}/WHEEL": None})) == ""
