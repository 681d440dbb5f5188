from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index.indexes import TESTPYPI
from seatrial.project.context import DryRun
from seatrial.release.stages import Built, Cell, Dist
from seatrial.report import ci
from tests.samples.contexts import make_context

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.project.context import Context

DIGEST = "0123456789abcdef" * 4


def built(*filenames: str, pythons: tuple[str, ...] = ("3.10", "3.14")) -> Built:
    """A build of files with these names."""
    return Built(
        project="demo",
        version="1.0",
        dists=tuple(Dist(name, "0" * 64, 1) for name in filenames),
        at="2024-05-06T07:08:09Z",
        commit=None,
        tag=None,
        dirty=False,
        epoch=0,
        fingerprint="",
        tools=(),
        normalised=(),
        matrix=tuple(Cell(python, "wheel") for python in pythons) + tuple(Cell(python, "sdist") for python in pythons),
    )


def jobs(*filenames: str, pythons: tuple[str, ...] = ("3.10", "3.14")) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ci.matrix(built(*filenames, pythons=pythons)))["include"]
    return found


def systems(*filenames: str) -> set[str]:
    return {job["os"].partition("-")[0] for job in jobs(*filenames)}


def test_a_pure_wheel_is_verified_on_every_system_once_with_each_python() -> None:
    found = jobs("demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz")
    assert [(job["os"], job["python"]) for job in found] == [
        (system, python) for python in ("3.10", "3.14") for system in ci.RUNNERS
    ]
    assert all(job["setup"] == job["python"] for job in found)


@pytest.mark.parametrize(
    ("platform", "system"),
    [
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", "ubuntu"),
        ("musllinux_1_2_aarch64", "ubuntu"),
        ("linux_x86_64", "ubuntu"),
        ("win_amd64", "windows"),
        ("win32", "windows"),
        ("macosx_11_0_arm64", "macos"),
    ],
)
def test_a_compiled_wheel_is_verified_on_its_own_system_only(platform: str, system: str) -> None:
    assert systems(f"demo-1.0-cp310-abi3-{platform}.whl", "demo-1.0.tar.gz") == {system}


def test_compiled_wheels_are_verified_on_the_systems_they_cover_together() -> None:
    assert systems("demo-1.0-cp310-abi3-win_amd64.whl", "demo-1.0-cp310-abi3-macosx_11_0_arm64.whl") == {
        "windows",
        "macos",
    }


def test_a_release_of_an_sdist_alone_is_verified_on_linux() -> None:
    assert systems("demo-1.0.tar.gz") == {"ubuntu"}


@pytest.mark.parametrize("python", ["3.8", "3.9", "pypy3.11", "3.14t"])
def test_a_python_that_cannot_run_the_sessions_is_verified_beside_one_that_can(python: str) -> None:
    (job,) = jobs("demo-1.0-py3-none-any.whl", pythons=(python,))
    assert job == {"os": "ubuntu-latest", "python": python, "setup": f"{python}\n3.10"}


def test_github_reads_one_line_a_value(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("before=1\n", encoding="utf-8")
    ci.hand_on(
        {"GITHUB_OUTPUT": str(output)}, tmp_path, {"record": DIGEST, "matrix": ci.matrix(built("demo-1.0.tar.gz"))}
    )
    before, record, matrix = output.read_text(encoding="utf-8").splitlines()
    assert (before, record) == ("before=1", f"record={DIGEST}")
    assert json.loads(matrix.removeprefix("matrix="))["include"]


def test_gitlab_reads_variables_that_the_sessions_understand(tmp_path: Path) -> None:
    ci.hand_on({"GITLAB_CI": "true"}, tmp_path, {"record": DIGEST, "version": "1.0"})
    assert (tmp_path / "ci.env").read_text("utf-8") == f"SEATRIAL_RECORD={DIGEST}\nSEATRIAL_VERSION=1.0\n"


def test_what_a_build_wrote_to_gitlabs_file_first_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "ci.env").write_text("PIP_INDEX_URL=https://evil.example\n", encoding="utf-8")
    ci.hand_on({"GITLAB_CI": "true"}, tmp_path, {"url": "https://u"}, {"record": DIGEST})
    assert (tmp_path / "ci.env").read_text("utf-8") == f"SEATRIAL_RECORD={DIGEST}\nSEATRIAL_URL=https://u\n"


PYPI_PAGE = "https://pypi.org/project/demo/"


