from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seatrial.rules import limits
from seatrial.rules.filename import is_platform
from tests.archives import SDIST, WHEEL, found, sdist, wheel, written

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no files of such names")


@posix
@pytest.mark.parametrize("name", ["demo-1.0-py3-none-any\t.whl", "demo-1.0\x7f.tar.gz", "demo\\x-1.0.tar.gz"])
def test_a_name_with_a_control_character_or_a_backslash_is_named(tmp_path: Path, name: str) -> None:
    assert found(written(tmp_path, name, b""), "filename-characters")


@pytest.mark.parametrize("name", [WHEEL, SDIST, "größe-1.0.tar.gz"])
def test_a_name_of_plain_characters_passes(tmp_path: Path, name: str) -> None:
    assert found(written(tmp_path, name, b""), "filename-characters") == []


@pytest.mark.parametrize(
    ("name", "count"),
    [
        (WHEEL, 0),
        (SDIST, 0),
        ("demo-1.0.zip", 1),
        ("demo-1.0.tar.bz2", 1),
        ("demo-1.0-py3.13.egg", 1),
        ("demo-1.0.TAR.GZ", 1),
        ("demo-1.0-py3-none-any.WHL", 1),
    ],
)
def test_only_wheels_and_sdists_pass(tmp_path: Path, name: str, count: int) -> None:
    assert len(found(written(tmp_path, name, b""), "filename-extension")) == count


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("demo-1.0.whl", "NAME-VERSION"),
        ("demo-one-py3-none-any.whl", "version"),
        ("demo-1.0-x-py3-none-any.whl", "build"),
        ("de__mo-1.0-py3-none-any.whl", "project name"),
        ("demo-1.0-1-2-py3-none-any.whl", "parts"),
    ],
)
def test_a_wheels_name_that_cannot_be_read_is_named(tmp_path: Path, name: str, part: str) -> None:
    (message,) = found(written(tmp_path, name, b""), "filename-wheel")
    assert part in message


@pytest.mark.parametrize("name", [WHEEL, "demo-1.0-1-py3-none-any.whl", "demo-1.0rc1-cp39.cp310-abi3-any.whl", SDIST])
def test_a_wheels_name_that_can_be_read_passes(tmp_path: Path, name: str) -> None:
    assert found(written(tmp_path, name, b""), "filename-wheel") == []


@pytest.mark.parametrize(
    ("name", "inside", "version"),
    [
        ("Demo-1.0.tar.gz", "demo", "1.0"),
        ("my-demo-1.0.tar.gz", "my-demo", "1.0"),
        ("my.demo-1.0.tar.gz", "my.demo", "1.0"),
        ("demo-1.0.RC1.tar.gz", "demo", "1.0rc1"),
        ("demo-1.0.tar.gz", "demo", "1.0.0"),
        ("demo-1.0.tar.gz", "other", "1.0"),
        ("demo.tar.gz", "demo", "1.0"),
    ],
)
def test_an_sdist_with_another_name_is_told_the_right_one(tmp_path: Path, name: str, inside: str, version: str) -> None:
    (message,) = found(sdist(tmp_path, {"Name": inside, "Version": version}, filename=name), "filename-sdist")
    assert message.startswith("PyPI takes this sdist only as ")
    assert name not in message


@pytest.mark.parametrize(
    ("name", "inside", "version"),
    [
        ("demo-1.0.tar.gz", "Demo", "1.0"),
        ("my_demo-1.0rc1.tar.gz", "My.Demo", "1.0.RC1"),
        ("demo-1.0.tar.gz", "demo", "one"),
        ("demo-1.0.tar.gz", "UNKNOWN", "1.0"),
    ],
)
def test_an_sdist_with_the_right_name_or_without_one_passes(
    tmp_path: Path, name: str, inside: str, version: str
) -> None:
    assert found(sdist(tmp_path, {"Name": inside, "Version": version}, filename=name), "filename-sdist") == []


