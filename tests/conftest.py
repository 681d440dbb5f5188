"""What holds for all tests."""

import os

os.environ.pop("COLUMNS", None)  # pytest-xdist sets 80: lines would break, other than without it
