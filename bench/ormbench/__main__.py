"""``python -m ormbench``, and the command ``ormbench``."""

import sys

from ormbench.errors import INTERRUPTED


def main() -> int:
    """Import what a command needs, which takes most of a second, and call it."""
    try:
        from ormbench.cli import main as command  # noqa: PLC0415 - a Ctrl-C may come meanwhile

        return command()
    except KeyboardInterrupt:
        print("ormbench: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
