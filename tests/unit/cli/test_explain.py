from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import explain
from seatrial.cli.explain import Known, commands
from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.project.options import Options
from seatrial.project.settings import Settings
from tests.projects import commit, git, sample, write_tree
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT, CHECKED, FILES, WHEEL

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Kind

CONFIG = Settings(pythons=("3.11", "3.14"))
OWN = Settings(
    pythons=("3.12",),
    archives=("sdist",),
    pypi=Index("ours", simple="https://index.example/simple/", upload="https://index.example/upload/"),
)
STEPS = ("build", "check", "testpypi", "verify", "pypi", "dryrun", "inspect", "status", "rebuild")
DEMO = Known("demo", "1.0", ("demo",), BUILT.dists)


def text(name: str, settings: Settings = CONFIG, release: Known = Known(), kind: Kind = "wheel") -> str:  # noqa: B008
    return "\n".join(commands(name, settings, release, kind))


def test_an_import_away_from_the_checkout_runs_in_a_posix_shell(tmp_path: Path) -> None:
    sh = shutil.which("sh")
    if sh is None:
        pytest.skip("there is no shell here")
    folder, program = tmp_path / "ein Übungsstück", tmp_path / "verify" / "bin" / "python"
    folder.mkdir()
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s|" "$PWD" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    line = commands("verify", CONFIG, Known())[-1]
    done = subprocess.run([sh, "-c", f"{line}; pwd"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == f"/|-I|-c|import IMPORT_NAME|{folder}\n"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "build",
            [
                "git clone --no-checkout",
                "SOURCE_DATE_EPOCH",
                "python -m build --sdist --outdir dist ../seatrial-checkout",
                "python -m build --wheel",
                "sha256sum dist/*",
            ],
        ),
        (
            "check",
            [
                "python -m twine check dist/*",
                "trial-wheel install dist/*.whl",
                "trial-sdist install dist/*.tar.gz",
                "check",
            ],
        ),
        ("testpypi", ["python -m twine upload", 'TWINE_PASSWORD="$TESTPYPI_TOKEN"', "dist/*.whl dist/*.tar.gz"]),
        (
            "verify",
            [
                "python3.11 -m venv",
                "--no-cache-dir --no-deps",
                "PROJECT==VERSION",
                "-m pip --python ../verify check",
                "import IMPORT_NAME",
            ],
        ),
        ("pypi", ["python -m twine upload", 'TWINE_PASSWORD="$PYPI_TOKEN"', "dist/*.whl dist/*.tar.gz"]),
        (
            "dryrun",
            [
                "--python ../servers install pypiserver",
                "pypi-server run",
                "python -m build",
                "http://127.0.0.1:8082/simple/",
            ],
        ),
        ("inspect", ["twine check FILE..."]),
        ("rebuild", ["checkout --detach vVERSION", "log -1 vVERSION", "python -m build --wheel", "curl"]),
        ("status", ["cat release-record/*.json"]),
    ],
)
def test_a_step_names_its_commands(name: str, lines: list[str]) -> None:
    assert not [line for line in lines if line not in text(name)]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.parametrize("config", [CONFIG, OWN])
def test_every_line_is_one_for_a_shell(name: str, kind: Kind, config: Settings) -> None:
    for release in (Known(), DEMO):
        lines = text(name, config, release, kind).splitlines()
        assert lines
        assert all(shlex.split(line, comments=True) for line in lines)


@pytest.mark.parametrize("name", STEPS)
def test_no_secret_is_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (
        "PYPI_TOKEN",
        "TESTPYPI_TOKEN",
        "TWINE_USERNAME",
        "TWINE_PASSWORD",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
    ):
        monkeypatch.setenv(variable, "a-secret")
    assert "a-secret" not in text(name)


@pytest.mark.parametrize(("name", "index"), [("testpypi", TESTPYPI), ("pypi", PYPI), ("pypi", OWN.pypi)])
def test_an_upload_goes_to_an_explicit_url(name: str, index: Index) -> None:
    shown = text(name, OWN if index is OWN.pypi else CONFIG)
    assert f"--repository-url {index.upload} --config-file /dev/null" in shown
    assert f"{index.simple}PROJECT/" in shown
    assert ("your token" in shown) == (not index.token_variable)


def test_the_user_of_an_index_of_ones_own_is_named(tmp_path: Path) -> None:
    outer = {"PYPI_USERNAME": "a user", "PYPI_TOKEN": "a-secret"}
    own = replace(OWN, pypi=replace(OWN.pypi, token_variable="PYPI_TOKEN"))
    for settings, user in ((own, "'a user'"), (CONFIG, "__token__")):
        shown = explain.step("pypi", make_context(tmp_path, settings=settings, variables=outer))
        assert f"export TWINE_USERNAME={user} TWINE_PASSWORD=" in shown
        assert "a-secret" not in shown


def test_the_package_itself_comes_from_the_rehearsal_index_without_dependencies() -> None:
    lines = commands("verify", CONFIG, DEMO)
    own, rest = (next(line for line in lines if word in line) for word in ("--no-deps", "demo==1.0   #"))
    assert f"--index-url {TESTPYPI.simple} --only-binary :all: --require-hashes" in own
    assert f"--index-url {PYPI.simple}" in rest
    assert TESTPYPI.simple not in rest


def test_an_sdist_is_never_built_with_the_rehearsal_index() -> None:
    lines = commands("verify", CONFIG, DEMO, "sdist")
    assert any(f"--no-deps --index-url {PYPI.simple} ../demo-1.0.tar.gz" in line for line in lines)
    assert not [line for line in lines if "pip " in line and TESTPYPI.simple in line]


