from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.project.settings import BrokenToml, NoProject, Settings
from seatrial.project.validation import BadConfig, UnknownSetting
from seatrial.workspace.packages import (
    NoSuchPackage,
    Package,
    PackageCycle,
    Repository,
    TwoPackages,
    alone,
    find,
    name_of,
    relative,
    siblings,
    together,
)
from tests.projects import write_tree
from tests.samples.workspaces import BUILDS, UV, project, three

if TYPE_CHECKING:
    from collections.abc import Callable


def names(found: Repository) -> list[str]:
    return [package.name for package in found.packages]


def needs(found: Repository) -> dict[str, list[str]]:
    """Return the names of the folders that each package needs."""
    return {package.name: [folder.name for folder in package.needs] for package in found.packages}


# Which packages there are.


def test_a_workspace_of_uv_is_read_with_what_each_package_needs(tmp_path: Path) -> None:
    root = three(tmp_path)
    found = find(root)
    assert found.root == root
    assert [package.root for package in found.packages] == [
        root / "packages" / name for name in ("base", "cli", "core")
    ]
    assert needs(found) == {"demo-base": [], "demo-cli": ["core"], "demo-core": ["base"]}
    assert found.left_out == ()


WORKSPACES = {
    "uv": UV,
    "hatch": '[tool.hatch.envs.default.workspace]\nmembers = ["packages/*"]\n',
    "hatch, tables": '[[tool.hatch.envs.any.workspace.members]]\npath = "packages/*"\nfeatures = ["x"]\n',
    "ours": '[tool.seatrial]\npackages = ["packages/*"]\n',
    "ours, each by itself": '[tool.seatrial]\npackages = ["packages/cli", "./packages/core/", "packages/base"]\n',
    "twice": '[tool.uv.workspace]\nmembers = ["packages/*", "packages/core", "./packages/core"]\n',
    "ours, twice": '[tool.seatrial]\npackages = ["packages/*", "packages/core"]\n',
    "of both": f'{UV}[tool.hatch.envs.default.workspace]\nmembers = ["packages/core"]\n',
    "deep": '[tool.seatrial]\npackages = ["**"]\n',
}


@pytest.mark.parametrize("workspace", WORKSPACES.values(), ids=WORKSPACES)
def test_each_kind_of_workspace_names_the_same_packages(tmp_path: Path, workspace: str) -> None:
    root = three(tmp_path, workspace)
    expected = ["demo-base", "demo-cli", "demo-core"]
    assert [name for name in names(find(root)) if name != root.name] == expected


def test_hatch_has_a_file_of_its_own(tmp_path: Path) -> None:
    root = three(tmp_path, "")
    assert names(find(root)) == []
    write_tree(root, {"hatch.toml": '[envs.default.workspace]\nmembers = ["packages/c*"]\n'})
    assert names(find(root)) == ["demo-cli", "demo-core"]


def test_without_pyproject_our_own_file_names_them(tmp_path: Path) -> None:
    root = three(tmp_path)
    (root / "pyproject.toml").unlink()
    assert names(find(root)) == []
    write_tree(root, {"seatrial.toml": 'packages = ["packages/base"]\n'})
    assert names(find(root)) == ["demo-base"]


def test_our_setting_is_a_choice_of_the_members(tmp_path: Path) -> None:
    root = three(tmp_path, f'{UV}[tool.seatrial]\npackages = ["packages/base"]\n')
    assert names(find(root)) == ["demo-base"]


@pytest.mark.parametrize("pattern", ["packges/*", "packages/*/src", "pack**e", "docs"])
def test_a_pattern_of_ours_that_names_no_package_is_refused(tmp_path: Path, pattern: str) -> None:
    root = three(tmp_path, f'[tool.seatrial]\npackages = ["packages/base", "{pattern}"]\n')
    write_tree(root, {"docs/index.md": "", "packages/core/src/demo.py": ""})
    with pytest.raises(BadConfig) as error:
        find(root)
    assert (error.value.key, error.value.found, error.value.folder) == ("packages", pattern, str(root))


@pytest.mark.parametrize("pattern", ["pack**e", "", "/", "/packages/*", "packages\\u0000/*", "nothing/*"])
def test_a_pattern_of_others_that_matches_nothing_is_theirs(tmp_path: Path, pattern: str) -> None:
    assert names(find(three(tmp_path, f'[tool.uv.workspace]\nmembers = ["{pattern}"]\n'))) == []


