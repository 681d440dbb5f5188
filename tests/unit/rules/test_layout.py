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
NOTED, PLAIN_ONE = "def a(b: int) -> int:\n    ...\n", "def a(b):\n    return c(b)\n"
LONG = "    async def a(\n        b,\n    ) -> dict[str, int]:  # why\n        ...\n"
NO_TEXT: Contents = {f"{INFO}/licenses/LICENSE": None}

CASES: list[tuple[str, Fields, Contents, Fields, Contents]] = [
    ("wheel-common-name", PLAIN, {"tests/test_a.py": ""}, PLAIN, {"demo/tests/test_a.py": "", "tests.py": ""}),
    ("wheel-leftovers", PLAIN, {"demo/__pycache__/a.cpython-313.pyc": ""}, PLAIN, {"demo/pyc.py": ""}),
    ("wheel-leftovers", PLAIN, {"demo/.DS_Store": ""}, PLAIN, {"demo/DS_Store": ""}),
    ("wheel-typing", TYPED, {}, TYPED, {"demo/py.typed": ""}),
    ("wheel-typing", TYPED, {"py.typed": ""}, TYPED, {"demo-stubs/__init__.pyi": ""}),
    ("wheel-typing", TYPED, {}, PLAIN, {}),
    ("wheel-annotations", PLAIN, {"demo/a.py": 20 * NOTED}, PLAIN, {"demo/a.py": 20 * NOTED, "demo/py.typed": ""}),
    ("wheel-annotations", PLAIN, {"demo/a.py": 16 * NOTED + 4 * PLAIN_ONE}, TYPED, {"demo/a.py": 20 * NOTED}),
    ("wheel-annotations", PLAIN, {"demo/a.py": 20 * LONG}, PLAIN, {"demo/a.py": 16 * NOTED + 5 * PLAIN_ONE}),
    ("wheel-annotations", PLAIN, {"demo/a.py": 20 * LONG}, PLAIN, {"demo/a.py": 19 * NOTED}),
    ("wheel-annotations", PLAIN, {"demo/a.py": 20 * LONG}, PLAIN, {"demo/__init__.py": None, "demo.py": 20 * NOTED}),
    ("wheel-top-level", PLAIN, {"README.md": ""}, PLAIN, {"demo/README.md": "", "demo_c.py": "", "demo.pth": ""}),
    ("wheel-top-level", PLAIN, {"__init__.py": ""}, PLAIN, {"demo.cpython-313-x86_64-linux-gnu.so": ""}),
    ("wheel-no-license", PLAIN, NO_TEXT, PLAIN, {}),
    ("wheel-no-license", PLAIN, NO_TEXT, {"License-Expression": None}, NO_TEXT),
    ("wheel-no-license", {"License": "MIT"}, NO_TEXT, {"License": "MIT"}, {**NO_TEXT, f"{INFO}/copying.txt": ""}),
    (
        *("wheel-no-license", {"License-File": "LICENSES/MIT.txt"}, NO_TEXT, {"License-File": "LICENSES/MIT.txt"}),
        {**NO_TEXT, f"{INFO}/licenses/LICENSES/MIT.txt": ""},
    ),
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
