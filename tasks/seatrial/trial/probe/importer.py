"""Import names in this interpreter and say how it went: ``python -I importer.py NAMES ANSWERS``.

The file NAMES has one name a line: ``module``, or ``module:attribute`` as in entry points. As soon as one is done, its
answer is added to the file ANSWERS, one literal of Python a line, in the fields of `imports.Attempt`: where a module
ends the interpreter, the answers before it are there. At the end come pairs: the number of a module in NAMES, and what
is missing of its ``__all__``. As little as can be is imported here before the names are: what
a module uses must be there because the module itself asks for it, as in the interpreter of whoever installs it.
"""

from __future__ import annotations

import importlib
import os
import sys

TYPE_CHECKING = False  # the module typing is left out, as above
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any

MOST = 1000  # names of one ``__all__``
PATIENCE = 5  # seconds for all of them
LATER = 0x20 | 0x80 | 0x200  # flags of code that a call only prepares: CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


def attempt(name: str) -> dict[str, Any]:
    """Import `name` in this interpreter, and return how it went."""
    module, _, attribute = name.partition(":")
    try:
        origin, loaded = _load(module)
        thing = loaded
        try:
            for part in filter(None, attribute.split(".")):
                thing = getattr(thing, part)
        except AttributeError as error:
            return {"name": name, "ok": False, "error_type": "no-attribute", "error": words(error)}
    except BaseException as error:  # noqa: BLE001 (SystemExit is one of the answers)
        return {"name": name, "ok": False, **_failure(error)}
    facts = {"callable": callable(thing), "misfit": _misfit(thing), "version": _version(loaded)}
    return {"name": name, "ok": True, "origin": origin, **facts}


def _load(module: str) -> tuple[str | list[str] | None, object]:
    """Return the file that `module` comes from, or the folders of a namespace (PEP 420), and the module itself.

    The finders are asked before the import: a module may put something else into its place in ``sys.modules``. It is
    done as `importlib.util.find_spec` does it, which not every module has at hand.
    """
    spec: ModuleSpec | None = None
    if module not in sys.modules:
        parent = module.rpartition(".")[0]
        path = getattr(importlib.import_module(parent), "__path__", []) if parent else None
        spec = _spec(module, path)
    loaded: object = importlib.import_module(module)
    spec = spec or getattr(loaded, "__spec__", None)
    if spec is None:
        return None, loaded
    folders = spec.submodule_search_locations
    return [str(one) for one in folders] if spec.origin is None and folders is not None else spec.origin, loaded


