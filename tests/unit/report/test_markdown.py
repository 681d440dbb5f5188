"""The release in a few lines of Markdown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.release.stages import Problem
from seatrial.report import markdown
from seatrial.report.text import Failure
from tests.archives import WHEEL
from tests.samples.reports import gathered, hostile
from tests.samples.stages import AT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_summary_is_short_and_says_what_counts(place: Path) -> None:
    told = markdown.markdown(gathered(place, rendered='<a href="a.md">a</a>'))
    assert told.startswith("## demo 1.0\n\n| step |")
    assert f"| build | done | from c0ffee: wheel 1.3 KiB, sdist 567 B | {AT} |" in told
    assert "**warning** demo-1.0.tar.gz: Übung: there is no Summary (metadata-summary)" in told
    assert "- link a.md is relative" in told
    assert "| 3.14t | sdist | not verified |" in told
    assert told.endswith("Next: `nox -s pypi`\n")
    assert len(told.splitlines()) < 60


def test_the_summary_of_a_hostile_release_has_no_markup_of_its_own(tmp_path: Path) -> None:
    told = markdown.markdown(hostile(tmp_path))
    assert not re.search(r"(?<!\\)<", told)
    assert len(told) < 20_000


def test_nothing_that_a_record_says_is_markup(place: Path) -> None:
    facts = gathered(place)
    evil = "`|\n\n# Approve here: [PyPI](https://evil.example)\n\n<img src=x>"
    first = facts.files[0]
    told = markdown.markdown(
        replace(
            facts,
            steps=tuple(replace(step, at=evil, summary=evil) for step in facts.steps),
            files=(replace(first, dist=replace(first.dist, filename=evil, sha256=evil)),),
            failure=Failure(evil, evil),
            following=evil,
        )
    )
    in_code = re.findall("^(?:Next: )?`[^`]*`", told, re.MULTILINE)
    assert len(in_code) == 2
    for code in in_code:
        told = told.replace(code, "")
    assert not re.search(r"(?<!\\)[<\[`]|(?<! )(?<!\\)\||^# ", told.replace("\n|", ""))


def test_a_dry_run_says_what_was_rehearsed_as_what(place: Path) -> None:
    facts = replace(gathered(place), dry=True)
    told = markdown.markdown(replace(facts, built=replace(facts.built, version="1.1", supposed_tag="v1.1")))
    assert "of this machine: rehearsed as 1.1, as if this commit were tagged v1.1." in told
    assert "of this machine: rehearsed as 1.0, as its files call it." in markdown.markdown(facts)


def test_long_lists_of_the_summary_are_cut(place: Path) -> None:
    problems = tuple(Problem("r", "warning", WHEEL, str(number)) for number in range(30))
    facts = replace(gathered(place, problems=problems), following="")
    told = markdown.markdown(replace(facts, files=facts.files * 20, dry=True))
    assert "- and 10 more" in told
    assert "- and 20 more" in told
    assert told.count("A dry run") == 1
    assert "Next:" not in told
