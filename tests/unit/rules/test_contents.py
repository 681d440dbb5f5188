from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seatrial.rules import contents as module
from seatrial.rules import limits
from seatrial.rules.distribution import Release
from seatrial.rules.judge import MENTIONS
from seatrial.rules.rule import of
from tests.archives import SDIST, WHEEL, found, macaroon, sdist, token, wheel, written
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ARMOR, PYE = "pyarmor", "PYE FILE"  # never whole in this file: PyPI looks through the tests in an sdist, too
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj3\n-----END RSA PRIVATE KEY-----\n"


def in_tree(root: Path, *tracked: str) -> list[str]:
    """Return what the rule on tokens finds in the files that git tracks."""
    release = Release(root=root, tracked=tracked)
    (rule,) = (rule for rule in of("release") if rule.code == "secret-api-token")
    return list(rule.find(release))


# Release tooling.


def tooling(folder: str, copy: frozenset[str] = module.COPY) -> dict[str, str]:
    return {f"{folder}/{name}": "" for name in copy}


def test_a_noxfile_in_a_wheel_is_named(tmp_path: Path) -> None:
    (message,) = found(wheel(tmp_path, files={"noxfile.py": ""}), "wheel-release-tooling")
    assert "noxfile.py" in message


@pytest.mark.parametrize("folder", ["tasks", "release_tasks"])
def test_the_vendored_copy_in_a_wheel_is_named(tmp_path: Path, folder: str) -> None:
    for copy in (module.COPY, module.FORMER_COPY):
        (message,) = found(wheel(tmp_path, files=tooling(folder, copy)), "wheel-release-tooling")
        assert f"{folder}/" in message


def test_the_copy_in_an_sdist_is_named(tmp_path: Path) -> None:
    (message,) = found(sdist(tmp_path, files=tooling("demo-1.0/tasks")), "sdist-release-tooling")
    assert "demo-1.0/tasks/" in message
    assert found(sdist(tmp_path, files={"demo-1.0/tasks/release.py": ""}), "sdist-release-tooling") == []


def test_what_is_no_release_tooling_passes(tmp_path: Path) -> None:
    own = {"demo/noxfile.py": "", "tasks/register.py": "", "tasks/record.py": "", **tooling("seatrial")}
    assert found(wheel(tmp_path, files=own), "wheel-release-tooling") == []
    tree = {"demo-1.0/noxfile.py": "", **tooling("demo-1.0/tasks"), **tooling("demo-1.0")}
    assert found(sdist(tmp_path, files=tree), "wheel-release-tooling") == []


# Path files.


@pytest.mark.parametrize("name", ["demo.pth", "demo-1.0.data/purelib/demo.pth", "demo-1.0.data/platlib/demo.pth"])
def test_a_path_file_is_named(tmp_path: Path, name: str) -> None:
    (message,) = found(wheel(tmp_path, files={name: "import demo\n"}), "wheel-pth")
    assert name in message


@pytest.mark.parametrize("name", ["demo/demo.pth", "demo-1.0.data/purelib/demo/demo.pth", "demo.pth.txt"])
def test_a_path_file_that_no_python_reads_passes(tmp_path: Path, name: str) -> None:
    assert found(wheel(tmp_path, files={name: "import demo\n"}), "wheel-pth") == []


def test_a_path_file_in_an_sdist_passes(tmp_path: Path) -> None:
    assert found(sdist(tmp_path, files={"demo-1.0/demo.pth": ""}), "wheel-pth") == []


# Secrets.


def test_a_token_in_an_archive_is_named_and_not_shown(tmp_path: Path) -> None:
    secret = token(macaroon("test.pypi.org"))
    paths = (
        wheel(tmp_path, files={"demo/.pypirc": f"[pypi]\npassword = {secret}\n"}),
        sdist(tmp_path, files={"demo-1.0/.pypirc": f"[pypi]\npassword = {secret}\n"}),
    )
    for path in paths:
        (message,) = found(path, "secret-api-token")
        assert ".pypirc:2: a complete API token for test.pypi.org" in message
        assert "https://test.pypi.org/manage/account/token/" in message
        assert secret not in message


def test_a_token_that_is_cut_off_passes(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {
        "demo/README": f"password = {token()[:-12]}...\n",
        "demo/binary": b"\0" + token().encode(),
    }
    assert found(wheel(tmp_path, files=files), "secret-api-token") == []


def test_a_token_of_an_index_without_a_name_is_named(tmp_path: Path) -> None:
    (message,) = found(wheel(tmp_path, files={"demo/a": token(macaroon(""))}), "secret-api-token")
    assert "API token for an index" in message
    assert "https://pypi.org/manage" in message


def test_a_token_in_a_tracked_file_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, {"conf/pypirc": f"\n\n{token()}\n", "untracked": token(), "clean": "pypi-"})
    (message,) = in_tree(tmp_path, "conf/pypirc", "clean", "gone", "conf")
    assert "conf/pypirc:3 (tracked by git)" in message


