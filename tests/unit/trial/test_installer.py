from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from uv import find_uv_bin

from seatrial.machine import process
from seatrial.release.stages import Dist
from seatrial.trial.installer import (
    Beside,
    Installer,
    InstallFailed,
    Origin,
    Venv,
    origin_of,
)
from tests.archives import wheel
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILES = "https://files.example/packages"
ANY = Origin(f"{FILES}/demo-1.0-py2.py3-none-any.whl", "a" * 64)
LINUX = Origin(f"{FILES}/numpy-2.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "b" * 64)
MAC = Origin(f"{FILES}/numpy-2.0-cp313-cp313-macosx_11_0_arm64.whl", "c" * 64)
SDIST = Origin(f"{FILES}/numpy-2.0.tar.gz", "d" * 64)

# As `uv pip compile --format pylock.toml` writes it.
LOCK = f"""
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.13"

[[packages]]
name = "numpy"
version = "2.0"
index = "https://pypi.org/simple"
sdist = {{ url = "{SDIST.url}", size = 1, hashes = {{ sha256 = "{SDIST.sha256}" }} }}
wheels = [
    {{ url = "{LINUX.url}", size = 1, hashes = {{ sha256 = "{LINUX.sha256}" }} }},
    {{ url = "{MAC.url}", size = 1, hashes = {{ sha256 = "{MAC.sha256}" }} }},
]

[[packages]]
name = "docopt"
version = "0.6.2"
sdist = {{ url = "{FILES}/docopt-0.6.2.tar.gz", size = 1, hashes = {{ sha256 = "{"e" * 64}" }} }}

[[packages]]
name = "old"
version = "1.0"
wheels = [{{ url = "{FILES}/old-1.0-py3-none-any.whl", hashes = {{ md5 = "00" }} }}]

[[packages]]
name = "direct"
version = "1.0"
archive = {{ url = "{FILES}/direct-1.0.tar.gz", hashes = {{ sha256 = "{"f" * 64}" }} }}

[[packages]]
name = "repository"
version = "1.0"
vcs = {{ type = "git", url = "https://git.example/repository.git", commit-id = "{"0" * 40}" }}

[[packages]]
name = "local"
wheels = [{{ path = "wheels/local-1.0-py3-none-any.whl", hashes = {{ sha256 = "{"1" * 64}" }} }}]
"""

# As `pip install --report` writes it.
REPORT = """
{
  "version": "1",
  "pip_version": "25.3",
  "install": [
    {
      "download_info": {
        "url": "https://files.example/packages/demo-1.0-py3-none-any.whl",
        "archive_info": {"hash": "sha256=aa", "hashes": {"sha256": "aa"}}
      },
      "is_direct": false,
      "requested": true,
      "metadata": {"metadata_version": "2.4", "name": "demo", "version": "1.0"}
    },
    {
      "download_info": {"url": "file:///somewhere/checkout", "dir_info": {}},
      "is_direct": true,
      "requested": true,
      "metadata": {"metadata_version": "2.4", "name": "local", "version": "1.0"}
    },
    {
      "download_info": {"url": "https://files.example/packages/old-1.0.tar.gz", "archive_info": {}},
      "metadata": {"metadata_version": "2.1", "name": "old", "version": "1.0"}
    }
  ]
}
"""


@pytest.mark.parametrize(
    ("origin", "tags"),
    [
        (ANY, {"py2-none-any", "py3-none-any"}),
        (LINUX, {"cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-manylinux2014_x86_64"}),
        (SDIST, set()),
        (Origin(f"{FILES}/demo-1.0.zip", ""), set()),
        (Origin(f"{FILES}/not-a-wheel.whl", ""), set()),
        (Origin("file:///checkout/", ""), set()),
    ],
)
def test_the_tags_of_an_origin_are_those_of_its_wheel(origin: Origin, tags: set[str]) -> None:
    assert origin.tags == tags


def test_the_only_origin_is_it_whatever_the_tags() -> None:
    assert origin_of({"numpy": (SDIST,)}, "numpy", ["cp313-cp313-linux_x86_64"]) == SDIST


@pytest.mark.parametrize("origin", [LINUX, MAC])
def test_among_several_wheels_the_tags_tell(origin: Origin) -> None:
    tags = sorted(origin.tags, reverse=True)
    assert origin_of({"numpy": (LINUX, MAC)}, "numpy", tags) == origin


@pytest.mark.parametrize("tags", [[], ["cp313-cp313-win_amd64"], ["cp313-cp313-manylinux_2_17_x86_64"]])
def test_tags_that_none_of_several_has_tell_nothing(tags: list[str]) -> None:
    assert origin_of({"numpy": (LINUX, MAC)}, "numpy", tags) is None


def test_names_are_compared_as_indexes_do() -> None:
    assert origin_of({"zope-interface": (ANY,)}, "Zope.Interface", []) == ANY


def test_what_was_there_before_has_no_origin() -> None:
    assert origin_of({"numpy": (LINUX,)}, "pip", ["py3-none-any"]) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("numpy", [LINUX, MAC]),
        ("docopt", [Origin(f"{FILES}/docopt-0.6.2.tar.gz", "e" * 64)]),
        ("old", [Origin(f"{FILES}/old-1.0-py3-none-any.whl", "")]),
        ("direct", [Origin(f"{FILES}/direct-1.0.tar.gz", "f" * 64)]),
        ("repository", [Origin("https://git.example/repository.git", "")]),
        ("local", [Origin("wheels/local-1.0-py3-none-any.whl", "1" * 64)]),
    ],
)
def test_the_origins_in_a_lock_are_its_wheels_or_else_what_it_is_built_from(
    tmp_path: Path, tools: FakeTools, name: str, expected: list[Origin]
) -> None:
    origins = installer_with("uv", tmp_path).dependencies(Venv(tmp_path / "venv"), ["numpy"], "demo", "1.0")
    assert (len(tools.ran), origins[name]) == (2, tuple(expected))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo", Origin(f"{FILES}/demo-1.0-py3-none-any.whl", "aa")),
        ("local", Origin("file:///somewhere/checkout", "")),
        ("old", Origin(f"{FILES}/old-1.0.tar.gz", "")),
    ],
)
def test_the_origin_in_a_report_is_what_was_downloaded(
    tmp_path: Path, tools: FakeTools, name: str, expected: Origin
) -> None:
    origins = installer_with(None, tmp_path).dependencies(Venv(tmp_path / "venv"), ["old"], "demo", "1.0")
    assert (len(tools.ran), origins[name]) == (1, (expected,))


