from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.index.indexes import PYPI, TESTPYPI
from seatrial.machine.values import fields_of
from seatrial.project.pythons import supported_pythons
from seatrial.project.settings import BrokenToml, NoProject, NotUtf8, Settings, TwoConfigs, is_project, load
from seatrial.project.validation import READERS, BadConfig, UnknownSetting
from seatrial.release.stages import Cell
from tests.projects import write_tree

RUNNING = "{}.{}".format(*sys.version_info)
SEATRIAL_TOML = 'pythons = ["3.11"]\nsession-prefix = "s-"\n'
PROJECT = '[project]\nname = "demo"\n'
ABSOLUTE = (Path(__file__).parent / "core").as_posix()

# Each setting: what it takes in TOML, the field of Config, and its value.
TAKEN: dict[str, tuple[str, str, Any]] = {
    "pythons": ('["3.10", "3.14t", "pypy3.11"]', "pythons", ("3.10", "3.14t", "pypy3.11")),
    "sdist-pythons": ('["3.14"]\npythons = ["3.10", "3.14"]', "sdist_pythons", ("3.14",)),
    "extras": ('["cli", "all"]', "extras", ("cli", "all")),
    "import-names": ('["demo", "demo.core"]', "import_names", ("demo", "demo.core")),
    "smoke": ("""["demo --version", "demo 'two words'"]""", "smoke", ("demo --version", "demo 'two words'")),
    "smoke-requires": ('["pytest>=8"]', "smoke_requires", ("pytest>=8",)),
    "ignore": ('{ wheel-pth = "on purpose" }', "ignore", {"wheel-pth": "on purpose"}),
    "in-place": ("true", "in_place", True),
    "normalise": ("false", "normalise", False),
    "build-env": ('["CFLAGS", "MY_SWITCH"]', "build_env", ("CFLAGS", "MY_SWITCH")),
    "archives": ('["sdist", "wheel", "sdist"]', "archives", ("wheel", "sdist")),
    "tag": ('"demo-{version}"', "tag", ("demo-{version}",)),
    "rehearse-on": ('"dryrun"', "rehearse_on", "dryrun"),
    "session-prefix": ('"release-"', "session_prefix", "release-"),
    "release-with": ('["../core", "../ein Übungsstück"]', "release_with", ("../core", "../ein Übungsstück")),
    "packages": ('["packages/*", "tools/demo"]', "packages", ("packages/*", "tools/demo")),
    "build-timeout": ("7200", "build_timeout", 7200),
    "index-timeout": ("1", "index_timeout", 1),
}

# Each setting: what it does not take, and what the message says instead.
REFUSED: list[tuple[str, str, str]] = [
    ("pythons", '"3.12"', "a list of strings"),
    ("pythons", "[]", 'a list like ["3.10"'),
    ("pythons", '["3.12", "2.7"]', 'a list like ["3.10"'),
    ("pythons", '["python3.12"]', 'a list like ["3.10"'),
    ("extras", "[1]", "a list of strings"),
    ("import-names", '"demo"', "a list of strings"),
    ("smoke", '"demo"', "a list of strings"),
    ("smoke", """["demo 'open"]""", "a list of commands with their quotes closed"),
    ("smoke", '["demo", " "]', "a list of commands with their quotes closed"),
    ("smoke-requires", "true", "a list of strings"),
    ("ignore", '["wheel-pth"]', "a table of rule codes with a reason each"),
    ("ignore", '{ wheel-pth = " " }', "a table of rule codes with a reason each"),
    ("ignore", "{ wheel-pth = true }", "a table of rule codes with a reason each"),
    ("in-place", '"yes"', "true or false"),
    ("normalise", "0", "true or false"),
    ("build-env", '"CFLAGS"', "a list of strings"),
    ("build-env", '["CFLAGS", "PYPI_TOKEN"]', "names of variables that hold no secret"),
    ("archives", "[]", 'some of "wheel" and "sdist"'),
    ("archives", '["wheel", "egg"]', 'some of "wheel" and "sdist"'),
    ("tag", '"v1.0"', "a pattern with {version} in it"),
    ("tag", '["{version}"]', "a string"),
    ("session-prefix", "1", "a string"),
    ("rehearse-on", '"pypi"', '"testpypi" or "dryrun"'),
    ("rehearse-on", "true", "a string"),
    ("release-with", '"../core"', "a list of strings"),
    ("release-with", "[1]", "a list of strings"),
    ("release-with", '["../core", " "]', 'folders of this repository, relative to this one, like ["../core"]'),
    ("release-with", f'["{ABSOLUTE}"]', "folders of this repository, relative to this one"),
    ("packages", "{ core = 'packages/core' }", "a list of strings"),
    ("packages", '[""]', "folders of this repository, relative to this one"),
    ("packages", f'["packages/*", "{ABSOLUTE}/*"]', "folders of this repository, relative to this one"),
    ("sdist-pythons", "[]", "a list like"),
    ("build-timeout", "0", "a number of seconds above 0"),
    ("build-timeout", "1.5", "a number of seconds above 0"),
    ("index-timeout", "true", "a number of seconds above 0"),
    ("index-timeout", '"10"', "a number of seconds above 0"),
    ("indexes", '"https://index.example"', "a table"),
]