ODD = [
    "tool = 1",
    "[tool]\nuv = 1",
    "[tool.uv]\nworkspace = []",
    "[tool.uv.workspace]\nmembers = 'packages/*'",
    "[tool.uv.workspace]\nmembers = [1, true, [], {}, {path = 3}]",
    "[tool.hatch]\nenvs = []",
    "[tool.hatch.envs]\ndefault = 1",
    "[tool.hatch.envs.default.workspace]\nmembers = [{features = ['x']}]",
    "project = 1",
]


@pytest.mark.parametrize("workspace", ODD)
def test_odd_workspaces_have_no_members(tmp_path: Path, workspace: str) -> None:
    assert find(three(tmp_path, f"{workspace}\n")).packages == ()


def test_what_a_workspace_excludes_is_no_member(tmp_path: Path) -> None:
    root = three(tmp_path, f'{UV}exclude = ["packages/core/", "packages/c?i"]\n')
    assert names(find(root)) == ["demo-base"]


def test_an_exclusion_is_of_its_own_workspace(tmp_path: Path) -> None:
    hatch = '[tool.hatch.envs.default.workspace]\nmembers = ["packages/core"]\n'
    assert names(find(three(tmp_path, f'{UV}exclude = ["packages/c*"]\n{hatch}'))) == ["demo-base", "demo-core"]


@pytest.mark.parametrize(("table", "is_member"), [("[project]\nname = 'demo'\n", True), ("", False)])
def test_the_root_of_a_workspace_is_a_package_if_it_is_a_project(
    tmp_path: Path, table: str, *, is_member: bool
) -> None:
    found = find(three(tmp_path, f"{BUILDS}{table}{UV}"))
    assert ("demo" in names(found)) is is_member
    assert len(found.packages) == 3 + is_member


@pytest.mark.parametrize("pattern", [".", "./"])
def test_the_root_may_be_named(tmp_path: Path, pattern: str) -> None:
    settings = f'[tool.seatrial]\npackages = ["packages/core", "{pattern}"]\n'
    assert names(find(three(tmp_path, f"{project('demo')}{settings}"))) == ["demo", "demo-core"]


def test_a_project_alone_is_no_repository_of_several(tmp_path: Path) -> None:
    assert find(write_tree(tmp_path, {"pyproject.toml": project("demo")})).packages == ()


