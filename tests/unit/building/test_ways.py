from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from seatrial.building.again.ways import Search, Way, likeliest
from seatrial.release.comparison import LINE_ENDS, Comparison
from seatrial.release.stages import Difference

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
USUAL = Way(100, normalise=True)


@dataclass
class Looking:
    """A search among ways of which none comes nearer, or those that `best` says."""

    left: list[Comparison]
    tagged: int = 100
    generator: str = "builder 1.0"
    made_by: str = "builder 1.0"
    pythons: tuple[str, ...] = ()
    nearer: tuple[str, ...] = ()
    words: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        search = Search(
            USUAL, lambda: self.left, self.tagged, lambda: self.generator, lambda: self.made_by, self.pythons
        )
        search.tried[USUAL] = ""
        for way in search.ways():
            self.words.append(way.words(USUAL))
            if search.tried[way] in self.nearer:
                search.best = way
        return self.words


def equivalent(filename: str, *packing: str, epoch: int | None = None, umask: int | None = None) -> Comparison:
    return Comparison(filename, "equivalent", (), packing, epoch=epoch, umask=umask)


def test_nothing_is_tried_where_nothing_is_left() -> None:
    assert Looking([], generator="other 2", pythons=("3.8",)).run() == []


def test_the_times_decide_which_epochs_are_tried() -> None:
    wheel = equivalent(WHEEL, "times", epoch=0x5E0BE100)
    assert Looking([wheel], tagged=200).run() == [
        "no SOURCE_DATE_EPOCH",
        "the sdist as its backend made it, SOURCE_DATE_EPOCH of the tag",
        "the sdist as its backend made it, SOURCE_DATE_EPOCH of its own times (2020-01-01T00:00:00Z)",
        "the wheel of the checkout",
    ]
    assert Looking([equivalent(WHEEL, "order")], tagged=200).run() == ["the wheel of the checkout"]


def test_an_sdist_is_tried_as_its_backend_made_it_and_no_wheel_of_the_checkout() -> None:
    assert Looking([equivalent(SDIST, "order")]).run() == ["the sdist as its backend made it"]


def test_what_came_nearer_is_kept() -> None:
    both = [equivalent(SDIST, "times", "modes", umask=0o002), equivalent(WHEEL, "times")]
    words = Looking(both, nearer=("no SOURCE_DATE_EPOCH",), pythons=("3.9", "3.8")).run()
    assert words == [
        "the sdist as its backend made it",
        "no SOURCE_DATE_EPOCH",
        "no SOURCE_DATE_EPOCH, the wheel of the checkout",
        "the sdist as its backend made it, no SOURCE_DATE_EPOCH, umask 002",
        "no SOURCE_DATE_EPOCH, Python 3.9",
        "no SOURCE_DATE_EPOCH, Python 3.8",
    ]


def test_the_backend_of_the_wheel_comes_first() -> None:
    assert Looking([equivalent(WHEEL)], generator="builder 0.9").run()[0] == "builder 0.9"


def test_files_that_differ_in_line_ends_get_those_of_windows() -> None:
    lines = Difference("demo-1.0/docs/a.txt", "text", matters=True, lines=(LINE_ENDS,))
    other = Difference("demo-1.0/b.txt", "text", matters=True, lines=("-x", "+y"))
    found = Comparison(SDIST, "different", (lines, other))
    search = Search(USUAL, lambda: [found], 100, str, str, ())
    ways = list(search.ways())
    assert {way.crlf for way in ways} == {(), ("docs/a.txt",)}
    assert "an empty dist/ in the checkout" in [way.words(USUAL) for way in ways]
    assert "CRLF line ends in 1 file" in ways[-1].words(USUAL)


def test_a_name_in_an_sdist_is_a_path_and_one_in_a_wheel_the_end_of_one() -> None:
    way = Way(None, normalise=False, crlf=("/demo/mod.py", "pyproject.toml"))
    files = ("src/demo/mod.py", "pyproject.toml", "tests/pyproject.toml", "mydemo/mod.py")
    assert [name for name in files if way.has_crlf(name)] == ["src/demo/mod.py", "pyproject.toml"]


@pytest.mark.parametrize(
    ("uploaded", "expected"),
    [
        ("2022-09-30T10:00:00Z", ["3.10", "3.9", "3.8", "3.13", "3.12", "3.11"]),
        ("2022-10-30T10:00:00.123456Z", ["3.11", "3.10", "3.9", "3.8", "3.13", "3.12"]),
        ("", ["3.13", "3.12", "3.11", "3.10", "3.9", "3.8"]),
    ],
)
def test_the_newest_python_of_the_time_is_the_likeliest(uploaded: str, expected: list[str]) -> None:
    assert likeliest([f"3.{minor}" for minor in range(8, 14)], uploaded) == expected
