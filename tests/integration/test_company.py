"""A company's own indexes in every place: two that take uploads, one for dependencies, and each wants a login."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from virtualenv.seed.wheels.embed import get_embed_wheel

from seatrial.standin.launch import serving
from tests.archives import metadata, wheel
from tests.integration.conftest import RUNNING, Project
from tests.private_index import READER, WRITER, PrivateIndex, basic
from tests.projects import commit, sample, write_tree
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.conftest import MadeOnce


# A smoke command that fails where it sees a login; the record, which holds the command, is searched for one.
SEEN = "'DEPENDENCIES_TOKEN' in os.environ or 'may only' + ' read' in str(os.environ)"
SPY = f'python -c "import os, sys; sys.exit({SEEN})"'
ROLES = ("testpypi", "pypi", "dependencies")
SETTINGS = """
[tool.seatrial]
pythons = ["{python}"]
index-timeout = 5
smoke = ["python -c 'import demo, inhouse'", {spy}]

[tool.seatrial.indexes.testpypi]
upload = "{testpypi}/legacy/"
simple = "{testpypi}/simple/"

[tool.seatrial.indexes.pypi]
upload = "{pypi}/legacy/"
simple = "{pypi}/simple/"

[tool.seatrial.indexes.dependencies]
simple = "{dependencies}/simple/"
"""


class Company:
    """Three private indexes, and a project that is set to them."""

    def __init__(self, folder: Path, urls: dict[str, str], indexes: dict[str, PrivateIndex]) -> None:
        self.folder, self.urls, self.indexes = folder, urls, indexes
        self.login = {"TESTPYPI_USERNAME": WRITER[0], "TESTPYPI_TOKEN": WRITER[1]}
        self.login |= {"PYPI_USERNAME": WRITER[0], "PYPI_TOKEN": WRITER[1]}
        self.login |= {"DEPENDENCIES_USERNAME": READER[0], "DEPENDENCIES_TOKEN": READER[1]}

    def held(self, role: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / role).iterdir()}


def settings_for(company: Company) -> str:
    return SETTINGS.format(python=RUNNING, spy=json.dumps(SPY), **company.urls)


def put_inhouse(folder: Path, version: str, module: str = "inhouse.py") -> None:
    """Write a wheel of the company's own distribution `inhouse` with one `module`."""
    info = f"inhouse-{version}.dist-info"
    core = metadata({"Name": "inhouse", "Version": version, "License-File": None})
    files = {"demo/__init__.py": None, module: "", f"{info}/licenses/LICENSE": None, f"{info}/METADATA": core}
    wheel(folder, filename=f"inhouse-{version}-py3-none-any.whl", files=files)


@pytest.fixture(scope="session")
def tools(made_once: MadeOnce) -> tuple[Path, ...]:
    """Wheels of what builds and installs the project, which the company's index of dependencies serves."""
    bundled = get_embed_wheel("pip", RUNNING)
    assert bundled is not None
    pip = (sys.executable, str(bundled.path / "pip"), "download", "--quiet", "--no-deps")

    def download(folder: Path) -> None:
        subprocess.run([*pip, "--dest", str(folder), "flit_core>=3.12"], check=True)

    return (bundled.path, *made_once("tools", download).iterdir())


@pytest.fixture
def company(tmp_path: Path, tools: tuple[Path, ...]) -> Iterator[Company]:
    folder = tmp_path / "company"
    indexes = {role: PrivateIndex.of(folder / role) for role in ROLES}
    put_inhouse(folder / "dependencies", "2.0")
    for path in tools:
        shutil.copy(path, folder / "dependencies")
    with contextlib.ExitStack() as stack:
        urls = {role: stack.enter_context(serving(index)) for role, index in indexes.items()}
        yield Company(folder, urls, indexes)


@pytest.fixture
def project(make_project: Callable[..., Project], company: Company) -> Project:
    settings = settings_for(company)
    made = make_project(settings, dependencies=["inhouse>=1"])
    made.env |= company.login
    return made


@pytest.fixture(params=[True, False], ids=["uv", "pip"])
def uv(request: pytest.FixtureRequest) -> bool:
    found: bool = request.param
    return found


@pytest.mark.slow
def test_a_release_where_every_index_wants_a_login_that_no_smoke_command_sees(
    make_project: Callable[..., Project], company: Company, *, uv: bool
) -> None:
    """The lowest dependency is tried too, first one that does not work."""
    settings = settings_for(company).replace("smoke =", 'resolution = "lowest-direct"\nsmoke =')
    project = make_project(settings, dependencies=["inhouse>=1"])
    project.env |= company.login
    put_inhouse(company.folder / "dependencies", "1.0", module="under_another_name.py")
    broken = project.step("verify", uv=uv)
    assert broken.code == 1
    assert broken.of("verify").shows(
        "With the lowest direct dependencies that the metadata allows, this release does not work: inhouse==1.0",
        "Usual cause: a lower bound that was never tried",
    )
    put_inhouse(company.folder / "dependencies", "1.0")
    rehearsed = project.step("verify", uv=uv)
    assert rehearsed.code == 0, rehearsed.output
    assert rehearsed.of("verify").shows("works with the lowest direct dependencies too: inhouse==1.0")
    done = project.step("pypi", "--yes", "1.0", uv=uv)
    assert done.code == 0, done.output
    assert company.held("testpypi") == company.held("pypi") == project.files()
    host = company.urls["dependencies"].removeprefix("http://")
    assert rehearsed.shows(f"1 dependency from {host}")
    for path in project.record.glob("verified-*.json"):
        found = {one["name"]: one for one in project.stage(path.name)["installed"]}["inhouse"]
        assert found["version"] == "2.0"
        assert found["origin"] == f"{company.urls['dependencies']}/packages/inhouse-2.0-py3-none-any.whl"
    lowest = project.stage(next(project.record.glob("verified-*-wheel.json")).name)["lowest"]
    assert {one["name"]: one["version"] for one in lowest}["inhouse"] == "1.0"
    record = "".join(path.read_text(encoding="utf-8") for path in project.record.glob("*.json"))
    for text in (record, broken.output, rehearsed.output, done.output):
        assert not any(secret in text for _, secret in (READER, WRITER))
    assert {given for _, given in company.indexes["dependencies"].seen} == {basic(*READER)}
    assert "PyPI" not in rehearsed.of("testpypi").output + done.output


