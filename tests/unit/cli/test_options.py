from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.project.options import BadOption, Options, SecretInArguments, parse, without_package

HERE = Path("/a/project") if Path("/").is_absolute() else Path("C:/a/project")
NOTHING = Options(
    explain=False,
    rebuild=False,
    sdist_only=False,
    offline=False,
    taken_from=None,
    yes=None,
    no_narrow=False,
    rehearse_on=None,
    remote=False,
    package=None,
    all=False,
    keep=None,
    json=None,
    files=(),
)
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
    (("--no-narrow",), "no_narrow", True),
    (("--package", "core"), "package", "core"),
    (("--package=core",), "package", "core"),
    (("--package", "."), "package", "."),
    (("--package", "packages/ein Übungsstück"), "package", "packages/ein Übungsstück"),
    (("--all",), "all", True),
    (("--keep", "kept"), "keep", HERE / "kept"),
    (("--json", "out.json"), "json", HERE / "out.json"),
]


def test_without_words_nothing_is_asked_for() -> None:
    assert parse("build", [], HERE) == NOTHING


@pytest.mark.parametrize(("words", "field", "value"), TAKEN)
@pytest.mark.parametrize("session", ["build", "pypi", "inspect"])
def test_an_option_reaches_every_session(session: str, words: tuple[str, ...], field: str, value: object) -> None:
    assert getattr(parse(session, words, HERE), field) == value


def test_an_absolute_path_stays_as_it_is(tmp_path: Path) -> None:
    assert parse("dryrun", ["--keep", str(tmp_path)], HERE).keep == tmp_path


def test_files_are_what_inspect_looks_at() -> None:
    found = parse("inspect", ["a.whl", "--json", "out", "b.tar.gz"], HERE)
    assert found.files == (Path("a.whl"), Path("b.tar.gz"))


def test_a_version_is_what_rebuild_takes() -> None:
    found = parse("rebuild", ["--explain", "1.0"], HERE)
    assert (found.version, found.files) == ("1.0", ())
    assert parse("rebuild", [], HERE).version is None
    with pytest.raises(BadOption, match=r"nox -s rebuild --: unrecognized arguments: 1\.0 1\.1"):
        parse("rebuild", ["1.0", "1.1"], HERE)


def test_a_session_takes_its_words_whatever_it_is_called_here() -> None:
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
        (["--rehearse-on", "dryrun", " "], 'it is `--rehearse-on dryrun "REASON"`, and a reason has to be given'),
        (["--rehearse-on", "testpypi", "down"], 'it is `--rehearse-on dryrun "REASON"`, and a reason has to be given'),
        (["--all=yes"], "argument --all: ignored explicit argument 'yes'"),
        (["--rebuild=no"], "argument --rebuild: ignored explicit argument 'no'"),
    ],
)
def test_other_words_are_refused_in_the_name_of_the_session(words: list[str], complaint: str) -> None:
    with pytest.raises(BadOption) as error:
        parse("build", words, HERE)
    assert f"nox -s build --: {complaint}" in str(error.value)
    assert "`nox -s build -- --help` lists them." in str(error.value)


@pytest.mark.parametrize("words", [[TOKEN], ["--yes", TOKEN], [f"--yes={TOKEN}"], ["--help", TOKEN]])
def test_a_token_on_the_command_line_is_refused_and_not_repeated(words: list[str]) -> None:
    with pytest.raises(SecretInArguments, match="revoke that token now") as error:
        parse("pypi", words, HERE)
    assert TOKEN not in str(error.value)


def test_help_lists_the_options_and_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse("build", ["--help"], HERE)
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert all(option in told for option in ("nox -s build --", "--from FOLDER", "--rebuild", "--keep FOLDER"))


def test_the_version_to_compare_with_is_a_version(tmp_path: Path) -> None:
    assert parse("check", ["--since", "1.0.0-rc1"], tmp_path).since == "1.0.0rc1"
    assert parse("check", [], tmp_path).since is None
    with pytest.raises(BadOption, match="--since takes a version, and 'last' is none"):
        parse("check", ["--since", "last"], tmp_path)


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ((), []),
        (("--package", "core"), []),
        (("--package=core",), []),
        (("--all",), []),
        (("--rebuild", "--package", "core", "--from", "wheels"), ["--rebuild", "--from", "wheels"]),
        (("--all", "--yes", "1.0"), ["--yes", "1.0"]),
        (("--package", "a", "--package=b", "--all", "x.whl"), ["x.whl"]),
        (("--packages", "--allow", "all", "package"), ["--packages", "--allow", "all", "package"]),
        (("--keep=--all", "--package"), ["--keep=--all"]),
    ],
)
def test_what_chooses_packages_is_taken_out_and_nothing_else(words: tuple[str, ...], left: list[str]) -> None:
    assert without_package(words) == left
    assert without_package(left) == left
