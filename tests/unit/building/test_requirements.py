from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from pathlib import Path

import pytest
from packaging.version import Version

from seatrial.building.again import requirements
from seatrial.building.again.requirements import InvalidDate, as_of, generated_by, recorded
from seatrial.release.stages import BuildEnvironment, Installed
from seatrial.trial.interpreters import RUNNING

OUTER = {
    "PATH": os.environ["PATH"],
    "PIP_INDEX_URL": "https://mirror.example/simple",
    "UV_DEFAULT_INDEX": "https://mirror.example/simple",
    "PIP_FIND_LINKS": "/elsewhere",
    "UV_INDEX": "https://more.example/simple",
}


def pins(variables: object) -> str:
    assert isinstance(variables, dict)
    assert variables["PIP_CONSTRAINT"] == variables["UV_CONSTRAINT"]
    return Path(variables["UV_CONSTRAINT"]).read_text(encoding="utf-8")


def test_a_day_keeps_the_main_index_alone() -> None:
    choice = as_of("2025-06-02", OUTER)
    assert choice.words == "requirements as of 2025-06-02"
    assert choice.variables["UV_EXCLUDE_NEWER"] == choice.variables["PIP_UPLOADED_PRIOR_TO"] == "2025-06-02T00:00:00Z"
    assert choice.variables["PIP_INDEX_URL"] == choice.variables["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert choice.variables["PIP_CONFIG_FILE"] == os.devnull
    assert not {"PIP_FIND_LINKS", "UV_INDEX"} & choice.variables.keys()


def test_the_main_index_of_pips_configuration_is_kept_without_a_login(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    outer = {"PIP_CONFIG_FILE": str(config), "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    config.write_text("[global]\nindex-url = https://mirror.example/simple\nfind-links = /x\n", encoding="utf-8")
    assert as_of("2025-06-02", outer).variables["PIP_INDEX_URL"] == "https://mirror.example/simple"
    config.write_text("[global]\nindex-url = https://me:secret@mirror.example/simple\n", encoding="utf-8")
    assert "secret" not in str(as_of("2025-06-02", outer))


def test_what_is_no_date() -> None:
    with pytest.raises(InvalidDate, match="--as-of 1\\.0: not a date"):
        as_of("1.0", OUTER)


GENERATORS = [
    ("hatchling 1.27.0", "hatchling==1.27.0"),
    ("flit 3.9.0", "flit-core==3.9.0"),
    ("setuptools (75.1.0)", "setuptools==75.1.0"),
    ("bdist_wheel (0.37.1)", "wheel==0.37.1"),
    ("poetry-core 1.9.0", "poetry-core==1.9.0"),
    ("pdm-backend (2.4.3)", "pdm-backend==2.4.3"),
    ("uv 0.5.1", "uv-build==0.5.1"),
    ("maturin (1.7.4)", "maturin==1.7.4"),
]


@pytest.mark.parametrize(("generator", "pin"), GENERATORS)
def test_the_backend_that_a_wheel_names_is_pinned(tmp_path: Path, generator: str, pin: str) -> None:
    choice = generated_by(generator, tmp_path, OUTER)
    assert choice is not None
    assert pins(choice.variables) == f"{pin}\n"
    assert "PIP_FIND_LINKS" not in choice.variables
    assert choice.variables["PIP_INDEX_URL"] == "https://mirror.example/simple"


@pytest.mark.parametrize("generator", ["", "somebody's own", "x.y"])
def test_a_generator_that_names_no_version_pins_nothing(tmp_path: Path, generator: str) -> None:
    assert generated_by(generator, tmp_path, OUTER) is None


def test_a_record_pins_all_that_it_lists(tmp_path: Path) -> None:
    pair = (Installed("b", "2"), Installed("a", "1.0"))
    environments = [
        BuildEnvironment("sdist", "3.13", "linux", "uv", pair),
        BuildEnvironment("wheel", "3.13", "l", "uv", ()),
    ]
    choice = recorded(environments, tmp_path, OUTER, None)
    assert choice is not None
    assert pins(choice.variables) == "a==1.0\nb==2\n"
    assert recorded([], tmp_path, OUTER, None) is None


def test_an_old_pip_knows_no_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    assert requirements.knows_dates("/bin/uv")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)
    for version, knows in (("25.3", False), ("26.0", True)):
        monkeypatch.setattr(importlib.metadata, "version", lambda _, version=version: version)
        assert requirements.knows_dates(None) is knows
    assert requirements.knows_dates("/bin/uv")


def test_of_another_python_it_is_the_pip_that_virtualenv_has_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "PIP_KNOWS_DATES", Version("20"))
    assert requirements.knows_dates(None, "3.11" if RUNNING != "3.11" else "3.12")


def test_there_is_no_pip_for_a_python_that_virtualenv_has_none_of() -> None:
    assert not requirements.knows_dates(None, "3.6")
