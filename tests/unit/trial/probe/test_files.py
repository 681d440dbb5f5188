from __future__ import annotations

from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe import files
from tests.samples.probed import PKG_RESOURCES, PKGUTIL, found, look, posix, said

if TYPE_CHECKING:
    from tests.environments import Site


def test_a_file_that_was_not_installed_is_told(site: Site) -> None:
    site.install({"demo.py": ""}, absent=["demo_data/x.json"])
    document = look()
    assert found(document) == [("error", "missing-file", "demo_data/x.json")]
    assert "`demo_data/x.json`" in said(document)


def test_an_init_that_was_not_installed_is_told(site: Site) -> None:
    site.install({"demo/core.py": ""}, absent=["demo/__init__.py"])
    assert ("error", "missing-file", "demo/__init__.py") in found(look())


def test_bytecode_that_is_absent_is_in_order(site: Site) -> None:
    site.install({"demo.py": ""}, absent=["__pycache__/demo.cpython-38.pyc"])
    assert look()["problems"] == []


@pytest.mark.parametrize(("count", "ending"), [(10, "`f9`."), (11, "`f9` and 1 more."), (30, " and 20 more.")])
def test_of_many_files_some_are_named(site: Site, count: int, ending: str) -> None:
    site.install({"demo.py": ""}, absent=[f"f{number}" for number in range(count)])
    assert said(look()).endswith(ending)


@pytest.mark.parametrize("record", ["", "\n\n"])
def test_a_distribution_without_record_is_told(site: Site, record: str) -> None:
    site.install({"demo.py": ""}, info={"RECORD": record})
    assert found(look()) == [("error", "no-record", "demo")]


def test_a_record_that_is_not_utf_8_is_no_record(site: Site) -> None:
    site.install({"demo.py": ""}, info={"RECORD": ""})
    (site.purelib / "demo-1.0.dist-info" / "RECORD").write_bytes(b"d\xe4mo.py,,\n")
    assert found(look()) == [("error", "no-record", "demo")]


def test_a_path_with_a_comma_is_read(site: Site) -> None:
    site.install({"demo.py": "", "demo_data/a,b.txt": ""})
    assert look()["problems"] == []


@posix
def test_a_script_must_be_executable(site: Site) -> None:
    site.install(
        {"demo.py": "def main(): pass\n"}, entry_points="[console_scripts]\ndemo = demo:main\n", scripts=["demo"]
    )
    assert look()["problems"] == []
    (site.scripts / "demo").chmod(0o644)
    document = look()
    assert [(severity, kind) for severity, kind, _ in found(document)] == [("error", "script-mode")]
    assert "bin/demo` was installed, and is not executable." in said(document)


@posix
def test_a_script_that_record_does_not_list_must_be_executable(site: Site) -> None:
    site.install({"demo.py": "def main(): pass\n"}, entry_points="[console_scripts]\ndemo = demo:main\n")
    (site.scripts / "demo").touch(0o644)
    document = look()
    assert found(document) == [("error", "script-mode", "demo")]
    assert f"was installed as {site.scripts / 'demo'}, and is not executable." in said(document)


def test_a_file_that_differs_from_record_is_told(site: Site) -> None:
    site.install({"demo.py": "", "demo_data/a.txt": "as released\n"})
    (site.purelib / "demo_data" / "a.txt").write_text("changed\n", encoding="utf-8")
    document = look()
    assert found(document) == [("error", "changed-file", "demo_data/a.txt")]
    assert "says (hash): the wheel is at odds with itself." in said(document)


@pytest.mark.parametrize(
    "written",
    [
        "sha512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg",
        "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        "md5=unknown",
        "nothing",
        "",
    ],
)
def test_a_hash_is_compared_where_it_can_be(site: Site, written: str) -> None:
    record = f"demo.py,{written},0\ndemo_data.bin,\n\ndemo-1.0.dist-info/RECORD,,\n"
    site.install({"demo.py": "", "demo_data.bin": ""}, info={"RECORD": record})
    assert look()["problems"] == []


@pytest.mark.parametrize(
    ("path", "severity"),
    [("demo/core.py", "error"), ("demo.py", "error"), ("LICENSE", "warning"), ("tests/a.py", "warning")],
)
def test_a_file_that_another_distribution_took_the_place_of_is_told(site: Site, path: str, severity: str) -> None:
    site.install({"demo.py": "", path: "ours = 1\n"})
    site.install({path: "theirs = 1\n"}, name="rude")
    document = look()
    assert found(document) == [(severity, "changed-file", path)]
    assert "rude has a file of that name too." in said(document)


