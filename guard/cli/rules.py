"""`guard init` and `guard check`: the rule file."""

import os
import shlex
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guard.cli.example import example_text
from guard.cli.github import annotation
from guard.cli.live import LiveAccount, ask_all, live_document, print_live
from guard.cli.loop import end_of
from guard.cli.options import RULES_HELP, RulesOption
from guard.cli.output import print_json, say, warn
from guard.cli.rule_file import contents, load_file, rule_names, secrets_of, unknown_settings, usable
from guard.cli.schema import schema_text
from guard.errors import ConfigError, ExitCode, UsageError
from guard.settings import Settings
from guard.units import counted

if TYPE_CHECKING:
    from guard.config import Config, Loaded


class CheckFormat(StrEnum):
    """How mistakes are shown."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def init(rules: RulesOption = None) -> None:
    """Write a rule file to begin with.

    The file shows what there is to say, and works as it is once the variables
    that it names are set. A rule file that is there already is never touched.
    Beside it stands rules.schema.json, by which editors complete and check it.
    """
    from guard.config.schema import NAME

    path = rules or Settings.from_environ(os.environ).rules
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(example_text())
        path.with_name(NAME).write_text(schema_text(), encoding="utf-8")
    except FileExistsError:
        raise ConfigError(f"{path} is there already, and is not touched; look at it with `guard check`") from None
    except OSError as error:
        raise ConfigError(f"{error.filename or path} cannot be written: {error.strerror}") from None
    say("\n".join([f"{path} is written. Next:", *_steps(usable(path), path)]))


def _steps(config: "Config", path: Path) -> list[str]:
    named = "" if path == Settings.from_environ(os.environ).rules else f" --rules {shlex.quote(str(path))}"
    unset = [each.variable for each in secrets_of(config) if not each.value]
    steps = [
        *([f"set {' and '.join(unset)} in the environment"] if unset else []),
        f"edit {path}, and look at it with: guard check {shlex.quote(str(path))}",
        f"guard send-test {next(iter(config.channels))}{named}",
        f"guard run{named}",
    ]
    return [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]


def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=RULES_HELP, show_default=False, readable=False),
    ] = None,
    rules: RulesOption = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask each account once, and show what the rules make of it.")
    ] = False,
    format: Annotated[  # noqa: A002 - the option's name
        CheckFormat,
        typer.Option("--format", help="For people, one JSON document for machines, or annotations of GitHub Actions."),
    ] = CheckFormat.TEXT,
) -> ExitCode:
    """Look for mistakes in a rule file.

    Shows every mistake with its line, and exits with 78 if there is an error.
    A variable that is not set is a warning here, and an error to `guard run`.
    With --live also the value of each rule now, and how far its next level is.
    """
    if file and rules:
        raise UsageError(f"{file} and --rules {rules} name two rule files; name one")
    if live and format is CheckFormat.GITHUB:
        raise UsageError("--live goes with --format text or json; annotations are about lines of the rule file")
    path = file or rules or Settings.from_environ(os.environ).rules
    loaded = load_file(path)
    if loaded.config is None or not live:
        return _shown(loaded, path, format=format)
    then = partial(_shown, loaded, path, format=format)
    return end_of(ask_all(loaded.config, database=Settings.from_environ(os.environ).database, then=then))


def _shown(
    loaded: "Loaded",
    path: Path,
    asked: Sequence[LiveAccount] | None = None,
    *,
    format: CheckFormat,  # noqa: A002 - as above
) -> ExitCode:
    """Shows what a rule file holds, and what became of asking its accounts, if they were asked."""
    match format:
        case CheckFormat.JSON:
            print_json(_document(loaded, path, asked))
        case CheckFormat.GITHUB:
            for problem in loaded.problems:
                say(annotation(problem))
        case CheckFormat.TEXT:
            for problem in loaded.problems:
                say(problem.render())
            say(f"{path}: {_verdict(loaded)}")
            if asked is not None:
                print_live(asked)
    if loaded.config is None:
        return ExitCode.CONFIG
    for text in (*unknown_settings(loaded.config), *_unfit(loaded.config)):
        warn(text)
    return ExitCode.DONE


def _unfit(config: "Config") -> Iterator[str]:
    from guard.notify.channels import unfit

    return unfit(config.channels.values())


def _document(loaded: "Loaded", path: Path, asked: Sequence[LiveAccount] | None) -> dict[str, object]:
    config = loaded.config
    return {
        "path": str(path),
        "good": config is not None,
        "problems": [problem.as_dict() for problem in loaded.problems],
        "missing": list(loaded.missing),
        "accounts": [account.name for account in config.accounts] if config else [],
        "channels": list(config.channels) if config else [],
        "rules": rule_names(config) if config else [],
        **({} if asked is None else {"live": live_document(asked)}),
    }


def _verdict(loaded: "Loaded") -> str:
    found = [problem.severity.value for problem in loaded.problems]
    problems = [counted(found.count(word), word) for word in ("error", "warning") if word in found]
    if loaded.config is None:
        return ", ".join(problems)
    return ": ".join((contents(loaded.config), ", ".join(["good", *problems])))