@pytest.mark.parametrize("system", ["GITHUB_OUTPUT", "GITLAB_CI"])
@pytest.mark.parametrize(
    "values",
    [
        *({"version": f"1.0{end}PATH=/tmp"} for end in ("\n", "\r", "\r\n", "\v", "\x1b", "\x85", "\u2028")),
        {"version": "1.0\n"},
        {"version": ""},
        {"version": "$(id)"},
        {"record": DIGEST + "\n"},
        {"record": DIGEST.upper()},
        {"record": "ab"},
        {"url": f"{PYPI_PAGE}1.0\nrecord={DIGEST}/"},
        {"url": f"{PYPI_PAGE}$HOME/"},
        {"url": "javascript:alert(1)"},
        {"matrix": '{"include":[]}\nrecord=0'},
        {"matrix": '{"include":["$HOME"]}'},
    ],
    ids=repr,
)
def test_a_value_that_is_none_of_its_kind_gets_into_no_file(
    tmp_path: Path, system: str, values: dict[str, str]
) -> None:
    output = tmp_path / "output"
    with pytest.raises(ci.NotHandedOn):
        ci.hand_on({system: str(output)}, tmp_path, {"record": DIGEST} | values)
    if system == "GITLAB_CI":
        with pytest.raises(ci.NotHandedOn):
            ci.hand_on({system: "true"}, tmp_path, {}, {"record": DIGEST} | values)
    assert list(tmp_path.iterdir()) == []


def test_a_url_and_a_matrix_of_every_kind_are_handed_on(tmp_path: Path) -> None:
    pythons = ("3.9", "3.14", "3.14t", "pypy3.11")
    values = {
        "version": "1!2.0rc1.post2.dev3+local.1",
        "matrix": ci.matrix(built("a-1-py3-none-any.whl", pythons=pythons)),
    }
    for url in (TESTPYPI.page("demo", "1.0"), "http://127.0.0.1:8080/simple/demo/", "http://[::1]:1/a%20b/?c=d&e#f"):
        ci.hand_on({"GITLAB_CI": "true"}, tmp_path, values | {"url": url})
        assert f"SEATRIAL_URL={url}\n" in (tmp_path / "ci.env").read_text("utf-8")


def test_a_laptop_is_left_alone(tmp_path: Path) -> None:
    ci.hand_on({}, tmp_path, {"record": DIGEST})
    ci.summarise({}, "a table")
    assert list(tmp_path.iterdir()) == []


def test_the_summary_is_markdown_that_others_can_follow(tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    ci.summarise({"GITHUB_STEP_SUMMARY": str(page)}, "## demo")
    assert page.read_text(encoding="utf-8") == "## demo\n\n"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """The context of a GitHub job, in a project that has nothing built yet."""
    variables = {f"GITHUB_{name}": str(tmp_path / name) for name in ("OUTPUT", "STEP_SUMMARY")}
    return make_context(tmp_path / "project", variables=variables)


def build(context: Context) -> str:
    """Build and record one small file; return the digest of the record."""
    context.record.dist.mkdir(parents=True)
    (context.record.dist / "demo-1.0.tar.gz").write_bytes(b"x")
    dist = Dist("demo-1.0.tar.gz", hashlib.sha256(b"x").hexdigest(), 1)
    context.record.write(replace(built("demo-1.0.tar.gz"), dists=(dist,)))
    return context.record.digest()


def test_the_digest_the_version_and_the_page_are_handed_on(context: Context, tmp_path: Path) -> None:
    digest = build(context)
    ci.built(context)
    ci.uploaded(context, TESTPYPI)
    lines = dict(line.split("=", 1) for line in (tmp_path / "OUTPUT").read_text(encoding="utf-8").splitlines())
    assert (lines["record"], lines["version"]) == (digest, "1.0")
    assert lines["url"] == "https://test.pypi.org/project/demo/1.0/"
    assert lines.keys() == {"record", "version", "matrix", "url"}


def test_the_page_of_the_run_names_the_digest_to_promote(context: Context, tmp_path: Path) -> None:
    ci.stands(context)
    digest = build(context)
    (context.record.folder / "report.md").write_text("## demo 1.0\n", encoding="utf-8")
    ci.stands(context)
    nothing, _, rest = (tmp_path / "STEP_SUMMARY").read_text(encoding="utf-8").partition("## demo 1.0")
    assert nothing == "Nothing is built yet.\n\n"
    assert f"sha256 of built.json: `{digest}`" in rest


@pytest.mark.parametrize("dry", [True, False])
def test_a_dry_run_and_a_build_that_failed_hand_nothing_on(context: Context, tmp_path: Path, *, dry: bool) -> None:
    if dry:
        build(context)
        context = replace(context, dry=DryRun(tmp_path))
    ci.built(context)
    ci.uploaded(context, TESTPYPI)
    ci.stands(replace(context, dry=DryRun(tmp_path)))
    assert list(tmp_path.glob("[A-Z]*")) == []