def test_the_rule_on_sdists_leaves_wheels_alone(tmp_path: Path) -> None:
    assert found(wheel(tmp_path, {"Name": "other"}), "filename-sdist") == []
    assert found(sdist(tmp_path, {"Name": "other"}), "filename-project") == []


@pytest.mark.parametrize(
    ("name", "inside", "count"),
    [
        (WHEEL, "Demo", 0),
        ("my_demo-1.0-py3-none-any.whl", "my.demo", 0),
        ("Demo-1.0-py3-none-any.whl", "demo", 1),
        ("my.demo-1.0-py3-none-any.whl", "my-demo", 1),
        (WHEEL, "other", 1),
        (WHEEL, "", 0),
    ],
)
def test_a_wheels_name_begins_with_the_normalised_one(tmp_path: Path, name: str, inside: str, count: int) -> None:
    assert len(found(wheel(tmp_path, {"Name": inside}, filename=name), "filename-project")) == count


@pytest.mark.parametrize(("version", "count"), [("1.0", 0), ("1.0.0", 0), ("1.1", 1), ("1.0+local", 1), ("one", 0)])
def test_a_wheels_version_is_that_of_its_metadata(tmp_path: Path, version: str, count: int) -> None:
    assert len(found(wheel(tmp_path, {"Version": version}), "filename-version")) == count


GOOD = """any win32 win_amd64 win_arm64 manylinux1_x86_64 manylinux2014_aarch64 manylinux_2_17_x86_64
    manylinux_2_31_riscv64 manylinux_2_17_ppc64 musllinux_1_2_x86_64 linux_armv7l macosx_10_9_x86_64
    macosx_11_0_arm64 macosx_26_0_universal2
    ios_13_0_arm64_iphoneos android_24_arm64_v8a pyemscripten_2025_0_wasm32"""
BAD = """linux_x86_64 linux_aarch64 macosx_11_1_arm64 macosx_16_0_arm64 macosx_10_9_sparc musllinux_1_2_ppc64
    manylinux_2_17_loongarch64 manylinux2010_aarch64 win_x86 emscripten_3_1_58_wasm32 ios_13_0_arm64_watch freebsd_14"""


@pytest.mark.parametrize("tag", GOOD.split())
def test_a_platform_that_is_served_passes(tmp_path: Path, tag: str) -> None:
    assert is_platform(tag)
    assert found(written(tmp_path, f"demo-1.0-py3-none-{tag}.whl", b""), "filename-platform") == []


@pytest.mark.parametrize("tag", BAD.split())
def test_a_platform_that_is_not_served_is_named(tmp_path: Path, tag: str) -> None:
    (message,) = found(written(tmp_path, f"demo-1.0-py3-none-{tag}.whl", b""), "filename-platform")
    assert tag in message
    assert ("auditwheel" in message) == tag.startswith("linux_")


def test_every_platform_of_a_compressed_set_has_to_be_served(tmp_path: Path) -> None:
    name = "demo-1.0-py3-none-manylinux_2_17_x86_64.linux_x86_64.whl"
    (message,) = found(written(tmp_path, name, b""), "filename-platform")
    assert "takes no wheels for linux_x86_64 (" in message


def test_a_name_that_is_too_long_is_named(tmp_path: Path) -> None:
    rest = "-1.0-py3-none-any.whl"
    fitting = "x" * (limits.FILENAME_LENGTH - len(rest)) + rest
    assert found(written(tmp_path, fitting, b""), "filename-length") == []
    assert found(written(tmp_path, f"x{fitting}", b""), "filename-length")


def test_sizes_are_compared_with_both_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path)
    size = path.stat().st_size
    cases = [(size, size, [], []), (size - 1, size, [], ["unless"]), (size - 2, size - 1, ["only on request"], [])]
    for default, highest, hard, soft in cases:
        monkeypatch.setattr(limits, "FILE_SIZE", default)
        monkeypatch.setattr(limits, "FILE_SIZE_HIGHEST", highest)
        for code, parts in (("file-size", hard), ("file-size-default", soft)):
            messages = found(path, code)
            assert len(messages) == len(parts)
            assert all(part in message for part, message in zip(parts, messages, strict=True))