KEYRING = """\
import keyring.backend

class Keyring(keyring.backend.KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return {passwords!r}.get((service, username))

    def set_password(self, service, username, password):
        raise NotImplementedError
"""


@pytest.mark.slow
def test_logins_that_only_a_keyring_knows(project: Project, company: Company, tmp_path: Path) -> None:
    """The user names are set, and nothing else is."""
    names = {name: user for name, user in company.login.items() if name.endswith("_USERNAME")}
    for name in set(company.login) - set(names):
        project.env.pop(name)
    urls = {f"{company.urls[role]}/legacy/": WRITER for role in ("testpypi", "pypi")}
    urls[f"{company.urls['dependencies']}/simple/"] = READER
    passwords = {(url, user): secret for url, (user, secret) in urls.items()}
    settings = f"[backend]\ndefault-keyring=own_keyring.Keyring\nkeyring-path={tmp_path}\n"
    code = KEYRING.format(passwords=passwords)
    write_tree(tmp_path, {"own_keyring.py": code, "config/python_keyring/keyringrc.cfg": settings})
    project.env["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    rehearsed = project.step("verify")
    assert rehearsed.code == 0, rehearsed.output
    done = project.step("pypi", "--yes", "1.0")
    assert done.code == 0, done.output
    assert done.shows("credential: the keyring")
    assert company.held("testpypi") == company.held("pypi") == project.files()
    assert not any(secret in rehearsed.output + done.output for _, secret in (READER, WRITER))
    refused = project.step("status", "--remote", XDG_CONFIG_HOME=str(tmp_path / "nothing"))
    assert is_clear(refused, "The request had no login: none is set.")


def test_a_dry_run_where_the_dependencies_want_a_login(project: Project, company: Company) -> None:
    done = project.step("dryrun")
    assert done.code == 0, done.output
    host = company.urls["pypi"].removeprefix("http://")
    assert done.shows(f"stand-in for {host}: http://127.0.0.1", f"2 files on {host} (stand-in), the same bytes")
    assert not company.indexes["testpypi"].seen
    assert {given for _, given in company.indexes["pypi"].seen} == {""}  # for the name, without a login


@pytest.mark.slow
def test_a_dry_run_of_all_packages_whose_dependencies_want_a_login(tmp_path: Path, company: Company) -> None:
    """The settings are those of the packages; the root of the repository has none."""
    root = tmp_path / "repository"
    write_tree(root, {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n'})
    settings = settings_for(company).replace("import demo, inhouse", "import inhouse")
    for name, needed in (("house-core", ["inhouse>=1"]), ("house-app", ["house-core", "inhouse>=1"])):
        place = sample(root / "packages" / name, name=name, dependencies=needed)
        with (place / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(settings)
    commit(root)
    done = Project(root, company.login).step("dryrun", "--all")
    assert done.code == 0, done.output
    assert done.shows("with house-core 1.0 from there too, 1 dependency from", "2 packages: all five steps passed")
    assert {given for _, given in company.indexes["dependencies"].seen} == {basic(*READER)}
    assert not any(secret in done.output for _, secret in (READER, WRITER))


def test_a_login_that_may_only_read(project: Project, company: Company) -> None:
    refused = project.step("testpypi", TESTPYPI_USERNAME=READER[0], TESTPYPI_TOKEN=READER[1])
    assert is_clear(refused, "rejected the upload", "403 Forbidden", "may read this index but not upload to it")
    assert not company.held("testpypi")
    assert project.step("testpypi").code == 0


@pytest.mark.parametrize(
    ("role", "before", "step", "named"),
    [("TESTPYPI", "testpypi", "verify", "TESTPYPI_READ"), ("DEPENDENCIES", "build", "check", "DEPENDENCIES")],
)
def test_a_login_that_is_missing(project: Project, role: str, before: str, step: str, named: str) -> None:
    assert project.step(before).code == 0
    del project.env[f"{role}_TOKEN"]
    refused = project.step(step, alone=True)
    assert is_clear(refused, "401 Unauthorized", f"{named}_TOKEN", f"{named}_USERNAME")


def test_an_index_without_hashes_is_refused_before_anything_is_sent(project: Project, company: Company) -> None:
    company.indexes["testpypi"].hashes = False
    (company.folder / "testpypi" / "demo-0.9.tar.gz").write_bytes(b"an older release")
    refused = project.step("testpypi")
    assert is_clear(refused, "cannot be verified", "lists them without sha256", 'rehearse-on = "dryrun"')
    assert set(company.held("testpypi")) == {"demo-0.9.tar.gz"}
