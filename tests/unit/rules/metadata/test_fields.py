from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Fields

AUTHOR: Fields = {"Author-email": None}


def values(field: str, *given: str) -> list[Fields]:
    return [{field: value} for value in given]


CASES: list[tuple[str, list[Fields], list[Fields]]] = [
    ("metadata-summary-line", values("Summary", "one\n two"), values("Summary", "one two")),
    ("metadata-summary-length", values("Summary", "x" * 513), values("Summary", "x" * 512)),
    (
        "metadata-dynamic",
        values("Dynamic", "Name", "version", "Metadata-Version", "Something"),
        values("Dynamic", "Requires-Dist", "home-page", "Description"),
    ),
    ("metadata-extra-name", values("Provides-Extra", "a b", "-a", "ä"), values("Provides-Extra", "a", "a.b_C-1")),
    (
        "metadata-requires-python-valid",
        values("Requires-Python", "^3.10", ">=3.8.*", "3.10", "three"),
        values("Requires-Python", ">=3.10", "==3.*", ">=3.8,!=3.9.*"),
    ),
    (
        "metadata-requirement",
        [*values("Requires-Dist", "six >= one", "six ; python", "-e ."), *values("Provides-Dist", "a b")],
        [*values("Requires-Dist", "six>=1", 'six[a] ; extra == "x"'), *values("Obsoletes-Dist", "six (<2)")],
    ),
    (
        "metadata-direct-reference",
        values("Requires-Dist", "six @ https://example.org/six.zip", 'six @ git+https://x/y ; extra == "dev"'),
        values("Requires-Dist", "six", "six >= one"),
    ),
    (
        "metadata-license-expression",
        values("License-Expression", "MIT License", "Apache 2.0", "MIT AND", "BSD"),
        values(
            "License-Expression",
            "MIT",
            "mit OR apache-2.0",
            "LicenseRef-Own",
            "GPL-2.0-only WITH GCC-exception-2.0",
        ),
    ),
    ("metadata-two-licenses", values("License", "MIT"), [{"License": "MIT", "License-Expression": None}]),
    (
        "metadata-license-file-path",
        values("License-File", "../LICENSE", "LICEN*", "/LICENSE", "C:/LICENSE", "licenses\\MIT"),
        values("License-File", "LICENSE", "licenses/MIT.txt"),
    ),
    (
        "metadata-import-name",
        values("Import-Name", "a-b", "a.class", "a; public", "a..b"),
        values("Import-Name", "a", "a.b", "_a ; private", ""),
    ),
    (
        "metadata-email",
        values(
            "Author-email",
            *("ada@localhost", "ada@host.local", "Ada <ada@my.test>", "ada", "a..b@example.org", "@example.org"),
            "ada@example..org",
        ),
        [
            *values("Author-email", "ada@example.org", "Ada <ada@example.org>", "a@x, b@y", '"Doe, J" <j@x>'),
            *values("Maintainer-email", "ada+x@sub.example.co.uk", "Ada <ada@größe.example>"),
        ],
    ),
    (
        "metadata-classifier",
        values(
            "Classifier",
            *("Private :: Do Not Upload", "Programming Language :: python :: 3", "License :: MIT", "Foo :: Bar"),
            *("Natural Language :: Ukranian", "Topic :: Communications :: Chat :: AOL Instant Messenger"),
        ),
        values("Classifier", "Typing :: Typed", "Programming Language :: Python :: 3.99", "Framework :: Newest"),
    ),
    (
        "metadata-classifier-new",
        values("Classifier", "Programming Language :: Python :: 3.99", "Framework :: Newest"),
        values("Classifier", "Typing :: Typed", "Private :: Do Not Upload", "Natural Language :: Ukranian"),
    ),
    (
        "metadata-url",
        [
            *values("Home-page", "example.org", "ftp://example.org", "git@example.org:demo"),
            *values("Project-URL", "Source, git@example.org:a/b", "Mail, mailto:ada@example.org"),
        ],
        [
            *values("Home-page", "https://example.org", "HTTP://example.org/a?b#c", "https://example.org/a b"),
            *values("Project-URL", "Source, https://example.org/größe", "Source", ", x"),
        ],
    ),
    (
        "metadata-url-label",
        values("Project-URL", ", https://example.org", "Source", "Source,", f"{'x' * 33}, https://example.org"),
        values("Project-URL", "Source, https://example.org", f"{'x' * 32}, https://example.org"),
    ),
]
BAD = [(code, fields) for code, wrong, _ in CASES for fields in wrong]
GOOD = [(code, fields) for code, _, right in CASES for fields in right]


@pytest.mark.parametrize(("code", "fields"), BAD)
def test_what_pypi_refuses_is_named(tmp_path: Path, code: str, fields: Fields) -> None:
    for make in (wheel, sdist):
        (message,) = found(make(tmp_path, fields), code)
        assert message.endswith((".", "!'"))


@pytest.mark.parametrize(("code", "fields"), GOOD)
def test_what_pypi_takes_passes(tmp_path: Path, code: str, fields: Fields) -> None:
    for make in (wheel, sdist):
        assert found(make(tmp_path, fields), code) == []


def test_all_values_of_a_field_are_looked_at_at_once(tmp_path: Path) -> None:
    lines = [f"six{n} >= x" for n in range(5)]
    (message,) = found(wheel(tmp_path, {"Requires-Dist": lines}), "metadata-requirement")
    assert "'six0 >= x', 'six1 >= x', 'six2 >= x' and 2 more" in message
