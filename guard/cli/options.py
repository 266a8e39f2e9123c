"""The options that several commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

from guard.cli.output import Format

RULES_HELP: Final = "The rule file; by default what GUARD_RULES names, else rules.toml."
RulesOption = Annotated[
    Path | None,
    # Whether it can be read is found when it is read, and is no mistake of the command line.
    typer.Option("--rules", metavar="FILE", help=RULES_HELP, show_default=False, readable=False),
]
FormatOption = Annotated[Format, typer.Option("--format", help="For people, or one JSON document for machines.")]
