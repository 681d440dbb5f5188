"""The process that builds, with real backends that lie in the tree and need nothing, or only what lies beside it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from seatrial.building import backend
from seatrial.building.backend import Request, Shared
from seatrial.building.frontend import PROGRAM
from seatrial.cli.release import find_uv
from tests.archives import wheel
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

WHEEL = "demo-1.0-py3-none-any.whl"
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = """\
import os
import sys
import zipfile
from pathlib import Path


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        archive.writestr("seen.txt", "|".join([os.environ["PATH"], os.environ.get("SETTING", "none"), sys.prefix]))
    return name
"""


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    """A request to build a wheel."""
    tree = write_tree(tmp_path / "tree", {"pyproject.toml": PYPROJECT, "backend.py": BACKEND})
    (tmp_path / "out").mkdir()
    return Request(
        kind="wheel",
        env={},
        scratch=str(tmp_path),
        tree=str(tree),
        out=str(tmp_path / "out"),
        report=str(tmp_path / "report.json"),
        environment=str(tmp_path / "environment"),
        installer="uv" if importlib.util.find_spec("uv") else "pip",
    )


def written(*requests: Request) -> str:
    """Return `requests` as the process reads them, with the environment of now for those that name none."""
    whole = (replace(request, env=request.env or dict(os.environ)) for request in requests)
    return "".join(f"{json.dumps(asdict(request))}\n" for request in whole)


def answer(request: Request) -> dict[str, Any]:
    assert backend.answer(request) == 0
    document: dict[str, Any] = json.loads(Path(request.report).read_text(encoding="utf-8"))
    return document


def seen(request: Request) -> list[str]:
    with zipfile.ZipFile(Path(request.out) / WHEEL) as archive:
        return archive.read("seen.txt").decode().split("|")


def test_the_hooks_see_what_is_set_for_them_and_the_wheel_is_reported(request_: Request) -> None:
    document = answer(replace(request_, first="/first", variables={"SETTING": "a=b"}))
    path, setting, prefix = seen(request_)
    assert (path.split(os.pathsep)[0], setting) == ("/first", "a=b")
    assert path.endswith(os.environ["PATH"])
    assert Path(prefix).resolve() == Path(request_.environment).resolve()
    digest = hashlib.sha256((Path(request_.out) / WHEEL).read_bytes()).hexdigest()
    assert (document["file"], document["sha256"], document["is_unchanged"]) == (WHEEL, digest, True)


def test_without_them_the_backend_is_as_always(request_: Request) -> None:
    answer(request_)
    path, setting, _ = seen(request_)
    assert setting == "none"
    assert path.endswith(os.environ["PATH"])


@pytest.fixture
def requiring(request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """The request, whose tree requires a wheel that lies in a folder here; no index is in reach."""
    house = tmp_path / "house"
    house.mkdir()
    wheel(house, {"Name": "builder", "Version": "1.2"}, filename="builder-1.2-py3-none-any.whl")
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, str(house))
    for name in ("PIP_NO_INDEX", "UV_NO_INDEX"):
        monkeypatch.setenv(name, "1")
    write_tree(Path(request_.tree), {"pyproject.toml": PYPROJECT.replace("[]", '["builder"]', 1)})
    return request_


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_another_python_gets_an_environment_with_what_is_required(
    requiring: Request, installer: Literal["uv", "pip"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Python is ours, named by its path: the environment is made as for another one."""
    monkeypatch.setenv("UV", find_uv() or "")
    document = answer(replace(requiring, python=sys.executable, installer=installer))
    assert Path(document["environment"]["python"]).is_relative_to(requiring.environment)
    assert ["builder", "1.2"] in document["distributions"]
    assert Path(seen(requiring)[2]).resolve() == Path(requiring.environment).resolve()


