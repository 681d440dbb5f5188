from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Fields

NOTHING: Fields = {}
NO_LICENSE: Fields = {"License-Expression": None, "License-File": None}
NO_AUTHOR: Fields = {"Author-email": None}
NO_URL: Fields = {"Project-URL": None}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("metadata-summary", {"Summary": None}),
        ("metadata-summary", {"Summary": ""}),
        ("metadata-summary", {"Summary": "UNKNOWN"}),
        ("metadata-license", NO_LICENSE),
        ("metadata-requires-python", {"Requires-Python": None}),
        ("metadata-author", NO_AUTHOR),
        ("metadata-source-url", NO_URL),
    ],
)
def test_a_field_that_is_missing_is_named(tmp_path: Path, code: str, changes: Fields) -> None:
    for path in (wheel(tmp_path, changes), sdist(tmp_path, changes)):
        (message,) = found(path, code)
        assert "set " in message


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("metadata-summary", NOTHING),
        ("metadata-license", NOTHING),
        ("metadata-license", {**NO_LICENSE, "License": "MIT"}),
        ("metadata-license", {**NO_LICENSE, "License-File": "COPYING"}),
        ("metadata-license", {**NO_LICENSE, "Classifier": "License :: OSI Approved :: MIT License"}),
        ("metadata-requires-python", NOTHING),
        ("metadata-author", NOTHING),
        ("metadata-author", {**NO_AUTHOR, "Author": "Ada Example"}),
        ("metadata-author", {**NO_AUTHOR, "Maintainer": "Ada Example"}),
        ("metadata-author", {**NO_AUTHOR, "Maintainer-email": "ada@example.org"}),
        ("metadata-source-url", NOTHING),
        ("metadata-source-url", {**NO_URL, "Home-page": "https://example.org"}),
        ("metadata-source-url", {**NO_URL, "Download-URL": "https://example.org"}),
    ],
)
def test_what_is_there_is_enough(tmp_path: Path, code: str, changes: Fields) -> None:
    assert found(wheel(tmp_path, changes), code) == []
    assert found(sdist(tmp_path, changes), code) == []


def test_another_classifier_names_no_license(tmp_path: Path) -> None:
    assert found(wheel(tmp_path, {**NO_LICENSE, "Classifier": "Topic :: License"}), "metadata-license")


@pytest.mark.parametrize("description", ["", "\n \n"])
def test_an_empty_description_is_named(tmp_path: Path, description: str) -> None:
    assert found(wheel(tmp_path, description=description), "metadata-readme")
    assert found(wheel(tmp_path), "metadata-readme") == []


PYTHONS = [f"Programming Language :: Python :: 3.{minor}" for minor in (9, 10)]


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("metadata-python-classifiers", {"Classifier": PYTHONS}, {"Classifier": PYTHONS, "Requires-Python": ">=3.9"}),
        (
            "metadata-python-classifiers",
            {"Classifier": PYTHONS, "Requires-Python": "<3.10"},
            {"Classifier": PYTHONS, "Requires-Python": "three"},
        ),
        (
            "metadata-license-classifier",
            {"Classifier": "License :: OSI Approved :: MIT License"},
            {"Classifier": "License :: OSI Approved :: MIT License", "License-Expression": None},
        ),
        ("metadata-deprecated", {"Requires": "six"}, {"Requires-Dist": "six"}),
    ],
)
def test_what_is_out_of_step_is_named(tmp_path: Path, code: str, wrong: Fields, right: Fields) -> None:
    assert len(found(wheel(tmp_path, wrong), code)) == 1
    assert found(wheel(tmp_path, right), code) == []


@pytest.mark.parametrize(
    ("given", "instead", "sound"),
    [
        ("==3.11", "write ==3.11.*.", "==3.11.*"),
        ("<=3.11,>=3.8", "write <3.12.", ">=3.8,<3.12"),
        ("<= 3.9", "<3.10", "<=3.9.7"),
        ("<=3.12.0", "<3.13", "==3.12.0"),
    ],
)
def test_a_python_without_its_patch_releases_is_named(tmp_path: Path, given: str, instead: str, sound: str) -> None:
    (message,) = found(wheel(tmp_path, {"Requires-Python": given}), "metadata-requires-python-patch")
    assert instead in message
    assert found(wheel(tmp_path, {"Requires-Python": sound}), "metadata-requires-python-patch") == []


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ('sys_platform == "windows"', 'sys_platform is never "windows", but "win32".'),
        ('"Windows" == sys_platform', 'sys_platform is never "Windows", but "win32".'),
        ('sys_platform == "macos"', 'sys_platform is never "macos", but "darwin".'),
        ('sys.platform == "Linux"', 'sys_platform is never "Linux", but "linux".'),
        ('platform_system == "win32"', 'platform_system is never "win32", but "Windows".'),
        ('platform_system == "darwin"', 'platform_system is never "darwin", but "Darwin".'),
        ('os_name == "windows"', 'os_name is never "windows", but "nt".'),
        ('os_name == "linux" and python_version < "3.11"', 'os_name is never "linux", but "posix".'),
        ('platform_python_implementation == "cpython"', 'is never "cpython", but "CPython".'),
        ('python_version == "3.12.1"', "python_version has two parts, as in 3.12, and is never 3.12.1; "),
        ('python_version ~= "3.12.1"', "is never 3.12.1; "),
        ('(sys_platform == "mac" or sys_platform == "osx") and extra == "gui"', 'never "mac", but "darwin".'),
        ('os_name == "nt" and (extra == "gui" and (sys_platform == "windows"))', 'never "windows", but "win32".'),
    ],
)
def test_a_marker_that_holds_nowhere_is_named(tmp_path: Path, marker: str, words: str) -> None:
    changes: Fields = {"Requires-Dist": ["six", f"attrs>=20; {marker}"], "Provides-Extra": "gui"}
    for path in (wheel(tmp_path, changes), sdist(tmp_path, changes)):
        (message,) = found(path, "metadata-marker")
        assert message.startswith("'attrs>=20; ")
        assert words in message


@pytest.mark.parametrize(
    "marker",
    [
        *(f'sys_platform == "{name}"' for name in "win32 darwin linux linux2 cygwin emscripten wasi freebsd13".split()),
        *(f'platform_system == "{name}"' for name in "Windows Darwin Linux Java iOS Android FreeBSD".split()),
        *(f'os_name == "{name}"' for name in "nt posix java".split()),
        'sys_platform != "windows"',
        'sys_platform in "windows mac"',
        'sys_platform == "win32" or sys_platform == "windows"',
        '(sys_platform == "windows" or os_name == "nt") and extra == "gui"',
        'python_version == "3.12"',
        'python_version == "3.12.0"',
        'python_version == "3.12.*"',
        'python_version < "3.7.1"',
        'python_version >= "3.12.1"',
        'python_full_version == "3.12.1"',
        'python_version ~= "3.12"',
        'python_version == "nonsense"',
        'extra == "windows"',
        'platform_machine == "windows"',
        'implementation_name == "pypy"',
    ],
)
def test_a_marker_that_holds_somewhere_passes(tmp_path: Path, marker: str) -> None:
    changes: Fields = {"Requires-Dist": ["odd requirement", "six", f"attrs; {marker}"]}
    assert found(wheel(tmp_path, changes), "metadata-marker") == []
