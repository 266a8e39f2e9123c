"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from guard.cli.output import Format

RulesOption = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FILE", help="The rule file.", show_default="$GUARD_RULES, else rules.toml"),
]
FormatOption = Annotated[Format, typer.Option("--format", help="For people, or one JSON document for machines.")]