@pytest.mark.skipif(os.name == "nt", reason="an environment is laid out otherwise there")
def test_the_programs_of_an_environment() -> None:
    venv = Venv(Path("a venv"))
    assert (venv.scripts, venv.python) == (Path("a venv/bin"), Path("a venv/bin/python"))


@pytest.mark.parametrize("uv", [None, "uv"])
def test_without_requirements_nothing_is_run(tmp_path: Path, uv: str | None) -> None:
    installer = Installer(uv, {}, tmp_path, "https://index.example/simple/")
    assert installer.dependencies(Venv(tmp_path / "venv"), [], "demo", "1.0") == {}
    assert list(tmp_path.iterdir()) == []


# What is run, with uv or with pip.


@dataclass
class FakeTools:
    """pip, uv and virtualenv, which note what they are asked, and write what a resolver or a report would."""

    code: int = 0
    ran: list[tuple[str, ...]] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    temporary: list[str] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], **settings: Any) -> process.Outcome:
        self.ran.append(tuple(argv))
        self.temporary.append(settings["env"].get("TMPDIR", ""))
        for option, content in (("-o", LOCK), ("--report", REPORT)):
            if option in argv:
                Path(argv[argv.index(option) + 1]).write_text(content, encoding="utf-8")
        self.lists += [Path(word).read_text(encoding="utf-8") for word in argv if word.endswith(".txt")]
        return process.Outcome(self.code, "the installer's words\n")


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    fake = FakeTools()
    monkeypatch.setattr(process, "run", fake)
    return fake


PROXY = "https://proxy.example/simple/"
TESTING = "https://testing.example/simple/"
WHEELS = (Dist("demo-1.0-py3-none-any.whl", "a" * 64, 1), Dist("demo-1.0-cp313-cp313-linux_x86_64.whl", "b" * 64, 1))


def installer_with(uv: str | None, scratch: Path) -> Installer:
    return Installer(uv, {}, scratch, PROXY)


def flat(argv: tuple[str, ...]) -> str:
    return " ".join(argv)


@pytest.mark.parametrize(("python", "wanted"), [(None, sys.executable), ("3.13", "3.13")])
@pytest.mark.parametrize("uv", [None, "uv"])
def test_an_environment_is_made_for_the_python_that_is_asked_for(
    tmp_path: Path, tools: FakeTools, uv: str | None, python: str | None, wanted: str
) -> None:
    venv = installer_with(uv, tmp_path).create(tmp_path / "venv", python)
    assert venv == Venv(tmp_path / "venv")
    (argv,) = tools.ran
    assert argv[-3:] == ("--python", wanted, str(tmp_path / "venv"))
    assert argv[:2] == (("uv", "venv") if uv else (sys.executable, "-I"))
    flags = {"--no-python-downloads"} if uv else {"--no-setuptools", "--symlink-app-data"}
    assert flags <= {*argv}


