from __future__ import annotations

import pytest

from seatrial.project.commands import ALL, VARIABLE, Errand, Typed, from_environment

NAMES = {"build": "release-build", "pypi": "release-pypi"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (Typed(NAMES), "nox -s release-build"),
        (Typed(NAMES, option=ALL), "nox -s release-build -- --all"),
        (Typed(NAMES).for_package("core"), "nox -s release-build -- --package core"),
        (Typed(NAMES, door=True), "seatrial build"),
        (Typed(NAMES, door=True, option=ALL), "seatrial build --all"),
        (Typed(NAMES, door=True).for_package("core"), "seatrial build --package core"),
        (Typed({}), "nox -s build"),
    ],
)
def test_a_session_is_typed_with_its_choice_of_packages(typed: Typed, expected: str) -> None:
    assert typed.command("build") == expected


def test_what_else_is_typed_comes_last() -> None:
    assert Typed(NAMES).command("pypi", "--yes", "1.0") == "nox -s release-pypi -- --yes 1.0"
    assert Typed(NAMES, option=ALL).command("pypi", "--yes", "1.0") == "nox -s release-pypi -- --all --yes 1.0"
    assert Typed({}, door=True).command("pypi", "--yes", "1.0") == "seatrial pypi --yes 1.0"
    assert Typed({}).command("verify", "--rehearse-on", "dryrun", '"a reason"').endswith('dryrun "a reason"')


def test_a_folder_with_blanks_is_one_word() -> None:
    assert Typed({}).for_package("kern für alle").command("build") == 'nox -s build -- --package "kern für alle"'


def test_one_choice_of_packages_takes_the_place_of_another() -> None:
    assert Typed(NAMES, door=True, option=ALL).for_package("a") == Typed(NAMES, True, ("--package", "a"))  # noqa: FBT003


@pytest.mark.parametrize("beside", [None, (), ("../core", "../ein Übungsstück")])
@pytest.mark.parametrize("option", [(), ALL, ("--package", "core")])
@pytest.mark.parametrize("door", [True, False])
def test_an_errand_comes_back_from_the_environment(
    option: tuple[str, ...], beside: tuple[str, ...] | None, *, door: bool
) -> None:
    errand = Errand(Typed(NAMES, door, option), beside)
    env = errand.to_environment()
    assert set(env) == {VARIABLE}
    assert from_environment({"PATH": "/bin"} | env) == errand


def test_without_the_variable_a_person_started_it() -> None:
    assert from_environment({"PATH": "/bin"}) is None
