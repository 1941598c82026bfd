"""``python -m ormbench``."""

import sys

from ormbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
