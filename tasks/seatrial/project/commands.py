"""What a person types here to run a step: with nox or the program itself, for one package of several or for all."""

from __future__ import annotations

from dataclasses import replace

from seatrial.machine.values import Value

ALL = ("--all",)


class Commands(Value):
    """How steps are typed: with nox, whose sessions have names that begin with `prefix`, or with `seatrial`.

    `option` chooses packages of the repository: none, ``--package NAME``, or ALL. The words of a step and its options
    are a key (``commands["build --rebuild"]``), which is how messages ask for them.
    """

    nox: bool = False
    prefix: str = ""
    option: tuple[str, ...] = ()

    def __getitem__(self, words: str) -> str:
        step, *options = words.split(" ")
        return self.command(step, *options)

    def command(self, step: str, *options: str) -> str:
        """Return what a person types to run `step` with `options`."""
        words = (*(f'"{word}"' if " " in word else word for word in self.option), *options)
        if not self.nox:
            return " ".join(["seatrial", step, *words])
        return " ".join(["nox -s", self.prefix + step, *(["--", *words] if words else [])])

    def for_package(self, name: str) -> Commands:
        """Return how steps are typed for the package `name` of this repository."""
        return replace(self, option=("--package", name))
