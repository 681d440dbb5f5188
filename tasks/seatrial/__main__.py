"""``python -I -m seatrial STEP``."""

import sys

from seatrial.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
