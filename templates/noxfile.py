"""Release sessions: `nox -l` lists them, `nox -s @@prefix@@dryrun` rehearses a release on this machine."""

import runpy

import nox

nox.needs_version = ">=2025.10.16"

runpy.run_path("@@folder@@/release.py")
