from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.building import frontend
from seatrial.building.again import rebuild as again
from seatrial.building.again import requirements
from seatrial.building.again.rebuild import NoWayLeft, TagOfAnother
from seatrial.building.again.requirements import InvalidDate
from seatrial.building.git import ShallowClone
from seatrial.index.simple import Served
from seatrial.machine import process
from seatrial.machine.screen import Screen
from seatrial.project.options import Commands, Options
from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.project.settings import Settings
from seatrial.release.stages import BuildEnvironment, Dist, Installed
from seatrial.steps import rebuild as module
from seatrial.steps.rebuild import DayNotKept, NoSuchRecord, NothingServed, NotRebuilt, NoVersion, TagMissing, rebuild
from seatrial.trial.interpreters import RUNNING
from tests.projects import EPOCH, commit, git, sample, write_tree
from tests.samples.builds import SDIST, WHEEL, FakeBuild, NoWorker, make_sdist, make_wheel
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

METADATA = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
OTHER_WHEEL = "demo-1.0-cp313-cp313-win_amd64.whl"


class World(FakeBuild):
    """What a rebuild gives, and what the index serves."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.uploaded = "2025-06-02T10:11:12.131415Z"
        self.pythons: dict[str, str] = {}

    def serve(self, name: str, make: Callable[[Path], Path]) -> None:
        make(self.folder / name)

    def serve_what_is_built(self) -> None:
        """Serve the very files that a build gives, and let every build give them."""
        for name, make in list(self.makers.items()):
            kept = make(self.folder / name)
            self.makers[name] = lambda path, kept=kept: Path(shutil.copy(kept, path))  # type: ignore[misc]

    def read_release(self, *_: Any) -> tuple[Served, ...]:
        dists = [Dist.from_file(path) for path in sorted(self.folder.iterdir())]
        return tuple(
            Served(
                dist.filename, dist.sha256, f"https://f.example/{dist.filename}", yanked=False, uploaded=self.uploaded
            )
            for dist in dists
        )

    def download(self, _index: object, url: str, target: Path, **_: Any) -> None:
        target.write_bytes((self.folder / url.rpartition("/")[2]).read_bytes())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "index").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    made = World(tmp_path / "index")
    monkeypatch.setattr(process, "run", made)
    monkeypatch.setattr(frontend, "Worker", NoWorker)
    monkeypatch.setattr(again, "download", made.download)
    monkeypatch.setattr(again, "find", lambda python, _: made.pythons.get(python, ""))
    monkeypatch.setattr(module, "read_release", made.read_release)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that was tagged and has moved on."""
    project = sample(tmp_path / "demo", files={"then": ""})
    commit(project, tag="v1.0")
    git(project, "rm", "--quiet", "then")
    commit(write_tree(project, {"now": ""}))
    return project


