from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from seatrial.cli.options import INTERFACE, BadOption, Nox, OtherInterface, SecretInArguments, _parser, nox_of, parse
from seatrial.project.options import ALL, Options

HERE = Path("/a/project") if Path("/").is_absolute() else Path("C:/a/project")
NOTHING = Options()
TOKEN = "pypi-AgEIcHlwaS5vcmcCJGQ2"

# The words after the double dash, the field they set, and its value.
TAKEN: list[tuple[tuple[str, ...], str, object]] = [
    (("--explain",), "explain", True),
    (("--rebuild",), "rebuild", True),
    (("--sdist-only",), "sdist_only", True),
    (("--offline",), "offline", True),
    (("--remote",), "remote", True),
    (("--rehearse-on", "dryrun", " TestPyPI is down "), "rehearse_on", "TestPyPI is down"),
    (("--from", "wheels"), "taken_from", HERE / "wheels"),
    (("--from=wheels",), "taken_from", HERE / "wheels"),
    (("--yes", "1.0"), "yes", "1.0"),
    (("--no-narrow",), "narrow", False),
    (("--keep-sealed",), "keep_sealed", True),
    (("--timing",), "timing", True),
    (("-v",), "verbose", True),
    (("--verbose",), "verbose", True),
    (("--open",), "open", True),
    (("--as", "1.0-RC1"), "version", "1.0rc1"),
    (("--since", "1.0"), "since", "1.0"),
    (("--without-rehearsal-index", " it is down "), "without_rehearsal_index", "it is down"),
    (("--python", "3.14t"), "python", "3.14t"),
    (("--kind", "sdist"), "kind", "sdist"),
    (("--environment", ".nox/verify"), "environment", HERE / ".nox" / "verify"),
    (("--as-of", "2024-05-06"), "as_of", "2024-05-06"),
    (("--today",), "as_of", "today"),
    (("--record", "built.json"), "record", HERE / "built.json"),
    (("--package", "core"), "package", "core"),
    (("--package=core",), "package", "core"),
    (("--package", "."), "package", "."),
    (("--package", "packages/ein Übungsstück"), "package", "packages/ein Übungsstück"),
    (("--all",), "all", True),
    (("--keep", "kept"), "keep", HERE / "kept"),
    (("--json", "out.json"), "json", HERE / "out.json"),
    (("--preflight",), "preflight", True),
]


def test_without_words_nothing_is_asked_for() -> None:
    assert parse("build", [], HERE) == NOTHING


@pytest.mark.parametrize(("words", "field", "value"), TAKEN)
@pytest.mark.parametrize("step", ["build", "pypi", "inspect"])
def test_an_option_reaches_every_step(step: str, words: tuple[str, ...], field: str, value: object) -> None:
    assert getattr(parse(step, words, HERE), field) == value


def test_an_absolute_path_stays_as_it_is(tmp_path: Path) -> None:
    assert parse("dryrun", ["--keep", str(tmp_path)], HERE).keep == tmp_path


def test_files_are_what_inspect_looks_at() -> None:
    found = parse("inspect", ["a.whl", "--json", "out", "b.tar.gz"], HERE)
    assert found.files == (Path("a.whl"), Path("b.tar.gz"))


def test_a_version_is_what_rebuild_takes() -> None:
    found = parse("rebuild", ["--explain", "1.0"], HERE)
    assert (found.version, found.files) == ("1.0", ())
    assert parse("rebuild", [], HERE).version is None
    with pytest.raises(BadOption, match=r"seatrial rebuild: unrecognized arguments: 1\.0 1\.1"):
        parse("rebuild", ["1.0", "1.1"], HERE)


def test_a_step_takes_its_words_whatever_it_is_called_here() -> None:
    assert parse("inspect", ["a.whl"], HERE, prog="nox -s release-inspect --").files == (Path("a.whl"),)
    with pytest.raises(BadOption, match="nox -s release-build --"):
        parse("build", ["a.whl"], HERE, prog="nox -s release-build --")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["a.whl", "b"], "unrecognized arguments: a.whl b"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["--re"], "unrecognized arguments: --re"),
        (["--yes"], "argument --yes: expected one argument"),
        (["--package"], "argument --package: expected one argument"),
        (["--package", "--all"], "argument --package: expected one argument"),
        (["--rehearse-on", "dryrun", " "], 'use `--rehearse-on dryrun "REASON"`, with a reason'),
        (["--rehearse-on", "testpypi", "down"], 'use `--rehearse-on dryrun "REASON"`, with a reason'),
        (["--without-rehearsal-index", " "], "--without-rehearsal-index takes a reason, and it is empty"),
        (["--as", "next"], "--as takes a version, and 'next' is not a valid version"),
        (["--kind", "egg"], "argument --kind: invalid choice: 'egg'"),
        (["--all=yes"], "argument --all: ignored explicit argument 'yes'"),
        (["--rebuild=no"], "argument --rebuild: ignored explicit argument 'no'"),
    ],
)
def test_other_words_are_refused_in_the_name_of_the_step(words: list[str], complaint: str) -> None:
    with pytest.raises(BadOption) as error:
        parse("build", words, HERE)
    assert f"seatrial build: {complaint}" in str(error.value)
    assert "`seatrial build --help` lists the options." in str(error.value)