def test_only_the_archives_of_the_project_are_named() -> None:
    assert "--wheel" in text("build")
    assert "--wheel" not in text("build", OWN)
    assert "dist/*.whl" not in text("check", OWN)
    assert "dist/*.whl" in text("check")
    assert "dist/*.whl" not in text("dryrun", OWN)


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell here")
def test_the_build_runs_as_it_stands(tmp_path: Path) -> None:
    folder = sample(tmp_path / "demo")
    commit(folder)
    shell = shutil.which("sh") or ""
    lines = commands("build", CONFIG, Known())[:3]
    script = "\n".join(["set -e", *lines, 'echo "$SOURCE_DATE_EPOCH"'])
    done = subprocess.run([shell, "-c", script], cwd=folder, env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == git(folder, "log", "-1", "--format=%ct")
    assert (tmp_path / "seatrial-checkout" / "pyproject.toml").exists()


# With what is known of the project.


def project(root: Path, pyproject: str) -> None:
    write_tree(root, {"pyproject.toml": pyproject})


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_left_to_fill_in_where_the_project_says_what_it_is(tmp_path: Path, name: str) -> None:
    project(tmp_path, '[project]\nname = "Tide-Times"\nversion = "0.1"\n')
    options = Options(version="0.1", files=(tmp_path / "x y.whl",))
    shown = explain.step(name, make_context(tmp_path, options=options))
    assert not [word for word in ("PROJECT", "VERSION", "IMPORT_NAME", "FILE") if word in shown]
    assert ("/tide-times/" in shown) is (name in {"testpypi", "verify", "pypi", "dryrun", "rebuild", "status"})


def test_a_tag_may_have_braces_of_its_own(tmp_path: Path) -> None:
    project(tmp_path, '[project]\nname = "demo"\nversion = "0.1"\n')
    settings = Settings(pythons=("3.13",), tag=("{x}-v{version}",))
    assert "{x}-v0.1" in explain.step(
        "rebuild", make_context(tmp_path, settings=settings, options=Options(version="0.1"))
    )


def test_a_record_knows_the_files_the_hashes_and_what_is_imported(tmp_path: Path) -> None:
    write_tree(tmp_path / "dist", FILES)
    context = make_context(tmp_path)
    for stage in (BUILT, CHECKED):
        context.record.write(stage)
    shown = explain.step("verify", context)
    digests = {dist.kind: dist.sha256 for dist in BUILT.dists}
    assert f'echo "demo==1.0 --hash=sha256:{digests["wheel"]}" > ../hashes.txt' in shown
    assert "-I -c 'import demo'" in shown
    assert f"dist/{WHEEL} dist/demo-1.0.tar.gz" in explain.step("pypi", context)


def test_verify_has_both_kinds_in_environments_of_their_own_unless_one_is_named(tmp_path: Path) -> None:
    project(tmp_path, '[project]\nname = "demo"\nversion = "0.1"\n')
    both = explain.step("verify", make_context(tmp_path))
    assert both.count(" -m venv --without-pip ../verify-") == 2
    assert explain.step("verify", make_context(tmp_path, options=Options(kind="sdist"))).count(" -m venv ") == 1


def test_extras_and_smoke_commands_are_part_of_it(tmp_path: Path) -> None:
    settings = Settings(
        pythons=("3.13",),
        extras=("cli",),
        smoke=("demo --version",),
        smoke_requires=("httpx>=0.27",),
        import_names=("d",),
    )
    project(tmp_path, '[project]\nname = "demo"\nversion = "0.1"\n')
    shown = explain.step("verify", make_context(tmp_path, settings=settings, options=Options(kind="wheel")))
    assert "'demo[cli]==0.1'" in shown
    smoke = "python -m pip --python ../verify install --no-cache-dir 'httpx>=0.27'\n../verify/bin/demo --version"
    assert shown.endswith(f"-I -c 'import d')\n{smoke}")


@pytest.mark.parametrize("name", ["a; rm -rf ~", "$(id)", 7, None])
def test_what_could_not_stand_in_a_shell_is_not_put_there(tmp_path: Path, name: object) -> None:
    project(tmp_path, f"[project]\nname = {json.dumps(name) if name is not None else '1.5'}\n")
    assert explain.known(make_context(tmp_path)) == Known()


@pytest.mark.skipif(not all(map(shutil.which, ("sh", "sha256sum", "sed", "tr"))), reason="needs a POSIX system")
def test_the_hashes_of_what_lies_in_dist_are_pips_options(tmp_path: Path) -> None:
    write_tree(tmp_path / "project" / "dist", FILES | {"demo-1.0-py2-none-any.whl": "x"})
    line = next(line for line in commands("verify", CONFIG, Known("demo", "1.0")) if line.startswith("echo"))
    subprocess.run([str(shutil.which("sh")), "-c", line], cwd=tmp_path / "project", check=True)
    words = (tmp_path / "hashes.txt").read_text(encoding="utf-8").split()
    wheel = next(dist.sha256 for dist in BUILT.dists if dist.kind == "wheel")
    assert words[0] == "demo==1.0"
    assert f"--hash=sha256:{wheel}" in words
    assert len(words) == 3


def test_the_address_of_an_sdist_is_read_from_the_index() -> None:
    answer = {"files": [{"filename": "other", "url": "a"}, {"filename": "demo-1.0.tar.gz", "url": "https://f/b"}]}
    argv = [sys.executable, "-c", explain.URL_OF, "demo-1.0.tar.gz"]
    done = subprocess.run(argv, input=json.dumps(answer), capture_output=True, text=True, check=True)
    assert done.stdout == "https://f/b\n"
