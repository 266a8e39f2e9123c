"""What the command `guard` calls, also as `python -m guard`."""

import sys
from collections.abc import Sequence

from guard.cli.app import run


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command, by default that of the process, and gives its exit code, also of one that failed."""
    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
