"""Releases to report on, with real files, and the HTML of a report taken apart."""

from __future__ import annotations

import html.parser
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seatrial.release.record import Record
from seatrial.release.stages import Changes, Dist, FieldChanges, FileChanges, Problem, Resized, Stage
from seatrial.report import facts as gathering
from seatrial.report.page.markup import LINKS
from tests.archives import WHEEL, sdist, wheel
from tests.samples.stages import BUILT, CHECKED, REHEARSED, RELEASED, VERIFIED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STAGES = (BUILT, CHECKED, REHEARSED, VERIFIED, RELEASED)
ATTACKS = (
    "<script>document.title = 'owned'</script>",
    "</iframe><svg onload=alert(1)>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"><b onclick='x'>",
    "</style><script>1</script>",
    "<style>*{display:none}</style>",
    "javascript:document.title='owned'",
    "]]><!--",
)
EVERYTHING = " ".join(ATTACKS)


def recorded(place: Path, stages: Sequence[Stage] = STAGES, **changes: Any) -> Record:
    """Record `stages`, with the files that lie in dist/ of `place`; `changes` are to what check found."""
    record = Record.of(place)
    dists = tuple(sorted(map(Dist.from_file, record.dist.iterdir())))
    for stage in stages:
        own = changes if stage.name == "checked" else {}
        record.write(replace(stage, dists=dists, **own))
    return record


def gathered(place: Path, stages: Sequence[Stage] = STAGES, **changes: Any) -> gathering.Facts:
    found = gathering.gather(recorded(place, stages, **changes), "nox -s pypi")
    assert found is not None
    return found


class Elements(html.parser.HTMLParser):
    """The elements of a page, and which are open at its end."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "hr", "img", "input", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def assert_harmless(source: str) -> Elements:
    """Assert that nothing in `source` runs or is loaded, and that its elements are balanced."""
    elements = Elements(source)
    assert elements.open == []
    for name, attributes in elements.found:
        assert name not in {"script", "iframe", "object", "embed", "svg", "img", "link", "base", "form", "template"}
        assert not [key for key in attributes if key.startswith("on") or key in {"src", "style", "srcdoc"}]
        target = attributes.get("href") or "#"
        assert target.startswith("#") or LINKS.match(target)
    return elements


def hostile(place: Path) -> gathering.Facts:
    """Write a release in which everything that a package says of itself is an attack."""
    fields = {"Summary": EVERYTHING, "Author": EVERYTHING, "Keywords": EVERYTHING, "Classifier": f"{EVERYTHING} :: x"}
    links = {"Project-URL": [f"{EVERYTHING}, javascript:alert(1)", f'x, https://e.org/"{EVERYTHING}']}
    wheel(place / "dist", {**fields, **links}, files={f"demo/{one}.py": "" for one in ATTACKS})
    sdist(place / "dist", {**fields, **links}, files={f"demo-1.0/{EVERYTHING}/{EVERYTHING}": ""})
    members = tuple(Resized(one, None, 1) for one in ATTACKS)
    files = (FileChanges(WHEEL, f"{EVERYTHING}.whl", 1, members, 1),)
    changes = Changes("0.9", EVERYTHING, "", files, (FieldChanges(EVERYTHING, (EVERYTHING,), (EVERYTHING,)),))
    problems = (Problem(EVERYTHING, "warning", EVERYTHING, EVERYTHING),)
    verified = replace(VERIFIED, imported=(EVERYTHING,), ran=(EVERYTHING,), index=EVERYTHING, python_version=EVERYTHING)
    stages = (replace(BUILT, commit=EVERYTHING), CHECKED, REHEARSED, verified, RELEASED)
    return gathered(place, stages, problems=problems, changes=changes, rendered=EVERYTHING)
