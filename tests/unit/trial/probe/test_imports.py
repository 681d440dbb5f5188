from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe import imports as attempting
from seatrial.trial.probe.imports import attempts
from tests.samples.probed import LIMIT, SHORT, posix, put

if TYPE_CHECKING:
    from tests.environments import Site


def test_imports_that_go_well_have_no_output(site: Site) -> None:
    put(site, demo="print('hello')\n", other="import warnings\nwarnings.warn('old')\n")
    assert [(one.name, one.ok, one.output) for one in attempts(["demo", "other"], LIMIT)] == [
        ("demo", True, ""),
        ("other", True, ""),
    ]


def test_what_was_printed_on_the_way_to_a_failure_is_kept(site: Site) -> None:
    put(site, demo="import sys\nprint('on the way')\nprint('a complaint', file=sys.stderr)\nprint(1 / 0)\n")
    (made,) = attempts(["demo"], LIMIT)
    assert (made.ok, made.error_type) == (False, "ZeroDivisionError")
    assert {"on the way", "a complaint"} <= set(made.output.splitlines())


def test_only_the_last_lines_are_kept(site: Site) -> None:
    put(site, demo="for number in range(1000):\n    print('line', number)\nraise OSError\n")
    (made,) = attempts(["demo"], LIMIT)
    assert made.output.splitlines() == [f"line {number}" for number in range(980, 1000)]


def test_a_module_that_leaves_no_answer_ended_the_interpreter(site: Site) -> None:
    put(site, demo="import os\nos._exit(0)\n")
    (made,) = attempts(["demo"], LIMIT)
    assert (made.ok, made.error_type) == (False, "crash")
    assert "exit code 0" in (made.error or "")
    assert "os._exit" in (made.error or "")


@posix
def test_a_crash_is_told_by_its_signal_and_with_its_place(site: Site) -> None:
    put(site, demo="import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    (made,) = attempts(["demo"], LIMIT)
    assert made.error == "crashes the interpreter when it is imported (SIGSEGV)"
    assert "demo.py" in made.output


def test_a_signal_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempting, "run_bounded", lambda *_: (-99, ""))
    (made,) = attempts(["demo"], LIMIT)
    assert made.error == "crashes the interpreter when it is imported (signal 99)"


def test_a_hanging_import_ends(site: Site) -> None:
    put(site, demo="import threading\nthreading.Event().wait()\n")
    (made,) = attempts(["demo"], SHORT)
    assert (made.ok, made.error_type) == (False, "hang")
    assert "after 0.5 seconds" in (made.error or "")


def test_after_three_that_hang_the_rest_is_left_untried(site: Site) -> None:
    put(site, **dict.fromkeys("abcd", "import threading\nthreading.Event().wait()\n"))
    tried = attempts(["a", "b", "c", "d"], SHORT)
    assert [one.error_type for one in tried] == ["hang", "hang", "hang", "untried"]


def test_a_child_that_a_module_leaves_behind_is_ended(site: Site) -> None:
    text = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
    put(site, demo=text)
    assert attempts(["demo"], LIMIT)[0].ok


def test_a_thread_that_a_module_leaves_behind_does_not_matter(site: Site) -> None:
    put(site, demo="import threading\nthreading.Thread(target=threading.Event().wait).start()\n")
    assert attempts(["demo"], LIMIT)[0].ok


@pytest.mark.parametrize(
    "module", ["importlib.util", "importlib.metadata", "json", "traceback", "typing", "dataclasses"]
)
def test_what_a_module_uses_is_there_only_if_it_asks_for_it(site: Site, module: str) -> None:
    site_of_python = subprocess.run(
        [str(site.python), "-I", "-c", f"import sys\nprint({module!r} in sys.modules)"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    put(site, demo=f"import sys\nassert {module!r} not in sys.modules\n")
    assert attempts(["demo"], LIMIT)[0].ok == (site_of_python.stdout.strip() == "False")


def test_many_names_share_one_interpreter(site: Site) -> None:
    text = "import os, sys\nsys.modules.setdefault('first', os)\nassert __name__ == 'm0' or 'm0' in sys.modules\n"
    put(site, **{f"m{number}": text for number in range(9)})
    assert all(one.ok for one in attempts([f"m{number}" for number in range(9)], LIMIT))


def test_many_names_are_tried_apart_if_one_of_them_ends_the_interpreter(site: Site) -> None:
    put(site, **{f"m{number}": "" for number in range(8)}, m8="import os\nos._exit(1)\n")
    tried = attempts([f"m{number}" for number in range(9)], LIMIT)
    assert [one.ok for one in tried] == [True] * 8 + [False]


def test_a_process_is_ended_as_on_windows() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with process:
        attempting._end_tree(process)
    assert process.returncode != 0
    attempting._end_tree(process)  # of one that has ended nothing is left to do
