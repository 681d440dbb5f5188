"""Asking for a token once, where several packages are uploaded side by side and none of them can ask."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.index import credentials, logins
from seatrial.release.stages import Rehearsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context


def tokens(contexts: Iterable[Context]) -> dict[Index, str]:
    """Return what was typed for each rehearsal index that one of `contexts` uploads to and has no credential for.

    Raises BadCredential and NoCredential.
    """
    typed: dict[Index, str] = {}
    for context in contexts:
        index = context.settings.testpypi
        if index not in typed and _is_needed(context, index):
            keyring = functools.partial(logins.secret, index.upload)
            ask = functools.partial(credentials.ask_terminal, index)
            found = credentials.find(index, context.variables, keyring=keyring, ask=ask)
            if found.source == credentials.TYPED:
                typed[index] = found.secret
    return typed


def _is_needed(context: Context, index: Index) -> bool:
    rehearsed = context.record.find(Rehearsed)
    done = rehearsed is not None and context.counts(rehearsed.index) and not context.options.rebuild
    here = context.rehearsed_here is not None or context.dry is not None
    return context.interactive and bool(index.token_variable) and not done and not here


def with_token(context: Context, typed: Mapping[Index, str]) -> Context:
    """Return `context` with the token that was typed for its rehearsal index, which asks nobody."""
    index = context.settings.testpypi
    more = {index.token_variable: typed[index]} if index in typed else {}
    return replace(context, variables={**context.variables, **more}, asks=False)
