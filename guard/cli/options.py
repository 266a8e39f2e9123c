"""The options that several commands share."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final

import typer

from guard.cli.output import Format
from guard.errors import UsageError
from guard.units import parse_duration

_LONGEST: Final = timedelta(days=36_500)  # beyond lies the end of the calendar

RULES_HELP: Final = "The rule file; by default what GUARD_RULES names, else rules.toml."
RulesOption = Annotated[
    Path | None,
    # Whether it can be read is found when it is read, and is no mistake of the command line.
    typer.Option("--rules", metavar="FILE", help=RULES_HELP, show_default=False, readable=False),
]
FormatOption = Annotated[Format, typer.Option("--format", help="For people, or one JSON document for machines.")]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="GLOB", help="Only these: main:acme, or 'main:*'.", show_default=False),
]


def chosen(accounts: Iterable[str], pattern: str | None) -> frozenset[str]:
    """Those of the accounts that `--account` asks for; all without it. Raises UsageError where it fits none."""
    names = frozenset(accounts)
    if pattern is None:
        return names
    if found := frozenset(each for each in names if fnmatchcase(each, pattern)):
        return found
    from guard.rules.complaint import hint

    raise UsageError(f"there is no account {pattern!r}{hint(pattern, sorted(names))}")


def since_at(text: str, *, now: datetime) -> datetime:
    """The instant that `--since` names, at most a hundred years ago; raises UsageError for what is no duration."""
    try:
        return now - min(parse_duration(text), _LONGEST)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from None
