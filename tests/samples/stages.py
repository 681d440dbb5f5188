"""One release, as the record has it: each stage of a project `demo` whose two files are a line of text each."""

from __future__ import annotations

import hashlib

from seatrial.release.stages import (
    Built,
    Cell,
    Checked,
    Dist,
    Installed,
    Normalised,
    Problem,
    Rehearsed,
    Released,
    Stage,
    Tool,
    Trial,
    Verified,
)

SDIST, WHEEL = "demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"
FILES = {SDIST: "the sdist\n", WHEEL: "the wheel\n"}
DISTS = tuple(sorted(Dist(name, hashlib.sha256(text.encode()).hexdigest(), len(text)) for name, text in FILES.items()))
AT = "2024-05-06T07:08:09Z"
INDEX = "https://test.pypi.org/simple/"
URLS = tuple(f"https://files.example/{dist.filename}" for dist in DISTS)
GUEST = Installed("demo", "1.0", URLS[0], DISTS[0].sha256)

BUILT = Built(
    project="demo",
    version="1.0",
    dists=DISTS,
    at=AT,
    commit="c0ffee",
    tag=None,
    dirty=False,
    epoch=1714979289,
    fingerprint="git:c0ffee;wheel,sdist,checkout,",
    normalised=(Normalised("demo-1.0.tar.gz", "a" * 64, "b" * 64),),
    tools=(Tool("build", "1.6.1"),),
    matrix=(Cell("3.14t", "wheel"), Cell("3.14t", "sdist")),
)
CHECKED = Checked(
    project="demo",
    version="1.0",
    dists=DISTS,
    at=AT,
    rules=("metadata-summary",),
    problems=(Problem("metadata-summary", "warning", SDIST, "Übung: there is no Summary\n"),),
    trials=(Trial(WHEEL, "3.13", ("demo",), (GUEST, Installed("six", "1.17"))),),
)
REHEARSED = Rehearsed(project="demo", version="1.0", dists=DISTS, at=AT, index=INDEX, urls=URLS)
VERIFIED = Verified(
    project="demo",
    version="1.0",
    dists=DISTS,
    at=AT,
    index=INDEX,
    python="3.14t",
    python_version="3.14.0",
    sys_platform="linux",
    machine="x86_64",
    kind="wheel",
    filename=WHEEL,
    installed=(GUEST,),
    imported=("demo",),
    ran=("demo --version",),
)
RELEASED = Released(project="demo", version="1.0", dists=DISTS, at=AT, index="https://pypi.org/simple/", urls=URLS)
SAMPLES: tuple[Stage, ...] = (BUILT, CHECKED, REHEARSED, VERIFIED, RELEASED)
