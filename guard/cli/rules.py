"""`guard init` and `guard check`: the rule file."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guard.cli.example import example_text
from guard.cli.options import RULES_HELP, FormatOption, RulesOption
from guard.cli.output import Format, print_json, say, warn
from guard.cli.rule_file import contents, counted, load_file, rule_names, secrets_of, unknown_settings, usable
from guard.errors import ConfigError, ExitCode, UsageError
from guard.settings import Settings

if TYPE_CHECKING:
    from guard.config import Config, Loaded


def init(rules: RulesOption = None) -> None:
    """Write a rule file to begin with.

    The file shows what there is to say, and works as it is once the variables
    that it names are set. A file that is there already is never touched.
    """
    path = rules or Settings.from_environ(os.environ).rules
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(example_text())
    except FileExistsError:
        raise ConfigError(f"{path} is there already, and is not touched; look at it with `guard check`") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
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
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> ExitCode:
    """Look for mistakes in a rule file.

    Shows every mistake with its line, and exits with 78 if there is an error.
    A variable that is not set is a warning here, and an error to `guard run`.
    """
    if file and rules:
        raise UsageError(f"{file} and --rules {rules} name two rule files; name one")
    path = file or rules or Settings.from_environ(os.environ).rules
    loaded = load_file(path)
    if format is Format.JSON:
        print_json(_document(loaded, path))
    else:
        for problem in loaded.problems:
            say(problem.render())
        say(f"{path}: {_verdict(loaded)}")
    if loaded.config is None:
        return ExitCode.CONFIG
    for text in unknown_settings(loaded.config):
        warn(text)
    return ExitCode.DONE


def _document(loaded: "Loaded", path: Path) -> dict[str, object]:
    config = loaded.config
    return {
        "path": str(path),
        "good": config is not None,
        "problems": [problem.as_dict() for problem in loaded.problems],
        "missing": list(loaded.missing),
        "accounts": [account.name for account in config.accounts] if config else [],
        "channels": list(config.channels) if config else [],
        "rules": rule_names(config) if config else [],
    }


def _verdict(loaded: "Loaded") -> str:
    found = [problem.severity.value for problem in loaded.problems]
    problems = [counted(found.count(word), word) for word in ("error", "warning") if word in found]
    if loaded.config is None:
        return ", ".join(problems)
    return ": ".join((contents(loaded.config), ", ".join(["good", *problems])))