# The tables of indexes that are refused: role, urls, key that is named, what the message says.
WRONG_INDEXES: list[tuple[str, str, str, str]] = [
    ("testpypi", '"https://a.example"', "indexes.testpypi", "a table with exactly: simple, upload"),
    ("testpypi", '{ simple = "https://a.example" }', "indexes.testpypi", "a table with exactly: simple, upload"),
    (
        "dependencies",
        '{ simple = "https://a.example", upload = "https://a.example" }',
        "indexes.dependencies",
        "a table with exactly: simple",
    ),
    ("testpypi", '{ simple = "https://ada:s3cret@a.example" }', "indexes.testpypi", "is ['simple'], but"),
    ("testpypi", '"https://ada:s3cret@a.example"', "indexes.testpypi", "is '(not shown)', but"),
    ("dependencies", "{ simple = 1 }", "indexes.dependencies.simple", "a string"),
    ("dependencies", '{ simple = "ftp://a.example" }', "indexes.dependencies.simple", "an http(s) URL"),
    ("dependencies", '{ simple = "https:///simple" }', "indexes.dependencies.simple", "an http(s) URL"),
    ("dependencies", '{ simple = "a.example" }', "indexes.dependencies.simple", "an http(s) URL"),
]


def configured(root: Path, table: str, project: str = PROJECT) -> Settings:
    write_tree(root, {"pyproject.toml": f"{project}\n[tool.seatrial]\n{table}\n"})
    return load(root)


def test_the_sdist_is_verified_where_it_is_to_be(tmp_path: Path) -> None:
    settings = configured(
        tmp_path, 'pythons = ["3.10", "3.14"]\nsdist-pythons = ["3.14"]\nresolution = "lowest-direct"'
    )
    assert settings.cells == (Cell("3.10", "wheel"), Cell("3.14", "wheel"), Cell("3.14", "sdist"))
    assert [cell for cell in settings.cells if settings.tries_lowest(cell)] == [Cell("3.10", "wheel")]
    alone = replace(settings, archives=("sdist",))
    assert [cell for cell in alone.cells if alone.tries_lowest(cell)] == [Cell("3.14", "sdist")]


def test_the_sdist_is_verified_on_pythons_of_the_project_alone(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"`sdist-pythons` .* is \['3.12'\], but must be some of `pythons`: 3.10"):
        configured(tmp_path, 'pythons = ["3.10"]\nsdist-pythons = ["3.12"]')


# The settings.


@pytest.mark.parametrize("key", TAKEN)
def test_a_setting_is_taken(tmp_path: Path, key: str) -> None:
    text, field, value = TAKEN[key]
    assert getattr(configured(tmp_path, f"{key} = {text}"), field) == value


@pytest.mark.parametrize("key", TAKEN)
def test_without_a_setting_its_default_holds(tmp_path: Path, key: str) -> None:
    _, field, value = TAKEN[key]
    silent = getattr(configured(tmp_path, ""), field)
    assert silent == ((RUNNING,) if key == "pythons" else getattr(Settings(), field))
    assert silent != value or key == "archives"  # the order is ours, so the setting is the default


@pytest.mark.parametrize(("key", "text", "expected"), REFUSED)
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, key: str, text: str, expected: str) -> None:
    with pytest.raises(BadConfig) as error:
        configured(tmp_path, f"{key} = {text}")
    assert f"The setting `{key}` in [tool.seatrial] is" in str(error.value)
    assert expected in str(error.value)