@pytest.mark.parametrize(
    ("uv", "index", "cache"),
    [(None, "--index-url", "--no-cache-dir"), ("uv", "--default-index", "--no-cache --link-mode copy")],
)
def test_the_release_comes_from_its_index_alone_by_its_hashes(
    tmp_path: Path, tools: FakeTools, uv: str | None, index: str, cache: str
) -> None:
    installer_with(uv, tmp_path).from_index(Venv(tmp_path / "venv"), "demo", "1.0", WHEELS, TESTING)
    (argv,) = tools.ran
    assert f"{index} {TESTING} --no-deps --require-hashes --only-binary :all: {cache} -r" in flat(argv)
    assert PROXY not in argv
    assert tools.lists == [f"demo==1.0 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}\n"]


@pytest.mark.parametrize("uv", [None, "uv"])
def test_what_a_killed_installer_leaves_lies_where_the_next_run_sweeps_it(
    tmp_path: Path, tools: FakeTools, uv: str | None
) -> None:
    installer_with(uv, tmp_path).from_file(Venv(tmp_path / "venv"), tmp_path / "demo-1.0.tar.gz", "demo")
    assert tools.temporary == [str(tmp_path)]


@pytest.mark.parametrize(("uv", "fresh"), [(None, "--no-cache-dir"), ("uv", "--refresh-package demo")])
def test_a_file_is_installed_as_it_is_and_never_from_a_cache(
    tmp_path: Path, tools: FakeTools, uv: str | None, fresh: str
) -> None:
    sdist = tmp_path / "demo-1.0.tar.gz"
    installer_with(uv, tmp_path).from_file(Venv(tmp_path / "venv"), sdist, "demo")
    (argv,) = tools.ran
    assert flat(argv).endswith(f"{PROXY} --no-deps {fresh} demo @ {sdist.as_uri()}")


@pytest.mark.parametrize(("uv", "place"), [("uv", "scratch"), (None, "dist")])
def test_uv_gets_a_file_at_a_path_that_no_other_trial_has(
    tmp_path: Path, tools: FakeTools, uv: str | None, place: str
) -> None:
    write_tree(tmp_path, {"dist/demo-1.0.tar.gz": "its bytes", "scratch/list": ""})
    installer = installer_with(uv, tmp_path / "scratch")
    installer.from_file(Venv(tmp_path / "venv"), tmp_path / "dist" / "demo-1.0.tar.gz", "demo")
    (argv,) = tools.ran
    copy = tmp_path / place / "demo-1.0.tar.gz"
    assert argv[-1] == f"demo @ {copy.as_uri()}"
    assert copy.read_bytes() == b"its bytes"


def test_with_uv_dependencies_are_locked_and_exactly_those_installed(tmp_path: Path, tools: FakeTools) -> None:
    venv = Venv(tmp_path / "venv")
    origins = installer_with("uv", tmp_path).dependencies(venv, ["numpy>=2", "docopt"], "demo", "1.0")
    resolve, install = tools.ran
    assert resolve[:3] == ("uv", "pip", "compile")
    assert "--no-emit-package demo" in flat(resolve)
    assert flat(install).endswith(f"--default-index {PROXY} -r {tmp_path / 'pylock.toml'}")
    assert tools.lists == ["numpy>=2\ndocopt\n"]
    assert origins["numpy"] == (LINUX, MAC)


def made(root: Path, **settings: str) -> Venv:
    """An environment of which nothing is there but what its maker wrote of the interpreter."""
    lines = [f"{name} = {value}" for name, value in {"home": "/usr/bin", "version_info": "3.13.1", **settings}.items()]
    write_tree(root, {"pyvenv.cfg": "\n".join(lines)})
    return Venv(root)


def resolutions(tools: FakeTools) -> int:
    return sum("compile" in argv for argv in tools.ran)


