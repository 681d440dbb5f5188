from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.release.filenames import tags_of
from seatrial.release.stages import Dist
from seatrial.release.verdicts import fits, lacking, runs_on, takes, unfit, verdicts
from seatrial.report import text
from seatrial.trial.tags import fitting
from tests.samples.stages import BUILT, VERIFIED

if TYPE_CHECKING:
    from seatrial.release.stages import Built, Verified

SDIST = "demo-1.0.tar.gz"
PLATFORMS = (
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_10_13_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
    "win32",
)
PYTHONS = ("cp310-cp310", "cp311-cp311", "cp312-cp312", "cp313-cp313", "cp313-cp313t", "cp314-cp314", "cp314-cp314t")
MORE = (
    *(f"pp311-pypy311_pp73-{platform}" for platform in (*PLATFORMS[:2], *PLATFORMS[3:5], "win_amd64")),
    "cp312-cp312-pyodide_2024_0_wasm32",
    "cp313-cp313-pyodide_2025_0_wasm32",
    "cp312-cp312-macosx_10_13_universal2",
    "cp39-abi3-manylinux_2_17_x86_64",
    "cp39-abi3-win_amd64",
)
WHEELS = tuple(f"demo-1.0-{python}-{platform}.whl" for python in PYTHONS for platform in PLATFORMS)
WHEELS += tuple(f"demo-1.0-{tag}.whl" for tag in MORE)
LINUX, MAC = ("linux", "x86_64"), ("darwin", "arm64")


def release(*names: str) -> Built:
    return replace(BUILT, dists=tuple(Dist(name, "0" * 64, 1) for name in names))


def cell(filename: str, python: str, place: tuple[str, str] = LINUX) -> Verified:
    kind = "wheel" if filename.endswith(".whl") else "sdist"
    return replace(VERIFIED, filename=filename, python=python, kind=kind, sys_platform=place[0], machine=place[1])  # type: ignore[arg-type]


def test_a_release_of_sixty_files_with_the_right_verdict_on_each() -> None:
    built = release(*WHEELS, SDIST)
    assert len(built.dists) == 60
    many, arm = PLATFORMS[0], "macosx_11_0_arm64"
    done = {
        f"demo-1.0-cp312-cp312-{many}.whl": ("3.12", LINUX),
        f"demo-1.0-cp313-cp313-{many}.whl": ("3.13", LINUX),
        f"demo-1.0-cp314-cp314t-{many}.whl": ("3.14t", LINUX),
        f"demo-1.0-pp311-pypy311_pp73-{many}.whl": ("pypy3.11", LINUX),
        f"demo-1.0-cp313-cp313-{arm}.whl": ("3.13", MAC),
        SDIST: ("3.12", LINUX),
    }
    table = verdicts(built, [cell(name, *where) for name, where in done.items()])
    assert [verdict.dist for verdict in table] == list(built.dists)
    assert {verdict.dist.filename for verdict in table if verdict.proofs} == set(done)
    reasons = {verdict.dist.filename: verdict.reason for verdict in table}
    for name, reason in reasons.items():
        assert reason == expected(name, done), name


def expected(name: str, done: dict[str, tuple[str, tuple[str, str]]]) -> str:
    """Say the reason again, from a table of what runs where in place of rules."""
    if name in done:
        return ""
    python, abi, platform = name.removesuffix(".whl").split("-")[-3:]
    if platform not in {PLATFORMS[0], "manylinux_2_17_x86_64", "macosx_11_0_arm64", "macosx_10_13_universal2"}:
        return f"no platform that fits: it is for {' or '.join(sorted(platform.split('.')))}"
    if abi == "abi3":
        return "another wheel of this release is preferred wherever this one fits"
    shown = python if python == abi else f"{python}-{abi}"
    return f"no interpreter that fits: it is for {shown}"


def test_a_release_where_nothing_was_verified_yet() -> None:
    table = verdicts(release("demo-1.0-py3-none-any.whl", SDIST), [])
    assert [verdict.reason for verdict in table] == ["no wheel was verified", "no sdist was verified"]
    only_sdist = verdicts(release("demo-1.0-py3-none-any.whl", SDIST), [cell(SDIST, "3.12")])
    assert [verdict.reason for verdict in only_sdist] == ["no wheel was verified", ""]


def test_a_file_that_was_verified_twice_has_both_proofs() -> None:
    wheel = "demo-1.0-py3-none-any.whl"
    (verdict, _) = verdicts(release(wheel, SDIST), [cell(wheel, "3.12"), cell(wheel, "3.13", MAC)])
    said = text.verdicts([verdict])
    assert said == f"  {wheel}: verified on Python 3.12 on linux x86_64, Python 3.13 on darwin arm64"


def test_what_was_verified_nowhere_is_said_with_the_reason() -> None:
    wheel, other = "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "demo-1.0-cp312-cp312-win_amd64.whl"
    table = verdicts(release(wheel, other), [cell(wheel, "3.12")])
    assert text.unverified(table) == f"  {other}: not verified here, no platform that fits: it is for win_amd64"


