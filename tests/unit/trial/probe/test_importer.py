from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe import importer
from seatrial.trial.probe.imports import Attempt, attempts
from tests.projects import write_tree
from tests.samples.probed import LIMIT, put

if TYPE_CHECKING:
    from tests.environments import Site


def attempt(name: str) -> Attempt:
    """Import `name` in this interpreter; the answer is one that can be written."""
    return Attempt(**json.loads(json.dumps(importer.attempt(name))))


def test_an_import_tells_the_file(folder: Path) -> None:
    write_tree(folder, {"demo_a/__init__.py": "x = 1\n"})
    made = attempt("demo_a")
    assert (made.ok, made.origin, made.callable) == (True, str(folder / "demo_a" / "__init__.py"), False)


def test_an_import_of_a_namespace_tells_its_folders(folder: Path) -> None:
    write_tree(folder, {"demo_n/data.json": "{}"})
    assert attempt("demo_n").origin == [str(folder / "demo_n")]


def test_an_attribute_is_looked_up_and_can_be_called(folder: Path) -> None:
    write_tree(folder, {"demo_b.py": "class Tool:\n    @staticmethod\n    def run():\n        pass\n    x = 1\n"})
    assert attempt("demo_b:Tool.run").callable
    assert not attempt("demo_b:Tool.x").callable


def test_an_attribute_that_is_absent_is_an_error(folder: Path) -> None:
    write_tree(folder, {"demo_c.py": ""})
    made = attempt("demo_c:main")
    assert (made.ok, made.error_type) == (False, "no-attribute")
    assert "main" in (made.error or "")


def test_a_module_may_put_another_object_into_its_place(folder: Path) -> None:
    write_tree(folder, {"demo_lazy.py": "import sys\nsys.modules[__name__] = object()\n"})
    assert attempt("demo_lazy").origin == str(folder / "demo_lazy.py")


def test_a_module_that_is_imported_already_tells_its_file() -> None:
    assert attempt("json").origin == json.__file__


def test_a_module_without_a_finder_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "demo_made", types.ModuleType("demo_made"))
    assert attempt("demo_made") == Attempt("demo_made", ok=True)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("raise ValueError('so it is')\n", "ValueError", "so it is"),
        ("import sys\nsys.exit(3)\n", "SystemExit", "3"),
        ("import sys\nsys.exit('bye')\n", "SystemExit", "'bye'"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", ""),
        ("raise ValueError('\\udce4')\n", "ValueError", "\\udce4"),
        ("class E(Exception):\n    def __str__(self):\n        raise OSError\nraise E\n", "E", "(it cannot say"),
        ("def main(:\n", "SyntaxError", "demo_f.py, line 1"),
    ],
)
def test_an_import_that_raises_is_an_answer(folder: Path, text: str, kind: str, words: str) -> None:
    write_tree(folder, {"demo_f.py": text})
    made = attempt("demo_f")
    assert (made.ok, made.error_type, made.missing) == (False, kind, None)
    assert words in (made.error or "")
    json.dumps(made.error).encode()


def test_the_places_of_the_traceback_are_told(folder: Path) -> None:
    write_tree(folder, {"demo_g.py": "import demo_h\n", "demo_h.py": "\nprint(1 / 0)\n"})
    places = [(Path(file).name, line) for file, line, _ in attempt("demo_g").frames]
    assert ("demo_g.py", 1) in places
    assert places[-1] == ("demo_h.py", 2)


def test_the_code_of_each_place_is_told(site: Site) -> None:
    put(site, demo_g="import demo_h\n", demo_h="\nprint(1 / 0)\n")
    (one,) = attempts(["demo_g"], LIMIT)
    assert [(Path(file).name, line, code) for file, line, code in one.frames[-2:]] == [
        ("demo_g.py", 1, "import demo_h"),
        ("demo_h.py", 2, "print(1 / 0)"),
    ]


def test_the_place_of_a_syntax_error_is_the_last(folder: Path) -> None:
    write_tree(folder, {"demo_s.py": "\n  x = = 1\n"})
    file, line, code = attempt("demo_s").frames[-1]
    assert (Path(file).name, line, code) == ("demo_s.py", 2, "x = = 1")


def test_a_syntax_error_of_no_file_has_no_place_of_its_own(folder: Path) -> None:
    write_tree(folder, {"demo_t.py": "raise SyntaxError('made up')\n"})
    assert Path(attempt("demo_t").frames[-1][0]).name == "demo_t.py"


def test_the_module_that_is_missing_is_named(folder: Path) -> None:
    write_tree(folder, {"demo_i.py": "import no_such_module.part\n"})
    assert attempt("demo_i").missing == "no_such_module"


def test_a_name_that_a_module_lacks_is_no_missing_module(folder: Path) -> None:
    write_tree(folder, {"demo_j.py": "from json import no_such_name\n"})
    made = attempt("demo_j")
    assert (made.error_type, made.missing) == ("ImportError", None)