def test_only_folders_with_a_project_in_them_are_packages(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/notes/todo.txt": "", "packages/README.md": "", "packages/old/setup.py": ""})
    write_tree(root, {"packages/.hidden/pyproject.toml": project("hidden")})
    assert names(find(root)) == ["demo-base", "demo-cli", "demo-core", "old"]


@pytest.mark.parametrize(
    ("pattern", "found"), [("**", ["demo"]), (".nox/x/*", ["tool"]), (".nox/**", ["tool"]), ("*/x/*", [])]
)
def test_what_is_in_a_hidden_folder_has_to_be_named(tmp_path: Path, pattern: str, found: list[str]) -> None:
    files = {"a/demo/pyproject.toml": project("demo"), ".nox/x/tool/setup.py": "", "pyproject.toml": ""}
    root = write_tree(tmp_path, files | {"pyproject.toml": f"[tool.uv.workspace]\nmembers = ['{pattern}']\n"})
    assert names(find(root)) == found


PRIVATE = {
    "[tool.uv]\npackage = false\n": "tool.uv.package = false",
    "[project]\nclassifiers = ['Typing :: Typed', 'Private :: Do Not Upload']\n": "Private :: Do Not Upload",
    "[project]\nclassifiers = [1, 'private :: x']\n": "private :: x",
}


@pytest.mark.parametrize(("text", "why"), [*((BUILDS + text, why) for text, why in PRIVATE.items())])
def test_what_is_not_for_release_is_left_out_and_named(tmp_path: Path, text: str, why: str) -> None:
    root = three(tmp_path, '[tool.uv.workspace]\nmembers = ["packages/zoo", "packages/*"]\n')
    write_tree(root, {"packages/zoo/pyproject.toml": text})
    write_tree(root, {"packages/core/pyproject.toml": text})
    found = find(root)
    assert names(found) == ["demo-base", "demo-cli"]
    assert found.left_out == (f"packages/core ({why})", f"packages/zoo ({why})")


@pytest.mark.parametrize("text", ["[tool.uv]\npackage = true\n", "[project]\nclassifiers = ['Not Private :: x']\n"])
def test_what_is_for_release_is_not(tmp_path: Path, text: str) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/core/pyproject.toml": BUILDS + text})
    assert find(root).left_out == ()


@pytest.mark.parametrize(
    ("files", "left_out"),
    [
        ({"pyproject.toml": "[project]\nname = 'notes'\n"}, ("packages/notes (no [build-system])",)),
        ({"pyproject.toml": "[project]\nname = 'notes'\n", "setup.py": ""}, ()),
        ({"pyproject.toml": "", "setup.cfg": ""}, ()),
    ],
)
def test_what_no_frontend_is_told_to_build_is_left_out(
    tmp_path: Path, files: dict[str, str], left_out: tuple[str, ...]
) -> None:
    root = three(tmp_path)
    write_tree(root / "packages" / "notes", files)
    assert find(root).left_out == left_out


def test_a_member_elsewhere_is_named_by_the_way_to_it(tmp_path: Path) -> None:
    root = three(tmp_path / "one", '[tool.uv.workspace]\nmembers = ["../two", "../three"]\n')
    write_tree(tmp_path, {"two/pyproject.toml": "", "three/pyproject.toml": project("three")})
    found = find(root)
    assert [package.root for package in found.packages] == [tmp_path.resolve() / "three"]
    assert found.left_out == ("../two (no [build-system])",)


def link(path: Path, target: Path) -> None:
    try:
        path.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("Windows wants a right for it")


def test_a_folder_with_two_names_is_one_package(tmp_path: Path) -> None:
    root = three(tmp_path / "repository")
    link(root / "packages" / "alias", root / "packages" / "core")
    link(tmp_path / "other", root)
    found = find(tmp_path / "other")
    assert (found.root, names(found)) == (root, ["demo-base", "demo-cli", "demo-core"])
    assert found.package("packages/alias", root).name == "demo-core"


def test_a_link_that_leads_nowhere_is_no_package(tmp_path: Path) -> None:
    root = three(tmp_path)
    link(root / "packages" / "round", root / "packages" / "round")
    link(root / "packages" / "broken", root / "nowhere")
    assert names(find(root)) == ["demo-base", "demo-cli", "demo-core"]
    for name in ("round", "broken"):
        with pytest.raises(NoSuchPackage):
            find(root).package(f"packages/{name}", root)
        write_tree(root, {"packages/core/pyproject.toml": project("x", settings=f"release-with = ['../{name}']")})
        with pytest.raises(BadConfig):
            siblings(root / "packages" / "core")
        write_tree(root, {"packages/core/pyproject.toml": project("demo-core")})


def test_folders_may_have_blanks_and_letters_of_all_kinds(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path / "ein Übungsstück",
        {
            "pyproject.toml": '[tool.seatrial]\npackages = ["größere Stücke/*"]\n',
            "größere Stücke/Kern für alle/setup.py": "",
            "größere Stücke/日本/pyproject.toml": project("b", settings='release-with = ["../Kern für alle"]'),
        },
    )
    found = find(root)
    assert needs(found) == {"kern für alle": [], "b": ["Kern für alle"]}
    assert found.package("Kern für alle", root).root.name == "Kern für alle"
    assert found.package("größere Stücke/日本", root).name == "b"


def test_two_packages_of_one_name_are_refused_with_their_folders(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/copy/pyproject.toml": project("demo_CORE"), "packages/zoo/setup.py": ""})
    with pytest.raises(TwoPackages) as error:
        find(root)
    assert error.value.name == "demo-core"
    assert error.value.folders == (str(root / "packages" / "copy"), str(root / "packages" / "core"))


def test_what_is_not_for_release_may_have_the_name_of_another(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/copy/pyproject.toml": project("demo_CORE", rest="[tool.uv]\npackage = false")})
    assert names(find(root)) == ["demo-base", "demo-cli", "demo-core"]


@pytest.mark.parametrize(
    ("text", "error"), [("[project\n", BrokenToml), ("[tool.seatrial]\ntagg = 'v{version}'\n", UnknownSetting)]
)
def test_a_package_that_is_set_up_wrongly_stops_all(tmp_path: Path, text: str, error: type[Exception]) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/core/pyproject.toml": BUILDS + text})
    with pytest.raises(error):
        find(root)


def test_a_wrong_setting_is_told_with_the_folder_of_its_package(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings="tag = 'v1'")})
    with pytest.raises(BadConfig) as error:
        find(root)
    found = error.value
    assert (found.key, found.found, found.folder) == ("tag", "v1", str(root / "packages" / "core"))
    assert str(found).startswith(f"The setting `tag` in [tool.seatrial] in {root / 'packages' / 'core'} is 'v1', but ")


def test_a_wrong_setting_at_the_root_is_told_with_it_too(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as error:
        find(three(tmp_path, f"{UV}[tool.seatrial]\ntag = 'v1'\n"))
    assert error.value.folder == str(tmp_path.resolve())


# What a package is called.


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"pyproject.toml": "[project]\nname = 'Demo.Core'\n"}, "demo-core"),
        ({"pyproject.toml": "[tool.poetry]\nname = 'Demo__Core'\n"}, "demo-core"),
        ({"pyproject.toml": "[project]\nname = 'a'\n[tool.poetry]\nname = 'b'\n", "setup.cfg": ""}, "a"),
        ({"pyproject.toml": "[project]\ndynamic = ['name']\n[tool.poetry]\nname = 'b'\n"}, "b"),
        ({"setup.cfg": "[metadata]\nname = Demo_Core\n"}, "demo-core"),
        ({"setup.cfg": "[metadata]\nname = c\n", "pyproject.toml": "[project]\nname = 'a'\n"}, "a"),
        ({"setup.cfg": "[metadata]\nversion = 1\n"}, "ein-ordner"),
        ({"setup.cfg": "[options]\nname = c\n"}, "ein-ordner"),
        ({"setup.cfg": "name = c\n"}, "ein-ordner"),
        ({"setup.py": ""}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = 3\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = ['a']\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = ''\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = '/etc/demo'\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = '../demo'\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = 'größer'\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = '\u212aelvin'\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = '-demo'\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = 'demo_'\n"}, "ein-ordner"),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, "x"),
        ({"pyproject.toml": "project = 1\ntool = 2\n"}, "ein-ordner"),
    ],
)
def test_the_name_is_the_one_that_is_written_down(tmp_path: Path, files: dict[str, str], name: str) -> None:
    assert name_of(write_tree(tmp_path / "Ein_Ordner", files)) == name