def test_what_was_resolved_for_an_interpreter_is_not_resolved_again_in_the_same_step(
    tmp_path: Path, tools: FakeTools
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    first, second, other = (installer_with("uv", tmp_path / name) for name in ("a", "b", "c"))
    second, other = (replace(installer, resolved=first.resolved) for installer in (second, other))
    wheel_venv, sdist_venv = made(tmp_path / "wheel", prompt="wheel"), made(tmp_path / "sdist", prompt="sdist")
    origins = first.dependencies(wheel_venv, ["numpy"], "demo", "1.0")
    assert second.dependencies(sdist_venv, ["numpy"], "demo", "1.0") == origins
    assert resolutions(tools) == 1
    assert flat(tools.ran[-1]).endswith(f"-r {tmp_path / 'b' / 'pylock.toml'}")
    assert (tmp_path / "b" / "pylock.toml").read_text(encoding="utf-8") == LOCK
    other.dependencies(made(tmp_path / "older", version_info="3.10.2"), ["numpy"], "demo", "1.0")
    other.dependencies(sdist_venv, ["numpy", "docopt"], "demo", "1.0")
    other.dependencies(sdist_venv, ["numpy"], "another", "1.0")
    assert resolutions(tools) == 4


def test_what_another_cell_is_resolving_is_waited_for(tmp_path: Path, tools: FakeTools) -> None:
    installer, venv = installer_with("uv", tmp_path), made(tmp_path / "venv")
    origins = installer.dependencies(venv, ["numpy"], "demo", "1.0")
    (resolution,) = installer.resolved.values()

    @contextlib.contextmanager
    def turn() -> Iterator[None]:
        resolution.lock = LOCK  # what the other one did while we waited
        yield

    resolution.lock = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolution, "turn", turn())
        assert installer.dependencies(venv, ["numpy"], "demo", "1.0") == origins
    assert resolutions(tools) == 1


def test_what_is_beside_the_subject_is_resolved_in_each_environment(tmp_path: Path, tools: FakeTools) -> None:
    installer = replace(installer_with("uv", tmp_path), beside=(beside(tmp_path),))
    for name in ("wheel", "sdist"):
        installer.dependencies(made(tmp_path / name), ["core"], "demo", "1.0")
    assert resolutions(tools) == 2


def test_with_pip_dependencies_are_reported_and_the_subject_stays_as_it_is(tmp_path: Path, tools: FakeTools) -> None:
    venv = Venv(tmp_path / "venv")
    origins = installer_with(None, tmp_path).dependencies(venv, ["old"], "demo", "1.0")
    (argv,) = tools.ran
    assert argv[:5] == (str(venv.python), "-I", "-m", "pip", "--no-input")
    assert argv[-1] == "demo==1.0"
    assert origins["old"] == (Origin(f"{FILES}/old-1.0.tar.gz", ""),)


@pytest.mark.parametrize("uv", [None, "uv"])
def test_tools_come_as_they_are_locked(tmp_path: Path, tools: FakeTools, uv: str | None) -> None:
    write_tree(tmp_path, {"twine.txt": "twine==7 --hash=sha256:aa\n"})
    installer_with(uv, tmp_path).locked(Venv(tmp_path / "venv"), tmp_path / "twine.txt")
    (argv,) = tools.ran
    assert argv[-3:] == ("--require-hashes", "-r", str(tmp_path / "twine.txt"))
    assert PROXY not in argv


@pytest.mark.parametrize("uv", [None, "uv"])
def test_the_set_of_what_is_installed_is_checked(tmp_path: Path, tools: FakeTools, uv: str | None) -> None:
    installer_with(uv, tmp_path).check(Venv(tmp_path / "venv"))
    assert "check" in tools.ran[0]


def test_what_cannot_be_installed_is_told_in_the_installers_words(tmp_path: Path, tools: FakeTools) -> None:
    tools.code = 1
    with pytest.raises(InstallFailed, match=r"demo-1\.0\.tar\.gz could not be installed \(exit code 1\)") as error:
        installer_with(None, tmp_path).from_file(Venv(tmp_path / "venv"), tmp_path / "demo-1.0.tar.gz", "demo")
    assert "| the installer's words" in str(error.value)


# What is released together with the subject.


def beside(folder: Path, name: str = "demo_core-2.0-py3-none-any.whl") -> Beside:
    return Beside("Demo.Core", "2.0", folder / name, "a" * 64, f"{TESTING}files/{name}")


def test_what_is_beside_the_subject_is_a_reference_to_its_file_by_hash(tmp_path: Path) -> None:
    one = beside(tmp_path / "ein Ordner")
    assert one.line == f"Demo.Core @ {(tmp_path / 'ein Ordner').as_uri()}/{one.path.name}#sha256={'a' * 64}"
    requirement = Requirement(one.line)
    assert (requirement.name, requirement.url) == ("Demo.Core", one.line.partition(" @ ")[2])
    assert " " not in str(requirement.url)