EVERYWHERE = {"-h", "--help", "--explain", "-v", "--verbose", "--timing"}
SEVERAL = {"--package", "--all"}
BUILD = {"--rebuild", "--keep-sealed", "--from", "--sdist-only", *SEVERAL}


@pytest.mark.parametrize(
    ("step", "listed"),
    [
        ("build", BUILD),
        ("check", {*BUILD, "--offline", "--since"}),
        ("testpypi", {*BUILD, "--offline", "--since", "--rehearse-on", "--no-narrow"}),
        ("pypi", {"--rehearse-on", "--yes", "--without-rehearsal-index", "--no-narrow", *SEVERAL}),
        ("dryrun", {"--from", "--sdist-only", "--as", "--offline", "--since", "--keep", "--open", *SEVERAL}),
        ("status", {"--remote", "--open", *SEVERAL}),
        ("inspect", {"--json"}),
        ("rebuild", {"--as-of", "--today", "--record", "--json", *SEVERAL}),
    ],
)
def test_help_lists_what_concerns_the_step_and_those_before_it(step: str, listed: set[str]) -> None:
    text = _parser(f"seatrial {step}", step).format_help()
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text)) == EVERYWHERE | listed
    assert ("FILE" in text.replace("--record FILE", "")) == (step == "inspect")
    assert ("[VERSION ...]" in text) == (step == "rebuild")


@pytest.mark.parametrize("words", [[TOKEN], ["--yes", TOKEN], [f"--yes={TOKEN}"], ["--help", TOKEN]])
def test_a_token_on_the_command_line_is_refused_and_not_repeated(words: list[str]) -> None:
    with pytest.raises(SecretInArguments, match="revoke that token now") as error:
        parse("pypi", words, HERE)
    assert TOKEN not in str(error.value)


def test_every_option_is_tested_and_no_field_is_without_one() -> None:
    options = {option for action in _parser("x", "build")._actions for option in action.option_strings}
    tested = {word.partition("=")[0] for words, _, _ in TAKEN for word in words if word.startswith("-")}
    assert options - tested == {"-h", "--help"}
    assert {field.name for field in dataclasses.fields(Options)} - {field for _, field, _ in TAKEN} == {"files"}


@pytest.mark.parametrize(
    ("words", "packages"),
    [((), ()), (("--package", "a"), ("--package", "a")), (("--package", "."), ("--package", ".")), (("--all",), ALL)],
)
def test_what_chooses_packages_is_repeated_as_it_was_typed(words: tuple[str, ...], packages: tuple[str, ...]) -> None:
    assert parse("build", words, HERE).packages == packages


def test_the_next_step_needs_the_rehearsal_again() -> None:
    assert parse("verify", ["--rehearse-on", "dryrun", "it is down"], HERE).once == (
        *("--rehearse-on", "dryrun", '"it is down"'),
    )
    assert parse("verify", ["--rebuild"], HERE).once == ()


def test_help_lists_the_options_and_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse("build", ["--help"], HERE)
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert all(option in told for option in ("usage: seatrial build", "--from FOLDER", "--rebuild", "--keep-sealed"))


def test_the_version_to_compare_with_is_a_version(tmp_path: Path) -> None:
    assert parse("check", ["--since", "1.0.0-rc1"], tmp_path).since == "1.0.0rc1"
    assert parse("check", [], tmp_path).since is None
    with pytest.raises(BadOption, match="--since takes a version, and 'last' is not a valid version"):
        parse("check", ["--since", "last"], tmp_path)


# What nox hands over.

NOX = {
    "interface": INTERFACE,
    "prefix": "r-",
    "uv": None,
    "interactive": True,
    "asked": ["verify"],
    "withheld": ["PYPI_TOKEN"],
    "root": "a",
    "start": "b",
}


def test_what_nox_knows_comes_in_one_private_option() -> None:
    words = ["--rebuild", "--nox", json.dumps(NOX), "--yes", "1.0"]
    assert nox_of(words) == (
        Nox("r-", None, interactive=True, root=Path("a"), start=Path("b"), asked=("verify",), withheld=("PYPI_TOKEN",)),
        ["--rebuild", "--yes", "1.0"],
    )
    assert nox_of(["--rebuild"]) == (None, ["--rebuild"])


@pytest.mark.parametrize(
    ("text", "theirs"),
    [
        (json.dumps(NOX | {"interface": INTERFACE + 1}), str(INTERFACE + 1)),
        (json.dumps(NOX | {"interface": str(INTERFACE)}), str(INTERFACE)),
        (json.dumps({"interface": INTERFACE}), "(not readable)"),
        (json.dumps({}), "(not readable)"),
        ("[]", "(not readable)"),
        ("{", "(not readable)"),
        ("", "(not readable)"),
    ],
)
def test_a_copy_with_another_interface_is_refused_with_what_to_do(text: str, theirs: str) -> None:
    with pytest.raises(OtherInterface) as error:
        nox_of(["--nox", text] if text else ["--nox"])
    said = f"speaks interface {theirs} of seatrial, and the program that is locked speaks {INTERFACE}."
    assert said in str(error.value)
    assert "`seatrial adopt --update`" in str(error.value)