def test_a_setup_cfg_in_other_letters_says_no_name(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "setup.cfg").write_bytes(b"[metadata]\nname = \xff\n")
    assert name_of(tmp_path / "demo") == "demo"


def test_what_is_not_there_is_called_as_its_folder_would_be(tmp_path: Path) -> None:
    assert name_of(tmp_path / "nowhere") == "nowhere"


# What a package needs.


DEPENDENCIES = {
    "those of the project": ("[project]\nname = 'x'\ndependencies = ['demo-base', 'six']", "", ["base"]),
    "in any spelling": ("[project]\nname = 'x'\ndependencies = ['DEMO.Base[a] >= 1']", "", ["base"]),
    "no extra that is not asked for": (
        "[project]\nname = 'x'\noptional-dependencies = {a = ['demo-base']}",
        "extras = ['b']",
        [],
    ),
    "an extra": (
        "[project]\nname = 'x'\noptional-dependencies = {b = ['demo-cli'], a = ['demo-base']}",
        "extras = ['a']",
        ["base"],
    ),
    "an extra in another spelling": (
        "[project]\nname = 'x'\noptional-dependencies = {Fast_Path = ['demo-base']}",
        "extras = ['fast.path']",
        ["base"],
    ),
    "an extra that asks for others": (
        (
            "[project]\nname = 'X'\n"
            "optional-dependencies = {all = ['x[a,B]', 'y[c]'], a = ['x[all]'], b = ['demo-base'], c = ['demo-cli']}"
        ),
        "extras = ['all']",
        ["base"],
    ),
    "an extra of its own that it always asks for": (
        "[project]\nname = 'x'\ndependencies = ['x[a]']\noptional-dependencies = {a = ['demo-base']}",
        "",
        ["base"],
    ),
    "Poetry's": ("[tool.poetry.dependencies]\npython = '^3.10'\nDemo_Base = '^1'", "", ["base"]),
    "Poetry's, as tables": (
        "[tool.poetry.dependencies]\ndemo-base = {version = '^1'}\ndemo-cli = [{version = '1'}, {version = '2'}]",
        "",
        ["base", "cli"],
    ),
    "not what is optional for Poetry": (
        (
            "[tool.poetry.dependencies]\ndemo-base = {version = '^1', optional = true}\n"
            "[tool.poetry.extras]\na = ['demo-base']"
        ),
        "extras = ['b']",
        [],
    ),
    "what an extra of Poetry's asks for": (
        (
            "[tool.poetry.dependencies]\nDemo_Base = {version = '^1', optional = true}\n"
            "demo-cli = {version = '^1', optional = true}\ndemo-core = {version = '^1', optional = true}\n"
            "[tool.poetry.extras]\nA_b = ['demo-base', 1, 'demo-cli']"
        ),
        "extras = ['a-b']",
        ["base", "cli"],
    ),
    "not itself": ("[project]\nname = 'x'\ndependencies = ['x']", "", []),
    "nothing of what is no list": ("[project]\nname = 'x'\ndependencies = 'demo-base'", "", []),
    "nothing of what is no requirement": ("[project]\nname = 'x'\ndependencies = ['demo-base >', 1, 'six']", "", []),
    "nothing of odd extras": (
        "[project]\nname = 'x'\noptional-dependencies = ['demo-base']\n[tool.poetry]\nextras = 3\ndependencies = ['a']",
        "extras = ['a']",
        [],
    ),
    "what is released together with it": ("[project]\nname = 'x'", "release-with = ['../base']", ["base"]),
    "that first, and once": (
        "[project]\nname = 'x'\ndependencies = ['demo-base', 'demo-cli']",
        "release-with = ['../cli', '../../packages/cli/']",
        ["cli", "base"],
    ),
}


