"""The pages: every relative link leads somewhere, and the reference names all that the code takes."""

from __future__ import annotations

import ast
import functools
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import main, options
from seatrial.index import credentials, indexes
from seatrial.project import validation
from seatrial.release import record, stages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<inline>[^()\s]+)\)|^\[[^\]]+\]:\s*(?P<reference>\S+)", re.MULTILINE)
WRITTEN_BY_PROGRAMS = {"rules", "explained", "adoptions", "performance", "rebuilt", "rehearsals", "reproducible"}
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def prose(page: Path) -> str:
    """Return the text of `page` without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(text: str) -> Iterator[str]:
    """Yield where the links in `text` lead, those to other sites left out."""
    for match in LINK.finditer(text):
        target = match["inline"] or match["reference"]
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(text: str) -> set[str]:
    """Return what the headings in `text` are called in a link, as GitHub makes it."""
    shown = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in shown}


def broken(page: Path) -> Iterator[str]:
    """Yield the links in `page` that lead nowhere."""
    for link in links(prose(page)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(prose(target))):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_and_anchor_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A *page*: of `ours`\n[well](page.md#a-page-of-ours), [here](#a-page-of-ours), [site](https://example.org)\n"
        "[gone](gone.md), [anchor](#gone), [ref]\n```text\n[code](in-code.md)\n```\n[ref]: far/gone.md\n",
        encoding="utf-8",
    )
    assert list(broken(page)) == ["gone.md", "#gone", "far/gone.md"]


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    led = {(index.parent / link.partition("#")[0]).resolve() for link in links(prose(index))}
    assert set(PAGES) - led == {index}


def test_the_readme_is_short_and_works_on_the_page_of_an_index() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 700
    assert not LINK.search(text)  # relative ones lead nowhere there, and no address is this project's own yet
    assert "<img" not in text


def test_the_pages_that_are_written_by_hand_are_not_too_many_words() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES if page.stem not in WRITTEN_BY_PROGRAMS]
    assert sum(bool(re.search(r"\w", word)) for text in texts for word in text.split()) <= 25_000


def test_every_row_on_the_guide_names_a_test_that_there_is() -> None:
    page = ROOT / "docs" / "reference" / "guide-coverage.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if re.match(r"\| (?!---|the guide)", line)]
    proved = [re.findall(r"\[([^\]]+)\]\(\.\./\.\./(tests/[^)]+)\)", row) for row in rows]
    assert len(proved) > 20
    assert all(proved)
    named = {(path, f"def test_{words.replace(' ', '_')}(") for row in proved for words, path in row}
    assert {(path, name) for path, name in named if name not in (ROOT / path).read_text(encoding="utf-8")} == set()


def test_the_messages_in_the_page_on_failures_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "how-to" / "when-something-fails.md").read_text(encoding="utf-8")
    tables = page[page.index("## By the message") : page.index("## The record is lost")]
    cells = re.findall(r"^\| (?!---|the )(.+?) \| ", tables, re.MULTILINE)
    parts = {part.strip(" :`,.") for cell in cells for part in re.split("…|; |`, `", cell)} - {""}
    assert len(parts) > 60
    assert sorted(part for part in parts if part not in said_in_code()) == []


@functools.cache
def said_in_code() -> str:
    """Return all texts in the program, one a line; what is filled in is left out."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tasks" / "seatrial").rglob("*.py")]
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return "\n".join(" ".join(text.split()) for text in texts if isinstance(text, str))


# The reference.


@pytest.fixture(scope="module")
def reference() -> str:
    """All pages of the reference in one text, code in it included."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "reference").glob("*.md")))


def test_every_step_is_in_the_reference(reference: str) -> None:
    assert [step for step in main.STEPS if f"| `{step}` |" not in reference] == []


def test_every_option_is_in_the_reference(reference: str) -> None:
    flags = [flag for action in options._parser("seatrial build", "build")._actions for flag in action.option_strings]
    missing = {flag for flag in flags if not re.search(rf"`{flag}[` ]", reference)}
    assert missing <= {"-h", "--help", "--preflight"}  # which is between tasks/release.py and the program


def test_every_setting_is_in_the_reference_and_no_other(reference: str) -> None:
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert told == set(validation.READERS)
    named = [f"indexes.{role}" for role in validation.DEFAULT_INDEXES]
    assert [name for name in named if f"`{name}`" not in reference] == []


def test_every_variable_is_in_the_reference(reference: str) -> None:
    tokens = [index.token_variable for index in (indexes.TESTPYPI, indexes.PYPI)]
    identities = [f"{audience}_ID_TOKEN" for audience in credentials.AUDIENCES.values()]
    names = [record.DIGEST_VARIABLE, *tokens, *identities, "TWINE_USERNAME", "TWINE_PASSWORD"]
    assert [name for name in names if f"`{name}`" not in reference] == []


def test_every_stage_has_its_file_in_the_reference(reference: str) -> None:
    names = [stage.name for stage in stages.CHAIN]
    assert [name for name in names if not re.search(rf"`{name}(-…)?\.json`", reference)] == []


def test_the_map_of_the_design_has_every_room_and_module() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    program = ROOT / "tasks" / "seatrial"
    rooms = [path.parent.name for path in program.glob("*/__init__.py")]
    assert len(rooms) > 10
    assert [name for name in rooms if not re.search(rf"^  {name}/ ", page, re.MULTILINE)] == []
    modules = [path.stem for path in program.glob("*/*.py") if path.stem != "__init__"]
    assert [name for name in modules if not re.search(rf"\b{name}\b", page)] == []


def test_what_the_design_follows_through_the_code_is_there() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    names = re.findall(r"`((?:cli|steps|project|building|rules|trial|index|release|machine)\.[\w.]+)`", page)
    assert len(names) > 25
    assert [name for name in names if not is_there(f"seatrial.{name}")] == []
    files = re.findall(r"`((?:building|index|trial|release)/[\w/]+\.py)`", page)
    assert [name for name in files if not (ROOT / "tasks" / "seatrial" / name).is_file()] == []


def is_there(name: str) -> bool:
    """Whether `name` is a module, or an attribute of one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True