def module_wheel(path: Path, text: str, backend: str) -> Path:
    """Write a wheel with one module, made by the version `backend` of its build backend."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("demo-1.0.dist-info/METADATA"), METADATA)
        archive.writestr(zipfile.ZipInfo("demo/mod.py"), text)
        wheel = f"Wheel-Version: 1.0\nGenerator: builder {backend}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(zipfile.ZipInfo("demo-1.0.dist-info/WHEEL"), wheel)
    return path


def run_it(root: Path, version: str = "1.0", **changes: Any) -> None:
    options = Options(version=version, **changes.pop("options", {}))
    rebuild(make_context(root, options=options, screen=Screen(verbose=True), uv="/bin/uv", **changes))


def left(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "release-record" / "rebuilt.json").read_text(encoding="utf-8"))
    return document


def test_a_tag_that_gives_the_same_bytes_says_so(root: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.serve_what_is_built()
    world.serve(OTHER_WHEEL, make_wheel)
    out = root.parent / "out.json"
    run_it(root, options={"json": out})
    shown = capsys.readouterr().out
    assert f"identical   {SDIST} (the sdist as its backend made it)\n" in shown
    assert f"identical   {WHEEL}\n" in shown
    assert f"not judged  {OTHER_WHEEL}: this machine builds no such file" in shown
    document = left(root)
    assert json.loads(out.read_text(encoding="utf-8")) == document
    assert (document["verdict"], document["tag"], document["not_judged"]) == ("identical", "v1.0", [OTHER_WHEEL])
    assert document["requirements"] == "requirements as of 2025-06-02"
    assert world.env["UV_EXCLUDE_NEWER"] == world.env["PIP_UPLOADED_PRIOR_TO"] == "2025-06-02T10:11:12Z"


def test_files_from_elsewhere_are_shut_out_and_the_main_index_is_not(
    root: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.serve_what_is_built()
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_INDEX"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")
    variables = dict(os.environ)
    run_it(root, variables=variables)
    assert not {"PIP_FIND_LINKS", "UV_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_INDEX"} & world.env.keys()
    assert world.env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert world.env["PIP_CONFIG_FILE"] == os.devnull


@pytest.mark.parametrize("as_of", ["today", "2024-01-02", "2024-01-02T03:04:05+01:00"])
def test_another_day_can_be_chosen(root: Path, world: World, as_of: str) -> None:
    world.serve_what_is_built()
    run_it(root, options={"as_of": as_of})
    expected = {"2024-01-02": "2024-01-02T00:00:00Z", "2024-01-02T03:04:05+01:00": "2024-01-02T02:04:05Z"}.get(as_of)
    assert world.env.get("UV_EXCLUDE_NEWER") == expected


def test_what_is_no_date_is_named(root: Path, world: World) -> None:
    world.serve_what_is_built()
    with pytest.raises(InvalidDate, match="--as-of yesterday: not a date"):
        run_it(root, options={"as_of": "yesterday"})


@pytest.mark.parametrize("as_of", [None, "today", "2024-01-02"])
def test_a_day_that_no_installer_here_can_keep_is_refused_where_it_was_asked_for(
    root: Path, world: World, monkeypatch: pytest.MonkeyPatch, as_of: str | None
) -> None:
    monkeypatch.setattr(requirements, "knows_dates", lambda *_: False)
    world.serve_what_is_built()
    asked = pytest.raises(DayNotKept, match="--as-of 2024-01-02 cannot be kept") if as_of == "2024-01-02" else None
    with asked or contextlib.nullcontext() as met:
        run_it(root, options={"as_of": as_of})
    assert (world.env == {}) is bool(asked)
    assert not met or all(word in str(met.value) for word in ("uv", "pip 26"))


def test_an_index_without_upload_times_is_named(root: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.serve_what_is_built()
    world.uploaded = ""
    run_it(root)
    assert "PyPI states no upload time: with today's build requirements" in capsys.readouterr().out


def test_a_record_repeats_its_build_environment(root: Path, world: World) -> None:
    world.serve_what_is_built()
    constraints: list[str] = []

    def run(argv: Sequence[str | Path], *, env: Mapping[str, str], **settings: Any) -> process.Outcome:
        constraints.append(Path(env["UV_CONSTRAINT"]).read_text(encoding="utf-8"))
        return world(argv, env=env, **settings)

    environment = BuildEnvironment(
        "sdist", "3.7.1", "linux-x86_64", "uv", (Installed("builder", "1.2"),), ("CFLAGS=-O2",)
    )
    path = root.parent / "built.json"
    stage = replace(BUILT, environments=(environment,))
    path.write_text(json.dumps({"schema": 1, "stage": "built"} | asdict(stage)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "run", run)
        patch.setattr(requirements, "find", lambda *_: "/python3.7")
        run_it(root, options={"record": path})
    assert set(constraints) == {"builder==1.2\n"}
    assert {request.python for request in world.requests} == {"3.7"}
    assert world.env["CFLAGS"] == "-O2"
    assert world.env["SOURCE_DATE_EPOCH"] == str(BUILT.epoch)
    assert left(root)["requirements"] == "the build requirements that the record lists"


def test_a_record_whose_python_is_not_here_says_so(root: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.serve_what_is_built()
    environment = BuildEnvironment("sdist", "3.7.1", "linux-x86_64", "uv", (Installed("builder", "1.2"),))
    path = root.parent / "built.json"
    stage = replace(BUILT, environments=(environment,))
    path.write_text(json.dumps({"schema": 1, "stage": "built"} | asdict(stage)), encoding="utf-8")
    monkeypatch.setattr(requirements, "find", lambda *_: "")
    run_it(root, options={"record": path})
    assert "but not its Python 3.7, which is not here" in left(root)["requirements"]


def test_a_release_that_is_not_out_yet_is_compared_with_its_record(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """As somebody does it who builds it a second time, on another machine."""
    other = root.parent / "other"
    (other / "dist").mkdir(parents=True)
    (other / "release-record").mkdir()
    files = [world.makers[WHEEL](other / "dist" / WHEEL)]
    world.makers[WHEEL] = lambda path, kept=files[0]: Path(shutil.copy(kept, path))  # type: ignore[misc]
    wheel, missing = Dist.from_file(files[0]), Dist(SDIST, "0" * 64, 1)
    path = other / "release-record" / "built.json"
    stage = replace(BUILT, dists=(missing, wheel), environments=())
    path.write_text(json.dumps({"schema": 1, "stage": "built"} | asdict(stage)), encoding="utf-8")
    with pytest.raises(NotRebuilt):
        run_it(root, options={"record": path})
    shown = capsys.readouterr().out
    assert "PyPI does not have 1.0: it is compared with the files of" in shown
    assert f"identical   {WHEEL}" in shown
    assert f"+sha256 {'0' * 64}, and it is not beside the record" in shown


def test_a_record_that_is_not_there_is_named(root: Path, world: World) -> None:
    world.serve_what_is_built()
    with pytest.raises(NoSuchRecord, match="there is no such file"):
        run_it(root, options={"record": root / "no.json"})


def test_a_great_many_wheels_for_other_systems_are_counted(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.serve_what_is_built()
    for minor in range(20, 30):
        world.serve(f"demo-1.0-cp3{minor}-cp3{minor}-win_arm64.whl", make_wheel)
    run_it(root)
    shown = capsys.readouterr().out
    assert "not judged  10 files, such as wheels for other systems: see rebuilt.json" in shown
    assert "win_arm64" not in shown
    assert len(left(root)["not_judged"]) == 10


def test_the_tag_is_built_and_not_what_is_there_now(root: Path, world: World) -> None:
    world.serve_what_is_built()
    run_it(root)
    assert {"then", "now"} & world.trees["sdist"] == {"then"}
    assert world.env["SOURCE_DATE_EPOCH"] == str(EPOCH)


def test_a_version_that_is_not_on_the_index_is_named_before_anything_is_built(root: Path, world: World) -> None:
    with pytest.raises(NothingServed, match=r"PyPI serves no file of demo 1\.0"):
        run_it(root)
    assert world.requests == []


def test_a_tag_of_another_version_is_named(root: Path, world: World) -> None:
    world.serve_what_is_built()
    world.makers = {"demo-1.1.tar.gz": lambda path: make_sdist(path, version="1.1")}
    with pytest.raises(TagOfAnother, match=r"The tag v1\.0 builds version 1\.1, not 1\.0"):
        run_it(root)


def test_code_that_differs_is_shown_first_with_its_line(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.serve(WHEEL, lambda path: module_wheel(path, "import os\nx = 1\nos.system('curl evil')\n", "1.1.0"))
    world.makers[WHEEL] = lambda path: module_wheel(path, "import os\nx = 1\n", "1.2.0")
    with pytest.raises(NotRebuilt, match="differs from what PyPI serves") as error:
        run_it(root)
    assert error.value.files == (WHEEL,)
    shown = capsys.readouterr().out
    assert "demo/mod.py: text\n      @@ -2,0 +3 @@\n      +os.system('curl evil')" in shown
    assert shown.index("demo/mod.py: text") < shown.index("WHEEL: metadata, means the same")
    assert left(root)["verdict"] == "different"


def test_another_version_of_the_backend_alone_is_equivalent(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.serve(WHEEL, lambda path: module_wheel(path, "x = 1\n", "1.1.0"))
    world.makers[WHEEL] = lambda path: module_wheel(path, "x = 1\n", "1.2.0")
    run_it(root)
    assert f"equivalent  {WHEEL}" in capsys.readouterr().out
    assert (left(root)["verdict"], left(root)["made_by"]) == ("equivalent", "builder 1.2.0")


def test_other_ways_to_build_are_tried_and_named(root: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    epochs: list[str | None] = []

    def made_without_epoch(path: Path) -> Path:
        epochs.append(world.env.get("SOURCE_DATE_EPOCH"))
        return module_wheel(path, "x = 1\n" if epochs[-1] is None else "x = 2\n", "1.2.0")

    world.serve(WHEEL, lambda path: module_wheel(path, "x = 1\n", "1.2.0"))
    world.makers[WHEEL] = made_without_epoch
    run_it(root)
    shown = capsys.readouterr().out
    assert "not identical yet; trying no SOURCE_DATE_EPOCH" in shown
    assert "(no SOURCE_DATE_EPOCH)" in shown
    assert epochs[-1] is None


def test_the_backend_that_the_wheel_names_is_tried_where_the_day_gives_another(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(path: Path) -> Path:
        pinned = world.env.get("UV_CONSTRAINT")
        pin = Path(pinned).read_text(encoding="utf-8").strip() if pinned else "builder==1.2.0"
        return module_wheel(path, "x = 1\n", pin.partition("==")[2])

    world.serve(WHEEL, lambda path: module_wheel(path, "x = 1\n", "1.1.0"))
    world.makers[WHEEL] = made
    run_it(root)
    assert f"identical   {WHEEL} (builder 1.1.0)" in capsys.readouterr().out
    document = left(root)
    assert (document["verdict"], document["made_by"]) == ("identical", "builder 1.1.0")
    assert world.env["UV_EXCLUDE_NEWER"]
    run_it(root, options={"as_of": "today"})
    assert left(root)["verdict"] == "equivalent"


def test_another_python_is_tried_where_all_else_failed(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    other = next(python for python in KNOWN_PYTHONS if python != RUNNING)
    world.pythons = {other: "/python"}
    world.serve(WHEEL, lambda path: module_wheel(path, other, "1.2.0"))
    world.makers[WHEEL] = lambda path: module_wheel(path, world.requests[-1].python, "1.2.0")
    run_it(root)
    assert f"identical   {WHEEL} (Python {other})" in capsys.readouterr().out
    assert left(root)["tried"][-1] == f"Python {other}"


@pytest.mark.skipif(os.name == "nt", reason="a umask is POSIX")
def test_the_umask_is_read_from_the_rights(root: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def made(path: Path, umask: int | None = None) -> Path:
        used = world.requests[-1].umask if umask is None else umask
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in (("demo-1.0.dist-info/METADATA", METADATA), ("demo/mod.py", "")):
                info = zipfile.ZipInfo(name)
                info.external_attr = (0o100666 & ~used) << 16
                archive.writestr(info, text)
        return path

    world.serve(WHEEL, lambda path: made(path, 0o002))
    world.makers = {SDIST: make_sdist, WHEEL: made}
    run_it(root)
    assert f"{WHEEL} (the sdist as its backend made it, umask 002)" in capsys.readouterr().out
    assert world.requests[-1].umask == 0o002


def test_line_ends_of_windows_are_tried_in_the_files_that_differ(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    git(root, "tag", "--delete", "v1.0")
    commit(write_tree(root, {"src/demo/mod.py": "x = 1\n", "src/demo/other.py": "y = 1\n"}), tag="v1.0")

    others: list[bytes] = []

    def made(path: Path) -> Path:
        tree = Path(world.requests[-2].tree)  # that of the sdist
        others.append((tree / "src/demo/other.py").read_bytes())
        return module_wheel(path, (tree / "src/demo/mod.py").read_bytes().decode(), "1.2.0")

    world.serve(WHEEL, lambda path: module_wheel(path, "x = 1\r\n", "1.2.0"))
    world.makers[WHEEL] = made
    run_it(root)
    assert f"identical   {WHEEL} (CRLF line ends in 1 file)" in capsys.readouterr().out
    assert set(others) == {b"y = 1\n"}


def test_what_no_build_gives_again_is_not_tried(root: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def at(path: Path, moments: tuple[int, int]) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, moment in zip(("demo-1.0.dist-info/METADATA", "demo/mod.py"), moments, strict=True):
                text = METADATA if "METADATA" in name else ""
                archive.writestr(zipfile.ZipInfo(name, (moment, 1, 1, 0, 0, 0)), text)
        return path

    world.serve(WHEEL, lambda path: at(path, (2020, 2021)))
    world.makers[WHEEL] = lambda path: at(path, (1980, 1980))
    run_it(root)
    shown = capsys.readouterr().out
    assert f"equivalent  {WHEEL}: the same but for times, which are those of a clock" in shown
    assert "trying" not in shown
    assert left(root)["files"][0]["clocked"] is True


def test_a_build_that_fails_is_tried_on_other_pythons_and_says_why(
    root: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.serve_what_is_built()
    other = next(python for python in KNOWN_PYTHONS if python != RUNNING)
    world.pythons = {other: "/python"}
    world.codes["sdist"] = 1
    with pytest.raises(NoWayLeft) as error:
        run_it(root)
    text = str(error.value)
    assert "v1.0 cannot be built here, with requirements as of 2025-06-02. Tried:" in text
    assert f"\n  Python {RUNNING}: the backend's words" in text
    assert f"\n  Python {other}: the backend's words" in text
    assert f"it cannot be built so; trying Python {other}" in capsys.readouterr().out


def test_only_what_is_served_is_built(root: Path, world: World) -> None:
    world.serve(SDIST, make_sdist)
    kept = world.folder / SDIST
    world.makers[SDIST] = lambda path: Path(shutil.copy(kept, path))
    run_it(root)
    assert {request.kind for request in world.requests} == {"sdist"}
    assert left(root)["verdict"] == "identical"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("version", ["", "latest", "v1.0.tar.gz"])
def test_what_is_no_version_is_named(root: Path, version: str) -> None:
    with pytest.raises(NoVersion, match=f"got {version!r}") as error:
        run_it(root, version)
    assert "name it: `nox -s rebuild -- 1.0`" in error.value.text(Commands(nox=True))


def test_a_yanked_release_is_built_again_and_said_to_be_yanked(
    root: Path, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.serve_what_is_built()
    served = tuple(replace(file, yanked=True) for file in world.read_release())
    monkeypatch.setattr(module, "read_release", lambda *_: served)
    run_it(root)
    assert f"{WHEEL} is yanked" in capsys.readouterr().out


def test_a_shallow_clone_is_named(root: Path, world: World) -> None:
    world.serve_what_is_built()
    git(root.parent, "clone", "--quiet", "--depth", "1", root.as_uri(), "shallow")
    with pytest.raises(ShallowClone):
        run_it(root.parent / "shallow")


def test_a_time_that_is_none_counts_for_none(root: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.serve_what_is_built()
    world.uploaded = "yesterday"
    run_it(root)
    assert "PyPI states no upload time" in capsys.readouterr().out


def test_the_name_of_a_project_that_only_setup_py_names(root: Path, world: World) -> None:
    git(root, "tag", "--delete", "v1.0")
    (root / "pyproject.toml").unlink()
    commit(write_tree(root, {"setup.py": "from setuptools import setup\nsetup(name='other.name')\n"}), tag="v1.0")
    world.serve_what_is_built()
    run_it(root)
    assert left(root)["project"] == "other-name"


def test_where_nothing_can_be_compared_nothing_is_proved(root: Path, world: World) -> None:
    world.serve(OTHER_WHEEL, make_wheel)
    with pytest.raises(NotRebuilt, match="produces none of the files that PyPI serves"):
        run_it(root)
    assert left(root)["verdict"] == "not judged"


@pytest.mark.usefixtures("world")
def test_a_version_without_a_tag_is_named_with_what_was_tried(root: Path) -> None:
    with pytest.raises(TagMissing, match=r"Tried: v2\.0, 2\.0, V2\.0, demo-v2\.0"):
        run_it(root, "2.0")
    with pytest.raises(TagMissing, match=r"Tried: demo\+1\.5"):
        run_it(root, "1.5", settings=Settings(tag=("{name}+{version}",)))
    with pytest.raises(TagMissing):
        run_it(sample(root.parent / "without-git"))


@pytest.mark.parametrize("tag", ["demo-1.0", "Demo-1.0", "release/1.0", "1.0.0"])
def test_the_tag_is_found_by_the_usual_spellings(root: Path, world: World, tag: str) -> None:
    git(root, "tag", tag, "v1.0")
    git(root, "tag", "--delete", "v1.0")
    git(root, "tag", "demo-1.0.1")
    world.serve_what_is_built()
    run_it(root)
    assert left(root)["tag"] == tag


THEN = """
[tool.seatrial]
normalise = false
archives = ["sdist"]
build-env = ["X"]
pythons = ["3.10"]
"""


@pytest.mark.parametrize(
    ("table", "archives"), [(THEN, ["sdist"]), ("[tool.seatrial]\nfrom-another-version = 1\n", ["sdist", "wheel"])]
)
def test_what_decides_about_the_bytes_is_set_as_it_was_then(
    root: Path, world: World, table: str, archives: list[str]
) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    git(root, "tag", "--delete", "v1.0")
    commit(write_tree(root, {"pyproject.toml": f"{text}\n{table}"}), tag="v1.0")
    commit(write_tree(root, {"pyproject.toml": text}))
    world.serve_what_is_built()
    run_it(root)
    assert list(dict.fromkeys(request.kind for request in world.requests)) == archives