@pytest.mark.parametrize(("text", "settings", "expected"), DEPENDENCIES.values(), ids=DEPENDENCIES)
def test_a_package_needs(tmp_path: Path, text: str, settings: str, expected: list[str]) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/x/pyproject.toml": f"{BUILDS}{text}\n[tool.seatrial]\n{settings}\n"})
    assert needs(find(root))["x"] == expected


def test_a_sibling_need_not_be_a_member(tmp_path: Path) -> None:
    root = three(tmp_path)
    settings = 'release-with = ["../../extra/one"]'
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings=settings)})
    write_tree(root, {"extra/one/pyproject.toml": project("one", settings='release-with = ["../two"]')})
    write_tree(root, {"extra/two/setup.py": ""})
    assert needs(find(root)) == {
        "demo-base": [],
        "demo-cli": ["core"],
        "demo-core": ["one"],
        "one": ["two"],
        "two": [],
    }


@pytest.mark.parametrize("word", ["../nowhere", "../base/pyproject.toml", ".", "../core", "../notes"])
def test_a_sibling_is_the_folder_of_another_package(tmp_path: Path, word: str) -> None:
    root = three(tmp_path)
    core = root / "packages" / "core"
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings=f"release-with = ['{word}']")})
    write_tree(root, {"packages/notes/todo.txt": ""})
    with pytest.raises(BadConfig) as error:
        siblings(core)
    assert (error.value.key, error.value.found, error.value.folder) == ("release-with", word, str(core))


def test_a_sibling_that_is_named_twice_is_one(tmp_path: Path) -> None:
    root = three(tmp_path)
    settings = "release-with = ['../cli', '../base', '../../packages/cli/']"
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings=settings)})
    assert siblings(root / "packages" / "core") == (root / "packages" / "cli", root / "packages" / "base")


def test_the_root_can_be_a_sibling(tmp_path: Path) -> None:
    root = three(tmp_path, f"{project('demo')}{UV}")
    settings = 'release-with = ["../.."]'
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings=settings)})
    assert siblings(root / "packages" / "core") == (root,)
    assert [package.name for package in find(root).ordered()] == ["demo", "demo-base", "demo-core", "demo-cli"]


