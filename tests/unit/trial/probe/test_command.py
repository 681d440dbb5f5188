from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from seatrial.trial.probe import command, importer
from tests.environments import Site
from tests.projects import write_tree
from tests.samples.probed import PROBE, found, look


def test_the_environment_is_told_as_markers_name_it(site: Site) -> None:
    told = command.environment()
    assert told["python_version"] == "{}.{}".format(*sys.version_info)
    assert (told["sys_platform"], told["os_name"]) == (sys.platform, os.name)
    assert told["purelib"] == str(site.purelib)


@pytest.mark.parametrize(
    ("level", "serial", "text"),
    [("final", 0, "3.15.0"), ("alpha", 2, "3.15.0a2"), ("beta", 1, "3.15.0b1"), ("candidate", 3, "3.15.0c3")],
)
def test_the_version_of_an_implementation(monkeypatch: pytest.MonkeyPatch, level: str, serial: int, text: str) -> None:
    version = types.SimpleNamespace(major=3, minor=15, micro=0, releaselevel=level, serial=serial)
    implementation = types.SimpleNamespace(**{**vars(sys.implementation), "version": version})
    monkeypatch.setattr(sys, "implementation", implementation)
    assert command.environment()["implementation_version"] == text


def test_main_writes_what_each_mode_finds(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install({"demo.py": ""})
    monkeypatch.chdir(tmp_path)

    def answer(*argv: str) -> Any:
        assert command.main([*argv, "--out", "answer.json"]) == 0
        return json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))

    assert answer("environment") == command.environment()
    check = answer("check", "--name", "demo", "--import-name", "demo", "--time-limit", "60")
    assert (check["problems"], check["imported"]) == ([], ["demo"])


def test_the_child_writes_where_it_was_told_to_whatever_a_module_does(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(folder, {"demo_z.py": "import os\nos.chdir('/')\n"})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").write_text("demo_z\njson:dumps\n", encoding="utf-8")
    assert importer.main(["names", "answers"]) == 0
    lines = (tmp_path / "answers").read_text(encoding="utf-8").splitlines()
    answers = [ast.literal_eval(line) for line in lines]
    assert [(one["name"], one["ok"]) for one in answers] == [("demo_z", True), ("json:dumps", True)]


@pytest.mark.parametrize("argv", [[], ["environment"], ["check", "--out", "x"], ["import", "--out", "x"], ["other"]])
def test_main_refuses_what_it_does_not_know(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(argv)
    assert "usage: command.py" in capsys.readouterr().err


def run_probe(site: Site, out: Path, *argv: str) -> Any:
    """Run the program as a release does, and return its document."""
    command = [str(site.python), "-I", str(PROBE), *argv, "--out", str(out)]
    subprocess.run(command, check=True, cwd=out.parent, stdin=subprocess.DEVNULL, capture_output=True)
    return json.loads(out.read_text(encoding="utf-8"))


PROGRAM = {
    "demo/__init__.py": "import sys\nassert len(sys.argv) == 1\nprint('hello')\n",
    "demo/cli.py": "def main(): pass\n",
    "_private.py": "",
}
POINTS = "[console_scripts]\ndemo = demo.cli:main\nworse = demo.cli:absent\n"


def check_by_program(site: Site, out: Path) -> Any:
    site.install(PROGRAM, entry_points=POINTS, scripts=["demo", "worse"], absent=["demo/lost.txt"])
    return run_probe(site, out, "check", "--name", "demo")


def test_the_program_finds_the_same(site: Site, tmp_path: Path) -> None:
    document = check_by_program(site, tmp_path / "answer.json")
    assert document["imported"] == ["demo", "demo.cli"]
    assert found(document) == [("error", "missing-file", "demo/lost.txt"), ("error", "entry-point", "worse")]
    inside = look()
    assert {key: inside[key] for key in ("imported", "problems", "modules", "distribution")} == {
        key: document[key] for key in ("imported", "problems", "modules", "distribution")
    }


def test_the_program_tells_its_own_environment(made_site: Site, tmp_path: Path) -> None:
    told = run_probe(made_site, tmp_path / "answer.json", "environment")
    assert Path(told["purelib"]) == made_site.purelib


def python38() -> str | None:
    """Return Python 3.8, if one on PATH runs (a shim may have nothing behind it)."""
    for place in os.get_exec_path():
        program = shutil.which("python3.8", path=place)
        if program and subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0:
            return program
    return None


def test_the_program_runs_on_python_3_8(tmp_path: Path) -> None:
    program = python38()
    if program is None:
        pytest.skip("there is no python3.8 on PATH")
    site = Site.create(tmp_path / "old", program)
    document = check_by_program(site, tmp_path / "answer.json")
    assert document["python"].startswith("3.8.")
    assert document["imported"] == ["demo", "demo.cli"]
    assert found(document) == [("error", "missing-file", "demo/lost.txt"), ("error", "entry-point", "worse")]
    assert run_probe(site, tmp_path / "answer.json", "environment")["python_version"] == "3.8"
