"""`check` of a project that is compiled: what `build` compiled of an sdist is not compiled again for that Python."""

from __future__ import annotations

import platform
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from packaging.tags import sys_tags

from seatrial.release.stages import Built, Checked, Installed, Tool, Trial
from seatrial.steps import check as module
from seatrial.steps.work import check as work
from seatrial.trial import interpreters
from seatrial.trial.installer import Installer, Venv
from seatrial.trial.trial import Use
from tests.archives import SDIST, WHEEL, wheel
from tests.samples.releases import release_in
from tests.samples.stages import BUILT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.trial.trial import Subject
    from tests.samples.releases import Release

RUNNING = "{}.{}".format(*sys.version_info)
BEST = next(tag for tag in sys_tags() if not tag.platform.startswith("linux"))
COMPILED = f"demo-1.0-{BEST.interpreter}-{BEST.abi}-{BEST.platform}.whl"
TOOLS = (Tool("build", "1"), Tool("python", platform.python_version()))


@pytest.fixture(autouse=True)
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are installed; the environments are not real."""
    names: list[str] = []

    def use(_: Installer, _venv: Venv, subject: Subject, *_args: Any) -> Use:
        names.append(subject.label)
        own = Installed("demo", subject.version, subject.origins[0].url, subject.origins[0].sha256)
        return Use("3.13.0", "linux", "x86_64", own, (own,), ("demo",), (), (), "imported demo")

    monkeypatch.setattr(Installer, "create", lambda _self, root, *_: Venv(root))
    monkeypatch.setattr(Installer, "from_file", lambda *_: None)
    monkeypatch.setattr(work, "use", use)
    monkeypatch.setattr(interpreters, "find", lambda python, _uv: python if python == RUNNING else "")
    return names


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path) as made:
        made.context = made.context.with_settings(replace(made.context.settings, pythons=(RUNNING,)))
        (made.record.dist / WHEEL).unlink()
        extension = {"demo/_speed.so": b"\x7fELF"}
        wheel(made.record.dist, {"Requires-Python": None}, filename=COMPILED, files=extension)
        yield made


def check(release: Release, **facts: Any) -> Checked:
    release.write(BUILT, **facts)
    module.run(release.at(offline=True))
    return release.record.read(Checked)


def test_the_sdist_is_tried_through_the_wheel_that_build_made_of_it(release: Release, tried: list[str]) -> None:
    checked = check(release, tools=TOOLS)
    assert tried == [COMPILED]
    assert [(trial.filename, trial.through) for trial in checked.trials] == [(COMPILED, ""), (SDIST, COMPILED)]
    assert checked.trials[1] == Trial(SDIST, RUNNING, (), (), f"made into {COMPILED}", COMPILED)
    said = f"{SDIST}: not compiled again on Python {RUNNING}: `build` made {COMPILED} of it, which is tried"
    assert said in release.shown


@pytest.mark.parametrize(
    "tools",
    [
        (),
        (Tool("python", "3.3.1"),),
        (Tool("python", platform.python_version()), Tool("--from", "wheelhouse")),
    ],
)
def test_what_was_made_elsewhere_or_otherwise_is_compiled(
    release: Release, tried: list[str], tools: tuple[Tool, ...]
) -> None:
    checked = check(release, tools=tools)
    assert sorted(tried) == sorted([COMPILED, SDIST])
    assert [trial.through for trial in checked.trials] == ["", ""]


def test_what_is_not_compiled_is_tried_both_ways(release: Release, tried: list[str]) -> None:
    (release.record.dist / COMPILED).unlink()
    wheel(release.record.dist)
    check(release, tools=TOOLS)
    assert sorted(tried) == sorted([WHEEL, SDIST])


def test_the_record_can_be_read_again(release: Release) -> None:
    checked = check(release, tools=TOOLS)
    assert release.record.find(Built) is not None
    assert release.record.read(Checked) == checked