def test_every_setting_is_a_field() -> None:
    assert {key.replace("-", "_") for key in READERS} <= {one.name for one in fields_of(Settings)}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            'pythonz = ["3.12"]',
            "Unknown setting `pythonz` in [tool.seatrial]. Did you mean `pythons`? Known settings: archives,",
        ),
        (
            '[tool.seatrial.indexes]\nprivate = { simple = "https://a.example" }',
            "Unknown setting `indexes.private` in [tool.seatrial]. Known settings: indexes.testpypi, indexes.pypi,",
        ),
    ],
)
def test_an_unknown_setting_is_named_with_those_that_are_known(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(UnknownSetting) as error:
        configured(tmp_path, table)
    assert said in str(error.value)


def test_a_wrong_type_names_the_key_what_is_expected_and_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as error:
        configured(tmp_path, "build-timeout = 'an hour'")
    said = "The setting `build-timeout` in [tool.seatrial] is 'an hour', but must be a number of seconds above 0."
    assert str(error.value).startswith(said)


def test_every_setting_has_its_pair() -> None:
    assert set(TAKEN) <= {key for key, _, _ in REFUSED}


def test_a_secret_is_named_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="'TWINE_PASSWORD'"):
        configured(tmp_path, 'build-env = ["TWINE_PASSWORD"]')
    with pytest.raises(BadConfig) as error:
        configured(tmp_path, '[tool.seatrial.indexes]\ndependencies = { simple = "https://ada:s3cret@a.example" }')
    assert "s3cret" not in str(error.value)
    assert "without a login in it" in str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [('"matrix"', "matrix"), ('"all"', "all"), ('["cp312-*", "*.tar.gz"]', ("cp312-*", "*.tar.gz"))],
)
def test_what_has_to_be_verified_is_said_in_three_ways(tmp_path: Path, text: str, value: str | tuple[str, ...]) -> None:
    assert configured(tmp_path, f"require-verified = {text}").require_verified == value


@pytest.mark.parametrize("text", ['"some"', "[]", '[""]', "true", "[3]"])
def test_anything_else_that_has_to_be_verified_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadConfig, match='must be "matrix", "all" or a list of patterns'):
        configured(tmp_path, f"require-verified = {text}")


def test_a_resolution_is_one_of_two(tmp_path: Path) -> None:
    assert configured(tmp_path, 'resolution = "lowest-direct"').resolution == "lowest-direct"
    with pytest.raises(BadConfig, match='must be "highest" or "lowest-direct"'):
        configured(tmp_path, 'resolution = "lowest"')


@pytest.mark.parametrize(
    ("config", "cell"),
    [
        (Settings(pythons=("3.13", "3.9", "3.10")), Cell("3.9", "wheel")),
        (Settings(pythons=("3.14t", "3.14")), Cell("3.14", "wheel")),
        (Settings(pythons=("3.9",), archives=("sdist",)), Cell("3.9", "sdist")),
    ],
)
def test_the_lowest_dependencies_are_tried_in_one_cell(config: Settings, cell: Cell) -> None:
    assert not any(map(config.tries_lowest, config.cells))
    asked = replace(config, resolution="lowest-direct")
    assert [one for one in asked.cells if asked.tries_lowest(one)] == [cell]


def test_the_public_indexes_written_out_are_the_public_indexes(tmp_path: Path) -> None:
    table = f'[indexes.pypi]\nsimple = "{PYPI.simple}"\nupload = "{PYPI.upload}"\n'
    assert configured(tmp_path, table.replace("[indexes", "[tool.seatrial.indexes")).pypi == PYPI


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("project = 1\n", {}),
        ("[project]\nclassifiers = 1\n", {}),
        ("[project]\nrequires-python = 3.10\n", {"requires-python": "?"}),
    ],
)
def test_what_is_wrong_with_the_project_is_left_to_its_build_backend(
    tmp_path: Path, text: str, like: dict[str, str]
) -> None:
    assert load(write_tree(tmp_path, {"pyproject.toml": text})).pythons == supported_pythons(like)


@pytest.mark.parametrize("text", ["[tool]\nseatrial = 1\n", "[[tool.seatrial]]\ntag = '{version}'\n"])
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadConfig, match="must be a table"):
        load(write_tree(tmp_path, {"pyproject.toml": text}))


ODD = ["tool = 1", "project = 1", "[[project]]", "[project]\nclassifiers = 3"]