def _spec(module: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Return what the finders say of `module`; `path` are the folders of the package that it is in."""
    specs = (finder.find_spec(module, path) for finder in sys.meta_path if hasattr(finder, "find_spec"))
    return next((found for found in specs if found), None)


def absent(name: str) -> dict[str, str]:
    """Return what ``from NAME import *`` would not find of an imported module's ``__all__``, each with the reason.

    Submodules are imported by that. A module that is made on demand and lacks a requirement is somebody's choice.
    """
    missing: dict[str, str] = {}
    module = sys.modules.get(name)
    listed = getattr(module, "__all__", ())
    for one in listed[:MOST] if isinstance(listed, (list, tuple)) else ():
        try:
            getattr(module, one)
        except AttributeError as error:  # noqa: PERF203 (each may fail)
            path = getattr(module, "__path__", None)
            if path is None or _spec(f"{name}.{one}", path) is None:
                missing[str(one)] = words(error)
        except ModuleNotFoundError as error:
            if str(error.name).startswith(f"{name}."):
                missing[str(one)] = words(error)
        except BaseException:  # noqa: BLE001, S112 (its __getattr__ is anybody's code)
            continue
    return missing


def _misfit(thing: Any) -> str | None:
    """Return what keeps the function `thing` from doing its work when called without arguments, None if nothing does.

    What it wraps does not count: a decorator can give that its arguments. Other objects have ways of their own.
    """
    import types  # noqa: PLC0415 (see above)

    bound = type(thing) is types.MethodType
    function = thing.__func__ if bound else thing
    if type(function) is not types.FunctionType:
        return None
    code = function.__code__
    if code.co_flags & LATER:
        return "does nothing when it is called: it is a coroutine function or a generator"
    plain = code.co_varnames[int(bound) : max(0, code.co_argcount - len(function.__defaults__ or ()))]
    named = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    required = [*plain, *(name for name in named if name not in (function.__kwdefaults__ or {}))]
    listed = ", ".join(f"`{name}`" for name in required)
    return f"is called without arguments, and requires {listed}" if required else None


def _failure(error: BaseException) -> dict[str, Any]:
    """Return what is told of `error`; of the places in its traceback a SyntaxError's own is the last, with its code."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno or 0, ""))
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno or 0, (error.text or "").strip()))
    failure: dict[str, Any] = {
        "error_type": type(error).__name__,
        "defined_in": str(type(error).__module__),
        "error": repr(error.code) if isinstance(error, SystemExit) else words(error),
        "frames": frames,
    }
    if isinstance(error, ImportError) and error.name:
        failure["missing" if _is_about_a_module(error) else "lacking"] = str(error.name)
    elif isinstance(error, OSError) and isinstance(error.filename, (str, bytes)):
        failure["path"] = os.fsdecode(error.filename)
    reason = error.__cause__ or error.__context__
    if isinstance(reason, ImportError) and reason.name and _is_about_a_module(reason):
        failure["because_of"] = str(reason.name)
    return failure


def _is_about_a_module(error: ImportError) -> bool:
    """Whether a module was not found, rather than the metadata of a distribution, or something in a module."""
    return isinstance(error, ModuleNotFoundError) and type(error).__name__ != "PackageNotFoundError"


def _version(module: object) -> str | None:
    """Return the ``__version__`` of `module` if it has one that is a text; some warn, or work, when asked for it."""
    import warnings  # noqa: PLC0415 (see above)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            version = getattr(module, "__version__", None)
            return str(version) if isinstance(version, str) else None
    except Exception:  # noqa: BLE001 (it may be anybody's code)
        return None


def words(error: BaseException) -> str:
    """Return what an exception says of itself, in characters that every file can take."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 (its __str__ is anybody's code)
        text = "(it cannot say what it is about)"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def main(argv: Sequence[str]) -> int:
    """Import all names in the file `argv` names first, and write the answers to the second."""
    listed, out = argv
    with open(listed, encoding="utf-8") as file:
        names = file.read().splitlines()
    # Opened before anything else: a module may change the folder, or what `open` is.
    answers = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    failed: list[str] = []
    imported: list[tuple[int, str]] = []
    for number, name in enumerate(names):
        above = [package for package in failed if name.startswith((f"{package}.", f"{package}:"))]
        answer = attempt(name) if not above else {"name": name, "ok": False, "error_type": "above", "error": above[0]}
        if not answer["ok"] and not above and ":" not in name:
            failed.append(name)
        elif answer["ok"] and ":" not in name:
            imported.append((number, name))
        os.write(answers, ascii(answer).encode() + b"\n")
    _limit(PATIENCE)
    for number, name in imported:
        try:
            missing = absent(name)
        except BaseException:  # noqa: BLE001, S112 (the module may be any object)
            continue
        if missing:
            os.write(answers, ascii((number, missing)).encode() + b"\n")
    _limit(0)
    os.close(answers)
    return 0


def _limit(seconds: int) -> None:
    """Have this interpreter end in so many `seconds`, where a system can do that; 0 takes it back.

    What names of ``__all__`` load on demand may take any time, and nothing of importance comes after them.
    """
    import signal  # noqa: PLC0415 (see above)

    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)


if __name__ == "__main__":
    # A module that reads sys.argv when it is imported must not find our arguments there.
    sys.argv, arguments = sys.argv[:1], sys.argv[1:]
    status = main(arguments)
    # A thread that an imported module left behind would keep the interpreter from ending.
    os._exit(status)
