from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe.source import Code, imports, parsed, raises_on_purpose

if TYPE_CHECKING:
    from pathlib import Path


def places(text: str) -> dict[str, str]:
    """Return, by the module that `text` imports, the letters of what its place is."""
    flags = ("lazy", "guarded", "conditional", "typing")
    found = imports(parsed(text), "demo.a", package=False)
    return {one.module: "".join(flag[0] for flag in flags if getattr(one.place, flag)) for one in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import x\n", ""),
        ("class A:\n    import x\n", ""),
        ("for a in b:\n    import x\n", ""),
        ("def f():\n    import x\n", "l"),
        ("async def f():\n    if a:\n        import x\n", "lc"),
        ("if a:\n    import x\n", "c"),
        ("if a: pass\nelse:\n    import x\n", "c"),
        ("def f():\n    if find_spec('x') is None:\n        raise E\n    import x\n", "lc"),
        ("def f():\n    if sys.version_info >= (3, 12):\n        return 1\n    import x\n", "lc"),
        ("def f():\n    if sys.platform == 'win32': pass\n    else: sys.exit(1)\n    import x\n", "lc"),
        ("def f():\n    for a in b:\n        if sys.modules.get(a): continue\n        import x\n", "lc"),
        ("def f():\n    if sys.platform == 'win32':\n        g()\n    import x\n", "l"),
        ("def f(a):\n    if not a:\n        return\n    import x\n", "l"),
        ("if sys.version_info < (3, 8):\n    raise E\nimport x\n", ""),
        ("try:\n    import x\nexcept ImportError: pass\n", "g"),
        ("try:\n    import x\nexcept (KeyError, ModuleNotFoundError): pass\n", "g"),
        ("try:\n    import x\nexcept: pass\n", "g"),
        ("try:\n    import x\nexcept KeyError: pass\n", ""),
        ("try: pass\nexcept ImportError:\n    import x\n", "c"),
        ("try: pass\nexcept ImportError: pass\nelse:\n    import x\n", "c"),
        ("try: pass\nfinally:\n    import x\n", ""),
        ("with contextlib.suppress(ImportError):\n    import x\n", "g"),
        ("with suppress(KeyError):\n    import x\n", ""),
        ("if TYPE_CHECKING:\n    import x\n", "ct"),
        ("if typing.TYPE_CHECKING:\n    pass\nelse:\n    import x\n", ""),
    ],
)
def test_an_import_is_known_with_its_place(text: str, expected: str) -> None:
    assert places(text) == {"x": expected}


def test_an_import_inside_a_match_statement_is_seen() -> None:
    pytest.importorskip("tomllib", reason="Python 3.10 and later have match")
    assert places("match a:\n    case 1:\n        import x\n") == {"x": ""}


@pytest.mark.parametrize(
    ("text", "package", "expected"),
    [
        ("from . import b", False, ["p.s.b", "p.s"]),
        ("from .b import c", False, ["p.s.b.c", "p.s.b"]),
        ("from .. import b", False, ["p.b", "p"]),
        ("from . import b", True, ["p.s.m.b", "p.s.m"]),
        ("from .b import *", True, ["p.s.m.b"]),
        ("from x.y import z", False, ["x.y.z", "x.y"]),
        ("import x.y", False, ["x.y"]),
        ("from .... import b", False, []),
    ],
)
def test_names_of_imports_are_absolute(text: str, package: bool, expected: list[str]) -> None:  # noqa: FBT001
    found = imports(parsed(text), "p.s.m", package=package)
    assert [name for one in found for name in one.candidates] == expected


@pytest.mark.parametrize("source", [b"x = 'a\0b'\n", "x = 'ä'\n".encode("latin-1"), "print 'x'\n", b"# coding: no\n"])
def test_what_is_no_python_is_a_syntax_error(source: bytes | str) -> None:
    with pytest.raises(SyntaxError):
        parsed(source)


def test_an_older_version_of_the_language_can_be_asked_for() -> None:
    parsed("(x := 1)\n", feature_version=(3, 8))
    with pytest.raises(SyntaxError, match=r"3\.8"):
        parsed("(x := 1)\n", feature_version=(3, 7))


@pytest.mark.parametrize(("line", "expected"), [(1, False), (2, True), (3, True), (4, True), (5, False)])
def test_a_line_that_raises_on_purpose(tmp_path: Path, line: int, expected: bool) -> None:  # noqa: FBT001
    place = tmp_path / "demo.py"
    place.write_text("x = 1\nraise ValueError(\n    'x')\nassert x\n1 / 0\n", encoding="utf-8")
    assert raises_on_purpose(str(place), line) is expected


def code(**modules: str) -> Code:
    """Return code of the package `p`; an underscore pair in a name stands for a slash."""
    files = {"p/__init__.py": "", **{f"p/{name.replace('__', '/')}.py": text for name, text in modules.items()}}
    return Code.of((path, text.encode) for path, text in files.items())


def test_what_is_imported_for_certain_is_reached() -> None:
    modules = code(
        a="from . import b\nfrom p.s.d import x\n",
        b="import p.c",
        c="",
        s__d="def f():\n    import p.e\nif x:\n    import p.f\n",
        e="",
        f="",
    )
    assert modules.reached(["p.a", "not.there"]) >= {"p", "p.a", "p.b", "p.c", "p.s.d"}
    assert not modules.reached(["p.a"]) & {"p.e", "p.f"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("try:\n    import p.a\nexcept ImportError: pass\n", True),
        ("if x:\n    from p import a\n", True),
        ("def f():\n    from . import a\n", False),
        ("import p.a\n", False),
        ("if TYPE_CHECKING:\n    import p.a\n", False),
        ("x = 'p.a'\n", False),
    ],
)
def test_a_module_is_optional_where_all_can_do_without_it(text: str, expected: bool) -> None:  # noqa: FBT001
    assert code(a="", b=text).is_optional("p.a") is expected


def test_a_module_that_is_no_python_imports_nothing() -> None:
    assert code(a="print 'x'").imports("p.a") == []
    assert code().text("p.absent") == b""
