"""Who asks for something, and why: what others are shown of it."""

from getpass import getuser
from typing import Annotated, Final

import typer

from guard.errors import UsageError

_LONGEST: Final = {"--by": 100, "--reason": 500}

ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for others.", show_default=False)]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who asks; your login name, if left out.", show_default=False)
]


def named(by: str | None) -> str:
    """Who asks: the name that is given, else the login name; empty where there is none, as in some containers."""
    if by is not None:
        return read_line(by, "--by")
    try:
        return getuser()
    except (OSError, KeyError):  # from Python 3.13 on, and before
        return ""


def read_line(text: str, option: str) -> str:
    """The text of an option on one line. Raises UsageError where it is too long."""
    line = " ".join(text.split())
    if len(line) > _LONGEST[option]:
        raise UsageError(f"{option} has at most {_LONGEST[option]} characters, and this {len(line):,}")
    return line