@pytest.mark.skipif(os.name == "nt", reason="a umask is POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o002])
def test_the_hooks_write_with_the_umask_that_is_asked_for(request_: Request, umask: int) -> None:
    before = os.umask(0o077)
    try:
        answer(replace(request_, umask=umask))
    finally:
        os.umask(before)
    assert (Path(request_.out) / WHEEL).stat().st_mode & 0o777 == 0o666 & ~umask


def test_the_environment_is_reported_with_all_that_is_in_it(requiring: Request) -> None:
    document = answer(requiring)
    assert ["builder", "1.2"] in document["distributions"]
    assert document["environment"]["requirements"] == ["builder"]


def test_pip_says_the_hash_of_what_it_installed(requiring: Request, tmp_path: Path) -> None:
    document = answer(replace(requiring, installer="pip"))
    digest = hashlib.sha256(next((tmp_path / "house").iterdir()).read_bytes()).hexdigest()
    assert document["environment"]["hashes"] == {"builder": digest}
    assert "PIP_REPORT" not in os.environ


def test_a_build_that_requires_nothing_has_no_hashes_of_one_before_it(requiring: Request, tmp_path: Path) -> None:
    assert answer(replace(requiring, installer="pip"))["environment"]["hashes"]
    write_tree(Path(requiring.tree), {"pyproject.toml": PYPROJECT})
    another = replace(requiring, installer="pip", environment=str(tmp_path / "another"))
    assert answer(another)["environment"]["hashes"] == {}


def shared_by(document: Mapping[str, Any]) -> Shared:
    return Shared(**document["environment"])


def test_a_build_that_requires_the_same_shares_the_environment(requiring: Request, tmp_path: Path) -> None:
    shared = shared_by(answer(requiring))
    again = replace(requiring, environment=str(tmp_path / "another"), shared=shared)
    document = answer(again)
    assert shared_by(document) == shared
    assert not (tmp_path / "another").exists()
    _, _, prefix = seen(again)
    assert Path(prefix).resolve() == Path(requiring.environment).resolve()


DYNAMIC = BACKEND + "\n\ndef get_requires_for_build_wheel(config_settings=None):\n    return ['builder']\n"
OTHERWISE: list[Mapping[str, str]] = [
    {"pyproject.toml": PYPROJECT},
    {"pyproject.toml": PYPROJECT.replace("[]", '["builder>=1"]', 1)},
    {"pyproject.toml": PYPROJECT.replace("[]", '["builder==1.2"]', 1), "backend.py": DYNAMIC},
]


@pytest.mark.parametrize("files", OTHERWISE)
def test_one_that_requires_anything_else_gets_an_environment_of_its_own(
    requiring: Request, tmp_path: Path, files: Mapping[str, str]
) -> None:
    shared = shared_by(answer(requiring))
    write_tree(Path(requiring.tree), files)
    document = answer(replace(requiring, environment=str(tmp_path / "another"), shared=shared))
    assert document["environment"]["folder"] == str(tmp_path / "another")


def test_an_environment_that_a_build_has_changed_is_reported_as_that(requiring: Request) -> None:
    change = (
        "    next(Path(sys.prefix).rglob('builder-1.2.dist-info')).rename(Path(sys.prefix, 'gone'))\n    return name"
    )
    write_tree(Path(requiring.tree), {"backend.py": BACKEND.replace("    return name", change)})
    assert answer(requiring)["is_unchanged"] is False


ASKING = """\
import os
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        archive.writestr("seen.txt", "|".join(sorted(name for name in os.environ if name.startswith("OF_"))))
    return name
"""


def test_each_build_of_a_process_gets_its_own_variables_and_no_other(request_: Request, tmp_path: Path) -> None:
    write_tree(Path(request_.tree), {"backend.py": ASKING})
    requests = []
    for name in ("first", "second"):
        out = tmp_path / name
        out.mkdir()
        env = dict(os.environ) | {f"OF_{name.upper()}": "secret"}
        requests.append(replace(request_, env=env, out=str(out), environment=str(out / "environment")))
    environ = {**os.environ, "OF_THE_PROCESS": "1"}
    lines = written(*requests)
    done = subprocess.run(PROGRAM, input=lines, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.count("end 0\n") == 2
    assert [seen(request) for request in requests] == [["OF_FIRST"], ["OF_SECOND"]]


BROKEN: list[tuple[Mapping[str, str], str]] = [
    (
        {"backend.py": "def build_wheel(*args, **settings):\n    raise RuntimeError('no wheel')\n"},
        "trying to invoke build_wheel",
    ),
    ({"pyproject.toml": "[build-system\n"}, "Failed to parse"),
    ({"pyproject.toml": PYPROJECT.replace("[]", '["no-such-requirement-of-ours"]', 1)}, "no-such-requirement-of-ours"),
]


@pytest.mark.parametrize(("files", "said"), BROKEN)
def test_what_fails_is_said_without_a_traceback_of_ours(
    requiring: Request, files: Mapping[str, str], said: str
) -> None:
    write_tree(Path(requiring.tree), files)
    done = subprocess.run(PROGRAM, input=written(requiring), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "end 1"
    assert said in done.stdout
    assert "building/backend.py" not in done.stdout + done.stderr
    assert not Path(requiring.report).exists()