@pytest.mark.parametrize("text", ODD)
def test_what_is_odd_outside_of_our_table_is_left_to_the_build(tmp_path: Path, text: str) -> None:
    assert load(write_tree(tmp_path, {"pyproject.toml": f"{text}\n"})) == Settings(pythons=(RUNNING,))


# The indexes.


def test_the_public_indexes_are_the_default(tmp_path: Path) -> None:
    found = configured(tmp_path, "")
    assert (found.testpypi, found.pypi, found.dependencies.simple) == (TESTPYPI, PYPI, PYPI.simple)
    assert found.dependencies.upload == ""


def test_indexes_are_set_by_their_urls(tmp_path: Path) -> None:
    table = """
    [tool.seatrial.indexes]
    testpypi = { simple = "https://staging.example/simple", upload = "https://staging.example/upload" }
    dependencies = { simple = "http://proxy.example:8080/simple/" }
    """
    found = configured(tmp_path, table)
    assert (found.testpypi.simple, found.testpypi.upload) == (
        "https://staging.example/simple/",
        "https://staging.example/upload",
    )
    assert (found.testpypi.name, found.testpypi.token_variable) == ("staging.example", TESTPYPI.token_variable)
    assert (found.dependencies.simple, found.dependencies.name) == (
        "http://proxy.example:8080/simple/",
        "proxy.example:8080",
    )
    assert found.pypi == PYPI


@pytest.mark.parametrize(("role", "urls", "key", "expected"), WRONG_INDEXES)
def test_wrong_indexes_are_refused_by_name(tmp_path: Path, role: str, urls: str, key: str, expected: str) -> None:
    with pytest.raises(BadConfig) as error:
        configured(tmp_path, f"[tool.seatrial.indexes]\n{role} = {urls}")
    assert f"`{key}`" in str(error.value)
    assert expected in str(error.value)


# Where they stand.


def test_broken_toml_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BrokenToml, match=r"pyproject\.toml is not valid TOML: .*line 1"):
        load(write_tree(tmp_path, {"pyproject.toml": "[project\n"}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[project]\nname = '\xff'\n", "byte 0xff on line 2 is not UTF-8"),
        (PROJECT.encode("utf-8-sig"), "it is UTF-8 with a byte order mark"),
        (PROJECT.encode("utf-16"), "it is UTF-16"),
        (PROJECT.encode("utf-16-le"), "it is UTF-16 without a byte order mark"),
        (PROJECT.encode("utf-32"), "it is UTF-32"),
    ],
)
@pytest.mark.parametrize("name", ["pyproject.toml", "seatrial.toml"])
def test_a_file_in_another_encoding_is_named_as_such(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    write_tree(tmp_path, {"setup.py": ""})
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotUtf8) as error:
        load(tmp_path)
    assert f"{name} cannot be read as TOML, which is UTF-8 without a byte order mark: {said}." in str(error.value)


def test_line_ends_of_windows_are_taken(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b'[tool.seatrial]\r\ntag = "r{version}"\r\n')
    assert load(tmp_path).tag == ("r{version}",)


def test_a_folder_without_a_project_has_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(NoProject):
        load(tmp_path)


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py", "setup.cfg"])
def test_any_of_three_files_makes_a_project(tmp_path: Path, name: str) -> None:
    assert not is_project(tmp_path)
    assert is_project(write_tree(tmp_path, {name: ""}))
    assert load(tmp_path) == Settings(pythons=(RUNNING,))


def test_without_pyproject_the_keys_stand_in_their_own_file(tmp_path: Path) -> None:
    write_tree(tmp_path, {"setup.py": "", "seatrial.toml": 'tag = "r{version}"\n'})
    assert load(tmp_path).tag == ("r{version}",)


def test_in_both_places_it_is_refused(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pyproject.toml": PROJECT, "seatrial.toml": ""})
    with pytest.raises(TwoConfigs, match=r"delete seatrial\.toml"):
        load(tmp_path)


# The matrix.


def test_every_python_meets_every_kind() -> None:
    found = Settings(pythons=("3.10", "3.14")).cells
    assert found == (Cell("3.10", "wheel"), Cell("3.10", "sdist"), Cell("3.14", "wheel"), Cell("3.14", "sdist"))
    assert Settings(pythons=("3.10",), archives=("sdist",)).cells == (Cell("3.10", "sdist"),)
