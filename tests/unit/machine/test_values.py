from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import PENDING, Value, fields_of, is_value


class Point(Value, order=True):
    x: int
    y: int = 0


class Named(Value, kw_only=True):
    name: str


class Located(Named, kw_only=True):
    point: Point = dataclasses.field(default_factory=lambda: Point(1))


def test_a_value_compares_and_cannot_be_changed() -> None:
    assert Point(1) == Point(1, 0) != Point(1, 1)
    assert sorted([Point(2), Point(1, 5), Point(1)]) == [Point(1), Point(1, 5), Point(2)]
    assert {Point(1), Point(1, 0)} == {Point(1)}
    assert repr(Point(1)) == "Point(x=1, y=0)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]


def test_a_value_has_the_fields_of_its_bases() -> None:
    assert [one.name for one in fields_of(Located)] == ["name", "point"]
    assert dataclasses.replace(Located(name="a"), name="b") == Located(name="b", point=Point(1))
    with pytest.raises(TypeError):
        Located("a")  # type: ignore[call-arg]


def test_a_class_becomes_a_dataclass_with_its_first_object_and_not_before() -> None:
    class Late(Value):
        x: int

    class LateError(ReleaseError):
        x: int

    for kind in (Late, LateError):
        assert not dataclasses.is_dataclass(kind)
        assert vars(kind(7)) == {"x": 7}
        assert dataclasses.is_dataclass(kind)
        assert kind not in PENDING


def test_first_objects_may_be_made_in_many_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits until the class is whole: a half made one has fields, and no way to fill them."""
    made, begun = dataclasses.dataclass, threading.Event()

    def slowly(**options: bool) -> Any:
        def make(kind: type) -> type:
            begun.set()
            threading.Event().wait(0.05)
            return made(**options)(kind)

        return make

    class Shared(Value):
        x: int

    monkeypatch.setattr(dataclasses, "dataclass", slowly)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(Shared, 0)
        begun.wait(60)
        others = list(pool.map(Shared, range(1, 4)))
    assert [one.x for one in (first.result(), *others)] == [0, 1, 2, 3]


@pytest.mark.parametrize("hint", [int, tuple[Point, ...], "Point", Point | None, ReleaseError])
def test_what_is_no_class_of_values(hint: Any) -> None:
    assert not is_value(hint)
    assert is_value(Point)
