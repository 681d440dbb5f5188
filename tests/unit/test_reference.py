from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from seatrial.release.record import Record
from seatrial.release.stages import CHAIN
from seatrial.rules import limits
from seatrial.rules.judge import RULES
from seatrial.trial.installer import Origin
from seatrial.trial.trial import _installed
from seatrial.trial.wheel import FOUND
from tests import reference
from tests.projects import write_tree
from tests.samples.records import mutations
from tests.samples.stages import FILES, SAMPLES, VERIFIED

if TYPE_CHECKING:
    from seatrial.release.stages import Stage
    from seatrial.rules.rule import Rule

each_stage = pytest.mark.parametrize("stage", SAMPLES, ids=lambda stage: stage.name)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of docs/reference/."""
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    return tmp_path / "reference"


def written(place: Path, stage: Stage) -> Any:
    """Return what the record of `stage` holds."""
    record = Record.of(write_tree(place / "dist", FILES).parent)
    record.write(stage)
    return json.loads(record.path(stage).read_bytes())


def schema(stage: Stage) -> jsonschema.Draft202012Validator:
    """Return the published schema of `stage`, to validate with."""
    text = (reference.REFERENCE / "schemas" / f"{stage.name}.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


# The pages.


def test_the_pages_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """Else run nox -s reference."""
    assert reference.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_there_is_one_schema_a_stage() -> None:
    there = {path.name for path in (reference.REFERENCE / "schemas").iterdir()}
    assert there == {f"{stage.name}.json" for stage in CHAIN}


def test_pages_are_written_once(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "written: rules.md"
    assert {path for path in elsewhere.rglob("*") if path.is_file()} == set(reference.pages())
    assert reference.main([]) == 0
    assert capsys.readouterr().out == ""


def test_a_check_names_what_is_missing_or_old_and_writes_nothing(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference.main([])
    capsys.readouterr()
    write_tree(elsewhere, {"rules.md": "# Rules of old\n"})
    (elsewhere / "schemas" / "built.json").unlink()
    assert reference.main(["--check"]) == 1
    assert capsys.readouterr().out == "out of date: schemas/built.json\nout of date: rules.md\n"
    assert not (elsewhere / "schemas" / "built.json").exists()
    assert (elsewhere / "rules.md").read_text(encoding="utf-8") == "# Rules of old\n"


# The rules.


@pytest.fixture
def rules() -> list[Rule]:
    """All rules of ours."""
    return [rule for rule in RULES if rule.find.__module__.removeprefix("seatrial.rules.") in reference.SUBJECTS]


def test_every_rule_has_one_heading(rules: list[Rule]) -> None:
    lines = reference.rules_page().splitlines()
    headings = [line.removeprefix("### ") for line in lines if line.startswith("### ")]
    assert sorted(headings) == sorted({rule.code for rule in rules})


def test_every_rule_is_explained_whole(rules: list[Rule]) -> None:
    page = reference.rules_page()
    for rule in rules:
        title, _, rest = inspect.cleandoc(rule.explanation).partition("\n")
        assert title
        assert rest.strip() in page
        assert f"**{rule.severity}**" in next(line for line in page.splitlines() if line.endswith(title))


def test_all_that_can_be_found_once_installed_is_explained() -> None:
    page = (reference.REFERENCE / "installed.md").read_text(encoding="utf-8")
    named = [cell for line in page.splitlines() if line.startswith("| `install-") for cell in line.split("|")[1:2]]
    assert {*re.findall(r"`install-([a-z-]+)`", "".join(named))} == FOUND


def test_every_rule_has_tests_that_name_it(rules: list[Rule]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "rules").rglob("test_*.py")]
    assert [rule.code for rule in rules if not any(f'"{rule.code}"' in text for text in texts)] == []


def test_every_rule_says_where_it_comes_from_and_where_it_holds(rules: list[Rule]) -> None:
    page = reference.rules_page()
    for rule in rules:
        assert f"*Holds {reference.HOLDS[rule.source.scope]}.* From {rule.source}." in page
        assert rule.source.part
        if rule.source.file:
            assert rule.source.file.startswith("warehouse/")
            assert f"@{limits.SOURCE_COMMIT[:12]}`" in str(rule.source)


def test_a_rule_that_quotes_pypi_cites_its_server(rules: list[Rule]) -> None:
    quoting = [rule for rule in rules if "PyPI answers" in rule.explanation]
    assert len(quoting) > 50
    assert [rule.code for rule in quoting if not rule.source.file] == []


def test_what_holds_on_the_public_indexes_alone_is_their_servers(rules: list[Rule]) -> None:
    public = [rule for rule in rules if rule.source.scope == "public"]
    assert [rule.code for rule in public if not rule.source.file] == []
    assert {"filename-platform", "metadata-local-version", "metadata-classifier"} <= {rule.code for rule in public}
    everywhere = {rule.code for rule in rules if rule.source.scope == "everywhere"}
    assert {"metadata-name", "wheel-record", "archive-readable", "release-tag"} <= everywhere


# The schemas.


@each_stage
def test_a_schema_is_one(stage: Stage) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(stage).schema)


@each_stage
def test_what_is_recorded_fits_its_schema(tmp_path: Path, stage: Stage) -> None:
    schema(stage).validate(written(tmp_path, stage))


@each_stage
def test_a_field_too_few_too_many_or_wrong_does_not_fit(tmp_path: Path, stage: Stage) -> None:
    validator = schema(stage)
    fitting = [label for label, document in mutations(written(tmp_path, stage)) if validator.is_valid(document)]
    assert fitting == []


@each_stage
def test_a_record_fits_no_other_schema(tmp_path: Path, stage: Stage) -> None:
    document = written(tmp_path, stage)
    assert [other.name for other in SAMPLES if schema(other).is_valid(document)] == [stage.name]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"at": "yesterday"},
        {"at": "2024-05-06T07:08:09+02:00"},
        {"kind": "egg"},
        {"dists": [{"filename": "demo-1.0.tar.gz", "sha256": "", "size": 1}]},
        {"dists": [{"filename": "demo-1.0.tar.gz", "sha256": "A" * 64, "size": 1}]},
        {"dists": [{"filename": "demo-1.0.tar.gz", "sha256": "a" * 64, "size": -1}]},
    ],
)
def test_a_value_that_means_nothing_does_not_fit(tmp_path: Path, change: dict[str, Any]) -> None:
    assert not schema(VERIFIED).is_valid(written(tmp_path, VERIFIED) | change)


def test_a_distribution_from_where_nothing_is_hashed_fits(tmp_path: Path) -> None:
    found = {"installed": [{"name": "Six", "version": "1.17", "wheel_tags": ["py3-none-any"]}]}
    (six,) = _installed(found, {"six": (Origin("git+https://git.example/six", ""),)})
    assert (six.origin, six.sha256) == ("git+https://git.example/six", None)
    document = written(tmp_path, VERIFIED) | {"installed": [vars(six)]}
    schema(VERIFIED).validate(document)