@pytest.mark.parametrize("uv", [None, "uv"])
def test_it_is_a_constraint_wherever_dependencies_are_resolved(
    tmp_path: Path, tools: FakeTools, uv: str | None
) -> None:
    first, second = beside(tmp_path), beside(tmp_path, "other-1.0.tar.gz")
    installer = replace(installer_with(uv, tmp_path), beside=(first, second))
    installer.dependencies(Venv(tmp_path / "venv"), ["numpy>=2"], "demo", "1.0")
    (resolve,) = [argv for argv in tools.ran if "--constraint" in argv]
    assert resolve == tools.ran[0]
    listed = Path(resolve[resolve.index("--constraint") + 1])
    assert listed.parent == tmp_path
    assert listed.read_text(encoding="utf-8") == f"{first.line}\n{second.line}\n"
    assert sorted(tools.lists) == sorted(["numpy>=2\n", f"{first.line}\n{second.line}\n"])


@pytest.mark.parametrize("uv", [None, "uv"])
def test_without_it_nothing_is_constrained(tmp_path: Path, tools: FakeTools, uv: str | None) -> None:
    installer_with(uv, tmp_path).dependencies(Venv(tmp_path / "venv"), ["numpy>=2"], "demo", "1.0")
    assert not [argv for argv in tools.ran if "--constraint" in argv]
    assert not (tmp_path / "beside.txt").exists()


def test_what_is_beside_and_not_required_is_not_installed(tmp_path: Path, tools: FakeTools) -> None:
    installer = replace(installer_with("uv", tmp_path), beside=(beside(tmp_path),))
    assert installer.dependencies(Venv(tmp_path / "venv"), [], "demo", "1.0") == {}
    assert tools.ran == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("file:///scratch/beside/demo_core-2.0-py3-none-any.whl", f"{TESTING}files/demo_core-2.0-py3-none-any.whl"),
        ("beside/demo_core-2.0-py3-none-any.whl", f"{TESTING}files/demo_core-2.0-py3-none-any.whl"),
        ("demo_core-2.0-py3-none-any.whl", f"{TESTING}files/demo_core-2.0-py3-none-any.whl"),
        (r"C:\scratch\demo_core-2.0-py3-none-any.whl", f"{TESTING}files/demo_core-2.0-py3-none-any.whl"),
        ("file:///C:/scratch/odd-1.0%2Blocal.tar.gz", f"{TESTING}files/odd-1.0+local.tar.gz"),
        ("file:///elsewhere/other-1.0.tar.gz", "file:///elsewhere/other-1.0.tar.gz"),
        ("git+https://git.example/repository.git", "git+https://git.example/repository.git"),
        # What an index serves is what it is, also under the same name.
        (f"{PROXY}demo_core-2.0-py3-none-any.whl", f"told of {PROXY}demo_core-2.0-py3-none-any.whl"),
        ("http://127.0.0.1:1/a.whl", "told of http://127.0.0.1:1/a.whl"),
    ],
)
def test_a_file_of_this_disk_is_told_as_what_it_is_elsewhere(tmp_path: Path, url: str, told: str) -> None:
    both = (beside(tmp_path), beside(tmp_path, "odd-1.0+local.tar.gz"))
    installer = replace(installer_with(None, tmp_path), beside=both, told="told of {}".format)
    assert installer._told(url) == told


def test_the_origins_of_dependencies_are_told_so(tmp_path: Path, tools: FakeTools) -> None:
    one = beside(tmp_path, "local-1.0-py3-none-any.whl")
    installer = replace(installer_with("uv", tmp_path), beside=(one,), told=lambda url: url.replace("https", "mirror"))
    found = installer.dependencies(Venv(tmp_path / "venv"), ["local"], "demo", "1.0")
    assert found["local"] == (Origin(one.url, "1" * 64),)
    assert found["direct"] == (Origin("mirror://files.example/packages/direct-1.0.tar.gz", "f" * 64),)
    assert [origin.sha256 for origin in found["numpy"]] == [LINUX.sha256, MAC.sha256]
    assert len(tools.ran) == 2


@pytest.mark.parametrize("with_uv", [True, False], ids=["uv", "pip"])
def test_a_file_is_installed_from_a_folder_of_any_name(tmp_path: Path, *, with_uv: bool) -> None:
    """For an installer `#` begins a fragment, and `%` an escape."""
    odd = tmp_path / "ein #1 100% Ordner"
    for name in ("scratch", "dist"):
        (odd / name).mkdir(parents=True)
    path = wheel(odd / "dist")
    installer = Installer(find_uv_bin() if with_uv else None, {**os.environ}, odd / "scratch", TESTING)
    venv = installer.create(odd / "venv", None)
    installer.from_file(venv, path, "demo")
    look = "import importlib.metadata; print(importlib.metadata.version('demo'))"
    assert subprocess.check_output([venv.python, "-I", "-c", look], text=True) == "1.0\n"
