from __future__ import annotations

import pytest

from seatrial.project.options import ALL, Commands

NOX = Commands(nox=True, prefix="release-")


@pytest.mark.parametrize(
    ("commands", "plain", "confirmed"),
    [
        (Commands(), "seatrial pypi", "seatrial pypi --yes 1.0"),
        (Commands(option=ALL), "seatrial pypi --all", "seatrial pypi --all --yes 1.0"),
        (Commands(nox=True), "nox -s pypi", "nox -s pypi -- --yes 1.0"),
        (NOX, "nox -s release-pypi", "nox -s release-pypi -- --yes 1.0"),
        (
            NOX.for_package("core"),
            "nox -s release-pypi -- --package core",
            "nox -s release-pypi -- --package core --yes 1.0",
        ),
        (
            Commands().for_package("packages/ein Übungsstück"),
            'seatrial pypi --package "packages/ein Übungsstück"',
            'seatrial pypi --package "packages/ein Übungsstück" --yes 1.0',
        ),
    ],
)
def test_a_command_is_what_a_person_types(commands: Commands, plain: str, confirmed: str) -> None:
    assert commands.command("pypi") == commands["pypi"] == plain
    assert commands.command("pypi", "--yes", "1.0") == commands["pypi --yes 1.0"] == confirmed


def test_for_a_package_it_is_that_package_and_no_other() -> None:
    assert Commands(option=ALL).for_package("core").command("check") == "seatrial check --package core"
