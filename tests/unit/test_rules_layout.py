from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.archives import WHEEL, found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Contents, Fields

INFO = "demo-1.0.dist-info"
TYPED: Fields = {"Classifier": "Typing :: Typed"}
PLAIN: Fields = {}
NO_TEXT: Contents = {f"{INFO}/licenses/LICENSE": None}

CASES: list[tuple[str, Fields, Contents, Fields, Contents]] = [
    ("wheel-common-name", PLAIN, {"tests/test_a.py": ""}, PLAIN, {"demo/tests/test_a.py": "", "tests.py": ""}),
    ("wheel-leftovers", PLAIN, {"demo/__pycache__/a.cpython-313.pyc": ""}, PLAIN, {"demo/pyc.py": ""}),
    ("wheel-leftovers", PLAIN, {"demo/.DS_Store": ""}, PLAIN, {"demo/DS_Store": ""}),
    ("wheel-typing", TYPED, {}, TYPED, {"demo/py.typed": ""}),
    ("wheel-typing", TYPED, {"py.typed": ""}, TYPED, {"demo-stubs/__init__.pyi": ""}),
    ("wheel-typing", TYPED, {}, PLAIN, {}),
    ("wheel-no-license", PLAIN, NO_TEXT, PLAIN, {}),
    ("wheel-no-license", PLAIN, NO_TEXT, {"License-Expression": None}, NO_TEXT),
    ("wheel-no-license", {"License": "MIT"}, NO_TEXT, {"License": "MIT"}, {**NO_TEXT, f"{INFO}/copying.txt": ""}),
    ("wheel-tags", PLAIN, {f"{INFO}/WHEEL": "Tag: py2-none-any\nTag: py3-none-any\n"}, PLAIN, {}),
    ("wheel-tags", PLAIN, {f"{INFO}/WHEEL": "Tag: py3-none-win32\n"}, PLAIN, {f"{INFO}/WHEEL": "Tag: odd\n"}),
    ("wheel-tags", PLAIN, {f"{INFO}/WHEEL": "Tag: cp39-none-any\n"}, PLAIN, {f"{INFO}/WHEEL": ""}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_a_maintainer_would_regret_is_named(
    tmp_path: Path, case: tuple[str, Fields, Contents, Fields, Contents]
) -> None:
    code, fields, files, other_fields, other_files = case
    assert len(found(wheel(tmp_path, fields, files=files), code)) == 1
    assert found(wheel(tmp_path, other_fields, files=other_files), code) == []


def test_a_project_may_be_called_like_that(tmp_path: Path) -> None:
    path = wheel(tmp_path, filename="testing-1.0-py3-none-any.whl", files={"testing/a.py": ""})
    assert found(path, "wheel-common-name") == []


def test_tags_of_a_compressed_set_are_those_in_wheel(tmp_path: Path) -> None:
    name = "demo-1.0-py2.py3-none-any.whl"
    text = "Tag: py2-none-any\nTag: py3-none-any\n"
    assert found(wheel(tmp_path, filename=name, files={f"{INFO}/WHEEL": text}), "wheel-tags") == []
    assert name != WHEEL


def test_an_sdist_that_cannot_be_built_is_named(tmp_path: Path) -> None:
    without: Contents = {"demo-1.0/pyproject.toml": None}
    assert found(sdist(tmp_path, files=without), "sdist-no-build-system")
    assert found(sdist(tmp_path, files={**without, "demo-1.0/setup.py": ""}), "sdist-no-build-system") == []
    assert found(sdist(tmp_path), "sdist-no-build-system") == []