def test_tracked_files_without_a_token_or_too_large_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"clean": "", "large": token() + " " * 1000})
    assert in_tree(tmp_path, "large")
    monkeypatch.setattr(module, "TRACKED_LIMIT", 500)
    assert in_tree(tmp_path, "large", "clean") == []


@pytest.mark.skipif(os.name == "nt", reason="making a symlink needs a right there")
def test_a_tracked_link_is_not_followed(tmp_path: Path) -> None:
    write_tree(tmp_path / "elsewhere", {"secret": token()})
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "secret")
    assert in_tree(tmp_path, "link") == []


def test_without_a_source_tree_nothing_is_looked_at() -> None:
    (rule,) = (rule for rule in of("release") if rule.code == "secret-api-token")
    assert list(rule.find(Release(tracked=("README.md",)))) == []


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "PGP "])
def test_a_private_key_is_named(tmp_path: Path, kind: str) -> None:
    text = f"\n-----BEGIN {kind}PRIVATE KEY-----\nMIIBOgIBAAJBAKj3\n"
    (message,) = found(sdist(tmp_path, files={"demo-1.0/tests/key.pem": text}), "secret-private-key")
    assert "demo-1.0/tests/key.pem:2" in message


@pytest.mark.parametrize("text", [KEY.replace("RSA PRIVATE", "PUBLIC"), KEY.replace("BEGIN", "END"), "PRIVATE KEY"])
def test_what_is_no_private_key_passes(tmp_path: Path, text: str) -> None:
    assert found(sdist(tmp_path, files={"demo-1.0/tests/key.pem": text}), "secret-private-key") == []


# What cannot be read.


@pytest.mark.parametrize("raw", [b"", b"no archive", b"\x1f\x8b\x08" + bytes(40), b"PK\3\4" + bytes(40)])
@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_what_is_no_archive_is_named(tmp_path: Path, name: str, raw: bytes) -> None:
    (message,) = found(written(tmp_path, name, raw), "archive-readable")
    assert message.startswith("it cannot be read: ")


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    assert found(tmp_path / WHEEL, "archive-readable") == ["it cannot be read: there is no such file."]
    assert found(wheel(tmp_path), "archive-readable") == []


def test_an_archive_cut_short_anywhere_is_named(tmp_path: Path) -> None:
    for path in (wheel(tmp_path), sdist(tmp_path)):
        whole = path.read_bytes()
        for end in range(0, len(whole), 29):
            path.write_bytes(whole[:end])
            assert found(path, "archive-readable")


# Obfuscation.


@pytest.mark.parametrize(
    ("code", "name", "text", "count"),
    [
        ("contents-pyarmor", "a.py", f"__{ARMOR}__(__name__, __file__, b'')", 1),
        ("contents-pyarmor", "a.PYE", f"__{ARMOR}_bcc__()", 1),
        ("contents-pyarmor", "a.py", f"__{ARMOR}__(__name__, $path, b'')", 0),
        ("contents-pyarmor", "a.txt", f"__{ARMOR}_enter__", 0),
        ("contents-sourcedefender", "a.pye", f"---BEGIN {PYE}---\n---END {PYE}---", 1),
        ("contents-sourcedefender", "a.pye", f"---BEGIN {PYE}---\n", 0),
    ],
)
def test_encrypted_modules_are_named(tmp_path: Path, code: str, name: str, text: str, count: int) -> None:
    assert len(found(wheel(tmp_path, files={f"demo/{name}": text}), code)) == count
    assert len(found(sdist(tmp_path, files={f"demo-1.0/{name}": f"\0{text}"}), code)) == count


def test_a_large_module_is_not_scanned_as_pypi_does_not(tmp_path: Path) -> None:
    text = f"__{ARMOR}_enter__".ljust(limits.SCANNED_SIZE)
    assert found(wheel(tmp_path, files={"demo/a.py": text}), "contents-pyarmor")
    assert found(wheel(tmp_path, files={"demo/a.py": text + " "}), "contents-pyarmor") == []


def test_many_findings_of_one_rule_are_not_all_repeated(tmp_path: Path) -> None:
    text = f"__{ARMOR}_enter__"
    files: dict[str, str | bytes | None] = {f"demo/m{n}.py": text for n in range(MENTIONS + 5)}
    assert len(found(wheel(tmp_path, files=files), "contents-pyarmor")) == MENTIONS


def test_many_private_keys_are_one_finding_with_their_number(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {f"demo/{n:02}.pem": KEY for n in range(30)}
    (message,) = found(wheel(tmp_path, files=files), "secret-private-key")
    assert message == "demo/00.pem:1: a private key; is it meant to be published? (30 of that kind in this file.)"
