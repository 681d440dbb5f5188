from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tasks import toml
from tasks.installer import Installer, Origin, Venv, _lock_origins, _report_origin, origin_of

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
def test_the_origins_in_a_lock_are_its_wheels_or_else_what_it_is_built_from(name: str, expected: list[Origin]) -> None:
    packages = {package["name"]: package for package in toml.parse(LOCK)["packages"]}
    assert _lock_origins(packages[name]) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, Origin(f"{FILES}/demo-1.0-py3-none-any.whl", "aa")),
        (1, Origin("file:///somewhere/checkout", "")),
        (2, Origin(f"{FILES}/old-1.0.tar.gz", "")),
    ],
)
def test_the_origin_in_a_report_is_what_was_downloaded(place: int, expected: Origin) -> None:
    assert _report_origin(json.loads(REPORT)["install"][place]) == expected


@pytest.mark.skipif(os.name == "nt", reason="an environment is laid out otherwise there")
def test_the_programs_of_an_environment() -> None:
    venv = Venv(Path("a venv"))
    assert (venv.scripts, venv.python) == (Path("a venv/bin"), Path("a venv/bin/python"))


@pytest.mark.parametrize("uv", [None, "uv"])
def test_without_requirements_nothing_is_run(tmp_path: Path, uv: str | None) -> None:
    installer = Installer(uv, {}, tmp_path, "https://index.example/simple/")
    assert installer.dependencies(Venv(tmp_path / "venv"), [], "demo", "1.0") == {}
    assert list(tmp_path.iterdir()) == []
