"""Rehearse a Python release on TestPyPI, verify it as a stranger would, then upload the very same files to PyPI."""

__version__ = "0.2.0"