def test_a_folder_without_a_project_has_no_siblings_to_tell(tmp_path: Path) -> None:
    with pytest.raises(NoProject):
        alone(tmp_path)


# What is released together with one of them.


def test_a_package_comes_with_its_siblings_and_theirs(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/cli/pyproject.toml": project("demo-cli", settings="release-with = ['../core']")})
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings="release-with = ['../base']")})
    cli = root / "packages" / "cli"
    found = together(cli, ("../core",))
    assert found.root == cli
    assert needs(found) == {"demo-cli": ["core"], "demo-core": ["base"], "demo-base": []}
    assert [package.name for package in found.ordered()] == ["demo-base", "demo-core", "demo-cli"]
    assert [package.name for package in together(cli, ()).ordered()] == ["demo-cli"]


def test_siblings_that_need_each_other_are_a_cycle(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings="release-with = ['../cli']")})
    with pytest.raises(PackageCycle) as error:
        together(root / "packages" / "cli", ("../core",)).ordered()
    assert set(error.value.names) == {"demo-cli", "demo-core"}


def test_two_siblings_of_one_name_are_refused(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/copy/pyproject.toml": project("demo-cli")})
    with pytest.raises(TwoPackages) as error:
        together(root / "packages" / "cli", ("../copy",))
    assert error.value.name == "demo-cli"


def test_a_package_by_itself_knows_its_siblings(tmp_path: Path) -> None:
    root = three(tmp_path)
    base = root / "packages" / "base"
    write_tree(root, {"packages/core/pyproject.toml": project("demo-core", settings="release-with = ['../base']")})
    assert alone(base / ".." / "core") == Package("demo-core", root / "packages" / "core", (base,))


# Which one is meant.


@pytest.mark.parametrize(
    "word", ["demo-core", "Demo_Core", "packages/core", "./packages/core/", "packages/cli/../core"]
)
def test_a_package_is_named_by_its_name_or_its_folder(tmp_path: Path, word: str) -> None:
    root = three(tmp_path)
    found = find(root).package(word, root)
    assert (found.name, [folder.name for folder in found.needs]) == ("demo-core", ["base"])


def test_an_absolute_folder_names_a_package(tmp_path: Path) -> None:
    root = three(tmp_path)
    assert find(root).package(str(root / "packages" / "core"), tmp_path).name == "demo-core"


def test_a_folder_is_seen_from_where_one_stands_and_then_from_the_root(tmp_path: Path) -> None:
    root = three(tmp_path, f"{project('demo')}{UV}")
    found = find(root)
    assert found.package(".", root).name == "demo"
    assert found.package(".", root / "packages" / "core").name == "demo-core"
    assert found.package("../base", root / "packages" / "core").name == "demo-base"
    assert found.package("packages/base", root / "packages" / "core").name == "demo-base"


def test_a_name_goes_before_a_folder(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path,
        {
            "pyproject.toml": '[tool.seatrial]\npackages = ["a", "b", "c"]\n',
            "a/pyproject.toml": project("other"),
            "b/pyproject.toml": project("c"),
            "c/pyproject.toml": project("a"),
        },
    )
    assert find(root).package("a", root).root.name == "c"
    assert find(root).package("c", root).root.name == "b"
    assert find(root).package("./a", root).name == "other"


def test_a_package_that_is_no_member_is_taken_where_its_folder_is_named(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(
        root, {"tools/demo/pyproject.toml": project("a-tool", settings="release-with = ['../../packages/base']")}
    )
    found = find(root).package("tools/demo", root)
    assert (found.name, found.needs) == ("a-tool", (root / "packages" / "base",))


@pytest.mark.parametrize("word", ["demo", "a-tool", "packages", "packages/core/pyproject.toml", "nowhere"])
def test_any_other_word_names_no_package(tmp_path: Path, word: str) -> None:
    root = three(tmp_path)
    (root / "pyproject.toml").rename(root / "seatrial.toml")
    write_tree(root, {"seatrial.toml": 'packages = ["packages/*"]\n', "tools/demo/pyproject.toml": project("a-tool")})
    with pytest.raises(NoSuchPackage) as error:
        find(root).package(word, root)
    assert (error.value.word, error.value.root) == (word, root)
    assert error.value.known == ("demo-base", "demo-cli", "demo-core")


def test_where_there_are_no_packages_none_are_listed(tmp_path: Path) -> None:
    with pytest.raises(NoSuchPackage) as error:
        find(tmp_path).package("demo", tmp_path)
    assert "There are:" not in str(error.value)


# The way from folder to folder.


def test_the_way_to_a_folder_has_forward_slashes(tmp_path: Path) -> None:
    assert relative(tmp_path / "a" / "core", tmp_path / "b" / "x") == "../../a/core"
    assert relative(tmp_path, tmp_path) == "."


def test_between_drives_there_is_no_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr(os.path, "relpath", refuse)
    assert relative(tmp_path / "core", tmp_path) == (tmp_path / "core").as_posix()


# The order.


def repository(graph: dict[int, list[int]]) -> Repository:
    """Return packages that are called by numbers and need those of `graph`."""
    return Repository(Path("r"), tuple(Package(str(one), Path(f"r/{one}"), _roots(of)) for one, of in graph.items()))


def _roots(numbers: list[int]) -> tuple[Path, ...]:
    return tuple(Path(f"r/{number}") for number in numbers)


def graphs(pick: Callable[[int, int], range]) -> st.SearchStrategy[dict[int, list[int]]]:
    """Make graphs of up to eight packages, of which the n-th of m needs some of ``pick(n, m)``."""

    def of(count: int) -> st.SearchStrategy[dict[int, list[int]]]:
        lists = {n: st.lists(st.sampled_from(pick(n, count)) if pick(n, count) else st.nothing()) for n in range(count)}
        return st.permutations(range(count)).flatmap(lambda order: st.fixed_dictionaries({n: lists[n] for n in order}))

    return st.integers(1, 8).flatmap(of)


@given(graphs(lambda n, _: range(n)))
def test_each_package_comes_after_what_it_needs(graph: dict[int, list[int]]) -> None:
    order = [int(package.name) for package in repository(graph).ordered()]
    assert sorted(order) == sorted(graph)
    assert all(order.index(needed) < order.index(one) for one, of in graph.items() for needed in of)


@given(graphs(lambda n, count: range(n + 1, n + 2) if n + 1 < count else range(1)))
def test_a_circle_of_all_is_named_or_there_is_none(graph: dict[int, list[int]]) -> None:
    _named_or_ordered(graph)


@given(graphs(lambda _, count: range(count)))
def test_a_cycle_that_is_named_is_one(graph: dict[int, list[int]]) -> None:
    _named_or_ordered(graph)


def _named_or_ordered(graph: dict[int, list[int]]) -> None:
    """Whichever it is has to be right: an order in which what is needed comes first, or a way round."""
    try:
        order = [int(package.name) for package in repository(graph).ordered()]
    except PackageCycle as error:
        way = [int(name) for name in error.names]
        assert way[0] == way[-1]
        assert len(way) > 1
        assert all(needed in graph[one] for one, needed in itertools.pairwise(way))
    else:
        assert all(order.index(needed) < order.index(one) for one, of in graph.items() for needed in of)


def test_what_is_needed_and_no_package_of_them_changes_nothing() -> None:
    found = repository({0: [9], 1: [0, 8]})
    assert [package.name for package in found.ordered()] == ["0", "1"]


def test_a_cycle_is_told_from_each_to_what_it_needs(tmp_path: Path) -> None:
    root = three(tmp_path)
    write_tree(root, {"packages/base/pyproject.toml": project("demo-base", dependencies='"demo-cli"')})
    with pytest.raises(PackageCycle) as error:
        find(root).ordered()
    way = error.value.names
    assert way[0] == way[-1]
    assert "demo-cli -> demo-core -> demo-base" in " -> ".join([*way, *way[1:]])


def test_the_settings_of_a_package_are_its_own(tmp_path: Path) -> None:
    root = three(tmp_path, f"{UV}[tool.seatrial]\nextras = ['a']\n")
    rest = 'optional-dependencies = {a = ["demo-cli"]}'
    write_tree(root, {"packages/x/pyproject.toml": project("x", rest=rest)})
    assert needs(find(root))["x"] == []
    assert Settings().packages == ()