@pytest.mark.parametrize("files", [{"demo.py": ""}, {"demo/__init__.py": "", "demo/b.py": ""}])
def test_a_name_that_another_distribution_has_too_is_told(site: Site, files: dict[str, str]) -> None:
    site.install({"demo/__init__.py": "", "demo/a.py": ""})
    site.install({**files, "polite.py": ""}, name="polite")
    document = look()
    assert found(document) == [("warning", "shared-name", "demo")]
    assert "`demo` belongs to both demo and polite, which is installed with it" in said(document)


@pytest.mark.parametrize("files", [{"polite.py": "", "demos.py": ""}, {"tests/__init__.py": "", "polite.py": ""}])
def test_other_names_of_other_distributions_are_theirs(site: Site, files: dict[str, str]) -> None:
    site.install({"demo/__init__.py": "", "tests/__init__.py": ""})
    site.install(files, name="polite")
    assert look()["problems"] == []


def test_namespaces_of_the_old_kinds_share_a_file(site: Site) -> None:
    site.install({"zope/__init__.py": PKG_RESOURCES, "zope/a.py": ""})
    site.install({"zope/__init__.py": PKGUTIL, "zope/b.py": ""}, name="zope.b")
    assert look()["problems"] == []


def test_a_distribution_of_nothing_is_told(site: Site) -> None:
    site.install({})
    document = look()
    assert found(document) == [("error", "empty", "demo")]
    assert "The build left everything out." in said(document)


@pytest.mark.parametrize(("text", "problems"), [("import json\n", []), ("import json, no_such_module\n", ["pth"])])
def test_a_file_for_the_module_site_must_not_fail(site: Site, text: str, problems: list[str]) -> None:
    site.install({"demo.py": "", "demo-hook.pth": text})
    document = look()
    assert [kind for _, kind, _ in found(document)] == problems
    assert not problems or "No module named 'no_such_module'" in said(document)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"demo/_old.py": "print 'hello'\n"}, "`demo/_old.py, line 1`"),
        ({"demo/_null.py": "x = 1\0\n"}, "`demo/_null.py"),
        ({"demo/_a.py": "x = 1\n  y = 2\n", "demo/_b.py": "\n)\n"}, "`demo/_a.py, line 2`, `demo/_b.py, line 2`."),
    ],
)
def test_a_private_module_that_cannot_be_compiled_is_a_warning(site: Site, files: dict[str, str], words: str) -> None:
    site.install({"demo/__init__.py": "", **files})
    document = look()
    assert [(severity, kind) for severity, kind, _ in found(document)] == [("warning", "syntax")]
    assert words in said(document)


@pytest.mark.parametrize("path", ["demo/{{name}}/x.py", "demo/my-template.py", "demo/tests/bad.py", "demo/x.txt"])
def test_what_is_no_module_is_not_compiled(site: Site, path: str) -> None:
    site.install({"demo/__init__.py": "", path: "print 'hello'\n"})
    assert look()["problems"] == []


def test_a_syntax_error_is_told_once(site: Site) -> None:
    site.install({"demo/__init__.py": "import demo.bad\n", "demo/bad.py": "print 'hello'\n"})
    assert found(look()) == [("error", "import", "demo")]


def test_no_more_is_compiled_than_is_quick(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SOURCE", 20)
    site.install({"demo/__init__.py": "", "demo/_a.py": "#" * 21, "demo/_b.py": "print 'hello'\n"})
    assert look()["problems"] == []


def test_what_an_import_has_compiled_is_not_compiled_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(files, "why_not_compiled", lambda path: compiled.append(Path(path).name))
    site.install({"demo/__init__.py": "", "demo/a.py": "", "demo/_b.py": ""})
    assert look()["problems"] == []
    assert compiled == ["_b.py"]


@pytest.mark.parametrize("kept", [b"", MAGIC_NUMBER + bytes(12)])
def test_bytecode_of_another_source_proves_nothing(site: Site, kept: bytes) -> None:
    site.install({"demo/__init__.py": "", "demo/_old.py": "print 'hello'\n"})
    place = Path(cache_from_source(str(site.purelib / "demo" / "_old.py")))
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(kept)
    assert [kind for _, kind, _ in found(look())] == ["syntax"]
