from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from seatrial.release.filenames import Parts, is_of, parsed_requirement, parts, project_of, tags_of, version_of

NO_NAMES = ("", "demo.whl", "demo-1.0.exe", "demo.tar.gz", "demo-1.0-py3-none.whl", "demo-x-py3-none-any.whl")


@pytest.mark.parametrize(
    ("filename", "version"),
    [("demo-1.0-py3-none-any.whl", "1.0"), ("demo-1.0-2-py3-none-any.whl", "1.0"), ("my_demo-1.0rc1.tar.gz", "1.0rc1")],
)
def test_a_name_has_a_version(filename: str, version: str) -> None:
    assert version_of(filename) == Version(version)


@pytest.mark.parametrize(
    ("filename", "project"),
    [
        ("demo-1.0-py3-none-any.whl", "demo"),
        ("Demo_Core-1.0-2-py3-none-any.whl", "demo-core"),
        ("My.Demo-1.0rc1.tar.gz", "my-demo"),
        ("my-demo-1.0.zip", "my-demo"),
    ],
)
def test_a_name_has_a_project(filename: str, project: str) -> None:
    assert project_of(filename) == project


def test_a_compressed_set_is_spelled_out() -> None:
    assert set(map(str, tags_of("demo-1.0-py2.py3-none-any.whl"))) == {"py2-none-any", "py3-none-any"}


@pytest.mark.parametrize("filename", NO_NAMES)
def test_what_is_no_name_says_nothing(filename: str) -> None:
    assert version_of(filename) is None
    assert project_of(filename) == ""
    assert tags_of(filename) == frozenset()


@given(st.text(), st.sampled_from([".whl", ".tar.gz", ""]))
def test_no_name_breaks_the_reader(stem: str, suffix: str) -> None:
    version_of(stem + suffix)
    project_of(stem + suffix)
    tags_of(stem + suffix)


@pytest.mark.parametrize(
    "filename",
    [
        "../demo-1.0.tar.gz",
        "demo-1.0-1/../x-py3-none-any.whl",
        "demo-1.0-1\\..\\x-py3-none-any.whl",
        "/demo-1.0.tar.gz",
    ],
)
def test_a_name_that_an_index_gives_is_of_no_other_folder(filename: str) -> None:
    """It decides where a file of an index is written."""
    assert parts(filename) == Parts("", None)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("de_mo-1.0-py3-none-any.whl", True),
        ("De.Mo-1.0.0-py2.7-linux-x86_64.egg", True),
        ("de-mo-1.0.win-amd64-py2.7.exe", True),
        ("de-mo-1.0.linux-x86_64.tar.gz", True),
        ("de-mo-1.0.win32.zip", True),
        ("de-mo-1.0-1.noarch.rpm", True),
        ("de-mo-1.0.tar.bz2", True),
        ("de-mo-1.0.tgz", True),
        ("de-mo-1.0.post1.tar.bz2", False),
        ("de-mo-1.0rc1.win32.exe", False),
        ("de-mo-1.1.egg", False),
        ("mo-1.0.egg", False),
        ("de-mo-docs-1.0.egg", False),
        ("de-mo-1.0.txt", False),
        ("de-mo-1.0", False),
        ("", False),
    ],
)
def test_a_file_in_an_old_form_is_of_a_release_too(filename: str, *, expected: bool) -> None:
    assert is_of(filename, "de.mo", "1.0") is expected


def test_no_file_is_of_a_version_that_is_none() -> None:
    assert not is_of("demo-1.0.egg", "demo", "one")
    assert not is_of("demo-1.0.tar.gz", "demo", "one")


@pytest.mark.parametrize("line", ["demo[all]>=1; python_version < '3.9'", "demo @ https://files.example/demo.zip"])
def test_a_requirement_is_read(line: str) -> None:
    found = parsed_requirement(line)
    assert found
    assert found.name == "demo"


@pytest.mark.parametrize("line", ["", "file: requirements.txt", "demo>=x"])
def test_what_is_no_requirement_is_none(line: str) -> None:
    assert parsed_requirement(line) is None