@pytest.mark.parametrize(
    ("platform", "where", "fit"),
    [
        ("any", ("win32", "AMD64"), True),
        ("manylinux_2_28_x86_64", LINUX, True),
        ("linux_x86_64", LINUX, True),
        ("manylinux_2_28_aarch64", LINUX, False),
        ("musllinux_1_2_x86_64", LINUX, False),
        ("win_amd64", LINUX, False),
        ("macosx_11_0_universal2", MAC, True),
        ("macosx_11_0_arm64", MAC, True),
        ("macosx_11_0_x86_64", MAC, False),
        ("manylinux_2_28_arm64", MAC, False),
        ("win_amd64", ("win32", "AMD64"), True),
        ("win_arm64", ("win32", "AMD64"), False),
        ("win32", ("win32", "AMD64"), False),
        ("pyodide_2024_0_wasm32", LINUX, False),
        ("pyemscripten_2026_0_wasm32", ("emscripten", "wasm32"), False),
    ],
)
def test_what_a_platform_is_for(platform: str, where: tuple[str, str], *, fit: bool) -> None:
    assert runs_on(platform, *where) is fit


@pytest.mark.parametrize(
    ("python", "tag", "fit"),
    [
        ("3.12", "cp312-cp312", True),
        ("3.12", "cp311-cp311", False),
        ("3.12", "cp39-abi3", True),
        ("3.12", "cp313-abi3", False),
        ("3.14t", "cp314-cp314t", True),
        ("3.14t", "cp314-cp314", False),
        ("3.14", "cp314-cp314t", False),
        ("3.14t", "cp39-abi3", False),
        ("3.15t", "cp315-abi3t", True),
        ("3.12", "py3-none", True),
        ("3.12", "py313-none", False),
        ("3.12", "cp312-none", True),
        ("3.12", "cp311-none", False),
        ("pypy3.11", "pp311-pypy311_pp73", True),
        ("pypy3.11", "pp310-pypy310_pp73", False),
        ("pypy3.11", "cp311-cp311", False),
        ("pypy3.11", "py3-none", True),
        ("3.11", "pp311-pypy311_pp73", False),
        ("3.11", "graalpy311-native", False),
        ("jython", "py3-none", False),
    ],
)
def test_what_an_interpreter_takes(python: str, tag: str, *, fit: bool) -> None:
    (found,) = tags_of(f"demo-1.0-{tag}-any.whl")
    assert takes(python, found) is fit


def test_what_takes_and_runs_agrees_with_packaging() -> None:
    """Of CPython 3.12 on Linux, both say the same of each of the sixty files."""
    ours = [f"cp312-cp312-manylinux_2_{minor}_x86_64" for minor in (28, 17)]
    ours += [f"cp3{minor}-abi3-manylinux_2_17_x86_64" for minor in range(12, 2, -1)]
    for name in WHEELS:
        tags = tags_of(name)
        fit = any(takes("3.12", tag) for tag in tags) and any(runs_on(tag.platform, *LINUX) for tag in tags)
        assert fit is (fitting([name], ours) is not None), name


# What the setting asks for.

TABLE = verdicts(
    release("demo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", *WHEELS[5:6], SDIST),
    [cell("demo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "3.12")],
)
WINDOWS = "demo-1.0-cp310-cp310-win_amd64.whl: no platform that fits: it is for win_amd64"


@pytest.mark.parametrize(
    ("required", "missing"),
    [
        ("matrix", ()),
        ("all", (WINDOWS, f"{SDIST}: no sdist was verified")),
        (("*-manylinux*",), ()),
        (("cp312-cp312-manylinux2014_x86_64",), ()),
        (("*-win_*",), (WINDOWS,)),
        (("*.tar.gz",), (f"{SDIST}: no sdist was verified",)),
        (("cp313-*",), ()),
        (("*-manylinux*", "*-win_amd64"), (WINDOWS,)),
    ],
)
def test_the_files_that_have_to_be_verified(required: str | tuple[str, ...], missing: tuple[str, ...]) -> None:
    assert lacking(TABLE, required) == missing


def test_a_pattern_that_fits_no_file_is_found() -> None:
    dists = [verdict.dist for verdict in TABLE]
    assert unfit(dists, ("cp313-*", "*-win_amd64", "*.zip")) == ("cp313-*", "*.zip")
    assert unfit(dists, "all") == unfit(dists, ("*.tar.gz",)) == ()


def test_a_pattern_is_of_names_and_tags() -> None:
    dist = Dist("demo-1.0-py2.py3-none-any.whl", "0" * 64, 1)
    assert all(fits(dist, pattern) for pattern in ("demo-1.0-*", "py2.py3-none-any", "py3-none-any", "py2-*"))
    assert not fits(dist, "cp3*")
