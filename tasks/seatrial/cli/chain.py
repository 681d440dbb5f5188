"""Which steps come before which, and running them one after the other."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.release import failures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.project.context import Context

CHAIN = ("build", "check", "testpypi", "verify")  # `pypi` requires nothing: it never builds
RECORDED = (*CHAIN, "pypi")


def through(step: str) -> tuple[str, ...]:
    """Return the steps that `step` requires, and itself."""
    return CHAIN[: CHAIN.index(step) + 1] if step in CHAIN else (step,)


def run(steps: Sequence[str], context: Context) -> None:
    """Run `steps` one after the other, of which the last was asked for. Raises what stops one of them."""
    for step in steps:
        act(step, replace(context, last=context.last and step == steps[-1]))


def act(step: str, context: Context) -> None:
    """Run one step of the module with its name, which is imported now, since each needs other things.

    That it failed is kept beside the record. Raises what stops it.
    """
    with failures.noting(context.record, step, context.commands) if step in RECORDED else contextlib.nullcontext():
        importlib.import_module(f"seatrial.steps.{step}").run(context)
