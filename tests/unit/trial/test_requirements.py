from __future__ import annotations

import pytest

from seatrial.index.simple import Served
from seatrial.trial.requirements import lowest

TAGS = frozenset({"py3-none-any", "cp312-cp312-manylinux_2_17_x86_64"})


def listed(*names: str, **facts: str) -> list[Served]:
    return [Served(name, "", "", yanked=False, requires_python=facts.get("requires", "")) for name in names]


WEB = {
    "tea": listed("tea-0.9.tar.gz", "tea-1.0.tar.gz", "tea-1.1-py3-none-any.whl", "tea-2.0-py3-none-any.whl"),
    "cup": [
        *listed("cup-1.0-cp39-cp39-manylinux_2_17_x86_64.whl", "cup-1.1-cp312-cp312-manylinux_2_17_x86_64.whl"),
        *listed("cup-1.2.tar.gz", "cup-1.3.zip", "no version"),
    ],
    "old": [*listed("old-1.0.tar.gz", requires="<3.10"), *listed("old-1.1.tar.gz", requires="no specifier")],
    "pot": [Served("pot-1.0.tar.gz", "", "", yanked=True), *listed("pot-1.5.tar.gz")],
    "pre": listed("pre-1.0rc1.tar.gz", "pre-1.0.tar.gz", "pre-2.0.tar.gz"),
}


@pytest.mark.parametrize(
    ("requirements", "pins", "unbounded"),
    [
        (["tea>=1"], ("tea==1.0",), ()),
        (["tea>1"], ("tea==1.1",), ()),
        (["tea>=1,!=1.0"], ("tea==1.1",), ()),
        (["Tea~=1.1"], ("tea==1.1",), ()),
        (["tea==2.*"], ("tea==2.0",), ()),
        (["tea>=0.5", "tea>=1.1"], ("tea==1.1",), ()),
        (["tea[sugar]>=1"], ("tea==1.0",), ()),
        (["tea"], (), ("tea",)),
        (["tea<2", "cup!=1.0"], (), ("cup", "tea")),
        (["cup>=1.0"], ("cup==1.1",), ()),
        (["old>=1.0"], ("old==1.1",), ()),
        (["pot>=1.0"], ("pot==1.5",), ()),
        (["pre>=0.5"], ("pre==1.0",), ()),
        (["pre>=1.0rc1"], ("pre==1.0rc1",), ()),
        (["tea>=3"], (), ()),
        (["tea @ https://example.org/tea.tar.gz"], (), ()),
        (["not a requirement ="], (), ()),
        ([], (), ()),
    ],
)
def test_the_lowest_versions_that_the_metadata_allows(
    requirements: list[str], pins: tuple[str, ...], unbounded: tuple[str, ...]
) -> None:
    found = lowest(requirements, "3.12.1", TAGS, WEB.__getitem__)
    assert (found.pins, found.unbounded) == (pins, unbounded)
    assert found.requirements == (*requirements, *pins)
